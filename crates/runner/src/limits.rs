//! Staying below the limits that a provider publishes with its answers.
//!
//! ```text
//! admit(now, cost) ─▶ Go │ At(moment) │ AfterAnswer          learn(what the head of an answer published)
//!        └──────────── Limiter: requests, tokens, hold ◀──────────────┘
//! ```
//!
//! The decisions are [`Limiter`]'s, which reads no clock; [`Pace`] waits for the moments it names. What remains of a limit
//! is spread evenly over the time until it is whole again. That suits both kinds of limit: a window that is
//! renewed at once is used evenly, and a bucket that refills all the time is emptied until what goes out equals what
//! flows in.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use schema::counted;
use schema::record::{Limit, Outcome, RateLimits, Record};
use schema::target::TargetName;
use schema::units::{Moment, Nanos};
use tokio::sync::Notify;
use transport::Clock;

/// Of a limit this part is left alone: others may use the same key, and counts cross on the wire.
const RESERVE: u64 = 50;

/// Limits that are whole again only after longer than this are not spread, or a short run would crawl for the sake
/// of a day's budget; they are not exceeded either.
const SPREAD_WITHIN: Nanos = Nanos::from_secs(120);

/// How long a limit takes to be whole again, where nobody says; most are told by the minute.
const USUAL_WINDOW: Nanos = Nanos::from_secs(60);

/// No limit is taken to be whole again sooner than this after it last was.
const SHORTEST_WINDOW: Nanos = Nanos::from_millis(100);

/// A wait that people are told of while it goes on.
const LONG_WAIT: Nanos = Nanos::from_secs(10);

/// Requests and their tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) tokens: u64,
}

/// What a request is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admit {
    /// Leave now.
    Go(Ticket),
    /// Ask again at that moment, or when more is known.
    At(Moment),
    /// Ask again when more is known: one request has been sent ahead to find out what the limits are.
    AfterAnswer,
}

/// A request that was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// All that was let go up to and with it.
    sent: Cost,
    /// Whether others wait for its answer.
    ahead: bool,
}

/// What is known of the limits: whether one request is on its way to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Scout {
    #[default]
    Wanted,
    Sent,
    Back,
}

/// Decides when requests of one target may leave.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    requests: Window,
    tokens: Window,
    /// The server asked to be left alone until then.
    hold: Moment,
    scout: Scout,
    sent: Cost,
}

/// One limit.
#[derive(Debug, Default)]
struct Window {
    known: Option<Known>,
    /// Allowed in a window, as it was last said, or as much as ever was left.
    allowed: u64,
    /// How long it may take to be whole again when all of it was used.
    length: Nanos,
    last: Option<Last>,
}

/// What is known about a limit by the latest answer, or by the clock.
#[derive(Debug, Clone, Copy)]
struct Known {
    at: Moment,
    left: u64,
    /// How much had been sent when that was left.
    sent: u64,
    whole_at: Moment,
    /// What had been sent is what will count as sent when the limit is whole again.
    sent_before: u64,
}

/// The last request that was let go.
#[derive(Debug, Clone, Copy)]
struct Last {
    at: Moment,
    cost: u64,
}

impl Window {
    /// What is left at `now`, with `sent` sent in all, and when the limit is whole again.
    fn left(&mut self, now: Moment, sent: u64) -> Option<(u64, Moment)> {
        let known = self.known.as_mut()?;
        if now >= known.whole_at {
            // Whether it is a window that was renewed or a bucket that was full for an instant, nobody says: what was
            // sent since is counted against it.
            *known = Known {
                left: self.allowed,
                sent: known.sent_before,
                whole_at: now + self.length,
                sent_before: sent,
                ..*known
            };
            self.last = None;
        }
        Some((known.left.saturating_sub(sent - known.sent), known.whole_at))
    }

