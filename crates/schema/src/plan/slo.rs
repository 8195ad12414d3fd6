//! Bounds on metrics.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::{Metric, Unit};
use crate::units::{Nanos, Quantile};

/// A bound on a metric at a percentile, or on every request: `ttft_p95<200ms`, `output_speed_p5>30`, `e2e<2s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Slo {
    /// What is bounded.
    pub metric: Metric,
    /// At which percentile; `None`: every single request (what goodput uses too).
    pub quantile: Option<Quantile>,
    /// The bound in the metric's base unit: nanoseconds, tokens, tokens per second. An upper bound
    /// unless the metric is better when higher.
    pub bound: f64,
}

impl Slo {
    /// Whether `value` (base unit) is within the bound.
    pub fn met_by(&self, value: f64) -> bool {
        if self.metric.higher_is_better() { value > self.bound } else { value < self.bound }
    }
}

/// Text that is not an SLO.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not an SLO: {why}")]
#[diagnostic(code(schema::slo), help("write it like `ttft_p95<200ms`, `tpot_p99<30ms` or `output_speed_p10>40`"))]
pub struct SloError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        let fail = |why: String| SloError { text: text.chars().take(80).collect(), why };
        let at = text.find(['<', '>']).ok_or_else(|| fail("it has no `<` or `>`".into()))?;
        let (name, bound) = (text[..at].trim(), text[at + 1..].trim().trim_start_matches('='));
        let (metric, quantile) = match name.rsplit_once('_') {
            Some((metric, q)) if q.starts_with('p') && q[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                (metric, Some(q.parse::<Quantile>().map_err(|e| fail(e.to_string()))?))
            }
            _ => (name, None),
        };
        let metric: Metric = metric.parse().map_err(|e: crate::metric::MetricError| fail(e.to_string()))?;
        if metric.higher_is_better() != text[at..].starts_with('>') {
            let sign = if metric.higher_is_better() { '>' } else { '<' };
            return Err(fail(format!("`{}` is bounded with `{sign}`", metric.short())));
        }
        let bound = match metric.unit() {
            Unit::Nanos => bound.parse::<Nanos>().map_err(|e| fail(e.to_string()))?.0 as f64,
            Unit::Tokens | Unit::TokensPerSecond => bound
                .trim_end_matches("tokens/s")
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|b| b.is_finite() && *b >= 0.0)
                .ok_or_else(|| fail(format!("`{bound}` is not a number")))?,
        };
        Ok(Self { metric, quantile, bound })
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.short())?;
        if let Some(q) = self.quantile {
            write!(f, "_{q}")?;
        }
        f.write_str(if self.metric.higher_is_better() { ">" } else { "<" })?;
        match self.metric.unit() {
            Unit::Nanos if self.bound >= 1e9 => write!(f, "{}s", self.bound / 1e9),
            Unit::Nanos if self.bound >= 1e6 => write!(f, "{}ms", self.bound / 1e6),
            Unit::Nanos => write!(f, "{}us", self.bound / 1e3),
            Unit::Tokens | Unit::TokensPerSecond => write!(f, "{}", self.bound),
        }
    }
}

impl TryFrom<String> for Slo {
    type Error = SloError;
    fn try_from(text: String) -> Result<Self, SloError> {
        text.parse()
    }
}

impl From<Slo> for String {
    fn from(slo: Slo) -> Self {
        slo.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        match (text.parse::<Slo>(), expected) {
            (Ok(slo), Ok(shown)) => assert_eq!(slo.to_string(), shown),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("`{text}` gave {got:?}"),
        }
    }

    #[test]
    fn an_slo_reads_and_prints_alike() {
        check("ttft_p95<200ms", Ok("ttft_p95<200ms"));
        check("tpot_p99 < 30ms", Ok("tpot_p99<30ms"));
        check("e2e<2s", Ok("e2e<2s"));
        check("output_speed_p10>40", Ok("output_speed_p10>40"));
        check("ttft_visible_p50<1s", Ok("ttft_visible_p50<1s"));
        check("ttft_p99.9999<1s", Ok("ttft_p99.9999<1s"));
    }

    #[test]
    fn a_wrong_slo_says_what_is_wrong() {
        check("ttft_p95=200ms", Err("no `<` or `>`"));
        check("ttft_p95<200", Err("`200` is not a time with its unit"));
        check("ttff_p95<200ms", Err("`ttff` is not a metric"));
        check("ttft_p95>200ms", Err("bounded with `<`"));
        check("ttft_p100<1s", Err("not a percentile"));
        check("ttft_p99.99999<1s", Err("not a percentile"));
        check("ttft_p0.00001<1s", Err("not a percentile"));
    }

    #[test]
    fn meeting_a_bound_depends_on_the_metric() {
        assert!("ttft<1s".parse::<Slo>().unwrap().met_by(0.9e9));
        assert!("output_speed>10".parse::<Slo>().unwrap().met_by(11.0));
    }
}
