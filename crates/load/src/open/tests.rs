use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use schema::units::{Moment, Nanos};
use tokio::task::LocalSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Pacing, Segment};

fn timing() -> Timing {
    Timing { epoch: Instant::now(), pacing: Pacing::Tokio, stop: CancellationToken::new() }
}

fn every(gap_ms: u64, count: u64) -> impl Iterator<Item = Slot> {
    (0..count).map(move |index| Slot {
        index,
        scheduled: Moment::EPOCH + Nanos::from_millis(gap_ms * index),
        stream: 0,
    })
}

/// A request that was sent, and when, in milliseconds.
#[derive(Debug, PartialEq)]
struct Sent {
    index: u64,
    planned: u64,
    at: u64,
}

/// What `open` did with the slots: those sent, in order, and the numbers of those not sent.
async fn drive(
    slots: impl Iterator<Item = Slot>,
    timing: &Timing,
    places: u32,
    serve: impl Fn(u64) -> Duration,
) -> (Vec<Sent>, Vec<u64>) {
    drive_when_full(WhenFull::NotSent, slots, timing, places, serve).await
}

/// As [`drive`], with slots that wait for a place.
async fn drive_waiting(
    slots: impl Iterator<Item = Slot>,
    timing: &Timing,
    places: u32,
    serve: impl Fn(u64) -> Duration,
) -> (Vec<Sent>, Vec<u64>) {
    drive_when_full(WhenFull::Wait, slots, timing, places, serve).await
}

async fn drive_when_full(
    when_full: WhenFull,
    slots: impl Iterator<Item = Slot>,
    timing: &Timing,
    places: u32,
    serve: impl Fn(u64) -> Duration,
) -> (Vec<Sent>, Vec<u64>) {
    let sent = RefCell::new(Vec::new());
    let mut not_sent = Vec::new();
    let note = |slot: Slot| {
        sent.borrow_mut().push(Sent {
            index: slot.index,
            planned: slot.scheduled.0 / 1_000_000,
            at: timing.now().0 / 1_000_000,
        });
        tokio::time::sleep(serve(slot.index))
    };
    let places = Places::new(0, places, 1);
    LocalSet::new().run_until(open(slots, timing, &places, when_full, note, |slot| not_sent.push(slot.index))).await;
    (sent.into_inner(), not_sent)
}

