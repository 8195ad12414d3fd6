//! A race in sentences, for screen readers, pipes and logs: what is worth a line, and no more of them than can be heard.
//!
//! ```text
//! Progress ─▶ Plain::fold ─▶ sentences (none, one or a few), each a line of its own
//! ```

use std::collections::BTreeSet;

use schema::counted;
use schema::metric::Metric;
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{Outcome, Phase, Record};
use schema::target::TargetName;
use schema::units::{Moment, Nanos};
use stats::metric_values;

use crate::race::{LIVE_HEATS, Lane, RaceSetup};

/// Between two sentences on how far answers have come, and between two on heats that are not told in full.
const EVERY: Nanos = Nanos::from_secs(2);

/// A race as it is told.
#[derive(Debug)]
pub struct Plain {
    runs: u32,
    lanes: Vec<Voice>,
    /// The heat that is on, once one has begun.
    heat: Option<u32>,
    /// Targets whose connections were told.
    warmed: BTreeSet<TargetName>,
    warming: bool,
    /// When how far it has come was said last.
    said: Moment,
}

/// What is known of one lane of the heat that is on.
#[derive(Debug)]
struct Voice {
    lane: Lane,
    /// Which attempt at its request is told of.
    attempt: u32,
    start: Option<Moment>,
    tokens: u64,
    /// Whether every piece said how many tokens it carried.
    counted: bool,
    pieces: u64,
    /// How it ended, in words, and after how long where it was answered.
    end: Option<(Option<Nanos>, String)>,
}

impl Voice {
    fn new(lane: Lane) -> Self {
        Self { lane, attempt: 0, start: None, tokens: 0, counted: true, pieces: 0, end: None }
    }

    /// Its name, and the mark where no model speaks.
    fn name(&self) -> String {
        let mark = if self.lane.simulated { " (SIMULATED)" } else { "" };
        format!("{}{mark}", self.lane.name)
    }

    fn is_measured_by(&self, ticket: &Ticket) -> bool {
        self.lane.name == ticket.target
    }

    /// How far it has come.
    fn so_far(&self) -> String {
        let come = match (&self.end, self.start) {
            (Some(_), _) => "over".to_owned(),
            (None, Some(_)) if self.pieces > 0 && self.counted => counted(self.tokens, "token"),
            (None, Some(_)) if self.pieces > 0 => counted(self.pieces, "piece"),
            _ => "waiting".to_owned(),
        };
        format!("{} {come}", self.lane.name)
    }
}

impl Plain {
    /// A race that has not begun.
    pub fn new(setup: &RaceSetup) -> Self {
        Self {
            runs: setup.runs,
            lanes: setup.targets.iter().cloned().map(Voice::new).collect(),
            heat: None,
            warmed: BTreeSet::new(),
            warming: false,
            said: Moment::EPOCH,
        }
    }

    /// What is to be said of one step.
    pub fn fold(&mut self, progress: &Progress) -> Vec<String> {
        match progress {
            Progress::Began { .. } => self.begin(),
            Progress::Warmed { target, opened } => {
                let fastest = opened.iter().map(|times| times.tcp_ns).min();
                let sentence = fastest.filter(|_| self.warmed.insert(target.clone())).map(|tcp| {
                    format!("{}: connected; its TCP handshake, one round trip, took {tcp}.", self.named(target))
                });
                sentence.into_iter().collect()
            }
            Progress::Block { phase: Phase::Warmup, .. } => {
                let first = !std::mem::replace(&mut self.warming, true);
                first.then(|| "Warming up; this does not count.".to_owned()).into_iter().collect()
            }
            Progress::Block { phase: Phase::Measured, block, .. } => self.begin_heat(*block),
            Progress::Moved { ticket, at, stage } if ticket.phase == Phase::Measured => self.moved(ticket, *at, stage),
            Progress::Recorded(record) if record.phase == Phase::Measured => self.recorded(record),
            Progress::Note(note) => vec![note.clone()],
            Progress::Moved { .. }
            | Progress::Recorded(_)
            | Progress::Step { .. }
            | Progress::Pulse { .. }
            | Progress::Sampled(..) => Vec::new(),
        }
    }

    fn begin(&self) -> Vec<String> {
        let names: Vec<_> = self.lanes.iter().map(Voice::name).collect();
        let runs = if self.runs == 1 { "one run".to_owned() } else { format!("{} runs", self.runs) };
        vec![format!("A race of {} targets, {runs}: {}.", names.len(), names.join(", "))]
    }

    fn begin_heat(&mut self, block: u32) -> Vec<String> {
        if self.heat == Some(block) {
            return Vec::new();
        }
        self.heat = Some(block);
        for voice in &mut self.lanes {
            *voice = Voice::new(voice.lane.clone());
        }
        if !self.in_full() {
            let first_brief = block == LIVE_HEATS;
            let sentence = "The other runs are told in brief.".to_owned();
            return if first_brief { vec![sentence] } else { Vec::new() };
        }
        vec![format!("Run {} of {} begins.", block + 1, self.runs)]
    }

