//! Who wins, and how sure that is: a line a verdict, and a small table of scores.

use std::collections::BTreeMap;

use schema::comparison::{
    Comparison, Criterion, Dimension, Front, Overall, PairVerdict, RankVerdict, Ranking, Score, Standing, Verdict,
};
use schema::summary::Estimate;
use schema::target::TargetName;

use crate::comparison::Column;
use crate::listing::{self, Align, Cell, Listing};
use crate::number::{self, Figure};

/// What stands under the table: who wins over all, the typical request, its tail and pace, what is carried and what it
/// costs, success where it certainly differs, and who pays too much for being slow.
pub fn verdicts_in_words(comparison: &Comparison) -> Vec<String> {
    let fronts = comparison.fronts.iter().filter(|front| front.latency == Criterion::TtftP95);
    let overall = comparison.overall.iter().map(in_all);
    let told = comparison.rankings.iter().filter(|ranking| match ranking.criterion {
        Criterion::TtftP50 | Criterion::CostPer1kRequests => true,
        Criterion::TtftP95 | Criterion::TpotP50 | Criterion::OutputTokensPerS => {
            ranking.verdict != RankVerdict::NotEnoughData
        }
        Criterion::SuccessRate => ranking.pairs.iter().any(PairVerdict::is_certain),
        Criterion::TtftMean | Criterion::TtftP99 | Criterion::E2eP50 | Criterion::TtftSpread => false,
    });
    overall.chain(told.map(sentence)).chain(fronts.map(front)).collect()
}

/// Every verdict there is.
pub(crate) fn all_in_words(comparison: &Comparison) -> Vec<String> {
    let overall = comparison.overall.iter().map(in_all);
    let told = comparison.rankings.iter().map(sentence);
    overall.chain(told).chain(comparison.fronts.iter().map(front)).collect()
}

/// How a criterion's better and best are called.
const fn words(criterion: Criterion) -> (&'static str, &'static str) {
    match criterion {
        Criterion::TtftMean
        | Criterion::TtftP50
        | Criterion::TtftP95
        | Criterion::TtftP99
        | Criterion::TpotP50
        | Criterion::E2eP50 => ("is faster", "is fastest"),
        Criterion::OutputTokensPerS => ("carries more", "carries most"),
        Criterion::TtftSpread => ("is steadier", "is steadiest"),
        Criterion::SuccessRate => ("is more reliable", "is most reliable"),
        Criterion::CostPer1kRequests => ("is cheaper", "is cheapest"),
    }
}

/// `groq is faster than cerebras by 18–24 % (TTFT p95), certain`.
fn sentence(ranking: &Ranking) -> String {
    let heading = ranking.criterion.heading();
    let rest = unranked(ranking).map(|rest| format!("; {rest}")).unwrap_or_default();
    match &ranking.verdict {
        RankVerdict::Leader(target) => format!("{}{rest}{}", leader(ranking, target), mixed(ranking, &[target])),
        RankVerdict::Tie(targets) => {
            let within = ranking.pairs.iter().find_map(|pair| match pair.verdict {
                Verdict::Tie { within } => Some(number::percent(within)),
                Verdict::Better | Verdict::MoreNeeded { .. } => None,
            });
            let within = within.map(|within| format!(" within {within}")).unwrap_or_default();
            format!("{} tie{within} ({heading}){rest}{}", named(ranking, targets), mixed_all(ranking, targets))
        }
        RankVerdict::TooCloseToCall(targets) => {
            let more = more_needed(ranking, targets);
            format!(
                "{}: not enough data to tell ({heading}){more}{rest}{}",
                named(ranking, targets),
                mixed_all(ranking, targets)
            )
        }
        RankVerdict::NotEnoughData => {
            let counts: Vec<String> = ranking.standings.iter().map(counted).collect();
            format!("{heading}: not enough data ({})", counts.join(", "))
        }
    }
}

fn leader(ranking: &Ranking, target: &TargetName) -> String {
    let (heading, leader) = (ranking.criterion.heading(), name(ranking, target));
    let (better, best) = words(ranking.criterion);
    let Some(pair) = ranking.pairs.first() else { return format!("{leader} {best} ({heading}), certain") };
    let next = name(ranking, &pair.worse);
    let by = pair.margin.map(|margin| format!(" by {}", range(&margin, ranking.criterion))).unwrap_or_default();
    if ranking.pairs.len() == 1 {
        format!("{leader} {better} than {next}{by} ({heading}), certain")
    } else {
        format!("{leader} {best}{by} ({heading}), certain; next: {next}")
    }
}

/// `, about 140 more requests of each would tell`: as many as the pair takes that takes most.
fn more_needed(ranking: &Ranking, targets: &[TargetName]) -> String {
    let among = |pair: &&PairVerdict| targets.contains(&pair.better) && targets.contains(&pair.worse);
    let open: Vec<&PairVerdict> = ranking.pairs.iter().filter(among).filter(|pair| !pair.is_decided()).collect();
    if open.iter().any(|pair| pair.evidence.blocks < 2) {
        return ", for want of blocks: `blocks` says into how many a run is divided".to_owned();
    }
    let needed: Option<Vec<u64>> = open
        .iter()
        .map(|pair| match pair.verdict {
            Verdict::MoreNeeded { requests } => requests,
            Verdict::Better | Verdict::Tie { .. } => None,
        })
        .collect();
    match needed.and_then(|needed| needed.into_iter().max()) {
        Some(requests) => format!(", about {} of each would tell", number::counted(rounded(requests), "more request")),
        None => ", and more of the same would hardly tell".to_owned(),
    }
}

