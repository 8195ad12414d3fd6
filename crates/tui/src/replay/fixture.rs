//! Records as a race of three would leave them. Times are milliseconds of the run's clock.

use std::sync::Arc;

use schema::event::{Event, EventKind, Stamp};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{Failure, FailureClass, FinishReason, Outcome, Record, TokenCounts, TokenSource};
use schema::target::TargetName;
use schema::text::Untrusted;
use schema::units::Moment;

use crate::race::{Lane, RaceSetup};

const NAMES: [&str; 3] = ["groq", "vllm-sim", "llamacpp"];

pub(crate) fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

pub(crate) fn names() -> Vec<TargetName> {
    NAMES.iter().map(|name| name.parse().unwrap()).collect()
}

pub(crate) fn setup(runs: u32) -> RaceSetup {
    let lane = |name: TargetName| Lane {
        simulated: name.as_str().ends_with("sim"),
        endpoint: format!("http://{name}.example/v1"),
        model: "smollm2".to_owned(),
        about: Vec::new(),
        name,
    };
    RaceSetup {
        prompt: "Why is the sky blue?".into(),
        targets: names().into_iter().map(lane).collect(),
        runs,
        max_tokens: 64,
        blind: None,
    }
}

/// A request of `lane` in `heat`, begun at `start`: so many words, the first after `first`, one each `every`.
pub(crate) fn answered(lane: usize, heat: u32, start: u64, (words, first, every): (u64, u64, u64)) -> Record {
    let event = |number| Event {
        arrival: ms(start + first + every * number),
        lag_ns: 30_000,
        bytes: 180,
        tokens: 1,
        kind: if lane == 0 && number < 2 { EventKind::Reasoning } else { EventKind::Text },
        stamp: Stamp::Kernel,
        shared_read: false,
    };
    let end = start + first + every * (words - 1);
    Record {
        block: heat,
        max_tokens: 64,
        start_ns: Some(ms(start)),
        sent_ns: Some(ms(start)),
        first_byte_ns: Some(ms(start + first)),
        headers_ns: Some(ms(start + first)),
        end_ns: Some(ms(end + 1)),
        status: Some(200),
        request_bytes: 300,
        response_bytes: 180 * words,
        reads: u32::try_from(words).unwrap(),
        events: (0..words).map(event).collect(),
        tokens: Some(TokenCounts { input: Some(9), output: words, source: TokenSource::ServerUsage }),
        output: Some((0..words).map(|number| Untrusted::from(format!("word{number} ").as_str())).collect()),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent(names()[lane].clone(), heat.into(), ms(start))
    }
}

/// The same, but it breaks off.
pub(crate) fn failed(lane: usize, heat: u32, start: u64, (words, first, every): (u64, u64, u64)) -> Record {
    let message = Untrusted::from("reset by \u{1b}[2Jpeer");
    let failure = Failure { class: FailureClass::Truncated, message, retry_after_ns: None };
    Record { outcome: Outcome::Failed(failure), ..answered(lane, heat, start, (words, first, every)) }
}

/// A race of two heats: three answers, then two and a failure.
pub(crate) fn race() -> Vec<Record> {
    vec![
        answered(0, 0, 1_000, (40, 50, 10)),
        answered(0, 1, 4_000, (44, 55, 10)),
        answered(1, 0, 1_000, (40, 80, 40)),
        answered(1, 1, 4_000, (40, 90, 60)),
        answered(2, 0, 1_000, (20, 200, 100)),
        failed(2, 1, 4_000, (5, 210, 100)),
    ]
}

/// What a viewer is told of `records` while they happen, by whoever carries them out: heads of answers are seen a little
/// after they arrive, blocks are announced before they begin.
pub(crate) fn live(records: &[Record]) -> Vec<(Moment, Progress)> {
    let mut told = vec![(ms(0), Progress::Began { requests: Some(records.len() as u64), duration: None })];
    for record in records {
        let start = record.start_ns.unwrap();
        let ticket = Ticket {
            target: record.target.clone(),
            phase: record.phase,
            block: record.block,
            index: record.index,
            attempt: record.attempt,
            stream: 0,
        };
        let block = Progress::Block { target: record.target.clone(), phase: record.phase, block: record.block };
        told.push((Moment(start.0 - 100_000), block));
        let mut moved = |seen: Moment, at: Moment, stage: Stage| {
            told.push((seen, Progress::Moved { ticket: ticket.clone(), at, stage }));
        };
        moved(start, start, Stage::Sent);
        let head = Moment(record.headers_ns.unwrap().0 + 20_000);
        moved(head, head, Stage::Answering { start, status: 200 });
        for (event, text) in record.events.iter().zip(record.output.as_deref().unwrap()) {
            let piece = Stage::Heard { kind: event.kind, tokens: event.tokens, text: Some(text.clone()) };
            moved(Moment(event.arrival.0 + 30_000), event.arrival, piece);
        }
        told.push((record.end_ns.unwrap(), Progress::Recorded(Arc::new(record.clone()))));
    }
    told.sort_by_key(|(seen, _)| *seen);
    told
}
