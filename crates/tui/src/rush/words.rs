//! The same in sentences.

use schema::units::{Moment, Nanos};
use stats::live::TargetSeen;

use super::crowd::Doing;
use super::{Act, Rush};
use crate::live::seconds;

impl Rush {
    /// How it stands: a sentence for each target that has its turn.
    pub fn in_words(&mut self, now: Moment) -> Vec<String> {
        let act = match self.act {
            Act::Alone => "one user alone",
            Act::Crowd | Act::Over => "the crowd",
        };
        let elapsed = seconds(self.board.elapsed(now));
        let targets = self.board.targets().iter().enumerate();
        let having_turn = targets.filter(|(_, seen)| seen.turn().is_some());
        having_turn.map(|(place, seen)| format!("{act}, {elapsed}: {}", self.of_target(place, seen, now))).collect()
    }

    fn of_target(&self, place: usize, seen: &TargetSeen, now: Moment) -> String {
        let crowd = &self.crowds[place];
        let doing = |doing: Doing| (crowd.count(doing), doing.in_words());
        let counts = [doing(Doing::Connecting), doing(Doing::Waiting), doing(Doing::Generating)];
        let counts = counts.into_iter().chain([(u32::try_from(seen.failed()).unwrap_or(u32::MAX), "failed")]);
        let counts = counts.filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
        let times = |value: Nanos| {
            let alone = self.alone_at(place).filter(|alone| *alone > Nanos::ZERO)?;
            Some(format!(", {:.1} times that of one alone", value.0 as f64 / alone.0 as f64))
        };
        let known = [
            Some(format!("{} done", seen.done())),
            seen.ttft().supported(0.5).map(|p50| format!("TTFT p50 {p50}{}", times(p50).unwrap_or_default())),
            seen.ttft().supported(0.95).map(|p95| format!("p95 {p95}")),
            seen.rates(now).map(|(_, tokens)| format!("{tokens:.0} tokens/s")),
        ];
        let simulated = if seen.is_simulated() { " (SIMULATED)" } else { "" };
        let all: Vec<String> = counts.chain(known.into_iter().flatten()).collect();
        format!("{}{simulated}: {}", seen.name(), all.join(", "))
    }
}
