//! Rates that change stage by stage.

use schema::plan::Stage;
use schema::units::Nanos;

/// The cumulative rate of stages that follow one another, inverted: arrivals of a process with rate 1 become those
/// of one whose rate follows the stages (Çinlar 1975, time change of a point process). So the count up to any moment
/// is the area under the rate up to there, at whatever spacing, and steps leave no gap and no heap.
#[derive(Debug, Clone)]
pub(super) struct Stages {
    pieces: Vec<Piece>,
    /// Which piece the last slot was in.
    at: usize,
    /// Slots due before that piece.
    before: f64,
    /// When that piece begins.
    begins: Nanos,
}

/// So many slots are a rounding error: `0.1/s` for 30 s are three slots, not a fourth at the very end.
const ROUNDING: f64 = 1e-9;

/// A rate going evenly from one level to another.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: f64,
    to: f64,
    length: Nanos,
}

impl Piece {
    fn new(stage: &Stage) -> Self {
        // Plans hold no other levels; an unlawful one counts as none.
        let level = |level: f64| if level.is_finite() { level.max(0.0) } else { 0.0 };
        Self { from: level(stage.from), to: level(stage.to), length: stage.length_ns }
    }

    /// Slots due in it: the area under the rate.
    fn slots(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.length.as_secs_f64()
    }

    /// When, after its beginning, `slots` are due; `None` when that is not before its end. The root of
    /// `from·t + (to − from)·t² / (2·length) = slots`, written so that nothing cancels out where the rate hardly
    /// changes.
    fn offset(&self, slots: f64) -> Option<Nanos> {
        if slots >= self.slots() - ROUNDING {
            return None;
        }
        let slope = (self.to - self.from) / self.length.as_secs_f64();
        let root = (self.from * self.from + 2.0 * slope * slots).max(0.0).sqrt();
        let seconds = if slots > 0.0 { 2.0 * slots / (self.from + root) } else { 0.0 };
        Some(Nanos::from_secs_f64(seconds)).filter(|offset| *offset < self.length)
    }
}

impl Stages {
    pub(super) fn new(stages: &[Stage]) -> Self {
        Self { pieces: stages.iter().map(Piece::new).collect(), at: 0, before: 0.0, begins: Nanos::ZERO }
    }

    /// When the cumulative rate goes beyond `slots`, counted from the beginning; `None` when it never does. `slots`
    /// never goes back.
    pub(super) fn offset(&mut self, slots: f64) -> Option<Nanos> {
        loop {
            let piece = self.pieces.get(self.at)?;
            if let Some(offset) = piece.offset((slots - self.before).max(0.0)) {
                return Some(self.begins + offset);
            }
            self.before += piece.slots();
            self.begins += piece.length;
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests;
