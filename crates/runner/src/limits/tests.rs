use std::collections::VecDeque;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn at(seconds: u64) -> Moment {
    Moment(seconds * SECOND)
}

fn limit(limit: u64, remaining: u64, reset_s: u64) -> Limit {
    Limit { limit: Some(limit), remaining: Some(remaining), reset_ns: Some(Nanos::from_secs(reset_s)) }
}

fn of_requests(limit: Limit) -> RateLimits {
    RateLimits { requests: Some(limit), tokens: None }
}

fn of_tokens(limit: Limit) -> RateLimits {
    RateLimits { requests: None, tokens: Some(limit) }
}

#[track_caller]
fn go(limiter: &mut Limiter, now: Moment, tokens: u64) -> Ticket {
    match limiter.admit(now, tokens) {
        Admit::Go(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// A limiter whose scout has come back at `now` with these limits.
fn told(now: Moment, tokens: u64, limits: &RateLimits) -> Limiter {
    let mut limiter = Limiter::default();
    let ticket = go(&mut limiter, now, tokens);
    limiter.learn(ticket, now, limits, None);
    limiter
}

/// When each of `n` requests leaves that all want to at once, in whole milliseconds after `from`.
fn leave(limiter: &mut Limiter, from: Moment, tokens: u64, n: usize) -> Vec<u64> {
    let mut now = from;
    let mut left = Vec::new();
    while left.len() < n {
        match limiter.admit(now, tokens) {
            Admit::Go(_) => left.push((now - from).0 / 1_000_000),
            Admit::At(moment) => {
                assert!(moment > now);
                now = moment;
            }
            Admit::AfterAnswer => panic!("the scout is back"),
        }
    }
    left
}

#[test]
fn until_the_first_answer_one_request_goes_alone() {
    let mut limiter = Limiter::default();
    let scout = go(&mut limiter, at(0), 10);
    assert_eq!(limiter.admit(at(1), 10), Admit::AfterAnswer);
    limiter.learn(scout, at(2), &RateLimits::default(), None);
    assert!((0..1000).all(|_| matches!(limiter.admit(at(2), 10), Admit::Go(_))), "nothing was published");
}

#[test]
fn another_is_sent_ahead_when_the_first_gets_no_answer() {
    let mut limiter = Limiter::default();
    let scout = go(&mut limiter, at(0), 10);
    limiter.lost(scout);
    go(&mut limiter, at(1), 10);
    assert_eq!(limiter.admit(at(1), 10), Admit::AfterAnswer);
}

#[test]
fn what_remains_is_spread_over_the_time_until_it_is_whole() {
    // 50 allowed, one kept in reserve, one used: 48 in 49 s, after the one at 0.
    let mut limiter = told(at(0), 1, &of_requests(limit(50, 49, 49)));
    assert_eq!(leave(&mut limiter, at(0), 1, 4), [1000, 2000, 3000, 4000]);
}

#[test]
fn tokens_are_spread_alike() {
    // 1,000 allowed, 20 kept in reserve: 880 left after the 100 at 0, so 100 each tenth of 98 s.
    let mut limiter = told(at(0), 100, &of_tokens(limit(1000, 900, 98)));
    assert_eq!(leave(&mut limiter, at(0), 100, 3), [10_000, 20_000, 30_000]);
}

#[test]
fn the_tighter_limit_decides() {
    let limits = RateLimits { requests: Some(limit(50, 49, 49)), tokens: Some(limit(1000, 900, 98)) };
    let mut limiter = told(at(0), 100, &limits);
    assert_eq!(leave(&mut limiter, at(0), 100, 2), [10_000, 20_000]);
}

#[test]
fn with_nothing_left_nothing_goes_before_the_reset() {
    for remaining in [0, 1] {
        let mut limiter = told(at(0), 1, &of_requests(limit(50, remaining, 30)));
        assert_eq!(limiter.admit(at(0), 1), Admit::At(at(30)), "{remaining} left, and that in reserve");
        assert_eq!(limiter.admit(at(29), 1), Admit::At(at(30)));
        go(&mut limiter, at(30), 1);
    }
}

#[test]
fn a_window_that_was_renewed_is_spread_again() {
    let mut limiter = told(at(0), 1, &of_requests(limit(50, 0, 49)));
    // 49 usable in the 49 s after the reset, the first of them at once.
    let left = leave(&mut limiter, at(49), 1, 4);
    assert_eq!(left, [0, 1000, 2000, 3000]);
}

#[test]
fn a_day_s_budget_is_not_spread_but_not_exceeded_either() {
    let mut limiter = told(at(0), 1, &of_requests(limit(1000, 520, 80_000)));
    let left = leave(&mut limiter, at(0), 1, 501);
    assert!(left[..500].iter().all(|ms| *ms == 0));
    assert_eq!(left[500], 80_000_000);
}

#[test]
fn a_request_larger_than_any_window_waits_for_a_whole_one() {
    let mut limiter = told(at(0), 10, &of_tokens(limit(1000, 990, 60)));
    assert_eq!(limiter.admit(at(0), 5000), Admit::At(at(60)));
    go(&mut limiter, at(60), 5000);
}

#[test]
fn an_older_answer_does_not_overrule_a_newer_one() {
    let mut limiter = told(at(0), 1, &RateLimits::default());
    let (first, second) = (go(&mut limiter, at(1), 1), go(&mut limiter, at(1), 1));
    limiter.learn(second, at(5), &of_requests(limit(50, 0, 30)), None);
    limiter.learn(first, at(4), &of_requests(limit(50, 40, 30)), None);
    assert_eq!(limiter.admit(at(6), 1), Admit::At(at(35)));
}

#[test]
fn what_was_sent_since_is_no_longer_left() {
    let mut limiter = told(at(0), 1, &RateLimits::default());
    let first = go(&mut limiter, at(1), 1);
    for _ in 0..8 {
        go(&mut limiter, at(1), 1);
    }
    // Nine were left when the first was counted, and eight have gone since; one is kept.
    limiter.learn(first, at(2), &of_requests(limit(50, 9, 30)), None);
    assert_eq!(limiter.admit(at(2), 1), Admit::At(at(32)));
}

#[test]
fn retry_after_is_a_hold_and_then_one_goes_alone_again() {
    let mut limiter = told(at(0), 1, &RateLimits::default());
    let ticket = go(&mut limiter, at(1), 1);
    limiter.learn(ticket, at(2), &RateLimits::default(), Some(at(12)));
    assert_eq!(limiter.admit(at(3), 1), Admit::At(at(12)));
    go(&mut limiter, at(12), 1);
    assert_eq!(limiter.admit(at(12), 1), Admit::AfterAnswer);
}

#[test]
fn a_shorter_hold_does_not_end_a_longer_one() {
    let mut limiter = told(at(0), 1, &RateLimits::default());
    let (first, second) = (go(&mut limiter, at(1), 1), go(&mut limiter, at(1), 1));
    limiter.learn(first, at(2), &RateLimits::default(), Some(at(30)));
    limiter.learn(second, at(2), &RateLimits::default(), Some(at(4)));
    assert_eq!(limiter.admit(at(5), 1), Admit::At(at(30)));
}

/// A server that counts requests.
trait Server {
    /// What it publishes to a request at `now`; `None` is 429.
    fn take(&mut self, now: Moment) -> Option<RateLimits>;
}

/// A bucket of `size` requests that refills by one a second.
struct Bucket {
    size: u64,
    /// Thousandths.
    level: u64,
    at: Moment,
}

impl Server for Bucket {
    fn take(&mut self, now: Moment) -> Option<RateLimits> {
        let refill = now.since(self.at).0 * 1000 / SECOND;
        self.level = (self.level + refill).min(self.size * 1000);
        self.at = now;
        self.level = self.level.checked_sub(1000)?;
        let whole_in = Nanos((self.size * 1000 - self.level) * SECOND / 1000);
        let limit = Limit { limit: Some(self.size), remaining: Some(self.level / 1000), reset_ns: Some(whole_in) };
        Some(of_requests(limit))
    }
}

/// A window of so many requests, renewed each minute.
struct Minute {
    size: u64,
    number: u64,
    used: u64,
}

impl Server for Minute {
    fn take(&mut self, now: Moment) -> Option<RateLimits> {
        let number = now.0 / (60 * SECOND);
        if number != self.number {
            (self.number, self.used) = (number, 0);
        }
        self.used += 1;
        let remaining = self.size.checked_sub(self.used)?;
        let reset = at(60 * (number + 1)).since(now);
        Some(of_requests(Limit { limit: Some(self.size), remaining: Some(remaining), reset_ns: Some(reset) }))
    }
}

/// How many requests leave in so many seconds if ever more want to, none of which may be refused. Heads of answers come
/// after half a second, and are known a second later.
fn carried(mut server: impl Server, seconds: u64) -> u64 {
    let mut limiter = Limiter::default();
    let mut answers = VecDeque::new();
    let (mut now, mut sent) = (at(0), 0);
    while now < at(seconds) {
        while let Some((due, ticket, limits)) = answers.pop_front_if(|(due, ..): &mut (Moment, _, _)| *due <= now) {
            limiter.learn(ticket, due - Nanos(SECOND), &limits, None);
        }
        match limiter.admit(now, 1) {
            Admit::Go(ticket) => {
                let limits = server.take(now).unwrap_or_else(|| panic!("number {sent} is refused at {now:?}"));
                answers.push_back((now + Nanos(3 * SECOND / 2), ticket, limits));
                sent += 1;
            }
            Admit::At(_) | Admit::AfterAnswer => now = now + Nanos(SECOND / 100),
        }
    }
    sent
}

#[test]
fn a_bucket_that_refills_is_never_empty_and_gives_most_of_what_it_can() {
    for size in [3, 10, 60, 500] {
        let sent = carried(Bucket { size, level: size * 1000, at: at(0) }, 600);
        let most = size + 600;
        assert!((most * 13 / 20..=most).contains(&sent), "{sent} of {most}");
    }
}

#[test]
fn a_window_is_never_overdrawn_and_gives_most_of_what_it_can() {
    for size in [10, 30, 600] {
        let sent = carried(Minute { size, number: 0, used: 0 }, 600);
        let most = size * 10;
        assert!((most * 13 / 20..=most).contains(&sent), "{sent} of {most}");
    }
}

/// A request that is let through at once.
fn admitted(pace: &Pace) -> Admitted<'_> {
    pending(pace).expect("nothing is in its way")
}

/// The same, unless it has to wait.
fn pending(pace: &Pace) -> Option<Admitted<'_>> {
    let mut admitting = std::pin::pin!(pace.admit(1, Clock::start(), |_| {}));
    match admitting.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(admitted) => Some(admitted),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn others_wait_for_the_head_of_the_first_answer_and_not_for_its_end() {
    let pace = Pace::default();
    let mut first = admitted(&pace);
    assert!(pending(&pace).is_none());
    first.hear(at(0), &of_requests(limit(30, 29, 60)));
    assert_eq!(pace.limiter().scout, Scout::Back);
    // After that the server wants to be left alone, and one goes ahead again: what came of the first is no news of it.
    let hold = Some(at(1));
    let ticket = first.ticket.unwrap();
    pace.limiter().learn(ticket, at(1), &RateLimits::default(), hold);
    let ahead = go(&mut pace.limiter(), at(9), 1);
    assert!(ahead.ahead);
    drop(first);
    assert_eq!(pace.limiter().scout, Scout::Sent);
}

#[test]
fn waits_are_told_with_the_limits_they_kept_below() {
    let pace = Pace::default();
    let name = "a".parse().unwrap();
    assert_eq!(pace.note(&name), None);
    *pace.limiter() = told(at(0), 1, &of_requests(limit(30, 29, 60)));
    pace.paced.store(34, Ordering::Relaxed);
    pace.paced_ns.store(12 * SECOND, Ordering::Relaxed);
    let note = pace.note(&name).unwrap();
    assert_eq!(note, "`a`: paced 34 requests by 12.0 s in all to stay below its limits (30 requests a window)");
    *pace.limiter() = told(at(0), 1, &of_requests(limit(1, 0, 60)));
    pace.paced.store(1, Ordering::Relaxed);
    let note = pace.note(&name).unwrap();
    assert_eq!(note, "`a`: paced 1 request by 12.0 s in all to stay below its limits (1 request a window)");
}
