//! The highest level that meets the SLOs: doubled or halved until it is bracketed, then narrowed down.
//!
//! Where SLOs and not the target's capacity are the limit, the middle of the bracket is tried. Where the target could
//! not keep up, the rate at which it completed requests says where its capacity is, and just below and above that is
//! tried first.

use schema::plan::Axis;
use schema::summary::SloStatus;
use stats::Verdict;

use super::{LONGEST, Next, Tried, between, tidy};

/// What is sought, and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// What is varied.
    pub(super) axis: Axis,
    /// Where the search begins.
    pub(super) first: f64,
    /// No level above this.
    pub(super) highest: f64,
    /// The answer's interval may be this wide, relative to its lower end.
    pub(super) tolerance: f64,
    /// Steps at most.
    pub(super) trials: u32,
}

/// Steps at one level before it counts as neither met nor missed, and stays inside the interval.
const MOST_STEPS: u64 = 3;

/// The same while no level is certainly met: an answer without a lower end is none.
const MOST_STEPS_AT_FIRST: u64 = 5;

/// The same where this machine was the limit: that is mended by nothing but chance.
const MOST_STEPS_LIMITED: u64 = 2;

/// A search that finds no level to be met gives up at this share of where it began.
const LOWEST_SHARE: f64 = 1.0 / 1024.0;

/// Levels this near to an end of the bracket, as a share of its width, would narrow it too little.
const TOO_NEAR: f64 = 0.1;

/// SLOs are commonly met up to this share of what a target can complete…
const BELOW_CAPACITY: f64 = 0.9;

/// …and never beyond this one, whatever the error of the estimate.
const ABOVE_CAPACITY: f64 = 1.08;

pub(super) fn next(rules: &Rules, tried: &[Tried]) -> Next {
    let verdicts: Vec<Verdict> = tried.iter().map(|level| level.verdict).collect();
    let steps: u64 = verdicts.iter().map(|verdict| verdict.steps).sum();
    if steps >= rules.trials.into() {
        return Next::Over("all steps are used up".to_owned());
    }
    let found = stats::answer(rules.axis, &[], &verdicts);
    let bracket = Bracket { low: found.low, high: found.high };
    // Where nothing is certain yet it is commonly for want of requests, and a higher level has more of them.
    if bracket.is_open()
        && !tried.is_empty()
        && let Next::Level(level) = up(rules, tried)
    {
        return Next::Level(level);
    }
    if let Some(level) = in_doubt(tried, bracket) {
        return Next::Level(level);
    }
    match (bracket.low, bracket.high) {
        _ if tried.is_empty() => Next::Level(tidy(rules.axis, rules.first).min(rules.highest)),
        (None, None) => down(rules, &verdicts, || up(rules, tried)),
        (None, Some(_)) if lowest_is_open(&verdicts) => Next::Over(format!(
            "{} stays undecided: longer steps would tell",
            stats::level_in_words(rules.axis, lowest(&verdicts))
        )),
        (Some(low), None) => match lowest_limited(tried, low) {
            Some(limited) => narrow(rules, tried, low, limited),
            None => up(rules, tried),
        },
        (None, Some(_)) => down(rules, &verdicts, || {
            Next::Over(format!("even {} misses", stats::level_in_words(rules.axis, lowest(&verdicts))))
        }),
        (Some(low), Some(high)) => narrow(rules, tried, low, high),
    }
}

/// What holds the true maximum, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    low: Option<f64>,
    high: Option<f64>,
}

impl Bracket {
    /// Whether neither end is known.
    const fn is_open(self) -> bool {
        self.low.is_none() && self.high.is_none()
    }

    /// Whether the true maximum may be at `level`.
    fn holds(self, level: f64) -> bool {
        self.low.is_none_or(|low| level > low) && self.high.is_none_or(|high| level < high)
    }
}

/// A level to be measured again: one inside the bracket that is undecided by chance, or one of those that contradict
/// each other (met above a miss). The least measured first.
fn in_doubt(tried: &[Tried], bracket: Bracket) -> Option<f64> {
    let met = tried.iter().filter(|t| t.verdict.status == SloStatus::Met);
    let highest_met = met.map(|t| t.verdict.level).max_by(f64::total_cmp);
    let doubtful = |t: &&Tried| match t.verdict.status {
        SloStatus::Undecided => bracket.holds(t.verdict.level),
        SloStatus::Missed => highest_met.is_some_and(|met| met > t.verdict.level),
        SloStatus::Met => bracket.high.is_some_and(|high| t.verdict.level > high),
    };
    let most = |t: &Tried| match bracket.low {
        _ if t.client_limited => MOST_STEPS_LIMITED,
        None if t.verdict.status == SloStatus::Undecided && t.missing().is_finite() => MOST_STEPS_AT_FIRST,
        _ => MOST_STEPS,
    };
    // What happened in a single step may be chance; after that, what is too close to tell is left.
    let may_tell = |t: &Tried, left: u64| {
        t.verdict.steps < 2 || t.verdict.status != SloStatus::Undecided || t.missing() <= LONGEST * left as f64
    };
    let again = tried.iter().filter(doubtful);
    let again =
        again.filter(|t| most(t).checked_sub(t.verdict.steps).is_some_and(|left| left > 0 && may_tell(t, left)));
    let again: Vec<Verdict> = again.map(|t| t.verdict).collect();
    let all_open = again.iter().all(|verdict| verdict.status == SloStatus::Undecided);
    if bracket.low.is_none() && all_open {
        // That of the most requests is decided first, and decides those below it.
        return again.iter().map(|verdict| verdict.level).max_by(f64::total_cmp);
    }
    again.iter().min_by_key(|verdict| verdict.steps).map(|verdict| verdict.level)
}

