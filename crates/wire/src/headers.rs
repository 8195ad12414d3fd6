//! What the head of a response says beside its status.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use schema::record::{Limit, RateLimits, ServerTiming, Usage};
use schema::text::Untrusted;
use schema::units::Nanos;

use crate::dialect::{plausible_count, plausible_time};

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this long.
    In(Nanos),
    /// At this instant of wall time.
    At(Timestamp),
}

impl RetryAfter {
    /// The wait it means at `now`; zero when that has passed.
    pub fn from_now(self, now: Timestamp) -> Nanos {
        match self {
            Self::In(wait) => wait,
            Self::At(then) => {
                let nanos = then.duration_since(now).as_nanos().max(0);
                Nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
        }
    }
}

/// One limit that a head publishes. What was not said is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishedLimit {
    /// Allowed in one window.
    pub limit: Option<u64>,
    /// Left of it.
    pub remaining: Option<u64>,
    /// When it is whole again.
    pub reset: Option<RetryAfter>,
}

impl PublishedLimit {
    /// The same with its reset as the wait it means at `now`.
    fn at(self, now: Timestamp) -> Limit {
        Limit { limit: self.limit, remaining: self.remaining, reset_ns: self.reset.map(|reset| reset.from_now(now)) }
    }
}

/// The limits that a head publishes; of several windows the tightest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishedLimits {
    /// Of requests.
    pub requests: Option<PublishedLimit>,
    /// Of tokens.
    pub tokens: Option<PublishedLimit>,
}

impl PublishedLimits {
    /// Whether nothing was published.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with their resets as the waits they mean at `now`.
    #[must_use]
    pub fn at(self, now: Timestamp) -> RateLimits {
        let at = |limit: Option<PublishedLimit>| limit.map(|limit| limit.at(now));
        RateLimits { requests: at(self.requests), tokens: at(self.tokens) }
    }
}

/// Facts found in response headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct HeaderFacts {
    /// Timings: Fireworks', OpenAI's, TGI's.
    pub timing: ServerTiming,
    /// Token counts: Fireworks', TGI's.
    pub usage: Usage,
    /// When to come back: what `retry-after-ms` or else `retry-after` says, or else the latest
    /// reset of a limit that is used up.
    pub retry_after: Option<RetryAfter>,
    /// The server's id of the request.
    pub request_id: Option<Untrusted>,
    /// The limits it publishes.
    pub limits: PublishedLimits,
}

/// Reads `(name, value)` pairs; names in any case. Values that make no sense are ignored.
pub fn read_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> HeaderFacts {
    let mut reader = Reader::default();
    for (name, value) in headers {
        if let Some(header) = Header::of(name)
            && let Ok(value) = std::str::from_utf8(value)
        {
            reader.read(header, name, value.trim());
        }
    }
    reader.facts()
}

/// A header that is of interest here. Most are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    ContentType,
    /// One that names the request, and its rank among those: of several the lowest is taken.
    RequestId(u8),
    /// `openai-processing-ms`: until the head of a stream, or until the end.
    Processing,
    QueueTime,
    /// TGI's inference is prefill and decode together.
    InferenceTime,
    TotalTime,
    PromptTokens,
    GeneratedTokens,
    RetryAfterMs,
    RetryAfter,
    /// One of Fireworks' figures.
    Fireworks,
    /// What is left of a limit.
    Limit,
}

impl Header {
    fn of(name: &str) -> Option<Self> {
        if !LENGTHS.contains(&name.len()) {
            return None;
        }
        // All of it is put in lower case, because that is less work than as much as there is of the name.
        let mut lower = [0; *LENGTHS.end()];
        lower[..name.len()].copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        Some(match &lower[..name.len()] {
            b"content-type" => Self::ContentType,
            b"x-request-id" => Self::RequestId(0),
            b"request-id" => Self::RequestId(1),
            b"x-generation-id" => Self::RequestId(2),
            b"x-amzn-requestid" => Self::RequestId(3),
            b"cf-ray" => Self::RequestId(4),
            b"openai-processing-ms" => Self::Processing,
            b"x-queue-time" => Self::QueueTime,
            b"x-inference-time" => Self::InferenceTime,
            b"x-total-time" => Self::TotalTime,
            b"x-prompt-tokens" => Self::PromptTokens,
            b"x-generated-tokens" => Self::GeneratedTokens,
            b"retry-after-ms" => Self::RetryAfterMs,
            b"retry-after" => Self::RetryAfter,
            name if name.starts_with(FIREWORKS.as_bytes()) => Self::Fireworks,
            name if is_about_limits(name) => Self::Limit,
            _ => return None,
        })
    }
}

