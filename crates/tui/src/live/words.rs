//! The same in sentences.

use schema::units::Moment;
use stats::live::TargetSeen;

use super::{LiveView, head, load};

impl LiveView {
    /// How the run stands: a sentence for the run, and one for each target that has its turn.
    pub fn in_words(&mut self, now: Moment) -> Vec<String> {
        let (over, all) = self.board.requests();
        let all = all.map(|all| format!(" of {all}")).unwrap_or_default();
        let left = self.board.left(now).map(|left| format!(", about {} left", head::seconds(left))).unwrap_or_default();
        let run = format!("after {}: {over}{all} requests are over{left}", head::seconds(self.board.elapsed(now)));
        let targets = self.board.targets().iter().filter(|seen| seen.turn().is_some() || seen.done() > 0);
        std::iter::once(run).chain(targets.map(|seen| self.of_target(seen, now))).collect()
    }

    fn of_target(&self, seen: &TargetSeen, now: Moment) -> String {
        let count = |n: u64, what: &str| (n > 0).then(|| format!("{n} {what}"));
        let known = [
            seen.turn().map(|_| load::asked(&self.board, seen, now)),
            Some(format!("{} done", seen.done())),
            count(seen.failed(), "failed"),
            count(seen.throttled(), "throttled"),
            count(seen.not_sent(), "found no place"),
            seen.in_flight().filter(|_| seen.turn().is_some()).map(|n| format!("{n} in flight")),
            seen.ttft().supported(0.5).map(|ttft| format!("TTFT p50 {ttft}")),
            seen.ttft().supported(0.95).map(|ttft| format!("p95 {ttft}")),
            seen.rates(now).map(|(requests, tokens)| format!("{requests:.1} requests/s, {tokens:.0} tokens/s")),
            seen.cost().map(|cost| format!("{cost} spent")),
        ];
        let simulated = if seen.is_simulated() { " (SIMULATED)" } else { "" };
        format!("{}{simulated}: {}", seen.name(), known.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