fn lowest_is_open(verdicts: &[Verdict]) -> bool {
    let lowest = verdicts.iter().min_by(|one, other| one.level.total_cmp(&other.level));
    lowest.is_some_and(|lowest| lowest.status == SloStatus::Undecided)
}

/// The lowest level above `low` that is undecided because this machine was the limit: an end of what can be found out.
fn lowest_limited(tried: &[Tried], low: f64) -> Option<f64> {
    let limited =
        tried.iter().filter(|t| t.client_limited && t.verdict.status == SloStatus::Undecided && t.verdict.level > low);
    limited.map(|t| t.verdict.level).min_by(f64::total_cmp)
}

fn lowest(verdicts: &[Verdict]) -> f64 {
    verdicts.iter().map(|v| v.level).fold(f64::INFINITY, f64::min)
}

/// Half of the lowest level tried, or what `otherwise` says when there is nothing lower.
fn down(rules: &Rules, verdicts: &[Verdict], otherwise: impl FnOnce() -> Next) -> Next {
    let lowest = lowest(verdicts);
    let floor = match rules.axis {
        Axis::Concurrency => 1.0,
        Axis::Rate => rules.first * LOWEST_SHARE,
    };
    if lowest <= floor { otherwise() } else { Next::Level(tidy(rules.axis, (lowest / 2.0).max(floor))) }
}

/// Twice the highest level tried.
fn up(rules: &Rules, tried: &[Tried]) -> Next {
    let words = |level| stats::level_in_words(rules.axis, level);
    if let Some(limited) = lowest_limited(tried, 0.0) {
        return Next::Over(limited_by_client(rules, limited));
    }
    let top = tried.iter().map(|t| t.verdict.level).fold(0.0, f64::max);
    if top >= rules.highest {
        return Next::Over(format!("no level above {} may be tried", words(rules.highest)));
    }
    Next::Level((top * 2.0).min(rules.highest))
}

fn limited_by_client(rules: &Rules, level: f64) -> String {
    format!("from {} on this machine and not the target is the limit", stats::level_in_words(rules.axis, level))
}

/// The next level between `low`, certainly met, and `high`, certainly missed.
fn narrow(rules: &Rules, tried: &[Tried], low: f64, high: f64) -> Next {
    let narrow_enough =
        |low: f64, high: f64| high - low <= rules.tolerance * low || between(rules.axis, low, high).is_none();
    if narrow_enough(low, high) {
        let over = || match lowest_limited(tried, low) {
            Some(level) if level <= high => limited_by_client(rules, level),
            _ => "the answer is as narrow as asked for".to_owned(),
        };
        return end(tried, low, high).map_or_else(|| Next::Over(over()), Next::Level);
    }
    let open: Vec<f64> = tried.iter().map(|t| t.verdict.level).filter(|level| low < *level && *level < high).collect();
    if open.is_empty() {
        let level = near_capacity(rules, tried, low, high).or_else(|| between(rules.axis, low, high));
        return Next::Level(level.expect("a bracket that is not narrow enough has a middle"));
    }
    // What is undecided for good stays inside: only the gaps on both sides of it can be narrowed.
    let (first, last) = (lowest_of(&open), open.iter().copied().fold(low, f64::max));
    let (below, above) = ((low, first), (last, high));
    let (from, to) = if above.1 / above.0 > below.1 / below.0 { above } else { below };
    match between(rules.axis, from, to) {
        Some(level) if to - from > rules.tolerance / 2.0 * from => Next::Level(level),
        _ => {
            let words = |level| stats::level_in_words(rules.axis, level);
            Next::Over(format!("{} to {} stay undecided: longer steps would tell", words(first), words(last)))
        }
    }
}

fn lowest_of(levels: &[f64]) -> f64 {
    levels.iter().copied().fold(f64::INFINITY, f64::min)
}

/// An end of the final bracket that rests on a single step: it is measured once more before it is believed, unless
/// the target could not even keep up there.
fn end(tried: &[Tried], low: f64, high: f64) -> Option<f64> {
    let verdicts = tried.iter().map(|level| level.verdict);
    let mut single = verdicts.filter(|v| v.steps == 1 && !v.saturated).map(|v| v.level);
    single.find(|level| level.total_cmp(&low).is_eq() || level.total_cmp(&high).is_eq())
}

/// Just below the target's capacity, or just above it, where a level missed for want of it tells how much that is.
fn near_capacity(rules: &Rules, tried: &[Tried], low: f64, high: f64) -> Option<f64> {
    if rules.axis == Axis::Concurrency {
        return None;
    }
    let missed = tried.iter().filter(|t| t.verdict.status == SloStatus::Missed);
    let full = missed.filter(|t| t.requests_per_s.value < 0.95 * t.verdict.level).map(|t| t.requests_per_s.value);
    let capacity = full.max_by(f64::total_cmp)?;
    let margin = TOO_NEAR * (high - low);
    let guesses = [BELOW_CAPACITY, ABOVE_CAPACITY].map(|share| tidy(rules.axis, capacity * share));
    guesses.into_iter().find(|guess| low + margin < *guess && *guess < high - margin)
}

#[cfg(test)]
mod tests;