#[tokio::test(start_paused = true)]
async fn each_slot_is_sent_at_its_moment_however_slow_the_server() {
    let timing = timing();
    let (sent, not_sent) = drive(every(10, 100), &timing, 1_000, |_| Duration::from_mins(1)).await;
    assert_eq!(sent.len(), 100);
    assert!(sent.iter().zip(0..).all(|(s, i)| s.index == i && s.at == 10 * i && s.planned == 10 * i));
    assert!(not_sent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_requests_have_ended_when_the_driver_returns() {
    let timing = timing();
    drive(every(10, 3), &timing, 10, |_| Duration::from_mins(1)).await;
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(60_020));
}

#[tokio::test(start_paused = true)]
async fn slots_that_find_no_free_place_are_handed_back_and_never_sent() {
    // Two places, each taken for 25 ms: of slots at 0, 10, … 70 the third of every three finds none.
    let (sent, not_sent) = drive(every(10, 8), &timing(), 2, |_| Duration::from_millis(25)).await;
    assert_eq!(sent.iter().map(|s| s.index).collect::<Vec<_>>(), [0, 1, 3, 4, 6, 7]);
    assert_eq!(not_sent, [2, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_place_freed_at_the_slots_own_moment_is_free() {
    let (sent, not_sent) = drive(every(10, 5), &timing(), 1, |_| Duration::from_millis(10)).await;
    assert_eq!((sent.len(), not_sent), (5, vec![]));
}

#[tokio::test(start_paused = true)]
async fn without_places_nothing_is_sent() {
    let (sent, not_sent) = drive(every(10, 3), &timing(), 0, |_| Duration::ZERO).await;
    assert_eq!((sent.len(), not_sent.len()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn slots_that_may_wait_are_sent_oldest_first_as_places_become_free() {
    // Two places, each taken for 25 ms.
    let (sent, not_sent) = drive_waiting(every(10, 6), &timing(), 2, |_| Duration::from_millis(25)).await;
    let times: Vec<_> = sent.iter().map(|s| (s.index, s.planned, s.at)).collect();
    assert_eq!(times, [(0, 0, 0), (1, 10, 10), (2, 20, 25), (3, 30, 35), (4, 40, 50), (5, 50, 60)]);
    assert!(not_sent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_once_places_keep_up_again() {
    // The first takes its place for a second, and the others pass in no time.
    let serve = |index| if index == 0 { Duration::from_secs(1) } else { Duration::ZERO };
    let (sent, _) = drive_waiting(every(400, 5), &timing(), 1, serve).await;
    let times: Vec<_> = sent.iter().map(|s| (s.planned, s.at)).collect();
    assert_eq!(times, [(0, 0), (400, 1000), (800, 1000), (1200, 1200), (1600, 1600)]);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_may_wait_goes_through_few_places() {
    let timing = timing();
    let (sent, not_sent) = drive_waiting(every(0, 1_000), &timing, 10, |_| Duration::from_millis(10)).await;
    assert_eq!(sent.iter().map(|s| s.index).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
    assert!(sent.iter().all(|s| s.planned == 0 && s.at == 10 * (s.index / 10)));
    assert!(not_sent.is_empty());
}

/// What two drivers do with the slots at 0, 10, … of one schedule, all numbers shifted: sent at which millisecond, and the
/// numbers of those not sent. Requests with even numbers are one driver's, and take their places for a second; the
/// other's pass in no time.
async fn drive_two(when_full: WhenFull, slots: u64, most: u32) -> (Vec<(u64, u64)>, Vec<u64>) {
    const FIRST: u64 = 100;
    let (timing, places) = (timing(), Places::new(FIRST, most, 2));
    let (sent, not_sent) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let drive = |segment: Segment| {
        let own = every(10, slots).filter(move |slot| segment.holds(slot.index));
        let own = own.map(|slot| Slot { index: FIRST + slot.index, ..slot });
        let serve = |slot: Slot| {
            sent.borrow_mut().push((slot.index - FIRST, timing.now().0 / 1_000_000));
            tokio::time::sleep(Duration::from_secs(1 - slot.index % 2))
        };
        open(own, &timing, &places, when_full, serve, |slot| not_sent.borrow_mut().push(slot.index - FIRST))
    };
    let mut drivers = Segment::all(2).map(drive);
    let (one, other) = (drivers.next().unwrap(), drivers.next().unwrap());
    LocalSet::new().run_until(async { tokio::join!(one, other) }).await;
    drop(drivers);
    (sent.into_inner(), not_sent.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_driver_uses_the_places_that_another_has_no_use_for() {
    // Nine requests of the first driver and one of the other are under way at most.
    let (sent, not_sent) = drive_two(WhenFull::NotSent, 18, 10).await;
    assert_eq!((sent.len(), not_sent), (18, vec![]));
    let (sent, not_sent) = drive_two(WhenFull::NotSent, 18, 8).await;
    assert_eq!((sent.len(), not_sent), (15, vec![15, 16, 17]), "all eight are the first driver's");
}

#[tokio::test(start_paused = true)]
async fn over_all_drivers_slots_that_wait_are_sent_oldest_first() {
    // Slots 0 and 2 take both places until 1000 and 1020.
    let (sent, not_sent) = drive_two(WhenFull::Wait, 7, 2).await;
    assert_eq!(sent, [(0, 0), (1, 10), (2, 20), (3, 1000), (4, 1000), (5, 1020), (6, 1020)]);
    assert!(not_sent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn stopping_hands_back_those_who_wait() {
    let timing = timing();
    let stop = timing.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(35)).await;
        stop.cancel();
    });
    let (sent, not_sent) = drive_waiting(every(10, 1_000), &timing, 1, |_| Duration::from_secs(1)).await;
    assert_eq!((sent.len(), not_sent), (1, vec![1, 2, 3]));
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn stopping_after_the_last_slot_was_due_hands_back_those_who_wait() {
    let timing = timing();
    let stop = timing.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        stop.cancel();
    });
    let (sent, not_sent) = drive_waiting(every(10, 4), &timing, 1, |_| Duration::from_secs(1)).await;
    assert_eq!((sent.len(), not_sent), (2, vec![2, 3]));
}

#[tokio::test(start_paused = true)]
async fn without_places_nothing_can_wait() {
    let timing = timing();
    let (sent, not_sent) = drive_waiting(every(10, 3), &timing, 0, |_| Duration::ZERO).await;
    assert_eq!((sent.len(), not_sent), (0, vec![0, 1, 2]));
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_wakes_late_sends_at_once_and_keeps_the_planned_moments() {
    let timing = timing();
    tokio::time::advance(Duration::from_millis(35)).await;
    let (sent, _) = drive(every(10, 5), &timing, 10, |_| Duration::ZERO).await;
    let times: Vec<_> = sent.iter().map(|s| (s.planned, s.at)).collect();
    assert_eq!(times, [(0, 35), (10, 35), (20, 35), (30, 35), (40, 40)]);
}

#[tokio::test(start_paused = true)]
async fn lateness_does_not_shift_what_follows() {
    let timing = timing();
    let late = Rc::new(Cell::new(true));
    let stall = || {
        // The first request keeps the whole thread busy for 500 ms.
        let late = Rc::clone(&late);
        async move {
            if late.replace(false) {
                tokio::time::advance(Duration::from_millis(500)).await;
            }
        }
    };
    let mut sent = Vec::new();
    LocalSet::new()
        .run_until(open(
            every(100, 10),
            &timing,
            &Places::new(0, 10, 1),
            WhenFull::NotSent,
            |slot| {
                sent.push((slot.index, timing.now().0 / 1_000_000));
                stall()
            },
            |_| {},
        ))
        .await;
    assert_eq!(sent[9], (9, 900));
    assert!(sent.iter().all(|(index, at)| *at == (100 * index).max(if *index > 0 { 500 } else { 0 })), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_backlog_lets_requests_run_in_between() {
    let timing = timing();
    let ran = Rc::new(Cell::new(0_u64));
    let mut ran_at_send = Vec::new();
    LocalSet::new()
        .run_until(open(
            every(0, 1_000),
            &timing,
            &Places::new(0, 1_000, 1),
            WhenFull::NotSent,
            |_| {
                ran_at_send.push(ran.get());
                let ran = Rc::clone(&ran);
                async move { ran.set(ran.get() + 1) }
            },
            |_| {},
        ))
        .await;
    assert_eq!(ran.get(), 1_000);
    assert!(ran_at_send[999] > 0, "no request ran before the last was sent");
}

#[tokio::test(start_paused = true)]
async fn stopping_sends_no_more_and_waits_for_what_is_under_way() {
    let timing = timing();
    let stop = timing.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(25)).await;
        stop.cancel();
    });
    let (sent, not_sent) = drive(every(10, 1_000), &timing, 10, |_| Duration::from_secs(1)).await;
    assert_eq!((sent.len(), not_sent.len()), (3, 0));
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(1_020));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_driver_cancels_what_is_under_way() {
    let timing = timing();
    let alive = Rc::new(());
    let send = |_| {
        let alive = Rc::clone(&alive);
        async move {
            std::future::pending::<()>().await;
            drop(alive);
        }
    };
    let local = LocalSet::new();
    let places = Places::new(0, 10, 1);
    let driver = open(every(10, 5), &timing, &places, WhenFull::NotSent, send, |_| {});
    assert!(local.run_until(tokio::time::timeout(Duration::from_secs(1), driver)).await.is_err());
    drop(local);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a bug in a request")]
async fn a_panicking_request_is_not_swallowed() {
    let timing = timing();
    let send = |_| async { panic!("a bug in a request") };
    let places = Places::new(0, 10, 1);
    LocalSet::new().run_until(open(every(10, 2), &timing, &places, WhenFull::NotSent, send, |_| {})).await;
}

/// More are due at once than are started in one go, and stopping comes in between.
#[tokio::test(start_paused = true)]
async fn every_slot_that_is_due_when_it_stops_is_sent_or_reported() {
    for when_full in [WhenFull::NotSent, WhenFull::Wait] {
        let timing = timing();
        let later = Slot { index: 200, scheduled: Moment::EPOCH + Nanos::from_secs(1), stream: 0 };
        let slots = every(0, 200).chain([later]);
        let serve = |_| {
            timing.stop.cancel();
            Duration::from_millis(1)
        };
        let (sent, not_sent) = drive_when_full(when_full, slots, &timing, 1_000, serve).await;
        let mut indexes: Vec<_> = sent.iter().map(|sent| sent.index).chain(not_sent).collect();
        indexes.sort_unstable();
        assert_eq!(indexes, (0..200).collect::<Vec<_>>());
        assert!(sent.len() < 200);
    }
}