/// Bytes that names of interest have: from `cf-ray` to some more than
/// `x-ratelimit-remaining-tokens-cache-adjusted-prompt`.
const LENGTHS: RangeInclusive<usize> = 6..=64;

/// How the names of Fireworks' headers begin.
const FIREWORKS: &str = "fireworks-";

/// What has been read, before its parts are weighed against each other.
#[derive(Default)]
struct Reader {
    facts: HeaderFacts,
    /// Rank of the header the request id came from.
    id_rank: Option<u8>,
    processing: Option<Nanos>,
    streamed: bool,
    retry_after_ms: Option<RetryAfter>,
    retry_after: Option<RetryAfter>,
    windows: Vec<Window>,
}

impl Reader {
    fn read(&mut self, header: Header, name: &str, value: &str) {
        let millis = || value.parse().ok().and_then(|ms: f64| plausible_time(ms / 1e3));
        let tokens = || value.parse().ok().and_then(plausible_count);
        let HeaderFacts { timing, usage, .. } = &mut self.facts;
        match header {
            Header::ContentType => self.streamed = value.starts_with("text/event-stream"),
            Header::RequestId(rank) => self.request_id(rank, value),
            Header::Processing => self.processing = millis(),
            Header::QueueTime => timing.queue_ns = millis(),
            Header::InferenceTime => timing.decode_ns = millis(),
            Header::TotalTime => timing.total_ns = millis(),
            Header::PromptTokens => usage.input_tokens = tokens(),
            Header::GeneratedTokens => usage.output_tokens = tokens(),
            Header::RetryAfterMs => self.retry_after_ms = millis().map(RetryAfter::In),
            Header::RetryAfter => self.retry_after = retry_after(value),
            Header::Fireworks => {
                if let Ok(number) = value.parse() {
                    fireworks_fact(&name[FIREWORKS.len()..].to_ascii_lowercase(), number, usage, timing);
                }
            }
            Header::Limit => self.limit(&name.to_ascii_lowercase(), value),
        }
    }

    fn limit(&mut self, name: &str, value: &str) {
        let Some((part, name)) = Part::of(name) else { return };
        let known = self.windows.iter().position(|window| window.name == name);
        let at = known.unwrap_or(self.windows.len());
        if known.is_none() {
            if at == WINDOWS_MAX {
                return;
            }
            self.windows.push(Window { name, published: PublishedLimit::default() });
        }
        let published = &mut self.windows[at].published;
        match part {
            Part::Limit => published.limit = amount(value),
            Part::Remaining => published.remaining = amount(value),
            Part::Reset => published.reset = reset(value),
        }
    }

    fn request_id(&mut self, rank: u8, value: &str) {
        if !value.is_empty() && self.id_rank.is_none_or(|before| rank < before) {
            self.id_rank = Some(rank);
            self.facts.request_id = Some(Untrusted::bounded(value, 200));
        }
    }

    fn facts(self) -> HeaderFacts {
        let mut facts = self.facts;
        // Of a stream it times the head, which no figure of ours is about.
        if !self.streamed {
            facts.timing.total_ns = facts.timing.total_ns.or(self.processing);
        }
        let used_up = self.windows.iter().map(|window| window.published).filter(|limit| limit.remaining == Some(0));
        facts.retry_after =
            self.retry_after_ms.or(self.retry_after).or_else(|| latest(used_up.filter_map(|limit| limit.reset)));
        facts.limits = PublishedLimits {
            requests: tightest(&self.windows, Subject::Requests),
            tokens: tightest(&self.windows, Subject::Tokens),
        };
        facts
    }
}

/// Whether a name holds `ratelimit` or `tokenlimit`, and more that says what of it.
fn is_about_limits(name: &[u8]) -> bool {
    let holds = |word: &[u8]| name.windows(word.len()).any(|part| part == word);
    name.len() >= "ratelimit-reset".len() && (holds(b"ratelimit") || holds(b"tokenlimit"))
}

/// Windows of one head at most; nobody is known to publish more than eight.
const WINDOWS_MAX: usize = 32;

/// One window of one limit: what its headers have in common, and what they say.
struct Window {
    name: String,
    published: PublishedLimit,
}

/// What one header says of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Limit,
    Remaining,
    Reset,
}

impl Part {
    /// The part that a header is, and its window's name: `x-ratelimit-reset-tokens` and `…-remaining-tokens` belong
    /// together, as do Anthropic's `…-tokens-reset` and `…-tokens-remaining`.
    fn of(header: &str) -> Option<(Self, String)> {
        let parts = [(Self::Remaining, "-remaining"), (Self::Reset, "-reset"), (Self::Limit, "-limit")];
        let (part, word) = parts.into_iter().find(|(_, word)| header.contains(word))?;
        Some((part, header.replacen(word, "", 1)))
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Requests,
    Tokens,
}

impl Window {
    /// What it limits. Without a word for it (OpenRouter, Together) it is requests; other things (images, audio) are
    /// not ours.
    fn subject(&self) -> Option<Subject> {
        if self.name.contains("token") {
            return Some(Subject::Tokens);
        }
        let (_, rest) = self.name.split_once("ratelimit")?;
        let requests = rest.trim_end_matches("-dynamic").is_empty() || rest.contains("req");
        requests.then_some(Subject::Requests)
    }

