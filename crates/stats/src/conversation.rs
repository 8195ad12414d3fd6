//! Conversations: what each turn took for how much context, and what was remembered.
//!
//! ```text
//! records of one target ─┬▶ turns ─▶ TTFT over context, TTFT over tokens read ─▶ does caching flatten it?
//! scripts ───────────────┴▶ evidence (what was told, asked, answered) ─▶ share, grade, by distance
//! ```

mod recall;
mod retention;

use std::collections::BTreeMap;

use schema::conversation::{Conversations, Flattening, Line, Purpose, Script, TokenSlope, Turn};
use schema::event::EventKind;
use schema::metric::Metric;
use schema::record::{Outcome, Phase, Record};
use schema::summary::Estimate;
use schema::target::Target;

use crate::inference::theil_sen;
use crate::{cost, metric_values, values};

pub use recall::recall;

/// Tokens that slopes are told for.
const PER_TOKENS: f64 = 1_000.0;

/// One turn with all that is known of it.
struct Had<'a> {
    record: &'a Record,
    turn: Turn,
}

/// What conversations with `target` came to, from its records with their texts, of which those of other targets and of
/// the warm-up are ignored. `script` gives the conversation of each number; the records of a conversation without one
/// are left out. `None` when there are none.
pub fn conversations<'a>(
    target: &Target,
    records: impl IntoIterator<Item = &'a Record>,
    script: impl Fn(u64) -> Option<Script>,
) -> Option<Conversations> {
    let latest = latest(target, records);
    let scripts: BTreeMap<u64, Script> =
        latest.keys().filter_map(|(conversation, _)| Some((*conversation, script(*conversation)?))).collect();
    let had = had(target, &latest, &scripts);
    let turns_each = scripts.values().next()?.lines.len();
    let last = |had: &&Had<'_>| had.turn.turn as usize + 1 == turns_each && had.record.outcome.is_complete();
    let broken_off = had.iter().filter(|had| matches!(had.record.outcome, Outcome::Failed(_))).count() as u64;
    let reported = had.iter().filter_map(|had| Some((had.turn.context_tokens?, had.turn.cached_tokens?)));
    let (input, cached) = reported.fold((0_u64, 0_u64), |(input, cached), (more_input, more_cached)| {
        (input.saturating_add(more_input), cached.saturating_add(more_cached.min(more_input)))
    });
    let over_context = slope(&had, |had| {
        (had.turn.purpose != Purpose::Distracts).then_some(had.turn.context_tokens?).map(|tokens| tokens as f64)
    });
    let over_read = slope(&had, |had| Some(had.turn.context_tokens?.saturating_sub(had.turn.cached_tokens?) as f64));
    Some(Conversations {
        begun: scripts.len() as u64,
        finished: had.iter().filter(last).count() as u64,
        broken_off,
        turns_each: u32::try_from(turns_each).unwrap_or(u32::MAX),
        flattening: flattening(cached, &had, over_context.as_ref(), over_read.as_ref()),
        over_context,
        over_read,
        reported_input_tokens: input,
        cached_input_tokens: cached,
        retention: retention::retention(&had, &scripts),
        turns: had.into_iter().map(|had| had.turn).collect(),
    })
}

/// The last attempt at each turn.
fn latest<'a>(target: &Target, records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<(u64, u32), &'a Record> {
    let mut latest: BTreeMap<(u64, u32), &Record> = BTreeMap::new();
    for record in records {
        let Some(place) = record.conversation else { continue };
        if record.target == target.name && record.phase == Phase::Measured {
            let known = latest.entry((place.conversation, place.turn)).or_insert(record);
            if record.attempt >= known.attempt {
                *known = record;
            }
        }
    }
    latest
}

