//! The highest level that meets the SLOs, from what was measured so far.

use schema::curve::Answer;
use schema::plan::{Axis, Slo};
use schema::summary::{SloStatus, TargetSummary, Trust};

use crate::slo;

/// What one level came to, all its steps together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Requests per second offered, or streams.
    pub level: f64,
    /// Steps at this level.
    pub steps: u64,
    /// Whether all SLOs were met, for certain.
    pub status: SloStatus,
    /// The SLO that is in the way: one that is missed, else one that is undecided.
    pub in_the_way: Option<Slo>,
    /// Whether the target could not keep up at this level: then it is missed, whatever the SLOs say.
    pub saturated: bool,
    /// How many times as much as was measured would have decided it, had it gone on as it went: one where it is
    /// decided, infinite where that is far more than anybody would measure.
    pub times: f64,
}

impl Verdict {
    /// The verdict on a level from the summary of its records. A miss while the client was the limit may be the
    /// client's own, and decides nothing.
    pub(crate) fn of_summary(summary: &TargetSummary, level: f64, steps: u64, saturated: bool, times: f64) -> Self {
        let first = |status| summary.slos.iter().find(|v| v.status == status).map(|v| v.slo);
        let ours = summary.quality.trust == Trust::ClientLimited;
        let status = match slo::together(&summary.slos) {
            _ if ours && saturated => SloStatus::Undecided,
            SloStatus::Missed if ours => SloStatus::Undecided,
            _ if saturated => SloStatus::Missed,
            status => status,
        };
        let in_the_way = first(SloStatus::Missed).or_else(|| first(SloStatus::Undecided));
        Self { level, steps, status, in_the_way, saturated, times }
    }
}

/// The answer that `verdicts` (one a level, in any order) amount to.
///
/// `high` is the lowest level that is certainly missed; `low` the highest below it that is certainly met, and
/// what the answer calls the highest. Levels between are undecided: the true maximum lies somewhere there.
pub fn answer(axis: Axis, slos: &[Slo], verdicts: &[Verdict]) -> Answer {
    let level = |v: &Verdict| v.level;
    let missed = verdicts.iter().filter(|v| v.status == SloStatus::Missed);
    let lowest_miss = missed.min_by(|a, b| a.level.total_cmp(&b.level));
    let high = lowest_miss.map(level);
    let met = verdicts.iter().filter(|v| v.status == SloStatus::Met);
    let below = met.clone().filter(|v| high.is_none_or(|high| v.level < high));
    let low = below.map(level).max_by(f64::total_cmp);
    let above = met.filter(|v| high.is_some_and(|high| v.level > high)).count();
    Answer {
        slos: slos.to_vec(),
        highest: low,
        low,
        high,
        steps: verdicts.iter().map(|v| v.steps).sum(),
        limited_by: lowest_miss.and_then(|v| v.in_the_way),
        why: why(axis, low, lowest_miss, above),
    }
}

fn why(axis: Axis, low: Option<f64>, miss: Option<&Verdict>, met_above: usize) -> String {
    let words = |level| level_in_words(axis, level);
    let how = |miss: &Verdict| if miss.saturated { "the target could not keep up" } else { "certainly missed" };
    let mut why = match (low, miss) {
        (Some(low), Some(miss)) => format!("certainly met at {}, {} at {}", words(low), how(miss), words(miss.level)),
        (Some(low), None) => format!("certainly met at {}, and no level was certainly missed", words(low)),
        (None, Some(miss)) => format!("{} at {}, and no lower level was certainly met", how(miss), words(miss.level)),
        (None, None) => "no level was certainly met or missed".to_owned(),
    };
    if met_above > 0 {
        why.push_str("; met again above that, which is taken for chance");
    }
    why
}

/// `14.2/s`, to three significant digits, or `14 at once`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 9")]
pub fn level_in_words(axis: Axis, level: f64) -> String {
    let decimals = (2.0 - level.abs().max(1e-7).log10().floor()).clamp(0.0, 9.0) as usize;
    match axis {
        Axis::Rate => format!("{level:.decimals$}/s"),
        Axis::Concurrency => format!("{level:.0} at once"),
    }
}

#[cfg(test)]
mod tests;
