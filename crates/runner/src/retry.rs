//! Sending again what failed in a way that may pass.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use schema::plan::Retry;
use schema::record::{Failure, Outcome, Record};
use schema::units::Nanos;

/// How `record` failed, if it did so in a way that may pass and at no charge. Never once content has come: it is paid for.
pub(crate) fn may_pass(record: &Record) -> Option<&Failure> {
    let Outcome::Failed(failure) = &record.outcome else { return None };
    (failure.class.may_pass() && record.events.content().next().is_none()).then_some(failure)
}

/// Doublings after which any back-off is at its most.
const MOST_DOUBLINGS: u32 = 62;

/// How long to wait after attempt number `attempt` failed, if there is to be another: it doubles from attempt to
/// attempt, and `draw`, from [0, 1), decides about its second half, so that requests that failed together do not
/// come back together. What the server `asked` for comes before that, and is either respected or too long.
pub(crate) fn back_off(retry: &Retry, attempt: u32, asked: Option<Nanos>, draw: f64) -> Option<Nanos> {
    if attempt >= retry.attempts || asked.is_some_and(|asked| asked > retry.most_ns) {
        return None;
    }
    let doubled = retry.first_ns.0.saturating_mul(1 << attempt.min(MOST_DOUBLINGS));
    let half = Nanos(doubled.min(retry.most_ns.0) / 2);
    let random = Nanos::from_secs_f64(half.as_secs_f64() * draw);
    Some(match asked {
        Some(asked) => asked.max((asked + random).min(retry.most_ns)).max(half + random),
        None => half + random,
    })
}

/// A number from [0, 1) for the back-off of one attempt at one request, always the same.
pub(crate) fn draw(seed: u64, index: u64, attempt: u32) -> f64 {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    // Schedules of the same seed count their streams from zero on and from the top down.
    random.set_stream(1 << 63 | index);
    random.set_word_pos(2 * u128::from(attempt));
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use schema::event::{Event, EventKind, Events, Stamp};
    use schema::record::FailureClass;
    use schema::units::Moment;

    use super::*;

    fn failed(class: FailureClass) -> Record {
        let failure = Failure { class, message: "x".into(), retry_after_ns: None };
        Record { outcome: Outcome::Failed(failure), ..crate::turns::tests::record() }
    }

    #[track_caller]
    fn check(class: FailureClass, expected: bool) {
        assert_eq!(may_pass(&failed(class)).is_some(), expected, "{class}");
    }

    #[test]
    fn only_what_may_pass_at_no_charge_is_tried_again() {
        use FailureClass as Class;
        for class in [
            Class::ConnectRefused,
            Class::ConnectFailed,
            Class::ConnectTimeout,
            Class::ClosedEarly,
            Class::RateLimited,
            Class::Overloaded,
            Class::ServerError,
            Class::Truncated,
        ] {
            check(class, true);
        }
        for class in [
            Class::Dns,
            Class::Tls,
            Class::Unauthorized,
            Class::BadRequest,
            Class::QuotaExhausted,
            Class::FirstTokenTimeout,
            Class::Stalled,
            Class::TotalTimeout,
            Class::ErrorInStream,
            Class::Empty,
            Class::Malformed,
        ] {
            check(class, false);
        }
        assert!(may_pass(&crate::turns::tests::record()).is_none());
    }

    #[test]
    fn once_content_has_come_nothing_is_tried_again() {
        let event = |kind| Event {
            arrival: Moment(1),
            lag_ns: 0,
            bytes: 1,
            tokens: 1,
            kind,
            stamp: Stamp::Kernel,
            shared_read: false,
        };
        let mut record = failed(FailureClass::Truncated);
        record.events = Events::from(vec![event(EventKind::Other)]);
        assert!(may_pass(&record).is_some());
        record.events.push(event(EventKind::Reasoning));
        assert!(may_pass(&record).is_none());
    }

    #[track_caller]
    fn waits(attempt: u32, asked: Option<u64>, draw: f64, expected_ms: Option<u64>) {
        let retry = Retry { attempts: 6, first_ns: Nanos::from_millis(100), most_ns: Nanos::from_millis(2000) };
        let wait = back_off(&retry, attempt, asked.map(Nanos::from_millis), draw);
        assert_eq!(wait, expected_ms.map(Nanos::from_millis));
    }

    #[test]
    fn back_off_doubles_to_its_most_and_half_of_it_is_random() {
        waits(0, None, 0.0, Some(50));
        waits(0, None, 0.5, Some(75));
        waits(1, None, 0.5, Some(150));
        waits(2, None, 0.0, Some(200));
        waits(5, None, 0.0, Some(1000));
    }

    #[test]
    fn attempts_come_to_an_end() {
        waits(5, None, 0.0, Some(1000));
        waits(6, None, 0.0, None);
    }

    #[test]
    fn what_the_server_asks_for_is_respected_or_too_long() {
        waits(0, Some(500), 0.0, Some(500));
        waits(0, Some(500), 0.5, Some(525));
        waits(3, Some(10), 0.0, Some(400));
        waits(0, Some(1990), 0.5, Some(2000));
        waits(0, Some(2000), 0.5, Some(2000));
        waits(0, Some(2001), 0.5, None);
    }

    #[test]
    fn no_number_of_attempts_overflows() {
        let retry = Retry { attempts: u32::MAX, first_ns: Nanos(u64::MAX), most_ns: Nanos(u64::MAX) };
        for attempt in [0, 63, 64, 1 << 20] {
            assert!(back_off(&retry, attempt, Some(Nanos(u64::MAX)), 0.9).is_some());
        }
    }

    #[test]
    fn draws_are_the_same_each_time_and_different_for_each_attempt() {
        let all: Vec<_> = (0..100).flat_map(|index| (0..3).map(move |attempt| draw(7, index, attempt))).collect();
        let mean = all.iter().sum::<f64>() / 300.0;
        assert!(all.iter().all(|draw| (0.0..1.0).contains(draw)) && (0.4..0.6).contains(&mean), "{mean}");
        let mut bits: Vec<_> = all.iter().map(|draw| draw.to_bits()).collect();
        bits.sort_unstable();
        bits.dedup();
        assert_eq!(bits.len(), 300);
        assert_eq!(draw(7, 5, 1).to_bits(), all[16].to_bits());
    }
}
