//! Spreads of lengths and pauses.

use std::f64::consts::TAU;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// How a quantity is distributed; its numbers are in the quantity's base unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// Always the same.
    Fixed(f64),
    /// Anything between two bounds, alike.
    Uniform {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// The normal distribution; what falls below zero becomes zero.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// The log-normal distribution.
    LogNormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// The exponential distribution.
    Exponential {
        /// Mean.
        mean: f64,
    },
}

impl Spread {
    /// A value drawn with two independent numbers from [0, 1): the inverse distribution function, or Box and
    /// Muller's transform (1958) where there is no closed one. Never negative.
    pub fn draw(self, u: f64, v: f64) -> f64 {
        let normal = || (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos();
        let value = match self {
            Self::Fixed(value) => value,
            Self::Uniform { low, high } => low + (high - low) * u,
            Self::Normal { mean, sd } => mean + sd * normal(),
            Self::LogNormal { median, sigma } => median * (sigma * normal()).exp(),
            Self::Exponential { mean } => -mean * (1.0 - u).ln(),
        };
        value.max(0.0)
    }

    /// Its mean, for estimates.
    pub fn mean(self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Normal { mean, .. } | Self::Exponential { mean } => mean,
            Self::Uniform { low, high } => f64::midpoint(low, high),
            Self::LogNormal { median, sigma } => median * (sigma * sigma / 2.0).exp(),
        }
    }

    /// Reads `N`, `uniform:A..B`, `normal:MEAN,SD`, `lognormal:MEDIAN,SIGMA` or `exponential:MEAN`, where `quantity`
    /// reads each number but `SIGMA`.
    fn read(text: &str, quantity: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let Some((kind, rest)) = text.split_once(':') else { return Some(Self::Fixed(quantity(text)?)) };
        let plain = |text: &str| text.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0);
        let spread = match kind.trim() {
            "fixed" => Self::Fixed(quantity(rest)?),
            "uniform" => {
                let (low, high) = rest.split_once("..")?;
                Self::Uniform { low: quantity(low)?, high: quantity(high)? }
            }
            "normal" => {
                let (mean, sd) = rest.split_once(',')?;
                Self::Normal { mean: quantity(mean)?, sd: quantity(sd)? }
            }
            "lognormal" => {
                let (median, sigma) = rest.split_once(',')?;
                Self::LogNormal { median: quantity(median)?, sigma: plain(sigma).filter(|sigma| *sigma <= 10.0)? }
            }
            "exponential" => Self::Exponential { mean: quantity(rest)? },
            _ => return None,
        };
        if let Self::Uniform { low, high } = spread
            && low > high
        {
            return None;
        }
        Some(spread)
    }

    fn write(self, f: &mut fmt::Formatter<'_>, quantity: impl Fn(f64) -> String) -> fmt::Result {
        match self {
            Self::Fixed(value) => f.write_str(&quantity(value)),
            Self::Uniform { low, high } => write!(f, "uniform:{}..{}", quantity(low), quantity(high)),
            Self::Normal { mean, sd } => write!(f, "normal:{},{}", quantity(mean), quantity(sd)),
            Self::LogNormal { median, sigma } => write!(f, "lognormal:{},{sigma}", quantity(median)),
            Self::Exponential { mean } => write!(f, "exponential:{}", quantity(mean)),
        }
    }
}

/// Text that is no spread.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not a spread of {what}")]
#[diagnostic(code(schema::spread), help("write it like {example}"))]
pub struct SpreadError {
    /// What was written.
    pub text: String,
    /// Of what.
    pub what: &'static str,
    /// Right spellings.
    pub example: &'static str,
}

/// How long people pause: `2s`, `uniform:1s..5s`, `lognormal:2s,0.5`, `exponential:2s`. Base unit: nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pause(pub Spread);

impl Pause {
    /// No pause at all.
    pub const NONE: Self = Self(Spread::Fixed(0.0));
}

impl FromStr for Pause {
    type Err = SpreadError;

    fn from_str(text: &str) -> Result<Self, SpreadError> {
        let quantity = |text: &str| text.trim().parse::<Nanos>().ok().map(|span| span.0 as f64);
        Spread::read(text.trim(), quantity).map(Self).ok_or_else(|| SpreadError {
            text: text.chars().take(80).collect(),
            what: "pauses",
            example: "`2s`, `uniform:1s..5s`, `lognormal:2s,0.5` or `exponential:2s`",
        })
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, |ns| format!("{}ms", ns / 1e6))
    }
}

/// How long texts are, in tokens: `128`, `uniform:50..200`, `normal:200,30`, `lognormal:200,0.8`, or `file:PATH`
/// with one length a line, drawn alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Lengths {
    /// By a formula.
    Spread(Spread),
    /// As measured elsewhere.
    Empirical(PathBuf),
}

impl FromStr for Lengths {
    type Err = SpreadError;

    fn from_str(text: &str) -> Result<Self, SpreadError> {
        if let Some(path) = text.trim().strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::Empirical(path.into()));
        }
        let quantity = |text: &str| text.trim().parse().ok().filter(|n: &f64| (0.0..=1e7).contains(n));
        Spread::read(text.trim(), quantity).map(Self::Spread).ok_or_else(|| SpreadError {
            text: text.chars().take(80).collect(),
            what: "lengths in tokens",
            example: "`128`, `uniform:50..200`, `normal:200,30`, `lognormal:200,0.8` or `file:lengths.txt`",
        })
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spread(spread) => spread.write(f, |tokens| tokens.to_string()),
            Self::Empirical(path) => write!(f, "file:{}", path.display()),
        }
    }
}

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = SpreadError;
            fn try_from(text: String) -> Result<Self, SpreadError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(spread: $name) -> Self {
                spread.to_string()
            }
        }
    )*};
}

as_text!(Pause, Lengths);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_read_as_it_is_written() {
        for text in ["128", "uniform:50..200", "normal:200,30", "lognormal:200,0.8", "exponential:90", "file:a.txt"] {
            assert_eq!(text.parse::<Lengths>().unwrap().to_string(), text);
        }
        for text in ["2000ms", "uniform:1000ms..5000ms", "lognormal:2000ms,0.5", "exponential:0.5ms"] {
            assert_eq!(text.parse::<Pause>().unwrap().to_string(), text);
        }
        assert_eq!("2s".parse::<Pause>().unwrap(), "2000ms".parse().unwrap());
    }

    #[test]
    fn what_is_no_spread_is_refused_with_right_spellings() {
        for wrong in ["", "abc", "uniform:5..1", "normal:5", "lognormal:5,99", "gauss:1,2", "-3", "file:"] {
            assert!(wrong.parse::<Lengths>().is_err(), "{wrong}");
        }
        let error = "2".parse::<Pause>().unwrap_err();
        assert_eq!(error.to_string(), "`2` is not a spread of pauses");
    }

    #[test]
    fn draws_have_the_mean_they_should_and_are_never_negative() {
        let grid = 300;
        let of = |i: u32| (f64::from(i) + 0.5) / f64::from(grid);
        for text in ["128", "uniform:50..200", "normal:200,30", "lognormal:200,0.5", "exponential:90"] {
            let Lengths::Spread(spread) = text.parse().unwrap() else { panic!("{text}") };
            let draws = (0..grid).flat_map(|i| (0..grid).map(move |j| spread.draw(of(i), of(j))));
            let mean = draws.inspect(|draw| assert!(*draw >= 0.0)).sum::<f64>() / f64::from(grid * grid);
            assert!((mean / spread.mean() - 1.0).abs() < 0.01, "{text}: {mean}");
        }
    }
}
