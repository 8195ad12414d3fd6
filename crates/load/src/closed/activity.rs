//! Which streams are active while their number changes stage by stage.

use schema::plan::Stage;
use schema::units::Nanos;

/// When stream `stream` is active next, at `from` or later, counted from the beginning of `stages`: the earliest
/// moment at which the level, rounded, exceeds its number. `None` once it never is again.
pub(super) fn next_activity(stages: &[Stage], stream: u32, from: Nanos) -> Option<Nanos> {
    // Rounded to the nearest, halves up, a level exceeds `stream` from here on.
    let wanted = f64::from(stream) + 0.5;
    let mut begins = Nanos::ZERO;
    for stage in stages {
        let ends = begins + stage.length_ns;
        if from < ends
            && let Some(offset) = reaches(stage, wanted, from.saturating_sub(begins))
        {
            return Some(begins + offset);
        }
        begins = ends;
    }
    None
}

/// When `stage` is at level `wanted` or above, at `from` or later; `None` when that is not before its end.
fn reaches(stage: &Stage, wanted: f64, from: Nanos) -> Option<Nanos> {
    let length = stage.length_ns.as_secs_f64();
    let rise = stage.to - stage.from;
    if stage.from + rise * (from.as_secs_f64() / length) >= wanted {
        return Some(from);
    }
    let crossing = (rise > 0.0).then(|| Nanos::from_secs_f64((wanted - stage.from) / rise * length))?;
    Some(crossing.max(from)).filter(|at| *at < stage.length_ns)
}
