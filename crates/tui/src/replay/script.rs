//! Records as the steps that a viewer would have seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::event::{Event, Events};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{Phase, Record};
use schema::target::TargetName;
use schema::units::{Moment, Nanos};

/// Something that happened, and when.
#[derive(Debug, Clone)]
pub struct Step {
    /// When it was seen, on the clock of the records.
    pub at: Moment,
    /// What.
    pub progress: Progress,
}

/// Between two heats that were not measured as such.
const PAUSE: Nanos = Nanos::from_secs(1);

/// Of `target`'s measured requests the last attempts, in order of their index.
pub fn measured<'a>(records: &'a [Record], target: &TargetName) -> Vec<&'a Record> {
    let mut last: BTreeMap<u64, &Record> = BTreeMap::new();
    for record in records.iter().filter(|r| r.phase == Phase::Measured && r.target == *target) {
        let known = last.entry(record.index).or_insert(record);
        if known.attempt <= record.attempt {
            *known = record;
        }
    }
    last.into_values().collect()
}

/// `records` as a race: heat by heat, the n-th measured request of each of `targets` in the n-th heat, `most` heats at
/// most. Where they were `together`, begun at one instant, their moments stay what they are to each other; else each heat
/// begins for all at the first's instant, when all of the heat before are over. The race begins at its clock's zero.
pub fn again(records: &[Record], targets: &[TargetName], together: bool, most: u64) -> Vec<Record> {
    let lanes: Vec<_> = targets.iter().map(|target| measured(records, target)).collect();
    let heats = lanes.iter().map(Vec::len).max().unwrap_or(0).min(usize::try_from(most).unwrap_or(usize::MAX));
    let raced = lanes.iter().flat_map(|lane| &lane[..lane.len().min(heats)]);
    let zero = raced.map(|record| begin(record)).min().unwrap_or_default();
    let mut begins = Moment::EPOCH;
    let mut raced = Vec::new();
    for heat in 0..heats {
        let number = u32::try_from(heat).unwrap_or(u32::MAX);
        let mut over = begins;
        for record in lanes.iter().filter_map(|lane| lane.get(heat)) {
            let (from, to) = if together { (zero, Moment::EPOCH) } else { (begin(record), begins) };
            let mut moved = shifted(record, |at| to + (at - from));
            (moved.block, moved.index) = (number, heat as u64);
            over = over.max(end(&moved));
            raced.push(moved);
        }
        begins = over + PAUSE;
    }
    raced
}

/// When its race began: all that it waited before is another matter.
fn begin(record: &Record) -> Moment {
    record.start_ns.unwrap_or(record.scheduled_ns)
}

fn end(record: &Record) -> Moment {
    let heard = record.events.last().map(|event| event.arrival);
    record.end_ns.or(heard).unwrap_or_else(|| begin(record)).max(begin(record))
}

fn shifted(record: &Record, place: impl Fn(Moment) -> Moment) -> Record {
    let events: Events = record.events.iter().map(|event| Event { arrival: place(event.arrival), ..event }).collect();
    let mut moved = Record { events, ..record.clone() };
    moved.scheduled_ns = place(moved.scheduled_ns);
    for moment in
        [&mut moved.start_ns, &mut moved.sent_ns, &mut moved.first_byte_ns, &mut moved.headers_ns, &mut moved.end_ns]
    {
        *moment = moment.map(&place);
    }
    moved
}

/// All that a viewer would have seen of `records`, in order of time. Texts are there where they were kept.
pub fn script(records: &[Record]) -> Vec<Step> {
    let first = records.iter().map(begin).min().unwrap_or_default();
    let began = Progress::Began { requests: Some(records.len() as u64), duration: None };
    let mut steps = vec![Step { at: first, progress: began }];
    let mut blocks: BTreeMap<(u32, &TargetName), (Moment, Phase)> = BTreeMap::new();
    for record in records {
        let at = blocks.entry((record.block, &record.target)).or_insert((begin(record), record.phase));
        at.0 = at.0.min(begin(record));
    }
    steps.extend(blocks.into_iter().map(|((block, target), (at, phase))| Step {
        at,
        progress: Progress::Block { target: target.clone(), phase, block },
    }));
    steps.extend(records.iter().flat_map(steps_of));
    steps.sort_by_key(|step| step.at);
    steps
}

/// One request, from its sending to its record.
fn steps_of(record: &Record) -> impl Iterator<Item = Step> {
    let ticket = Ticket {
        target: record.target.clone(),
        phase: record.phase,
        block: record.block,
        index: record.index,
        attempt: record.attempt,
        stream: 0,
    };
    let moved = move |at, stage| Step { at, progress: Progress::Moved { ticket: ticket.clone(), at, stage } };
    let sent = record.start_ns.map(|start| (start, Stage::Sent));
    let head = record.start_ns.zip(record.status);
    let answering =
        head.map(|(start, status)| (record.headers_ns.unwrap_or(start), Stage::Answering { start, status }));
    let texts = record.output.as_deref().filter(|pieces| pieces.len() == record.events.len());
    let pieces = record.events.iter().enumerate().map(move |(index, event)| {
        let text = texts.map(|pieces| pieces[index].clone());
        (event.arrival, Stage::Heard { kind: event.kind, tokens: event.tokens, text })
    });
    let over = Step { at: end(record), progress: Progress::Recorded(Arc::new(record.clone())) };
    sent.into_iter().chain(answering).chain(pieces).map(move |(at, stage)| moved(at, stage)).chain([over])
}
