//! Numbers as people read them: three significant digits and the unit that suits.

use schema::metric::{Metric, Unit};
use schema::summary::{Distribution, Estimate, Percentile};

/// What is shown where there is nothing to show.
pub(crate) const NOTHING: &str = "–";

/// A figure and what stands under or after it: its interval, or what it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) value: String,
    pub(crate) aside: Vec<String>,
}

impl Figure {
    /// A figure that has nothing beside it.
    pub(crate) fn plain(value: impl Into<String>) -> Self {
        Self { value: value.into(), aside: Vec::new() }
    }

    /// No figure at all.
    pub(crate) fn nothing() -> Self {
        Self::plain(NOTHING)
    }

    /// `51.2 ms (50.1–52.3)`, `n/a (52 more)`.
    pub(crate) fn in_line(&self) -> String {
        if self.aside.is_empty() { self.value.clone() } else { format!("{} ({})", self.value, self.aside.join(", ")) }
    }
}

/// How a quantity is shown: divided by what, with which unit after it.
#[derive(Debug, Clone, Copy)]
struct Scale {
    divisor: f64,
    unit: &'static str,
}

impl Scale {
    const PLAIN: Self = Self { divisor: 1.0, unit: "" };

    fn of(value: f64, unit: Unit) -> Self {
        let size = value.abs();
        match unit {
            Unit::Tokens | Unit::TokensPerSecond => Self::PLAIN,
            Unit::Nanos if size < 1e3 => Self { divisor: 1.0, unit: " ns" },
            Unit::Nanos if size < 1e6 => Self { divisor: 1e3, unit: " µs" },
            Unit::Nanos if size < 1e9 => Self { divisor: 1e6, unit: " ms" },
            Unit::Nanos => Self { divisor: 1e9, unit: " s" },
        }
    }
}

/// Decimals that give `value` three significant digits, none from 100 on.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 9")]
fn decimals(value: f64) -> usize {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() {
        return 0;
    }
    (2.0 - size.log10().floor()).clamp(0.0, 9.0) as usize
}

/// Three significant digits; whole from 100 on, with commas from 10,000 on.
pub(crate) fn number(value: f64) -> String {
    fixed(value, decimals(value))
}

/// A count, with commas from 10,000 on.
pub(crate) fn count(value: u64) -> String {
    group(&value.to_string())
}

/// `1 request`, `12,000 requests`.
pub(crate) fn counted(value: u64, one: &str) -> String {
    let ending = if value == 1 { "" } else { "s" };
    format!("{} {one}{ending}", count(value))
}

/// `value` with so many decimals.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some(_) => text,
        None => group(&text),
    }
}

/// Commas between thousands, from five digits on.
fn group(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    if digits.len() < 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return format!("{sign}{digits}");
    }
    let first = digits.len() % 3;
    let mut parts: Vec<&str> = Vec::new();
    if first > 0 {
        parts.push(&digits[..first]);
    }
    parts.extend((first..digits.len()).step_by(3).map(|i| &digits[i..i + 3]));
    format!("{sign}{}", parts.join(","))
}

/// A share as a percentage: `94.7 %`. Only all is 100 %, only none is 0 %.
pub(crate) fn percent(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    let percent = if share > 0.0 && share < 1.0 { percent.clamp(0.1, 99.9) } else { percent };
    format!("{percent} %")
}

/// A metric's value with its unit: `51.2 ms`; tokens and speeds bare, their heading says it.
pub(crate) fn value(value: f64, unit: Unit) -> String {
    let scale = Scale::of(value, unit);
    format!("{}{}", number(value / scale.divisor), scale.unit)
}

/// A value with its interval in the same unit and to the same place.
pub(crate) fn estimate(estimate: &Estimate, unit: Unit) -> Figure {
    let scale = Scale::of(estimate.value, unit);
    let places = decimals(estimate.value / scale.divisor);
    let show = |x: f64| fixed(x / scale.divisor, places);
    let aside = estimate.low.zip(estimate.high).map(|(low, high)| format!("{}–{}", show(low), show(high)));
    Figure { value: format!("{}{}", show(estimate.value), scale.unit), aside: aside.into_iter().collect() }
}

/// A rate or an amount without a unit of its own.
pub(crate) fn rate(rate: &Estimate) -> Figure {
    estimate(rate, Unit::TokensPerSecond)
}

/// A percentile with its interval, or how many more values it takes.
pub(crate) fn percentile(percentile: &Percentile, metric: Metric) -> Figure {
    match percentile {
        Percentile::Known(known) => estimate(known, metric.unit()),
        Percentile::Withheld { needs_more } => {
            Figure { value: "n/a".to_owned(), aside: vec![format!("{} more", count(*needs_more))] }
        }
    }
}

/// `p50 51.2 ms, p99 60.1 ms`: what the sample supports, else the mean, else the one value.
pub(crate) fn spread(distribution: &Distribution, metric: Metric) -> String {
    let show = |x: f64| value(x, metric.unit());
    let supported = [("p50", &distribution.p50), ("p99", &distribution.p99)];
    let mut parts: Vec<String> =
        supported.iter().filter_map(|(name, p)| Some(format!("{name} {}", show(p.known()?.value)))).collect();
    if parts.len() < supported.len() {
        parts.push(format!("max {}", show(distribution.max)));
    }
    parts.join(", ")
}