    /// The earliest moment at which a request of that cost may leave: `now` or later.
    fn earliest(&mut self, now: Moment, cost: u64, sent: u64) -> Moment {
        let Some((left, whole_at)) = self.left(now, sent) else { return now };
        let reserve = self.allowed.div_ceil(RESERVE);
        // What no window would have room for has to be tried in a whole one.
        let cost = cost.min(self.allowed.saturating_sub(reserve)).max(1);
        let usable = left.saturating_sub(reserve);
        if usable < cost {
            return whole_at;
        }
        let Some(last) = self.last.filter(|last| whole_at.since(last.at) <= SPREAD_WITHIN) else { return now };
        now.max(last.at + part(whole_at.since(last.at), last.cost, usable.saturating_add(last.cost)))
    }

    fn learn(&mut self, limit: &Limit, at: Moment, sent: u64) {
        let Some(left) = limit.remaining else { return };
        if self.known.is_some_and(|known| known.at > at) {
            return;
        }
        self.allowed = limit.limit.unwrap_or(self.allowed).max(left);
        let whole_in = limit.reset_ns.unwrap_or(USUAL_WINDOW);
        self.length = self.length_if(left, whole_in);
        self.known = Some(Known { at, left, sent, whole_at: at + whole_in, sent_before: sent });
    }

    /// How long the limit takes to be whole when all is used, if it takes that long with so much left: longer for a
    /// bucket, as long for a window. More than the usual is not made of less.
    fn length_if(&self, left: u64, whole_in: Nanos) -> Nanos {
        let used = self.allowed.saturating_sub(left).max(1);
        part(whole_in, self.allowed, used).min(whole_in.max(USUAL_WINDOW)).max(SHORTEST_WINDOW)
    }
}

/// `span` × `share` ÷ `whole`.
fn part(span: Nanos, share: u64, whole: u64) -> Nanos {
    let part = u128::from(span.0) * u128::from(share) / u128::from(whole.max(1));
    Nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

impl Limiter {
    /// Whether a request that may be this many tokens may leave. Until the first answer has come one request goes
    /// alone, as nothing is known of the limits; so it is after the server has asked to be left alone.
    pub(crate) fn admit(&mut self, now: Moment, tokens: u64) -> Admit {
        if now < self.hold {
            return Admit::At(self.hold);
        }
        if self.scout == Scout::Sent {
            return Admit::AfterAnswer;
        }
        let earliest = self.requests.earliest(now, 1, self.sent.requests);
        let earliest = earliest.max(self.tokens.earliest(now, tokens, self.sent.tokens));
        if earliest > now {
            return Admit::At(earliest);
        }
        self.requests.last = Some(Last { at: now, cost: 1 });
        self.tokens.last = Some(Last { at: now, cost: tokens });
        self.sent = Cost { requests: self.sent.requests + 1, tokens: self.sent.tokens.saturating_add(tokens) };
        let ahead = self.scout == Scout::Wanted;
        if ahead {
            self.scout = Scout::Sent;
        }
        Admit::Go(Ticket { sent: self.sent, ahead })
    }

    /// Takes in what the answer to a request that was let go said at `at`. What was let go before the request is
    /// taken to be counted in its answer; what was let go after it is not.
    pub(crate) fn learn(&mut self, ticket: Ticket, at: Moment, limits: &RateLimits, hold: Option<Moment>) {
        if let Some(limit) = &limits.requests {
            self.requests.learn(limit, at, ticket.sent.requests);
        }
        if let Some(limit) = &limits.tokens {
            self.tokens.learn(limit, at, ticket.sent.tokens);
        }
        if ticket.ahead {
            self.scout = Scout::Back;
        }
        if let Some(hold) = hold.filter(|hold| *hold > self.hold) {
            self.hold = hold;
            self.scout = Scout::Wanted;
        }
    }

    /// A request that was let go has got no answer: nothing was learnt from it.
    pub(crate) fn lost(&mut self, ticket: Ticket) {
        if ticket.ahead {
            self.scout = Scout::Wanted;
        }
    }
}

/// Makes the requests of one target wait for their moments, in the order they came; shared by all threads.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    limiter: Mutex<Limiter>,
    line: tokio::sync::Mutex<()>,
    /// Told when more is known.
    news: Notify,
    paced: AtomicU64,
    paced_ns: AtomicU64,
    told: AtomicBool,
}

