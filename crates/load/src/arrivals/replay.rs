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