    /// Whether the heat that is on is told in full.
    fn in_full(&self) -> bool {
        self.heat.is_some_and(|heat| heat < LIVE_HEATS)
    }

    fn moved(&mut self, ticket: &Ticket, at: Moment, stage: &Stage) -> Vec<String> {
        let in_full = self.in_full();
        let Some(voice) = self.lanes.iter_mut().find(|voice| voice.is_measured_by(ticket)) else { return Vec::new() };
        if ticket.attempt > voice.attempt {
            *voice = Voice { attempt: ticket.attempt, ..Voice::new(voice.lane.clone()) };
        }
        match stage {
            Stage::Answering { start, .. } => {
                voice.start = Some(*start);
                Vec::new()
            }
            Stage::Heard { kind, tokens, .. } if kind.is_content() => {
                voice.pieces += 1;
                voice.tokens += u64::from(*tokens);
                voice.counted &= *tokens > 0;
                let ttft = voice.start.map(|start| at - start).filter(|_| in_full && voice.pieces == 1);
                let first = ttft.map(|ttft| format!("{}: first words after {ttft}.", voice.name()));
                first.or_else(|| self.so_far(at)).into_iter().collect()
            }
            Stage::Connecting | Stage::Sent | Stage::Heard { .. } => Vec::new(),
        }
    }

    /// How far all have come, where that was not said lately.
    fn so_far(&mut self, at: Moment) -> Option<String> {
        let start = self.lanes.iter().filter_map(|voice| voice.start).min()?;
        if !self.in_full() || at - start.max(self.said) < EVERY {
            return None;
        }
        self.said = at;
        let all: Vec<_> = self.lanes.iter().map(Voice::so_far).collect();
        Some(format!("After {}: {}.", at - start, all.join(", ")))
    }

    fn recorded(&mut self, record: &Record) -> Vec<String> {
        let in_full = self.in_full();
        let Some(voice) = self.lanes.iter_mut().find(|voice| voice.lane.name == record.target) else {
            return Vec::new();
        };
        let end = ending(record);
        let sentence = format!("{} {}.", voice.name(), end.1);
        voice.end = Some(end);
        let mut sentences = if in_full { vec![sentence] } else { Vec::new() };
        if self.lanes.iter().all(|voice| voice.end.is_some()) {
            sentences.extend(self.order(record.end_ns.unwrap_or_default()));
        }
        sentences
    }

    /// Who finished in which order; of a heat that is not told in full only where nothing was said lately.
    fn order(&mut self, at: Moment) -> Option<String> {
        let heat = self.heat?;
        let is_last = heat + 1 == self.runs;
        if !self.in_full() && !is_last && at - self.said < EVERY {
            return None;
        }
        self.said = at;
        let ended = |voice: &Voice| voice.end.as_ref().and_then(|(time, _)| *time);
        let mut finished: Vec<_> = self.lanes.iter().filter_map(|voice| Some((ended(voice)?, voice))).collect();
        finished.sort_by_key(|(time, _)| *time);
        let mut all: Vec<_> = finished.iter().map(|(time, voice)| format!("{} {time}", voice.lane.name)).collect();
        let unfinished = self.lanes.iter().filter(|voice| ended(voice).is_none());
        all.extend(unfinished.map(|voice| format!("{} did not finish", voice.lane.name)));
        Some(format!("Run {} of {} is over: {}.", heat + 1, self.runs, all.join(", ")))
    }

    fn named(&self, target: &TargetName) -> String {
        let voice = self.lanes.iter().find(|voice| voice.lane.name == *target);
        voice.map_or_else(|| target.to_string(), Voice::name)
    }
}

/// How long a request took to its last word, where it was answered, and what came of it in words.
fn ending(record: &Record) -> (Option<Nanos>, String) {
    let value = |metric| metric_values(record, metric).next();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, as they were recorded")]
    let time = |metric| value(metric).map(|ns| Nanos(ns as u64));
    match &record.outcome {
        Outcome::Complete { .. } => {
            let e2e = time(Metric::E2e);
            let took = e2e.map(|e2e| format!(" after {e2e}")).unwrap_or_default();
            let ttft = time(Metric::Ttft).map(|ttft| format!("TTFT {ttft}"));
            let tokens = value(Metric::OutputTokens).map(|tokens| counted(tokens, "token"));
            let speed = value(Metric::OutputSpeed).map(|speed| format!("{speed:.1} tokens/s"));
            let figures: Vec<_> = [ttft, tokens, speed].into_iter().flatten().collect();
            (e2e, format!("finished{took}: {}", figures.join(", ")))
        }
        Outcome::Failed(failure) => (None, format!("failed: {}: {}", failure.class, failure.message)),
        Outcome::NotSent => (None, "was not sent".to_owned()),
        Outcome::Cancelled | Outcome::Interrupted => (None, "was given up".to_owned()),
    }
}

#[cfg(test)]
mod tests;
