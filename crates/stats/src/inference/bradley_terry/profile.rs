//! Intervals of a difference: where the likelihood of everything else, at its best, has fallen too far.

use schema::summary::Estimate;

use super::likelihood::{Root, dot};
use super::{Strengths, Z};

/// Narrowings of a bracket: beyond them nothing is left of it.
const NARROWINGS: usize = 80;

/// A deviate this close to [`Z`] is there.
const CLOSE: f64 = 1e-11;

/// Widenings until an end is bracketed; each doubles.
const WIDENINGS: usize = 40;

impl Strengths {
    /// The value of `contrast`, and the 95 % interval of its profile likelihood.
    pub(super) fn estimate(&self, contrast: &[f64]) -> Estimate {
        let value = dot(contrast, &self.fitted);
        let (_, bend) = self.likelihood.shape(&self.fitted);
        let error = dot(contrast, &Root::of(bend).solve(contrast)).sqrt();
        let end = |direction: f64| self.end(contrast, value, direction * error * Z);
        Estimate { value, low: end(-1.0), high: end(1.0) }
    }

    /// How many standard deviations the likelihood puts between the fitted contrast and `at`: the root of twice the
    /// fall of its logarithm.
    pub(super) fn deviate(&self, contrast: &[f64], at: f64) -> f64 {
        let value = dot(contrast, &self.fitted);
        let much = (at - value) / dot(contrast, contrast);
        let moved = self.fitted.iter().zip(contrast).map(|(fitted, c)| fitted + much * c).collect();
        let best = self.likelihood.climb(moved, Some(contrast));
        let fall = self.likelihood.log(&self.fitted) - self.likelihood.log(&best);
        (2.0 * fall.max(0.0)).sqrt()
    }

    /// Where the deviate from `value` in one direction reaches [`Z`]; `reach`: where it would in a parabola. The deviate
    /// is nearly a straight line, so the false position (with the Illinois halving) finds it in a few steps.
    fn end(&self, contrast: &[f64], value: f64, reach: f64) -> Option<f64> {
        let excess = |reach: f64| self.deviate(contrast, value + reach) - Z;
        let (mut within, mut beyond) = ((0.0, -Z), (reach, excess(reach)));
        let mut widened = 0;
        while beyond.1 <= 0.0 {
            within = beyond;
            beyond = (within.0 * 2.0, excess(within.0 * 2.0));
            widened += 1;
            if widened > WIDENINGS {
                return None;
            }
        }
        let mut last_was_within = None;
        for _ in 0..NARROWINGS {
            let at = (within.0 * beyond.1 - beyond.0 * within.1) / (beyond.1 - within.1);
            let off = excess(at);
            let is_within = off <= 0.0;
            let (moved, kept) = if is_within { (&mut within, &mut beyond) } else { (&mut beyond, &mut within) };
            *moved = (at, off);
            if off.abs() <= CLOSE {
                return Some(value + at);
            }
            if last_was_within == Some(is_within) {
                kept.1 /= 2.0;
            }
            last_was_within = Some(is_within);
        }
        Some(value + within.0)
    }
}
