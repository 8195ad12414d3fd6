//! Why a figure moves: one sentence a rule, with what the recording shows of it.

use schema::counted;
use schema::event::{Event, EventKind, Stamp};
use schema::explain::{Cause, Quantity, Rule};
use schema::record::{Record, TokenSource};
use schema::units::Nanos;

use super::definition::{Carriers, Definition, Itl, OURS, Tokens};
use super::material::{Material, output_tokens};
use super::reading::Values;
use crate::quantile::quantile;

/// What `rule` does to our figure when it alone is put into our definitions, which `one` is.
pub(super) fn cause(
    rule: Rule,
    one: &Definition,
    quantity: Quantity,
    alone: &Values,
    ours: &Values,
    material: &Material<'_>,
) -> Cause {
    let why = match rule {
        Rule::Requests => requests(material),
        Rule::Start => start(material),
        Rule::Events => events(one.carriers, quantity, material),
        Rule::Clock => clock(material),
        Rule::End => end(material),
        Rule::Tokens => tokens(one.tokens, material),
        Rule::Itl => itl(one.itl, material),
        Rule::Tpot => "it is (last − start) ÷ tokens, so TTFT is inside".to_owned(),
        Rule::Drops => drops(material),
        Rule::Window => window(material),
    };
    Cause { rule, change: super::change(alone.get(&quantity), ours.get(&quantity)), why }
}

/// `12 of 200 answers`.
fn share(material: &Material<'_>, hit: impl Fn(&Record) -> bool) -> String {
    let hits = material.all.iter().filter(|record| hit(record)).count();
    format!("{hits} of {}", counted(material.all.len(), "answer"))
}

fn requests(material: &Material<'_>) -> String {
    let early = material.all.len() - material.steady.len();
    format!("the start-up is inside: we keep {} apart for it", counted(early, "answer"))
}

fn start(material: &Material<'_>) -> String {
    let connected = share(material, |record| record.connect.is_some());
    format!("connecting is inside: {connected} needed a new connection")
}

fn events(carriers: Carriers, quantity: Quantity, material: &Material<'_>) -> String {
    let first = |record: &Record| material.events(record, Carriers::Any).first().map(|event| event.kind);
    let blank = share(material, |record| first(record).is_some_and(|kind| !kind.is_content()));
    let content = |record: &Record| record.events.content().next().map(|event| event.kind);
    let thinking = share(material, |record| content(record).is_some_and(|kind| kind != EventKind::Text));
    let is_ttft = matches!(quantity, Quantity::TtftMean | Quantity::TtftP50 | Quantity::TtftP95);
    match (carriers, is_ttft) {
        (Carriers::Any, true) => format!("any event is a first token, be it empty or a role: {blank} begin with such"),
        (Carriers::Any, false) => format!("events without a token count like those with one: {blank} begin with such"),
        (_, true) => {
            format!("only answer text is a first token, reasoning and tool calls are not: {thinking} begin so")
        }
        (_, false) => format!("only answer text counts, reasoning and tool calls do not: {thinking} begin with these"),
    }
}

fn clock(material: &Material<'_>) -> String {
    let stamped = |record: &&Record| {
        let first = record.events.content().next().filter(|event| event.stamp == Stamp::Kernel);
        first.map(|event| f64::from(event.lag_ns))
    };
    let (median, most) = middle_and_most(material.all.iter().filter_map(stamped).collect());
    format!(
        "arrivals are stamped when the program has read them, not when the kernel had them: of first tokens {median} \
         later (median), {most} at most"
    )
}

fn end(material: &Material<'_>) -> String {
    let after = material.all.iter().filter_map(|record| {
        let (last, end) = (record.events.content().next_back()?, record.events.last()?);
        Some(span(last, end).0 as f64)
    });
    let (median, _) = middle_and_most(after.collect());
    format!("an answer ends with its stream, {median} (median) after its last token")
}

fn span(earlier: Event, later: Event) -> Nanos {
    later.arrival - earlier.arrival
}

fn tokens(tokens: Tokens, material: &Material<'_>) -> String {
    let sum = |tokens| {
        let counts = material.all.iter().filter_map(|record| output_tokens(record, tokens));
        counts.map(|n| n as f64).sum::<f64>()
    };
    let share_left_out = (1.0 - sum(tokens) / sum(Tokens::All)) * 100.0;
    match tokens {
        Tokens::AllOrPieces => {
            let unsaid =
                share(material, |record| record.tokens.is_some_and(|tokens| tokens.source != TokenSource::ServerUsage));
            format!("without a count by the server each streamed piece is one token: so in {unsaid}")
        }
        _ => format!("reasoning is not counted: {share_left_out:.0} % of the output tokens"),
    }
}

fn itl(itl: Option<Itl>, material: &Material<'_>) -> String {
    let events: usize = material.all.iter().map(|record| record.events.content().count()).sum();
    let tokens = material.all.iter().filter_map(|record| output_tokens(record, OURS.tokens)).map(|n| n as f64);
    let an_event = tokens.sum::<f64>() / events.max(1) as f64;
    match itl {
        Some(Itl::Whole) => "it is one average a request, (last − start) ÷ tokens, so TTFT is inside".to_owned(),
        Some(Itl::PerToken) => format!(
            "each token has a gap, which is zero for those that came along with another; ours has one an event, and \
             {an_event:.2} tokens come in one"
        ),
        _ => format!(
            "it is one average a request, (last − first) ÷ (tokens − 1); ours is each gap between events, and \
             {an_event:.2} tokens come in one"
        ),
    }
}

fn drops(material: &Material<'_>) -> String {
    let instant = share(material, |record| {
        let mut content = record.events.content();
        let (first, last) = (content.next(), content.next_back());
        first.zip(last).is_some_and(|(first, last)| span(first, last) < Nanos::from_millis(1))
    });
    format!("answers whose tokens came within a millisecond are left out: {instant}")
}

fn window(material: &Material<'_>) -> String {
    let (theirs, ours) = (material.whole_window, material.steady_window);
    format!("the rate is over everything from the first request to the last response, {theirs}; ours is over {ours}")
}

/// Median and largest of spans.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, not negative")]
fn middle_and_most(mut spans: Vec<f64>) -> (Nanos, Nanos) {
    spans.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| Nanos(quantile(&spans, q).max(0.0) as u64);
    (at(0.5), at(1.0))
}
