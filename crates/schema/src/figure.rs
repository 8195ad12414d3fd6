//! One number of a target, by the name it has in flags: `ttft_p95`, `tpot_mean`, `success_rate`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::{Metric, Unit};
use crate::units::Quantile;

/// What is taken of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum At {
    /// Their mean.
    Mean,
    /// A percentile.
    Quantile(Quantile),
}

/// One number of a target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Figure {
    /// A percentile or the mean of a metric: `ttft_p95`, `tpot_mean`.
    Metric(Metric, At),
    /// `output_tokens_per_s`: output tokens per second, all streams together.
    OutputTokensPerS,
    /// `requests_per_s`: completed requests per second.
    RequestsPerS,
    /// `success_rate`: completed ÷ (attempted − rate-limited), 0 to 1.
    SuccessRate,
    /// `cost`: US dollars for one completed request, on average.
    Cost,
}

/// Those that are no metric, by name.
const OTHERS: [(&str, Figure); 4] = [
    ("output_tokens_per_s", Figure::OutputTokensPerS),
    ("requests_per_s", Figure::RequestsPerS),
    ("success_rate", Figure::SuccessRate),
    ("cost", Figure::Cost),
];

impl Figure {
    /// Whether more is better.
    pub const fn higher_is_better(self) -> bool {
        match self {
            Self::Metric(metric, _) => metric.higher_is_better(),
            Self::OutputTokensPerS | Self::RequestsPerS | Self::SuccessRate => true,
            Self::Cost => false,
        }
    }

    /// The metric's unit; `None` for rates, shares and money.
    pub const fn unit(self) -> Option<Unit> {
        match self {
            Self::Metric(metric, _) => Some(metric.unit()),
            Self::OutputTokensPerS | Self::RequestsPerS | Self::SuccessRate | Self::Cost => None,
        }
    }

    /// Heading for people: `TTFT p95`.
    pub fn heading(self) -> String {
        match self {
            Self::Metric(metric, At::Mean) => format!("{metric} mean"),
            Self::Metric(metric, At::Quantile(q)) => format!("{metric} {q}"),
            Self::OutputTokensPerS => "Output tokens/s".to_owned(),
            Self::RequestsPerS => "Requests/s".to_owned(),
            Self::SuccessRate => "Success rate".to_owned(),
            Self::Cost => "Cost per request".to_owned(),
        }
    }
}

/// Text that names no figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is not a figure of a target")]
#[diagnostic(
    code(schema::figure),
    help(
        "write a metric and a percentile or `mean`, like `ttft_p95` or `tpot_mean`; or one of output_tokens_per_s, \
         requests_per_s, success_rate, cost"
    )
)]
pub struct FigureError(pub String);

impl FromStr for Figure {
    type Err = FigureError;

    fn from_str(text: &str) -> Result<Self, FigureError> {
        read(text.trim()).ok_or_else(|| FigureError(text.chars().take(80).collect()))
    }
}

fn read(text: &str) -> Option<Figure> {
    if let Some((_, figure)) = OTHERS.iter().find(|(name, _)| *name == text) {
        return Some(*figure);
    }
    let (metric, at) = text.rsplit_once('_')?;
    let at = if at == "mean" { At::Mean } else { At::Quantile(at.parse().ok()?) };
    Some(Figure::Metric(metric.parse().ok()?, at))
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric, At::Mean) => write!(f, "{}_mean", metric.short()),
            Self::Metric(metric, At::Quantile(q)) => write!(f, "{}_{q}", metric.short()),
            other => {
                let name = OTHERS.iter().find(|(_, figure)| figure == other).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

impl TryFrom<String> for Figure {
    type Error = FigureError;
    fn try_from(text: String) -> Result<Self, FigureError> {
        text.parse()
    }
}

impl From<Figure> for String {
    fn from(figure: Figure) -> Self {
        figure.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, heading: Option<&str>) {
        let figure = text.parse::<Figure>().ok();
        assert_eq!(figure.map(Figure::heading).as_deref(), heading);
        if let Some(figure) = figure {
            assert_eq!(figure.to_string(), text);
        }
    }

    #[test]
    fn a_figure_reads_and_prints_alike() {
        check("ttft_p95", Some("TTFT p95"));
        check("ttft_from_schedule_p99.9", Some("TTFT from schedule p99.9"));
        check("tpot_mean", Some("TPOT mean"));
        check("output_tokens_p50", Some("Output tokens p50"));
        check("output_tokens_per_s", Some("Output tokens/s"));
        check("requests_per_s", Some("Requests/s"));
        check("success_rate", Some("Success rate"));
        check("cost", Some("Cost per request"));
    }

    #[test]
    fn what_names_no_figure_is_refused() {
        for text in ["", "ttft", "ttft_p100", "ttff_p95", "ttft_p95_p95", "_p50", "costs"] {
            check(text, None);
        }
    }
}