/// Two digits are as much as is known of it.
fn rounded(requests: u64) -> u64 {
    let step = 10_u64.pow(requests.checked_ilog10().unwrap_or(0).saturating_sub(1));
    requests.div_ceil(step) * step
}

/// `18–24 %`; of shares `1.2–3.4 points`. What is certain does not begin below nothing.
fn range(margin: &Estimate, criterion: Criterion) -> String {
    let unit = if criterion.is_share() { "points" } else { "%" };
    let places = usize::from(margin.value.abs() < 0.0995);
    let show = |x: f64| format!("{:.places$}", x.max(0.0) * 100.0);
    match (margin.low.map(show), margin.high.map(show)) {
        (Some(low), Some(high)) if low == high => format!("{low} {unit}"),
        (Some(low), Some(high)) => format!("{low}–{high} {unit}"),
        (Some(low), None) => format!("at least {low} {unit}"),
        (None, _) => format!("about {} {unit}", show(margin.value)),
    }
}

/// `Overall: groq wins, certain (100 of 100; next: cerebras 81); it is first under 83 % of all weightings, …`.
fn in_all(overall: &Overall) -> String {
    let marked = |target: &TargetName| {
        let simulated = overall.scores.iter().any(|score| score.target == *target && score.simulated);
        format!("{target}{}", mark(simulated))
    };
    let listed_all = |targets: &[TargetName]| listed(&targets.iter().map(marked).collect::<Vec<_>>());
    let verdict = match &overall.verdict {
        RankVerdict::Leader(target) => format!("{} wins, certain", marked(target)),
        RankVerdict::Tie(targets) => format!("{} tie", listed_all(targets)),
        RankVerdict::TooCloseToCall(targets) => format!("{} too close to call", listed_all(targets)),
        RankVerdict::NotEnoughData => "not enough data".to_owned(),
    };
    let support = overall.support.iter().map(|s| format!("{} {}", marked(&s.target), number::percent(s.share)));
    let support: Vec<String> = support.collect();
    let turning = overall.turning.as_ref().map(|turning| {
        format!("; {} draws level where {}", marked(&turning.winner), weights_in_words(&turning.weights))
    });
    let kinds = scores_of_both_kinds(&overall.scores);
    format!(
        "Overall ({}): {verdict}; first under so many of all weightings: {}{}{kinds}",
        weights_in_words(&overall.weights),
        support.join(", "),
        turning.unwrap_or_default()
    )
}

/// `latency 75 %, cost 25 %`; `all alike` where they are.
fn weights_in_words(weights: &BTreeMap<Dimension, f64>) -> String {
    let alike = weights.values().all(|weight| (weight * weights.len() as f64 - 1.0).abs() < 1e-9);
    if alike && weights.len() > 1 {
        return "all dimensions alike".to_owned();
    }
    let told = weights.iter().filter(|(_, weight)| **weight > 0.0005);
    told.map(|(dimension, weight)| format!("{dimension} {}", number::percent(*weight))).collect::<Vec<_>>().join(", ")
}

fn scores_of_both_kinds(scores: &[Score]) -> &'static str {
    let both = scores.iter().any(|score| score.simulated) && scores.iter().any(|score| !score.simulated);
    if both { "; simulated against real" } else { "" }
}

/// `Cost against TTFT p95: groq and own cannot be beaten in both; cerebras is, by groq`.
fn front(front: &Front) -> String {
    let names = |on: bool| -> Vec<String> {
        let points = front.points.iter().filter(|point| point.dominated_by.is_empty() == on);
        points
            .map(|point| {
                let by = listed(&point.dominated_by.iter().map(ToString::to_string).collect::<Vec<_>>());
                let by = if on { String::new() } else { format!(" by {by}") };
                format!("{}{}{by}", point.target, mark(point.simulated))
            })
            .collect()
    };
    let beaten = names(false);
    let beaten = if beaten.is_empty() { String::new() } else { format!("; beaten in both: {}", beaten.join(", ")) };
    format!("Cost against {}: best {}{beaten}", front.latency.heading(), listed(&names(true)))
}

