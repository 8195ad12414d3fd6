//! The arrivals of a trace, at their speed or another.

use std::sync::Arc;

use schema::units::Nanos;

/// Recorded arrival times, divided by `speed`.
#[derive(Debug, Clone)]
pub(super) struct Replay {
    offsets: Arc<[Nanos]>,
    speed: f64,
}

impl Replay {
    /// Plays `offsets` so many times faster than recorded; at recorded speed when `speed` is no speed.
    pub(super) fn new(offsets: Arc<[Nanos]>, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { offsets, speed }
    }

    /// When slot `position` leaves, counted from the beginning; `None` after the trace's end.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "saturates, is never negative, and recorded speed is exactly 1"
    )]
    pub(super) fn offset(&self, position: u64) -> Option<Nanos> {
        let recorded = *self.offsets.get(usize::try_from(position).ok()?)?;
        // A double holds nanoseconds exactly for 104 days only.
        Some(if self.speed == 1.0 { recorded } else { Nanos((recorded.0 as f64 / self.speed).round() as u64) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(recorded: &[u64], speed: f64, expected: &[u64]) {
        let replay = Replay::new(recorded.iter().copied().map(Nanos).collect(), speed);
        let offsets: Vec<_> = (0..).map_while(|position| replay.offset(position)).map(|at| at.0).collect();
        assert_eq!(offsets, expected, "at {speed}");
    }

    #[test]
    fn a_trace_is_played_at_its_speed_or_another() {
        let recorded = [0, 7, 7, 1_000, 3_000];
        check(&recorded, 1.0, &recorded);
        check(&recorded, 2.0, &[0, 4, 4, 500, 1_500]);
        check(&recorded, 0.5, &[0, 14, 14, 2_000, 6_000]);
        check(&[], 1.0, &[]);
    }

    #[test]
    fn at_recorded_speed_no_nanosecond_is_lost() {
        let years_later = (1 << 60) + 1;
        check(&[years_later], 1.0, &[years_later]);
    }

    #[test]
    fn what_is_no_speed_is_recorded_speed() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            check(&[0, 10], wrong, &[0, 10]);
        }
    }

    #[test]
    fn a_crawl_ends_at_the_clocks_end() {
        check(&[0, 1_000_000_000], 1e-300, &[0, u64::MAX]);
    }
}
