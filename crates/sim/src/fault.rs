//! Ways a server can misbehave, chosen per request by seed.

use std::fmt;
use std::str::FromStr;

use crate::error::NameError;

/// One way to misbehave. Those after a first few tokens strike mid-stream; answers that are not
/// streamed break at the corresponding place of their body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 429 with `Retry-After: 2`.
    RateLimit,
    /// 429 that says the quota is used up; no `Retry-After`.
    Quota,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404: no such model.
    NotFound,
    /// 400.
    BadRequest,
    /// 500.
    ServerError,
    /// 503.
    Overloaded,
    /// TCP reset after a few tokens.
    Reset,
    /// TCP reset before any answer.
    ResetEarly,
    /// Silence after a few tokens, until the client leaves.
    Stall,
    /// Silence before the status line, until the client leaves.
    SlowHeaders,
    /// Headers, then silence until the client leaves.
    NoFirstToken,
    /// The connection closes in the middle of a chunk.
    Truncate,
    /// The body ends properly, but without finish reason or `[DONE]`.
    TruncateClean,
    /// One event among good ones is not JSON.
    Malformed,
    /// The chunked framing breaks.
    BadChunk,
    /// A status line that is none.
    BadStatusLine,
    /// The engine's own error event after a few tokens, under status 200.
    ErrorInStream,
    /// A proper answer without content.
    Empty,
    /// An event of [`HUGE_EVENT`] bytes of content.
    HugeEvent,
    /// A header of [`HUGE_HEADER`] bytes.
    HugeHeader,
    /// Never stops generating.
    Endless,
    /// 200 with an HTML page.
    Html,
    /// 302 to another place.
    Redirect,
    /// Harmless: multi-byte text, each event written in two parts that cut a character.
    SplitUtf8,
    /// Harmless: one byte a write.
    OneByteWrites,
    /// Harmless: four tokens an event.
    MultiToken,
    /// Harmless to a careful client: text with escape sequences, bidirectional overrides, formulas and markup.
    HostileText,
}

/// Content bytes of the event that [`Fault::HugeEvent`] sends.
pub const HUGE_EVENT: usize = 8 << 20;

/// Bytes of the header that [`Fault::HugeHeader`] sends.
pub const HUGE_HEADER: usize = 2 << 20;

impl Fault {
    /// Every fault, in the order help texts list them.
    pub const ALL: [Self; 29] = [
        Self::RateLimit,
        Self::Quota,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::BadRequest,
        Self::ServerError,
        Self::Overloaded,
        Self::Reset,
        Self::ResetEarly,
        Self::Stall,
        Self::SlowHeaders,
        Self::NoFirstToken,
        Self::Truncate,
        Self::TruncateClean,
        Self::Malformed,
        Self::BadChunk,
        Self::BadStatusLine,
        Self::ErrorInStream,
        Self::Empty,
        Self::HugeEvent,
        Self::HugeHeader,
        Self::Endless,
        Self::Html,
        Self::Redirect,
        Self::SplitUtf8,
        Self::OneByteWrites,
        Self::MultiToken,
        Self::HostileText,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Quota => "quota",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::BadRequest => "bad_request",
            Self::ServerError => "server_error",
            Self::Overloaded => "overloaded",
            Self::Reset => "reset",
            Self::ResetEarly => "reset_early",
            Self::Stall => "stall",
            Self::SlowHeaders => "slow_headers",
            Self::NoFirstToken => "no_first_token",
            Self::Truncate => "truncate",
            Self::TruncateClean => "truncate_clean",
            Self::Malformed => "malformed",
            Self::BadChunk => "bad_chunk",
            Self::BadStatusLine => "bad_status_line",
            Self::ErrorInStream => "error_in_stream",
            Self::Empty => "empty",
            Self::HugeEvent => "huge_event",
            Self::HugeHeader => "huge_header",
            Self::Endless => "endless",
            Self::Html => "html",
            Self::Redirect => "redirect",
            Self::SplitUtf8 => "split_utf8",
            Self::OneByteWrites => "one_byte_writes",
            Self::MultiToken => "multi_token",
            Self::HostileText => "hostile_text",
        }
    }

    /// Whether a correct client still gets the whole answer.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::SplitUtf8 | Self::OneByteWrites | Self::MultiToken | Self::HostileText)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Fault {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wanted = text.trim().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|fault| fault.name() == wanted)
            .ok_or_else(|| NameError::new(text, "fault", Self::ALL.iter().map(|f| f.name())))
    }
}

/// A fault and the share of requests that meet it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultPlan {
    /// What goes wrong.
    pub fault: Fault,
    /// From 0 (never) to 1 (always).
    pub share: f64,
}

impl From<Fault> for FaultPlan {
    /// Every request meets it.
    fn from(fault: Fault) -> Self {
        Self { fault, share: 1.0 }
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if (self.share - 1.0).abs() < f64::EPSILON {
            write!(f, "{}", self.fault)
        } else {
            write!(f, "{}:{}", self.fault, self.share)
        }
    }
}

/// Text that is no [`FaultPlan`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum FaultError {
    /// The name before the colon.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Name(#[from] NameError),
    /// The number after it.
    #[error("`{0}` is no share of requests")]
    #[diagnostic(code(sim::share), help("write a number from 0 to 1 after the colon, like `reset:0.1`"))]
    Share(String),
}

impl FromStr for FaultPlan {
    type Err = FaultError;

    /// Reads `reset` (every request) and `reset:0.1` (one in ten).
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, share) = text.split_once(':').unwrap_or((text, "1"));
        let number = share.trim().parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        let share = number.ok_or_else(|| FaultError::Share(share.chars().take(80).collect()))?;
        Ok(Self { fault: name.parse()?, share })
    }
}

/// The fault that a draw from [0, 1) meets: plans take their shares one after another, and what
/// they leave over goes well.
pub(crate) fn pick(plans: &[FaultPlan], draw: f64) -> Option<Fault> {
    let mut bound = 0.0;
    plans.iter().find_map(|plan| {
        bound += plan.share;
        (draw < bound).then_some(plan.fault)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_fault() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn a_plan_is_a_fault_and_a_share() {
        assert_eq!("reset".parse(), Ok(FaultPlan::from(Fault::Reset)));
        assert_eq!("slow-headers:0.25".parse(), Ok(FaultPlan { fault: Fault::SlowHeaders, share: 0.25 }));
        for bad in ["reset:2", "reset:-1", "reset:x", "reset:", "rest", ""] {
            assert!(bad.parse::<FaultPlan>().is_err(), "{bad}");
        }
        assert_eq!("reset:0.1".parse::<FaultPlan>().unwrap().to_string(), "reset:0.1");
    }

    #[test]
    fn shares_follow_one_another_and_leave_the_rest_alone() {
        let plans = [FaultPlan { fault: Fault::Reset, share: 0.25 }, FaultPlan { fault: Fault::Stall, share: 0.5 }];
        assert_eq!(pick(&plans, 0.0), Some(Fault::Reset));
        assert_eq!(pick(&plans, 0.25), Some(Fault::Stall));
        assert_eq!(pick(&plans, 0.74), Some(Fault::Stall));
        assert_eq!(pick(&plans, 0.75), None);
        assert_eq!(pick(&[Fault::Reset.into()], 0.999_999), Some(Fault::Reset));
    }
}
