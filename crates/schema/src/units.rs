//! Quantities with their unit in the type.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text that is not a quantity of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not {wanted}")]
#[diagnostic(code(schema::unit), help("write it like {example}"))]
pub struct UnitError {
    /// What was written.
    pub text: String,
    /// What was expected, as a noun phrase.
    pub wanted: &'static str,
    /// Right spellings.
    pub example: &'static str,
}

fn bad(text: &str, wanted: &'static str, example: &'static str) -> UnitError {
    UnitError { text: text.chars().take(80).collect(), wanted, example }
}

/// Splits `12.5ms` into a finite, non-negative number and its suffix.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let number: f64 = text[..end].replace('_', "").parse().ok()?;
    number.is_finite().then(|| (number, text[end..].trim()))
}

/// A span of time in nanoseconds. On disk its field ends in `_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[must_use]
pub struct Nanos(pub u64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// A span of fractional seconds; what is negative or not finite becomes zero.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and negatives are clamped first"
    )]
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs.max(0.0) * 1e9).round() as u64)
    }

    /// Seconds as a float, for arithmetic on rates.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Milliseconds as a float, for showing.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The difference, or zero when `other` is longer.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Self::from_nanos(nanos.0)
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl FromStr for Nanos {
    type Err = UnitError;

    /// Reads `30s`, `200ms`, `1.5m`, `2h`, `10us`, `5ns`. A bare number is refused: it has no unit.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || bad(text, "a time with its unit", "`30s`, `200ms`, `5m` or `1h`");
        let (number, unit) = split_number(text).ok_or_else(error)?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(error()),
        };
        let secs = number * seconds;
        if secs > 1e9 { Err(error()) } else { Ok(Self::from_secs_f64(secs)) }
    }
}

impl fmt::Display for Nanos {
    /// Three significant figures with the unit that suits: `1.23 ms`, `45.6 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0 as f64;
        let (value, unit) = if ns < 1e3 {
            return write!(f, "{} ns", self.0);
        } else if ns < 1e6 {
            (ns / 1e3, "µs")
        } else if ns < 1e9 {
            (ns / 1e6, "ms")
        } else {
            (ns / 1e9, "s")
        };
        let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        write!(f, "{value:.digits$} {unit}")
    }
}

/// A point on the run's own monotonic clock: nanoseconds since the run's epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[must_use]
pub struct Moment(pub u64);

impl Moment {
    /// The run's epoch.
    pub const EPOCH: Self = Self(0);

    /// Time from `earlier` to here, zero when `earlier` is in fact later.
    pub const fn since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Sub for Moment {
    type Output = Nanos;
    /// As [`Moment::since`].
    fn sub(self, earlier: Self) -> Nanos {
        self.since(earlier)
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;
    fn add(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Nanos> for Moment {
    type Output = Self;
    fn sub(self, span: Nanos) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// Requests per second, above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[must_use]
pub struct Rate(f64);

impl Rate {
    /// A rate of `per_second`; `None` unless finite and above zero.
    pub fn per_second(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second > 0.0).then_some(Self(per_second))
    }

    /// Requests per second.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    /// Reads `5/s`, `90/min`, `1000/h`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || bad(text, "a request rate", "`5/s`, `90/min` or `1000/h`");
        let (number, unit) = split_number(text).ok_or_else(error)?;
        let per_second = match unit.replace(' ', "").as_str() {
            "/s" | "/sec" => number,
            "/m" | "/min" => number / 60.0,
            "/h" => number / 3600.0,
            _ => return Err(error()),
        };
        Self::per_second(per_second).filter(|r| r.0 <= 1e7).ok_or_else(error)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// US dollars, in decimal: sums of prices stay exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[must_use]
pub struct Usd(#[schemars(with = "f64")] pub Decimal);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Usd {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(Decimal::from(times)))
    }
}

impl Div<u64> for Usd {
    type Output = Self;
    /// Division by zero gives zero.
    fn div(self, by: u64) -> Self {
        Self(self.0.checked_div(Decimal::from(by)).unwrap_or_default())
    }
}

impl FromStr for Usd {
    type Err = UnitError;

    /// Reads `2usd`, `$2`, `0.50usd`, `20cents`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || bad(text, "an amount of money", "`2usd`, `$0.50` or `20cents`");
        let lower = text.trim().to_ascii_lowercase();
        let (digits, scale) = if let Some(rest) = lower.strip_prefix('$') {
            (rest, Decimal::ONE)
        } else if let Some(rest) = lower.strip_suffix("usd") {
            (rest, Decimal::ONE)
        } else if let Some(rest) = lower.strip_suffix("cents") {
            (rest, Decimal::ONE_HUNDRED)
        } else {
            return Err(error());
        };
        let amount: Decimal = digits.trim().parse().map_err(|_| error())?;
        if amount.is_sign_negative() && !amount.is_zero() { Err(error()) } else { Ok(Self(amount / scale)) }
    }
}

impl fmt::Display for Usd {
    /// Cents from a dollar on, otherwise three significant digits but no less than cents: `$12.30`, `$0.50`, `$0.00123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() || self.0.abs() >= Decimal::ONE {
            // Formatting alone would cut the rest off.
            let cents = self.0.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            write!(f, "${cents:.2}")
        } else {
            let mut digits = self.0.round_sf(3).unwrap_or(self.0).normalize();
            digits.rescale(digits.scale().max(2));
            write!(f, "${digits}")
        }
    }
}

/// A quantile between 0 and 1, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[must_use]
pub struct Quantile(f64);

impl Quantile {
    /// The median.
    pub const P50: Self = Self(0.50);
    /// The 90th percentile.
    pub const P90: Self = Self(0.90);
    /// The 95th percentile.
    pub const P95: Self = Self(0.95);
    /// The 99th percentile.
    pub const P99: Self = Self(0.99);

    /// The quantile `q`; `None` outside (0, 1), or so near its ends that it has no name of four decimals.
    pub fn new(q: f64) -> Option<Self> {
        (6e-7..1.0 - 6e-7).contains(&q).then_some(Self(q))
    }

    /// Between 0 and 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Quantile {
    type Err = UnitError;

    /// Reads `p50`, `p99.9`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let percent: Option<f64> = text.trim().strip_prefix('p').and_then(|p| p.parse().ok());
        percent.and_then(|p| Self::new(p / 100.0)).ok_or_else(|| bad(text, "a percentile", "`p50`, `p95` or `p99.9`"))
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = format!("{:.4}", self.0 * 100.0);
        write!(f, "p{}", percent.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests;