/// The scores, a column over all and one a dimension; none where nothing was scored. Rows are in the order of
/// [`scored`].
pub(crate) fn scores(comparison: &Comparison) -> Vec<Column> {
    let Some(overall) = &comparison.overall else { return Vec::new() };
    let column = |heading: &str, scores: &[Score], with_ends: bool| {
        let figure = |row: &Score| {
            let score = scores.iter().find(|score| score.target == row.target).map(|score| score.score);
            score.map_or_else(Figure::nothing, |score| {
                let whole = |x: f64| format!("{x:.0}");
                let ends = score.low.zip(score.high).filter(|_| with_ends);
                let aside = ends.map(|(low, high)| format!("{}–{}", whole(low), whole(high)));
                Figure { value: whole(score.value), aside: aside.into_iter().collect() }
            })
        };
        Column { heading: vec![heading.to_owned()], figures: overall.scores.iter().map(figure).collect() }
    };
    let dimensions =
        comparison.dimensions.iter().map(|ranking| column(ranking.dimension.in_words(), &ranking.scores, true));
    std::iter::once(column("overall", &overall.scores, true)).chain(dimensions).collect()
}

/// Who is scored, best first.
pub(crate) fn scored(comparison: &Comparison) -> Vec<String> {
    let overall = comparison.overall.iter().flat_map(|overall| &overall.scores);
    overall.map(|score| format!("{}{}", score.target, mark(score.simulated))).collect()
}

/// How to read the scores.
pub(crate) const SCORES: &str = "Scores: 100 is the best of these targets, 50 half as good; ranges are 95 % intervals.";

/// Every pair by every criterion, a row each, for programs and whoever wants to know all.
pub fn verdicts(comparison: &Comparison) -> Listing {
    let column = |key, heading, align| listing::Column { key, heading, align };
    let columns = vec![
        column("criterion", "by", Align::Left),
        column("better", "better", Align::Left),
        column("worse", "worse", Align::Left),
        column("simulated_with_real", "simulated with real", Align::Left),
        column("margin", "margin", Align::Right),
        column("margin_low", "from", Align::Right),
        column("margin_high", "to", Align::Right),
        column("p", "p", Align::Right),
        column("p_adjusted", "p of all pairs", Align::Right),
        column("verdict", "verdict", Align::Left),
        column("more_requests", "requests still needed", Align::Right),
        column("blocks", "blocks", Align::Right),
    ];
    let pairs = comparison.rankings.iter().flat_map(|ranking| ranking.pairs.iter().map(move |pair| (ranking, pair)));
    let rows = pairs.map(|(ranking, pair)| {
        let figure = |x: Option<f64>, shown: &dyn Fn(f64) -> String| {
            x.map_or(Cell::Empty, |value| Cell::Number { shown: shown(value), value })
        };
        let percent = |x: f64| format!("{:.1} %", x * 100.0);
        let end = |pick: fn(&Estimate) -> Option<f64>| figure(pair.margin.as_ref().and_then(pick), &percent);
        let (verdict, requests) = match pair.verdict {
            Verdict::Better => ("better", None),
            Verdict::Tie { .. } => ("tie", None),
            Verdict::MoreNeeded { requests } => ("more needed", requests),
        };
        vec![
            Cell::Text(ranking.criterion.heading().to_owned()),
            Cell::Text(name(ranking, &pair.better)),
            Cell::Text(name(ranking, &pair.worse)),
            Cell::Flag(pair.simulated_with_real),
            end(|margin| Some(margin.value)),
            end(|margin| margin.low),
            end(|margin| margin.high),
            figure(pair.p, &number::number),
            figure(pair.p_adjusted, &number::number),
            Cell::Text(verdict.to_owned()),
            figure(requests.map(|n| n as f64), &number::number),
            figure(Some(f64::from(pair.evidence.blocks)), &number::number),
        ]
    });
    Listing { title: format!("{}: who is better", comparison.name), columns, rows: rows.collect() }
}

/// `not enough data: tgi (n = 3)`; absent when all could be ranked.
fn unranked(ranking: &Ranking) -> Option<String> {
    let lacking: Vec<String> = ranking.standings.iter().filter(|s| s.estimate.is_none()).map(counted).collect();
    (!lacking.is_empty()).then(|| format!("not enough data: {}", lacking.join(", ")))
}

fn counted(standing: &Standing) -> String {
    format!("{}{} n = {}", standing.target, mark(standing.simulated), number::count(standing.n))
}

/// A simulated target says so wherever it is named.
const fn mark(simulated: bool) -> &'static str {
    if simulated { " (SIMULATED)" } else { "" }
}

fn name(ranking: &Ranking, target: &TargetName) -> String {
    let standing = ranking.standings.iter().find(|standing| standing.target == *target);
    format!("{target}{}", mark(standing.is_some_and(|standing| standing.simulated)))
}

fn named(ranking: &Ranking, targets: &[TargetName]) -> String {
    listed(&targets.iter().map(|target| name(ranking, target)).collect::<Vec<_>>())
}

/// Whether one of those spoken of was compared with a target of the other kind.
fn mixed(ranking: &Ranking, told: &[&TargetName]) -> &'static str {
    let is_told = |pair: &&PairVerdict| told.iter().any(|target| pair.better == **target || pair.worse == **target);
    let across = ranking.pairs.iter().filter(is_told).any(|pair| pair.simulated_with_real);
    if across { "; simulated against real" } else { "" }
}

fn mixed_all(ranking: &Ranking, told: &[TargetName]) -> &'static str {
    mixed(ranking, &told.iter().collect::<Vec<_>>())
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
