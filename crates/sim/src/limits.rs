//! Published limits: token buckets of requests and of tokens, told in headers.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use schema::units::{Moment, Nanos};

/// So much in a window of time. What is used comes back evenly over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests, or tokens; at least 1.
    pub amount: u64,
    /// The window.
    pub window: Nanos,
}

/// Text that is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is no limit")]
#[diagnostic(code(sim::limit), help("write so much in a window of time, like `60/min`, `5/s` or `100000/30s`"))]
pub struct LimitError(pub String);

impl FromStr for Limit {
    type Err = LimitError;

    /// Reads `60/min`, `5/s`, `1000/h`, `100/30s`.
    fn from_str(text: &str) -> Result<Self, LimitError> {
        let read = || {
            let (amount, window) = text.split_once('/')?;
            let window = match window.trim() {
                "s" | "sec" => Nanos::from_secs(1),
                "m" | "min" => Nanos::from_secs(60),
                "h" => Nanos::from_secs(3_600),
                other => other.parse().ok()?,
            };
            let amount = amount.trim().parse().ok().filter(|amount| (1..=1_000_000_000_000).contains(amount))?;
            (window > Nanos::ZERO).then_some(Self { amount, window })
        };
        read().ok_or_else(|| LimitError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.amount, self.window)
    }
}

/// What an engine lets its clients have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests to generate.
    pub requests: Option<Limit>,
    /// Tokens: of the prompt, and those that the answer will have.
    pub tokens: Option<Limit>,
}

impl Limits {
    const fn is_none(self) -> bool {
        self.requests.is_none() && self.tokens.is_none()
    }
}

/// A bucket that fills evenly. No clock of its own.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    limit: Limit,
    /// What is left, each one worth the nanoseconds of the window, so that all sums are whole.
    left: u128,
    at: Moment,
}

impl Bucket {
    fn full(limit: Limit) -> Self {
        Self { limit, left: u128::from(limit.amount) * u128::from(limit.window.0), at: Moment::EPOCH }
    }

    fn fill(&mut self, now: Moment) {
        let came = u128::from((now - self.at).0) * u128::from(self.limit.amount);
        self.left = (self.left + came).min(Self::full(self.limit).left);
        self.at = self.at.max(now);
    }

    /// A request that costs more than the whole bucket costs the whole bucket.
    fn cost(&self, amount: u64) -> u128 {
        u128::from(amount.min(self.limit.amount)) * u128::from(self.limit.window.0)
    }

    /// Until so much is there; zero: it is.
    fn wait(&self, left: u128) -> Nanos {
        let missing = left.saturating_sub(self.left).div_ceil(u128::from(self.limit.amount));
        Nanos(u64::try_from(missing).unwrap_or(u64::MAX))
    }

    fn headers(&self, of: Of, out: &mut Headers) {
        let [limit, remaining, reset] = of.names();
        let until_full = self.wait(Self::full(self.limit).left);
        out.push((limit, self.limit.amount.to_string()));
        out.push((remaining, (self.left / u128::from(self.limit.window.0)).to_string()));
        out.push((reset, format!("{:.3}s", until_full.as_secs_f64())));
    }
}

#[derive(Debug, Clone, Copy)]
enum Of {
    Requests,
    Tokens,
}

impl Of {
    const fn names(self) -> [&'static str; 3] {
        match self {
            Self::Requests => {
                ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"]
            }
            Self::Tokens => ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
        }
    }
}

type Headers = Vec<(&'static str, String)>;

/// How much of its limits an engine's clients have used.
#[derive(Debug)]
pub(crate) struct Gate {
    limits: Limits,
    buckets: Mutex<[Option<Bucket>; 2]>,
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, buckets: Mutex::new([limits.requests, limits.tokens].map(|limit| limit.map(Bucket::full))) }
    }

    /// Lets one request of `tokens` pass, or says after how many seconds it could.
    pub(crate) fn pass(&self, tokens: u64, now: Moment) -> Result<(), u64> {
        if self.limits.is_none() {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let costs = [1, tokens];
        let mut wait = Nanos::ZERO;
        for (bucket, cost) in buckets.iter_mut().zip(costs) {
            if let Some(bucket) = bucket {
                bucket.fill(now);
                wait = wait.max(bucket.wait(bucket.cost(cost)));
            }
        }
        if wait > Nanos::ZERO {
            return Err(wait.0.div_ceil(1_000_000_000));
        }
        for (bucket, cost) in buckets.iter_mut().zip(costs) {
            if let Some(bucket) = bucket {
                bucket.left -= bucket.cost(cost);
            }
        }
        Ok(())
    }

    /// Adds what an answer says of the limits; without any, nobody asks what time it is.
    pub(crate) fn tell(&self, now: impl FnOnce() -> Moment, headers: &mut Headers) {
        if self.limits.is_none() {
            return;
        }
        let now = now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for (bucket, of) in buckets.iter_mut().zip([Of::Requests, Of::Tokens]) {
            if let Some(bucket) = bucket {
                bucket.fill(now);
                bucket.headers(of, headers);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(gate: &Gate) -> Headers {
        let mut headers = Vec::new();
        gate.tell(|| at(0), &mut headers);
        headers
    }

    fn at(seconds: u64) -> Moment {
        // Not at the epoch: an engine has run for a while.
        Moment::EPOCH + Nanos::from_secs(1_000 + seconds)
    }

    #[test]
    fn a_limit_is_so_much_in_a_window() {
        assert_eq!("60/min".parse(), Ok(Limit { amount: 60, window: Nanos::from_secs(60) }));
        assert_eq!("100/30s".parse(), Ok(Limit { amount: 100, window: Nanos::from_secs(30) }));
        for wrong in ["", "60", "0/s", "-1/s", "5/", "5/0s", "x/min", "5/day"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn requests_beyond_the_limit_wait_until_one_has_come_back() {
        let gate = Gate::new(Limits { requests: "2/min".parse().ok(), tokens: None });
        assert_eq!([gate.pass(9, at(0)), gate.pass(9, at(0)), gate.pass(9, at(0))], [Ok(()), Ok(()), Err(30)]);
        assert_eq!([gate.pass(9, at(20)), gate.pass(9, at(30))], [Err(10), Ok(())]);
    }

    #[test]
    fn a_request_refused_for_one_limit_costs_nothing_of_the_other() {
        let gate = Gate::new(Limits { requests: "10/min".parse().ok(), tokens: "100/min".parse().ok() });
        assert_eq!([gate.pass(80, at(0)), gate.pass(80, at(0))], [Ok(()), Err(36)]);
        let headers = told(&gate);
        let remaining: Vec<_> = headers.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(remaining, ["10", "9", "6.000s", "100", "20", "48.000s"]);
    }

    #[test]
    fn a_request_larger_than_the_whole_window_takes_all_of_it() {
        let gate = Gate::new(Limits { requests: None, tokens: "100/min".parse().ok() });
        assert_eq!([gate.pass(5_000, at(0)), gate.pass(1, at(0)), gate.pass(1, at(1))], [Ok(()), Err(1), Ok(())]);
    }

    #[test]
    fn without_limits_nothing_is_said() {
        let gate = Gate::new(Limits::default());
        assert_eq!((gate.pass(u64::MAX, at(0)), told(&gate)), (Ok(()), Vec::new()));
    }
}
