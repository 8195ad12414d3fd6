//! What conversations came to: what was remembered, with what shows it, and what each turn took.

use std::collections::BTreeMap;

use schema::conversation::{Conversations, Evidence, Flattening, Recall, Retention, TokenSlope, Turn};
use schema::metric::Unit;
use schema::plan::{Plan, Stop};
use schema::summary::{Estimate, Summary, TargetSummary};
use schema::text::Untrusted;

use crate::listing::Align;
use crate::number::{self, Figure, NOTHING, count, counted, percent, value};
use crate::{clean, csv};

/// Questions that a table shows at most: all that went wrong first.
const MOST_SHOWN: usize = 40;

/// Characters of an answer that a table quotes.
const MOST_QUOTED: usize = 72;

/// A table under a title.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) headings: Vec<&'static str>,
    pub(crate) aligns: Vec<Align>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Label and text of what is known of a target's conversations.
pub(crate) fn lines(conversations: &Conversations, plan: &Plan) -> Vec<(&'static str, String)> {
    let mut lines = vec![("memory", retention(&conversations.retention)), ("talks", talks(conversations, plan))];
    lines.extend(by_distance(&conversations.retention).map(|text| ("distance", text)));
    lines.push(("context", context(conversations)));
    lines.push(("caching", cache(conversations)));
    lines
}

/// `A` over `18 of 18`, for a column beside the other targets'.
pub(crate) fn figure(conversations: &Conversations) -> Option<Figure> {
    let retention = &conversations.retention;
    let share = retention.share?;
    let told = format!("{} of {}", count(retention.right), count(retention.asked));
    let value = retention.grade.map_or_else(|| percent(share.value), |grade| grade.to_string());
    Some(Figure { value, aside: vec![told] })
}

/// Turn by turn, then question by question.
pub(crate) fn sections(conversations: &Conversations) -> Vec<Section> {
    let evidence = &conversations.retention.evidence;
    let tables = [turns(conversations), questions(evidence, conversations.begun)];
    tables.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

/// `grade B (interval A–C): 15 of 18 facts told back, 83.3 % (60.8–94.2 %)`.
fn retention(retention: &Retention) -> String {
    let Some(share) = retention.share else {
        return format!(
            "nothing can be said: {}",
            not_counted(retention).unwrap_or_else(|| "nothing was asked".into())
        );
    };
    let told = format!(
        "{} of {} told back when asked, {}",
        count(retention.right),
        counted(retention.asked, "fact"),
        with_ends(&share)
    );
    let grade = match (retention.grade, retention.grade_range) {
        (Some(grade), Some((high, low))) if high != low => format!("grade {grade} (its interval: {high} to {low})"),
        (Some(grade), _) => format!("grade {grade}"),
        (None, _) => "no grade for so few questions".to_owned(),
    };
    let misses = misses(&retention.evidence);
    let parts = [Some(format!("{grade}: {told}")), misses, not_counted(retention)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `3 does not know, 1 confused`.
fn misses(evidence: &[Evidence]) -> Option<String> {
    let mut kinds: BTreeMap<Recall, u64> = BTreeMap::new();
    for one in evidence.iter().filter(|one| one.recall.counts() && one.recall != Recall::Right) {
        *kinds.entry(one.recall).or_default() += 1;
    }
    let told: Vec<String> = kinds.iter().map(|(recall, n)| format!("{} {recall}", count(*n))).collect();
    (!told.is_empty()).then(|| format!("missed: {}", told.join(", ")))
}

fn not_counted(retention: &Retention) -> Option<String> {
    let kinds = [(retention.unanswered, "got no answer"), (retention.not_reached, "not reached")];
    let told: Vec<String> =
        kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))).collect();
    (!told.is_empty()).then(|| format!("questions that are not counted: {}", told.join(", ")))
}

