//! Two figures against each other.
//!
//! Measured in the same blocks, what troubled one in a block troubled the other: the difference's variance is that of
//! the blocks' differences. Both ends of each figure are combined as G. Y. Zou & A. Donner do (*Statistics in Medicine*
//! 27, 2008, 1693–1702, with the correlation), which keeps the intervals of skewed values lopsided, as they are; where
//! both figures are straight this is Student's paired t of blocks, or Welch's.

use schema::comparison::Test;

use super::figure::Figure;
use crate::inference::tails::{student_both_tails, t_point};

/// How many standard errors are taken for endless: no block ever scatters so far.
const ENDLESS: f64 = 1e9;

/// The second figure less the first, both as badness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contrast<'a> {
    first: &'a Figure,
    second: &'a Figure,
    test: Test,
    /// How the blocks of both move together, −1 to 1.
    correlation: f64,
    /// Degrees of freedom behind the errors; none where there is no way to tell.
    freedom: Option<f64>,
    /// Blocks in common, or of the one that has fewer.
    blocks: usize,
}

impl<'a> Contrast<'a> {
    /// Of two that were measured in the same blocks, or not.
    pub(crate) fn of(first: &'a Figure, second: &'a Figure, test: Test) -> Self {
        match test {
            Test::PairedBlocks => Self::paired(first, second),
            Test::IndependentBlocks => Self::independent(first, second),
        }
    }

    fn paired(first: &'a Figure, second: &'a Figure) -> Self {
        let parts: Vec<(f64, f64)> = {
            let theirs: std::collections::BTreeSet<u64> = second.blocks().collect();
            let common = first.blocks().filter(|block| theirs.contains(block));
            common.map(|block| (first.part(block), second.part(block))).collect()
        };
        let blocks = parts.len();
        let freedom = (blocks > 1).then_some(blocks as f64 - 1.0);
        Self { first, second, test: Test::PairedBlocks, correlation: correlation(&parts), freedom, blocks }
    }

    /// Degrees of freedom after Satterthwaite.
    fn independent(first: &'a Figure, second: &'a Figure) -> Self {
        let blocks = first.block_count().min(second.block_count());
        let (v1, v2) = (variance(first), variance(second));
        let (f1, f2) = (first.block_count() as f64 - 1.0, second.block_count() as f64 - 1.0);
        let both = (v1 + v2).powi(2) / (v1.powi(2) / f1 + v2.powi(2) / f2);
        let freedom = (blocks > 1).then(|| if both.is_finite() { both } else { f1 + f2 });
        Self { first, second, test: Test::IndependentBlocks, correlation: 0.0, freedom, blocks }
    }

    pub(crate) const fn test(&self) -> Test {
        self.test
    }

    pub(crate) const fn blocks(&self) -> usize {
        self.blocks
    }

    /// Second − first. Nothing where both are alike, be it endless.
    pub(crate) fn difference(&self) -> f64 {
        let (first, second) = (self.first.badness(), self.second.badness());
        if first.total_cmp(&second).is_eq() { 0.0 } else { second - first }
    }

    /// The difference with `errors` standard errors to each side. Where one side of a figure is endless, so is the
    /// interval's.
    pub(crate) fn reach(&self, errors: f64) -> (f64, f64) {
        let difference = self.difference();
        let [down_first, up_first] = arms(self.first, errors);
        let [down_second, up_second] = arms(self.second, errors);
        let arm = |one: f64, other: f64| {
            let squares = one * one + other * other - 2.0 * self.correlation * one * other;
            if squares.is_nan() { f64::INFINITY } else { squares.max(0.0).sqrt() }
        };
        (difference - arm(down_second, up_first), difference + arm(up_second, down_first))
    }

    /// Two-sided p-value of the difference being zero: at which error the interval begins to exclude it.
    pub(crate) fn p(&self) -> Option<f64> {
        let freedom = self.freedom?;
        let excludes = |errors: f64| {
            let (low, high) = self.reach(errors);
            low > 0.0 || high < 0.0
        };
        if !excludes(0.0) {
            return Some(1.0);
        }
        if excludes(ENDLESS) {
            return Some(0.0);
        }
        let (mut within, mut beyond) = (0.0, 1.0);
        while excludes(beyond) {
            (within, beyond) = (beyond, beyond * 2.0);
        }
        for _ in 0..60 {
            let middle = f64::midpoint(within, beyond);
            if excludes(middle) { within = middle } else { beyond = middle }
        }
        Some(student_both_tails(within, freedom))
    }

    /// Standard errors to each side of an interval that leaves out `level` in all.
    pub(crate) fn errors(&self, level: f64) -> Option<f64> {
        Some(point(level, self.freedom?))
    }

    /// The same, had there been `times` as many blocks: the figures' errors shrink with the root.
    pub(crate) fn errors_after(&self, level: f64, times: f64) -> Option<f64> {
        let freedom = (self.freedom? + 1.0) * times - 1.0;
        Some(point(level, freedom) / times.sqrt())
    }

    /// The blocks' differences, whose mean is the difference.
    pub(crate) fn differences(&self) -> Vec<f64> {
        let (of_first, of_second) = (self.first.slope(), self.second.slope());
        let difference = self.difference();
        let blocks = self.first.blocks().filter(|&block| self.second.blocks().any(|theirs| theirs == block));
        let k = self.blocks as f64;
        blocks
            .map(|block| difference + k * (of_second * self.second.part(block) - of_first * self.first.part(block)))
            .collect()
    }
}

/// Student's t that leaves out `level` on both sides together; so little of it that the distribution is no longer known
/// there is never reached.
fn point(level: f64, freedom: f64) -> f64 {
    if level < 1e-12 { ENDLESS } else { -t_point(level / 2.0, freedom) }
}

/// How far down and up a figure goes with so many errors.
fn arms(figure: &Figure, errors: f64) -> [f64; 2] {
    let (at, offset) = (figure.badness(), errors * figure.error());
    if at.is_infinite() {
        return [0.0, 0.0];
    }
    [at - figure.moved(-offset), figure.moved(offset) - at]
}

/// The variance of a figure's badness, to first order.
fn variance(figure: &Figure) -> f64 {
    (figure.slope() * figure.error()).powi(2)
}

/// Of pairs whose means are about zero; zero where one side does not move.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let sum = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let (squares_first, squares_second) = (sum(|(a, _)| a * a), sum(|(_, b)| b * b));
    let together = sum(|(a, b)| a * b) / (squares_first * squares_second).sqrt();
    if together.is_finite() { together.clamp(-1.0, 1.0) } else { 0.0 }
}