fn had<'a>(
    target: &Target,
    latest: &BTreeMap<(u64, u32), &'a Record>,
    scripts: &BTreeMap<u64, Script>,
) -> Vec<Had<'a>> {
    let mut all = Vec::new();
    let mut said = Said::default();
    for ((conversation, turn), record) in latest {
        let Some(line) = scripts.get(conversation).and_then(|script| script.lines.get(*turn as usize)) else {
            continue;
        };
        if *turn == 0 {
            said = Said::default();
        }
        let estimate = said.asks(line);
        all.push(Had { record, turn: of_turn(target, record, (*conversation, *turn), line, estimate) });
        said.hears(record);
    }
    all
}

/// Tokens said so far in a conversation, by what is known here; `None` once an answer's are not known.
struct Said(Option<u64>);

impl Default for Said {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl Said {
    fn asks(&mut self, line: &Line) -> Option<u64> {
        self.0 = self.0.map(|tokens| tokens.saturating_add(line.tokens.into()));
        self.0
    }

    fn hears(&mut self, record: &Record) {
        self.0 = self.0.and_then(|tokens| Some(tokens.saturating_add(record.tokens?.output)));
    }
}

fn of_turn(target: &Target, record: &Record, place: (u64, u32), line: &Line, estimate: Option<u64>) -> Turn {
    let counted = record.usage.and_then(|usage| usage.input_tokens);
    let context_tokens = counted.or(estimate);
    Turn {
        conversation: place.0,
        turn: place.1,
        purpose: line.purpose,
        context_tokens,
        estimated: counted.is_none() && context_tokens.is_some(),
        cached_tokens: record.usage.and_then(|usage| usage.cached_input_tokens).filter(|_| counted.is_some()),
        ttft_ns: values::ttft(record).filter(|_| record.outcome.is_complete()),
        tpot_ns: metric_values(record, Metric::Tpot).next(),
        output_tokens: record.tokens.map(|tokens| tokens.output),
        token_source: record.tokens.map(|tokens| tokens.source),
        cost_usd: target.price.as_ref().map(|price| cost::of_record(price, record)),
        failure: match &record.outcome {
            Outcome::Failed(failure) => Some(failure.class),
            _ => None,
        },
    }
}

/// The answer's text, without reasoning, calls of tools and the like, which are no answer.
pub fn answer_of(record: &Record) -> String {
    let pieces = record.output.iter().flatten().zip(&record.events);
    pieces.filter(|(_, event)| event.kind == EventKind::Text).map(|(text, _)| text.raw()).collect()
}

/// TTFT over `tokens` of the turns that have both.
fn slope(had: &[Had<'_>], tokens: impl Fn(&Had<'_>) -> Option<f64>) -> Option<TokenSlope> {
    let mut points: Vec<(f64, f64)> =
        had.iter().filter_map(|had| Some((tokens(had)?, had.turn.ttft_ns?.0 as f64))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    let line = theil_sen(&x, &y)?;
    let per_1k_tokens_ns = Estimate {
        value: line.slope.value * PER_TOKENS,
        low: line.slope.low.map(|low| low * PER_TOKENS),
        high: line.slope.high.map(|high| high * PER_TOKENS),
    };
    Some(TokenSlope { turns: x.len() as u64, per_1k_tokens_ns, at_zero_ns: line.intercept })
}

/// Where nothing is cached every token of context is read, and both slopes are one.
fn flattening(
    cached: u64,
    had: &[Had<'_>],
    over_context: Option<&TokenSlope>,
    over_read: Option<&TokenSlope>,
) -> Flattening {
    if had.iter().all(|had| had.turn.cached_tokens.is_none()) {
        return Flattening::NotReported;
    }
    if cached == 0 {
        return Flattening::NoCache;
    }
    let apart = over_context
        .zip(over_read)
        .and_then(|(context, read)| Some(context.per_1k_tokens_ns.high? < read.per_1k_tokens_ns.low?));
    if apart == Some(true) { Flattening::Flattens } else { Flattening::NotShown }
}

#[cfg(test)]
mod tests;