/// `3 asked for, 4 begun, 3 finished, 1 broken off by a failure (others were begun instead), 12 turns each, …`.
fn talks(conversations: &Conversations, plan: &Plan) -> String {
    let Conversations { begun, finished, broken_off, turns_each, .. } = conversations;
    let asked = match plan.stop {
        Stop::Requests(requests) => Some(requests / u64::from((*turns_each).max(1))),
        Stop::DurationNs(_) => None,
    };
    let open = begun.saturating_sub(finished + broken_off);
    let instead = match asked {
        Some(asked) if *begun > asked => " (others were begun instead)",
        _ => "",
    };
    let parts = [
        asked.map(|asked| format!("{} asked for", count(asked))),
        Some(format!("{} begun, {} finished", count(*begun), count(*finished))),
        (*broken_off > 0).then(|| format!("{} broken off by a failure{instead}", count(*broken_off))),
        (open > 0).then(|| format!("{} not finished when the run ended", count(open))),
        Some(format!("{} each", counted((*turns_each).into(), "turn"))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let asked_in: Vec<_> = conversations.retention.evidence.iter().map(Evidence::distance_turns).collect();
    let apart = asked_in.iter().min().zip(asked_in.iter().max());
    let apart = apart.map(|(near, far)| {
        let apart = if near == far { String::new() } else { format!("{near} to ") };
        format!(", facts asked for {apart}{} after they were told", counted((*far).into(), "turn"))
    });
    format!("{}{}", parts.join(", "), apart.unwrap_or_default())
}

/// `1–3 turns 9 of 9 (70.1–100 %), 4–6 turns …`.
fn by_distance(retention: &Retention) -> Option<String> {
    let group = |one: &schema::conversation::AtDistance| {
        let turns = if one.turns_from == one.turns_to {
            format!("{} later", counted((one.turns_from).into(), "turn"))
        } else {
            format!("{}–{} turns later", one.turns_from, one.turns_to)
        };
        format!("{turns} {} of {} right, {}", count(one.right), count(one.asked), with_ends(&one.share))
    };
    let groups: Vec<String> = retention.by_distance.iter().map(group).collect();
    let verdict = retention.near_far_p.map(|p| {
        let said = if p < 0.05 { "the nearer half is told apart from the farther" } else { "no difference shown" };
        let p = if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") };
        format!("; {said} (Fisher's exact p {p})")
    });
    (groups.len() > 1).then(|| format!("{}{}", groups.join(", "), verdict.unwrap_or_default()))
}

fn context(conversations: &Conversations) -> String {
    let tokens: Vec<u64> = conversations.turns.iter().filter_map(|turn| turn.context_tokens).collect();
    let Some((least, most)) = tokens.iter().min().zip(tokens.iter().max()) else { return "length not known".into() };
    let estimated = conversations.turns.iter().any(|turn| turn.estimated);
    let by = if estimated { "some of it estimated" } else { "by the server's count" };
    let grown = format!("{} to {} tokens, {by}", count(*least), count(*most));
    let slope = conversations.over_context.as_ref().map_or_else(
        || "too few turns for a line through TTFT".to_owned(),
        |slope| format!("TTFT {} tokens more (turns that tell or ask, {} of them)", grows(slope), slope.turns),
    );
    format!("{grown}; {slope}")
}

/// `grows by 12.1 ms (10.0–14.2) for each 1,000`.
fn grows(slope: &TokenSlope) -> String {
    let estimate = &slope.per_1k_tokens_ns;
    let shown = number::estimate(estimate, Unit::Nanos).in_line();
    let told = estimate.low.zip(estimate.high);
    match told {
        Some((low, _)) if low > 0.0 => format!("grows by {shown} for each 1,000"),
        Some((_, high)) if high < 0.0 => format!("falls by {shown} for each 1,000"),
        _ => format!("does not certainly grow: {shown} for each 1,000"),
    }
}

fn cache(conversations: &Conversations) -> String {
    let share = || {
        let cached = conversations.cached_input_tokens as f64 / (conversations.reported_input_tokens as f64).max(1.0);
        format!("{} of input tokens came from the server's cache", percent(cached))
    };
    let read = || {
        conversations.over_read.as_ref().map_or_else(String::new, |slope| {
            let cost = number::estimate(&slope.per_1k_tokens_ns, Unit::Nanos).in_line();
            format!(": reading 1,000 tokens anew costs {cost} of TTFT")
        })
    };
    match conversations.flattening {
        Flattening::Flattens => format!("{}, and it flattens TTFT{}", share(), read()),
        Flattening::NotShown => format!("{}; that it flattens TTFT is not shown{}", share(), read()),
        Flattening::NoCache => "the server reports that nothing came from a cache".to_owned(),
        Flattening::NotReported => "the server does not say what came from a cache".to_owned(),
    }
}

/// `83.3 % (60.8–94.2 %)`.
fn with_ends(share: &Estimate) -> String {
    let ends = share.low.zip(share.high);
    let ends = ends.map(|(low, high)| format!(" ({}–{})", percent(low).trim_end_matches(" %"), percent(high)));
    format!("{}{}", percent(share.value), ends.unwrap_or_default())
}

/// One row a turn: of several conversations the medians.
fn turns(conversations: &Conversations) -> Section {
    let mut by_turn: BTreeMap<u32, Vec<&Turn>> = BTreeMap::new();
    for turn in &conversations.turns {
        by_turn.entry(turn.turn).or_default().push(turn);
    }
    let costs = conversations.turns.iter().any(|turn| turn.cost_usd.is_some());
    let row = |(number, turns): (&u32, &Vec<&Turn>)| {
        let middle = |pick: &dyn Fn(&Turn) -> Option<f64>| {
            let values: Vec<f64> = turns.iter().filter_map(|turn| pick(turn)).collect();
            median(values)
        };
        let tokens = |x: Option<f64>| x.map_or_else(|| NOTHING.to_owned(), count_of);
        let time = |x: Option<f64>| x.map_or_else(|| NOTHING.to_owned(), |x| value(x, Unit::Nanos));
        let mark = if turns.iter().any(|turn| turn.estimated) { "~" } else { "" };
        let failed = turns.iter().filter(|turn| turn.failure.is_some()).count();
        let mut purposes: Vec<&str> = turns.iter().map(|turn| turn.purpose.in_words()).collect();
        purposes.dedup();
        let mut cells = vec![
            (number + 1).to_string(),
            purposes.join(", "),
            format!("{mark}{}", tokens(middle(&|turn| turn.context_tokens.map(|n| n as f64)))),
            tokens(middle(&|turn| turn.cached_tokens.map(|n| n as f64))),
            time(middle(&|turn| turn.ttft_ns.map(|n| n.0 as f64))),
            time(middle(&|turn| turn.tpot_ns)),
            tokens(middle(&|turn| turn.output_tokens.map(|n| n as f64))),
        ];
        if costs {
            let sum = turns.iter().filter_map(|turn| turn.cost_usd).reduce(|a, b| a + b);
            cells.push(sum.map_or_else(|| NOTHING.to_owned(), |sum| sum.to_string()));
        }
        cells.push(if failed > 0 { format!("{failed} failed") } else { String::new() });
        cells
    };
    let mut headings = vec!["turn", "it", "context", "cached", "TTFT", "TPOT", "output"];
    let mut aligns = vec![Align::Right, Align::Left];
    aligns.extend([Align::Right; 5]);
    if costs {
        headings.push("cost");
        aligns.push(Align::Right);
    }
    headings.push("");
    aligns.push(Align::Left);
    let title = if conversations.begun > 1 {
        format!("turn by turn, medians of {}", counted(conversations.begun, "conversation"))
    } else {
        "turn by turn".to_owned()
    };
    Section { title, headings, aligns, rows: by_turn.iter().map(row).collect() }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, *upper))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens")]
fn count_of(tokens: f64) -> String {
    count(tokens.round() as u64)
}

/// One row a question; of too many those that went wrong, and then the first.
fn questions(evidence: &[Evidence], conversations: u64) -> Section {
    let mut shown: Vec<(usize, &Evidence)> = evidence.iter().enumerate().collect();
    if shown.len() > MOST_SHOWN {
        shown.sort_by_key(|(place, one)| (one.recall == Recall::Right, *place));
        shown.truncate(MOST_SHOWN);
        shown.sort_by_key(|(place, _)| *place);
    }
    let left_out = evidence.len() - shown.len();
    let row = |(_, one): &(usize, &Evidence)| {
        let tokens = one.distance_tokens.map_or_else(String::new, |tokens| format!(", {}", counted(tokens, "token")));
        let mut cells = vec![
            format!("{} → {}", one.told_in + 1, one.asked_in + 1),
            format!("{}{tokens}", counted(one.distance_turns().into(), "turn")),
            one.subject.clone(),
            one.value.clone(),
            beginning(&one.excerpt),
            one.recall.to_string(),
        ];
        if conversations > 1 {
            cells.insert(0, (one.conversation + 1).to_string());
        }
        cells
    };
    let mut headings = vec!["told → asked", "apart", "what", "told", "answer", "verdict"];
    let mut aligns = vec![Align::Left; 6];
    if conversations > 1 {
        headings.insert(0, "talk");
        aligns.insert(0, Align::Right);
    }
    let title = if left_out > 0 {
        format!("what the grade is made of; {} in conversation.csv", counted(left_out as u64, "more right answer"))
    } else {
        "what the grade is made of".to_owned()
    };
    Section { title, headings, aligns, rows: shown.iter().map(row).collect() }
}

/// As much of an answer as a table has room for; files have more.
fn beginning(excerpt: &Untrusted) -> String {
    let line = excerpt.for_terminal();
    let mut beginning: String = line.chars().take(MOST_QUOTED).collect();
    if beginning.len() < line.len() {
        beginning.push('…');
    }
    beginning
}

/// Keys of [`csv_conversations`].
const HEADINGS: [&str; 25] = [
    "run",
    "target",
    "simulated",
    "conversation",
    "turn",
    "purpose",
    "context_tokens",
    "context_source",
    "cached_tokens",
    "ttft_ns",
    "tpot_ns",
    "output_tokens",
    "cost_usd",
    "failure",
    "asked_for",
    "told",
    "told_in_turn",
    "distance_turns",
    "distance_tokens",
    "answer",
    "verdict",
    "right",
    "asked_in_all",
    "share",
    "grade",
];

/// One row a turn of every conversation, with the question and its verdict where it asks one; turns and conversations
/// count from 1. Questions that a server's refusal kept from being asked are rows without times. Blank: not known.
pub fn csv_conversations(summary: &Summary) -> String {
    let headings = HEADINGS.map(str::to_owned).to_vec();
    csv::write(std::iter::once(headings).chain(summary.targets.iter().flat_map(|target| rows(summary, target))))
}

fn rows(summary: &Summary, target: &TargetSummary) -> Vec<Vec<String>> {
    let Some(conversations) = &target.conversations else { return Vec::new() };
    let evidence = &conversations.retention.evidence;
    let place = |one: &Evidence| (one.conversation, one.asked_in);
    let asked: BTreeMap<(u64, u32), &Evidence> = evidence.iter().map(|one| (place(one), one)).collect();
    let had: BTreeMap<(u64, u32), &Turn> =
        conversations.turns.iter().map(|turn| ((turn.conversation, turn.turn), turn)).collect();
    let mut places: Vec<(u64, u32)> = asked.keys().chain(had.keys()).copied().collect();
    places.sort_unstable();
    places.dedup();
    let row = |place: &(u64, u32)| {
        let mut cells = vec![
            summary.name.clone(),
            target.target.to_string(),
            if target.simulated { "SIMULATED".to_owned() } else { String::new() },
            (place.0 + 1).to_string(),
            (place.1 + 1).to_string(),
        ];
        cells.extend(of_turn(had.get(place).copied()));
        cells.extend(of_question(asked.get(place).copied()));
        cells.extend(of_all(&conversations.retention));
        cells.iter().map(|cell| clean::cell(cell)).collect()
    };
    places.iter().map(row).collect()
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn of_turn(turn: Option<&Turn>) -> [String; 9] {
    let Some(turn) = turn else {
        return [const { String::new() }; 9];
    };
    let source = turn.context_tokens.map(|_| if turn.estimated { "estimate" } else { "server usage" });
    [
        turn.purpose.in_words().to_owned(),
        shown(turn.context_tokens),
        shown(source),
        shown(turn.cached_tokens),
        shown(turn.ttft_ns.map(|nanos| nanos.0)),
        shown(turn.tpot_ns),
        shown(turn.output_tokens),
        shown(turn.cost_usd.map(|cost| cost.0)),
        shown(turn.failure),
    ]
}

fn of_question(question: Option<&Evidence>) -> [String; 7] {
    let Some(one) = question else {
        return [const { String::new() }; 7];
    };
    [
        one.subject.clone(),
        one.value.clone(),
        (one.told_in + 1).to_string(),
        one.distance_turns().to_string(),
        shown(one.distance_tokens),
        one.excerpt.for_terminal(),
        one.recall.to_string(),
    ]
}

fn of_all(retention: &Retention) -> [String; 4] {
    [
        retention.right.to_string(),
        retention.asked.to_string(),
        shown(retention.share.map(|share| share.value)),
        shown(retention.grade),
    ]
}

#[cfg(test)]
mod tests;
