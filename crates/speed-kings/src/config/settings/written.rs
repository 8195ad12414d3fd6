//! Values of settings as they are written, and what is said of those that cannot be read.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use schema::plan::{AnswerForm, Axis, HttpChoice, Scenario, WhenFull};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A scenario as files and the environment have it: by its number or by its name.
pub(super) fn number_or_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Scenario>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Name(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Number(number) => number.to_string(),
        Written::Name(name) => name,
    };
    parse_told(&text).map(Some).map_err(D::Error::custom)
}

/// Settings are written down as text: a path that is none is refused.
#[expect(clippy::unnecessary_wraps, reason = "what a parser of flags looks like")]
pub(super) fn parse_path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(text.into())
}

pub(super) fn parse_temperature(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|t: &f64| t.is_finite()).ok_or_else(|| "use a number, such as 0.7".to_owned())
}

/// What reads itself, with its advice where it cannot: one line is all that clap shows.
pub(crate) fn parse_told<T>(text: &str) -> Result<T, String>
where
    T: FromStr<Err: miette::Diagnostic>,
{
    text.trim().parse().map_err(one_line)
}

/// An error with its advice, for places that show one line only.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn one_line<E: miette::Diagnostic>(error: E) -> String {
    match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

pub(super) fn parse_when_full(text: &str) -> Result<WhenFull, String> {
    match text {
        "not-sent" | "not_sent" => Ok(WhenFull::NotSent),
        "wait" => Ok(WhenFull::Wait),
        _ => Err("use not-sent or wait".to_owned()),
    }
}

pub(super) fn parse_axis(text: &str) -> Result<Axis, String> {
    match text {
        "rate" => Ok(Axis::Rate),
        "concurrency" => Ok(Axis::Concurrency),
        _ => Err("use rate or concurrency".to_owned()),
    }
}

pub(super) fn parse_answer(text: &str) -> Result<AnswerForm, String> {
    match text {
        "text" => Ok(AnswerForm::Text),
        "json" => Ok(AnswerForm::Json),
        "tool" => Ok(AnswerForm::Tool),
        _ => Err("use text, json or tool".to_owned()),
    }
}

pub(super) fn parse_positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "use a number above zero, such as 2".to_owned())
}

pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "use a share from 0 to 1".to_owned())
}

pub(super) fn parse_http(text: &str) -> Result<HttpChoice, String> {
    match text {
        "http1" => Ok(HttpChoice::Http1),
        "http2" => Ok(HttpChoice::Http2),
        _ => Err("use http1 or http2".to_owned()),
    }
}