/// A request that was let go, until it is known what came of it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Admitted<'a> {
    pace: &'a Pace,
    /// Absent once its answer was learnt from.
    ticket: Option<Ticket>,
}

impl Pace {
    /// Waits until a request that may be this many tokens may leave. `tell` is called the first time that a wait of
    /// the target is long. Cancel safe.
    pub(crate) async fn admit(&self, tokens: u64, clock: Clock, tell: impl Fn(Nanos)) -> Admitted<'_> {
        let free = self.line.try_lock();
        let mut paced_since = free.is_err().then(|| clock.now());
        let _turn = match free {
            Ok(turn) => turn,
            Err(_taken) => self.line.lock().await,
        };
        loop {
            let now = clock.now();
            let decided = self.limiter().admit(now, tokens);
            let moment = match decided {
                Admit::Go(ticket) => {
                    if let Some(since) = paced_since {
                        self.paced.fetch_add(1, Ordering::Relaxed);
                        self.paced_ns.fetch_add(now.since(since).0, Ordering::Relaxed);
                    }
                    return Admitted { pace: self, ticket: Some(ticket) };
                }
                Admit::At(moment) => {
                    if moment.since(now) >= LONG_WAIT && !self.told.swap(true, Ordering::Relaxed) {
                        tell(moment.since(now));
                    }
                    Some(moment)
                }
                Admit::AfterAnswer => None,
            };
            paced_since.get_or_insert(now);
            tokio::select! {
                () = self.news.notified() => {}
                () = until(moment, clock) => {}
            }
        }
    }

    /// What a person is told at the end: nothing if no request had to wait.
    pub(crate) fn note(&self, target: &TargetName) -> Option<String> {
        let paced = self.paced.load(Ordering::Relaxed);
        let by = Nanos(self.paced_ns.load(Ordering::Relaxed));
        let limiter = self.limiter();
        let limit = |window: &Window, unit: &str| (window.allowed > 0).then(|| counted(window.allowed, unit));
        let limits: Vec<_> =
            [limit(&limiter.requests, "request"), limit(&limiter.tokens, "token")].into_iter().flatten().collect();
        let limits = match limits.join(" and ") {
            none if none.is_empty() => String::new(),
            limits => format!(" ({limits} a window)"),
        };
        (paced > 0).then(|| {
            let paced = counted(paced, "request");
            format!("`{target}`: paced {paced} by {by} in all to stay below its limits{limits}")
        })
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until `moment`, or for ever.
async fn until(moment: Option<Moment>, clock: Clock) {
    match moment {
        Some(moment) => tokio::time::sleep_until(clock.instant(moment)).await,
        None => std::future::pending().await,
    }
}

impl Admitted<'_> {
    /// Takes in what the head of its answer published at `at`: nobody need wait for the rest of it.
    pub(crate) fn hear(&mut self, at: Moment, limits: &RateLimits) {
        let Some(ticket) = &mut self.ticket else { return };
        self.pace.limiter().learn(*ticket, at, limits, None);
        ticket.ahead = false;
        self.pace.news.notify_one();
    }

    /// Takes in what came of it.
    pub(crate) fn learn(mut self, record: &Record) {
        // Without a status nobody has answered: dropped, it counts as lost.
        let (Some(at), Some(_)) = (record.headers_ns.or(record.end_ns), record.status) else { return };
        let Some(ticket) = self.ticket.take() else { return };
        let asked = match &record.outcome {
            Outcome::Failed(failure) => failure.retry_after_ns.filter(|wait| *wait > Nanos::ZERO),
            _ => None,
        };
        let hold = asked.map(|wait| at + wait);
        self.pace.limiter().learn(ticket, at, &record.limits.unwrap_or_default(), hold);
        self.pace.news.notify_one();
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.pace.limiter().lost(ticket);
            self.pace.news.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