    /// How much of it is left, 0 to 1; without saying of what, all of it.
    fn share_left(&self) -> f64 {
        match (self.published.remaining, self.published.limit) {
            (Some(0), _) => 0.0,
            (Some(remaining), Some(limit)) if limit > 0 => remaining as f64 / limit as f64,
            _ => 1.0,
        }
    }
}

/// Of several windows the one with the smallest share left; of equals the first.
fn tightest(windows: &[Window], subject: Subject) -> Option<PublishedLimit> {
    let ours = windows.iter().filter(|window| window.subject() == Some(subject));
    let said = ours.filter(|window| window.published != PublishedLimit::default());
    said.min_by(|a, b| a.share_left().total_cmp(&b.share_left())).map(|window| window.published)
}

/// How many of something; a negative number is none of it. A list (`100;w=60, 1000;w=3600`) begins with what holds now.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn amount(value: &str) -> Option<u64> {
    let first = value.split([',', ';']).next()?;
    let number: f64 = first.trim().parse().ok()?;
    (number <= AMOUNT_MAX).then_some(number.max(0.0) as u64)
}

/// The most of anything that anyone will be believed to allow.
const AMOUNT_MAX: f64 = 1e15;

/// The latest of several resets. A wait and a date cannot be compared without a clock: waits win.
fn latest(resets: impl Iterator<Item = RetryAfter> + Clone) -> Option<RetryAfter> {
    let waits = resets.clone().filter_map(|reset| if let RetryAfter::In(wait) = reset { Some(wait) } else { None });
    let dates = resets.filter_map(|reset| if let RetryAfter::At(then) = reset { Some(then) } else { None });
    waits.max().map(RetryAfter::In).or(dates.max().map(RetryAfter::At))
}

/// Seconds or an HTTP date.
fn retry_after(value: &str) -> Option<RetryAfter> {
    let seconds = value.parse().ok().and_then(plausible_time).map(RetryAfter::In);
    seconds.or_else(|| rfc2822::parse(value).ok().map(|date| RetryAfter::At(date.timestamp())))
}

/// Seconds, a duration, Unix seconds or milliseconds (OpenRouter), or RFC 3339 (Anthropic).
fn reset(value: &str) -> Option<RetryAfter> {
    if let Ok(number) = value.parse::<f64>() {
        return match number {
            1e12..1e15 => instant(number / 1e3),
            1e9..1e11 => instant(number),
            _ => plausible_time(number).map(RetryAfter::In),
        };
    }
    duration(value).map(RetryAfter::In).or_else(|| value.parse().ok().map(RetryAfter::At))
}

#[expect(clippy::cast_possible_truncation, reason = "the caller has checked the range")]
fn instant(unix_seconds: f64) -> Option<RetryAfter> {
    Timestamp::from_millisecond((unix_seconds * 1e3) as i64).ok().map(RetryAfter::At)
}

/// A duration as Go and Google write it: `6ms`, `34s`, `2m59.56s`, `1h2m3.5s`, `1d`.
pub(crate) fn duration(text: &str) -> Option<Nanos> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        seconds += number
            * match &after[..unit_end] {
                "d" => 86_400.0,
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &after[unit_end..];
    }
    plausible_time(seconds).filter(|_| !text.trim().is_empty())
}

/// Takes one of Fireworks' figures, from a header without its prefix or from `perf_metrics`.
/// Times are in seconds; its queues add up to the time spent waiting.
pub(crate) fn fireworks_fact(name: &str, value: f64, usage: &mut Usage, timing: &mut ServerTiming) {
    let seconds = plausible_time(value);
    match name {
        "prompt-tokens" => usage.input_tokens = plausible_count(value),
        "cached-prompt-tokens" => usage.cached_input_tokens = plausible_count(value),
        "server-time-to-first-token" => timing.ttft_ns = seconds,
        "server-processing-time" => timing.total_ns = seconds,
        "prefill-duration" => timing.prefill_ns = seconds,
        "generation-duration" => timing.decode_ns = seconds,
        "tokenizer-queue-duration" | "prefill-queue-duration" | "generation-queue-duration" => {
            timing.queue_ns = seconds.map(|wait| timing.queue_ns.unwrap_or_default() + wait).or(timing.queue_ns);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
