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

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [(f64, f64, u64); 4] = [(0.0, 4.0, 4000), (4.0, 1.0, 3000), (0.0, 0.0, 1000), (2.0, 2.0, 1000)];

    fn stages(levels: &[(f64, f64, u64)]) -> Vec<Stage> {
        let stage = |&(from, to, ms)| Stage { name: String::new(), from, to, length_ns: Nanos::from_millis(ms) };
        levels.iter().map(stage).collect()
    }

    #[track_caller]
    fn check(levels: &[(f64, f64, u64)], stream: u32, from_ms: u64, expected_ms: Option<u64>) {
        let next = next_activity(&stages(levels), stream, Nanos::from_millis(from_ms));
        assert_eq!(next, expected_ms.map(Nanos::from_millis), "stream {stream} from {from_ms} ms on");
    }

    #[test]
    fn a_stream_begins_when_the_rising_level_rounds_to_more_than_its_number() {
        check(&STAGES, 0, 0, Some(500));
        check(&STAGES, 3, 0, Some(3500));
        check(&STAGES, 4, 0, None);
    }

    #[test]
    fn an_active_stream_goes_on_at_once() {
        check(&STAGES, 0, 500, Some(500));
        check(&STAGES, 2, 3999, Some(3999));
        check(&STAGES, 3, 4200, Some(4200));
        check(&STAGES, 3, 4500, Some(4500));
    }

    #[test]
    fn a_stream_that_is_no_longer_wanted_sleeps_until_it_is_again() {
        check(&STAGES, 3, 4501, None);
        check(&STAGES, 1, 6501, Some(8000));
        check(&STAGES, 0, 7000, Some(8000));
    }

    #[test]
    fn all_is_over_at_the_end_of_the_stages() {
        check(&STAGES, 0, 8999, Some(8999));
        check(&STAGES, 0, 9000, None);
        check(&STAGES, 0, u64::MAX / 2_000_000, None);
        check(&[], 0, 0, None);
    }

    #[test]
    fn a_level_reached_only_at_a_stages_end_counts_for_the_next() {
        check(&[(0.0, 0.5, 1000)], 0, 0, None);
        check(&[(0.0, 0.5, 1000), (0.5, 0.5, 1000)], 0, 0, Some(1000));
    }

    #[test]
    fn an_unlawful_stage_wants_nobody() {
        check(&[(f64::NAN, 5.0, 1000), (-2.0, -1.0, 1000), (5.0, 5.0, 0)], 0, 0, None);
    }

    /// At every moment as many streams are active as the level says, rounded.
    #[test]
    fn as_many_streams_are_active_as_the_level_says() {
        let stages = stages(&[(0.0, 10.0, 997), (10.0, 3.0, 641), (7.0, 7.0, 100)]);
        let level = |ms: f64| match ms {
            ms if ms < 997.0 => 10.0 * ms / 997.0,
            ms if ms < 1638.0 => 10.0 - 7.0 * (ms - 997.0) / 641.0,
            _ => 7.0,
        };
        for ms in 0..1738_u32 {
            let from = Nanos::from_millis(ms.into());
            let is_active = |stream| next_activity(&stages, stream, from) == Some(from);
            let active: f64 = (0..20).map(|stream| f64::from(u8::from(is_active(stream)))).sum();
            assert!((active - level(f64::from(ms))).abs() <= 0.5, "{active} at {ms} ms");
        }
    }
}
