//! Arithmetic on positive numbers with ranges.

use std::ops::{Div, Mul};

use schema::projection::Assumed;
use schema::summary::Estimate;

/// A number that is not negative, between two ends. Products and quotients take the ends together that lie farthest
/// apart (interval arithmetic: R. E. Moore, *Interval Analysis*, 1966): wider than the truth where the parts err
/// independently, never narrower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Range {
    /// A number that is known.
    pub(crate) const fn exactly(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// Each end by itself.
    pub(crate) fn each(self, f: impl Fn(f64) -> f64) -> Self {
        Self { value: f(self.value), low: f(self.low), high: f(self.high) }
    }
}

impl Mul for Range {
    type Output = Self;
    fn mul(self, by: Self) -> Self {
        Self { value: self.value * by.value, low: self.low * by.low, high: self.high * by.high }
    }
}

impl Mul<f64> for Range {
    type Output = Self;
    fn mul(self, by: f64) -> Self {
        self.each(|x| x * by)
    }
}

impl Div for Range {
    type Output = Self;
    fn div(self, by: Self) -> Self {
        Self { value: self.value / by.value, low: self.low / by.high, high: self.high / by.low }
    }
}

impl From<&Assumed> for Range {
    fn from(assumed: &Assumed) -> Self {
        let Assumed { value, low, high, .. } = *assumed;
        Self { value, low: low.unwrap_or(value), high: high.unwrap_or(value) }
    }
}

impl From<&Estimate> for Range {
    /// An end that is not known is taken as the value.
    fn from(estimate: &Estimate) -> Self {
        let Estimate { value, low, high } = *estimate;
        Self { value, low: low.unwrap_or(value).max(0.0), high: high.unwrap_or(value) }
    }
}

impl From<Range> for Estimate {
    /// Without a range it has no ends; an end beyond all bounds (a division by zero) is none.
    fn from(range: Range) -> Self {
        let end = |x: f64| Some(x).filter(|x| x.is_finite() && range.low < range.high);
        Self { value: range.value, low: end(range.low), high: end(range.high) }
    }
}
