//! One row a request, for spreadsheets and scripts.

use schema::metric::Metric;
use schema::record::{FinishReason, Outcome, Phase, Record};
use schema::target::Target;

use crate::{clean, csv};

/// Columns before the figures.
const FACTS: [&str; 26] = [
    "run",
    "target",
    "provider",
    "model",
    "simulated",
    "phase",
    "index",
    "attempt",
    "block",
    "step",
    "prompt",
    "outcome",
    "detail",
    "message",
    "status",
    "request_id",
    "scheduled_ns",
    "start_ns",
    "first_byte_ns",
    "end_ns",
    "events",
    "token_source",
    "cached_input_tokens",
    "request_bytes",
    "response_bytes",
    "output_hash",
];

/// The figures that a request has one of.
fn figures() -> impl Iterator<Item = Metric> {
    Metric::ALL.iter().copied().filter(|metric| !matches!(metric, Metric::Itl | Metric::ClientLag))
}

/// The first line of a CSV of requests.
pub fn csv_requests_heading() -> String {
    let names = FACTS.iter().copied().chain(figures().map(Metric::key)).map(str::to_owned);
    csv::write(std::iter::once(names.collect()))
}

/// One request as a line of CSV: its facts, then its figures in the unit that each one's name ends with. Instants are of
/// the run's own clock. What is not there is blank; text is such that no spreadsheet takes it for a formula.
pub fn csv_request(run: &str, target: &Target, record: &Record) -> String {
    let figures = figures().map(|metric| number(stats::metric_values(record, metric).next()));
    csv::write(std::iter::once(facts(run, target, record).into_iter().chain(figures).collect()))
}

fn facts(run: &str, target: &Target, record: &Record) -> [String; 26] {
    let text = |text: &str| clean::cell(text);
    let (outcome, detail, message) = outcome(&record.outcome);
    [
        text(run),
        text(target.name.as_str()),
        text(&target.provider),
        text(&target.model),
        if target.simulated { "SIMULATED".to_owned() } else { String::new() },
        match record.phase {
            Phase::Warmup => "warmup",
            Phase::Measured => "measured",
        }
        .to_owned(),
        record.index.to_string(),
        record.attempt.to_string(),
        record.block.to_string(),
        record.step.to_string(),
        record.prompt.to_string(),
        outcome.to_owned(),
        text(&detail),
        text(&message),
        number(record.status),
        text(record.request_id.as_ref().map_or("", |id| id.raw())),
        record.scheduled_ns.0.to_string(),
        number(record.start_ns.map(|at| at.0)),
        number(record.first_byte_ns.map(|at| at.0)),
        number(record.end_ns.map(|at| at.0)),
        record.events.len().to_string(),
        record.tokens.map(|tokens| tokens.source.to_string()).unwrap_or_default(),
        number(record.usage.and_then(|usage| usage.cached_input_tokens)),
        record.request_bytes.to_string(),
        record.response_bytes.to_string(),
        text(record.output_hash.as_deref().unwrap_or("")),
    ]
}

/// How it ended, in what way, and what was said about it.
fn outcome(outcome: &Outcome) -> (&'static str, String, String) {
    let bare = |word| (word, String::new(), String::new());
    match outcome {
        Outcome::Complete { finish } => ("complete", finished(*finish).to_owned(), String::new()),
        Outcome::Failed(failure) => ("failed", failure.class.in_words().to_owned(), failure.message.for_terminal()),
        Outcome::NotSent => bare("not sent"),
        Outcome::Cancelled => bare("cancelled"),
        Outcome::Interrupted => bare("interrupted"),
    }
}

const fn finished(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool calls",
        FinishReason::ContentFilter => "content filter",
        FinishReason::Error => "error",
        FinishReason::Other => "other",
        FinishReason::Unsaid => "unsaid",
    }
}

fn number<T: ToString>(number: Option<T>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
