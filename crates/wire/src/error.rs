//! What a server says when it refuses or fails.

use schema::record::FailureClass;
use schema::text::Untrusted;
use schema::units::Nanos;
use serde_json::Value;

use crate::headers::duration;

/// An error in the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct ServerError {
    /// What it says; at most 4 KiB.
    pub message: Untrusted,
    /// Its kind (`type`, `error_type`, Google's `status`), cleaned and bounded.
    pub kind: Option<String>,
    /// Its code (`rate_limit_exceeded`, `400`, Google's quota id), cleaned and bounded.
    pub code: Option<String>,
    /// The HTTP status: the response's, or inside a stream the one the body names.
    pub status: Option<u16>,
    /// How long it asks to wait (Google's `retryDelay`).
    pub retry_after: Option<Nanos>,
}

/// Reads the body of an error response, whatever its shape: JSON of any provider, text or HTML.
pub fn decode_error(status: u16, body: &[u8]) -> ServerError {
    let text = String::from_utf8_lossy(body);
    let mut error = read(text.trim_start_matches('\u{FEFF}').trim());
    if status >= 400 || error.status.is_none() {
        error.status = Some(status);
    }
    if error.message.raw().is_empty() {
        error.message = Untrusted::from(format!("status {status} without a message").as_str());
    }
    error
}

/// Reads an error inside a stream whose response had a good status.
pub(crate) fn in_stream(text: &str) -> ServerError {
    let mut error = read(text.trim());
    if error.message.raw().is_empty() {
        error.message = Untrusted::from(text);
    }
    error
}

fn read(text: &str) -> ServerError {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(list)) => list.first().map(from_value).unwrap_or_default(),
        Ok(value) => from_value(&value),
        Err(_) => ServerError { message: Untrusted::from(without_markup(text).as_str()), ..ServerError::default() },
    }
}

/// Reads an error object: nested under `error` (or Groq's `x_groq`), flat, or a bare string.
fn from_value(value: &Value) -> ServerError {
    let nested = value.get("error").or_else(|| value.get("x_groq")?.get("error")).filter(|error| !error.is_null());
    let inner = nested.unwrap_or(value);
    // Fields of the inner object first, then those beside it.
    let field = |names: &[&str]| {
        [inner, value].into_iter().find_map(|place| names.iter().find_map(|name| word(place.get(*name)?)))
    };
    let status = [inner, value].into_iter().find_map(status_within);
    ServerError {
        message: Untrusted::from(message(inner).unwrap_or_default().as_str()),
        kind: field(&["type", "error_type", "status"]).filter(|kind| kind != "error"),
        code: quota_id(inner).or_else(|| field(&["code"])),
        status,
        retry_after: retry_delay(inner),
    }
}

/// The message of `error`: its text, or its field of that meaning.
fn message(error: &Value) -> Option<String> {
    match error {
        Value::String(text) => return Some(text.clone()),
        Value::Array(list) => return list.first().and_then(message),
        _ => {}
    }
    ["message", "msg", "detail", "error", "title"].iter().find_map(|name| match error.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        // FastAPI's list of what is wrong with a request.
        list @ (Value::Array(_) | Value::Object(_)) => Some(message(list).unwrap_or_else(|| list.to_string())),
        _ => None,
    })
}

/// A word or a number that names something, made fit for a terminal and for comparing.
fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then(|| Untrusted::bounded(text, 128).for_terminal())
}

/// An HTTP status that stands in the body: TGI's `http_status_code`, Cerebras' `status_code`, `code`.
fn status_within(value: &Value) -> Option<u16> {
    ["http_status_code", "status_code", "code", "status"].iter().find_map(|name| {
        let field = value.get(*name)?;
        let status = field.as_u64().or_else(|| field.as_str()?.parse().ok())?;
        u16::try_from(status).ok().filter(|status| (400..600).contains(status))
    })
}

/// Google's details of an error.
fn details(error: &Value) -> impl Iterator<Item = &Value> {
    error.get("details").and_then(Value::as_array).into_iter().flatten()
}

/// Google's `RetryInfo`.
fn retry_delay(error: &Value) -> Option<Nanos> {
    details(error).find_map(|detail| duration(detail.get("retryDelay")?.as_str()?))
}

/// Google's `QuotaFailure`: an id that says `PerDay` is not waited for.
fn quota_id(error: &Value) -> Option<String> {
    details(error)
        .filter_map(|detail| detail.get("violations")?.as_array())
        .flatten()
        .find_map(|violation| word(violation.get("quotaId")?))
}

/// The text of a page: a proxy's HTML without its tags, scripts and surplus space.
fn without_markup(page: &str) -> String {
    if !page.starts_with('<') {
        return page.to_owned();
    }
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let hidden = ["script", "style"].into_iter().find(|name| starts_with_word(tag, name));
        let end = hidden.map_or(Some(0), |name| tag.find(&format!("</{name}")).map(|at| at + 1));
        rest = end.and_then(|end| tag[end..].split_once('>')).map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The class a refused request is counted under: by its status, and by meaning where that says
/// more. A good status means an error inside the stream.
pub fn classify_status(status: u16, error: &ServerError) -> FailureClass {
    if (400..500).contains(&status)
        && status != 401
        && let Some(class) = meaning(error)
    {
        return class;
    }
    match status {
        200..300 => FailureClass::ErrorInStream,
        401 => FailureClass::Unauthorized,
        402 => FailureClass::QuotaExhausted,
        403 => FailureClass::Forbidden,
        404 | 410 => FailureClass::NotFound,
        429 => FailureClass::RateLimited,
        400 | 405 | 406 | 409 | 411..=418 | 422 | 431 => FailureClass::BadRequest,
        503 | 529 => FailureClass::Overloaded,
        500.. if is(error, &["overloaded_error"]) => FailureClass::Overloaded,
        // 424: generation failed, at TGI.
        424 | 500..600 => FailureClass::ServerError,
        _ => FailureClass::UnexpectedStatus,
    }
}

/// What an error means by its words, where providers use one status for several things.
fn meaning(error: &ServerError) -> Option<FailureClass> {
    let message = error.message.raw().to_ascii_lowercase();
    let says = |part: &str| message.contains(part);
    let per_day = error.code.as_deref().is_some_and(|code| code.contains("PerDay"));
    if per_day
        || is(error, &["insufficient_quota", "billing_hard_limit_reached", "billing_error", "insufficient_balance"])
        || says("credit balance is too low")
    {
        Some(FailureClass::QuotaExhausted)
    } else if is(error, &["invalid_api_key", "authentication_error"]) || says("api key not valid") {
        Some(FailureClass::Unauthorized)
    } else if is(error, &["model_not_found", "not_found_error"]) {
        Some(FailureClass::NotFound)
    } else {
        None
    }
}

/// Whether the error's kind or code is one of `words`.
fn is(error: &ServerError, words: &[&str]) -> bool {
    [&error.kind, &error.code].into_iter().flatten().any(|word| words.contains(&word.as_str()))
}

#[cfg(test)]
mod tests;
