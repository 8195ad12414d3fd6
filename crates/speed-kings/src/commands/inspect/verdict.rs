//! Whether an answer to a wrong request is a good one: one that says what is wrong, and what would be right.

use schema::record::{FailureClass, Outcome, Record};

/// What an answer is worth to who made the mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It says what is wrong and how to put it right.
    Good,
    /// It says what is wrong.
    SaysWhat,
    /// It refuses, and says neither.
    SaysLittle,
    /// It takes the blame: a server's error for a client's mistake.
    BlamesItself,
    /// It did as if nothing were wrong.
    Accepted,
    /// Not now, whatever was asked.
    Throttled,
    /// Nothing came that can be read.
    NoAnswer,
}

impl Verdict {
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::SaysWhat => "says what",
            Self::SaysLittle => "says little",
            Self::BlamesItself => "blames itself",
            Self::Accepted => "accepted",
            Self::Throttled => "throttled",
            Self::NoAnswer => "no answer",
        }
    }
}

/// What is judged, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// Whether it names what is wrong; of refusals only.
    pub(super) says_what: Option<bool>,
    /// Whether it names what would be right; of refusals only.
    pub(super) says_how: Option<bool>,
}

/// Beginnings of words one of which stands in nearly every sentence that tells what would be right.
const REMEDIES: [&str; 30] = [
    "must",
    "should",
    "expect",
    "require",
    "allowed values",
    "supported",
    "available",
    "valid",
    "between",
    "at least",
    "at most",
    "greater",
    "less than",
    "maximum",
    "minimum",
    "try ",
    "please",
    "provide",
    "check",
    "did you mean",
    "one of",
    "instead",
    "ensure",
    "reduce",
    "shorten",
    "cannot be",
    "can not be",
    "find your",
    "see http",
    "increas",
];

/// Judges the answer to a request whose trouble has these names. By words alone, so that two people come to the same.
pub(super) fn judge(record: &Record, naming: &[String]) -> Judgement {
    let plainly = |verdict| Judgement { verdict, says_what: None, says_how: None };
    let failure = match &record.outcome {
        Outcome::Failed(failure) => failure,
        // Cut off by us once it was generating.
        Outcome::Complete { .. } | Outcome::Cancelled => return plainly(Verdict::Accepted),
        Outcome::NotSent | Outcome::Interrupted => return plainly(Verdict::NoAnswer),
    };
    let verdict = match failure.class {
        FailureClass::ServerError | FailureClass::Overloaded => Some(Verdict::BlamesItself),
        FailureClass::RateLimited | FailureClass::QuotaExhausted => Some(Verdict::Throttled),
        // Asked for nothing, it answered with nothing.
        FailureClass::Empty => return plainly(Verdict::Accepted),
        FailureClass::BadRequest
        | FailureClass::Unauthorized
        | FailureClass::Forbidden
        | FailureClass::NotFound
        | FailureClass::UnexpectedStatus
        | FailureClass::ErrorInStream => None,
        _ => return plainly(Verdict::NoAnswer),
    };
    let said = format!(" {}", failure.message.raw().to_lowercase());
    let what = naming.iter().any(|word| said.contains(word.as_str()));
    // At the beginning of a word: `invalid` tells nothing.
    let begins = |(at, _): (usize, &str)| !said[..at].ends_with(char::is_alphanumeric);
    let how = REMEDIES.iter().any(|word| said.match_indices(word).any(begins));
    let worth = match (what, how) {
        (true, true) => Verdict::Good,
        (true, false) => Verdict::SaysWhat,
        (false, _) => Verdict::SaysLittle,
    };
    Judgement { verdict: verdict.unwrap_or(worth), says_what: Some(what), says_how: Some(how) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(class: FailureClass, message: &str, naming: &str, expected: Verdict) {
        let who = transport_free_record(class, message);
        assert_eq!(judge(&who, &[naming.to_owned()]).verdict, expected, "{message}");
    }

    fn transport_free_record(class: FailureClass, message: &str) -> Record {
        serde_json::from_value(serde_json::json!({
            "index": 0, "target": "a", "phase": "measured", "block": 0, "prompt": 0, "max_tokens": 8,
            "forced_length": false, "scheduled_ns": 0, "request_bytes": 0, "response_bytes": 0, "reads": 0,
            "events": { "arrival_delta_ns": [], "client_lag_ns": [], "bytes": [], "kinds": "" },
            "outcome": { "failed": { "class": class, "message": message } }
        }))
        .unwrap()
    }

    #[test]
    fn answers_are_judged_by_what_they_say() {
        // As llama.cpp b11434 said it.
        let value = "Field 'max_tokens': Value must be between -1 <= value <= 2147483647, but got -5";
        check(FailureClass::BadRequest, value, "max_tokens", Verdict::Good);
        check(FailureClass::BadRequest, "'messages' is required", "messages", Verdict::Good);
        let context = "request (3031 tokens) exceeds the available context size (1024 tokens), try increasing it";
        check(FailureClass::BadRequest, context, "context", Verdict::Good);
        check(FailureClass::NotFound, "File Not Found", "not found", Verdict::SaysWhat);
        check(FailureClass::BadRequest, "Bad Request", "temperature", Verdict::SaysLittle);
        check(FailureClass::BadRequest, "Method Not Allowed", "method", Verdict::SaysWhat);
        check(FailureClass::BadRequest, "invalid model", "model", Verdict::SaysWhat);
        check(FailureClass::ServerError, "'messages' is required", "messages", Verdict::BlamesItself);
        check(FailureClass::RateLimited, "slow down", "model", Verdict::Throttled);
        check(FailureClass::ClosedEarly, "closed", "model", Verdict::NoAnswer);
        check(FailureClass::Empty, "nothing", "max_tokens", Verdict::Accepted);
    }
}
