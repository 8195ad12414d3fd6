use std::cell::Cell;
use std::time::Duration;

use schema::units::Nanos;
use tokio::task::LocalSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::Pacing;

fn timing() -> Timing {
    Timing { epoch: Instant::now(), pacing: Pacing::Tokio, stop: CancellationToken::new() }
}

fn streams<'a>(load: &'a Load, indexes: &'a Arc<Counter>, until: Option<Moment>) -> Streams<'a> {
    Streams { load, segment: Segment::WHOLE, seed: 1, block: 0, indexes, begin: Moment::EPOCH, until }
}

/// The slots sent, as number and scheduled millisecond, and the most requests under way at once.
async fn drive(
    concurrency: usize,
    indexes: &Arc<Counter>,
    until: Option<Moment>,
    timing: &Timing,
    serve: Duration,
) -> (Vec<(u64, u64)>, usize) {
    let sent = Rc::new(RefCell::new(Vec::new()));
    let under_way = Rc::new(Cell::new(0_usize));
    let most = Rc::new(Cell::new(0));
    let note = {
        let (sent, most) = (Rc::clone(&sent), Rc::clone(&most));
        move |slot: Slot| {
            sent.borrow_mut().push((slot.index, slot.scheduled.0 / 1_000_000));
            let under_way = Rc::clone(&under_way);
            under_way.set(under_way.get() + 1);
            most.set(most.get().max(under_way.get()));
            async move {
                tokio::time::sleep(serve).await;
                under_way.set(under_way.get() - 1);
                After::SessionGoesOn
            }
        }
    };
    let load = Load::Closed { concurrency: u32::try_from(concurrency).unwrap() };
    LocalSet::new().run_until(closed(&streams(&load, indexes, until), timing, note)).await;
    (sent.take(), most.get())
}

fn counter(count: u64) -> Arc<Counter> {
    Arc::new(Counter::new(0..count))
}

#[tokio::test(start_paused = true)]
async fn every_number_is_sent_once_and_places_are_kept_full() {
    let timing = timing();
    let (sent, most) = drive(4, &counter(10), None, &timing, Duration::from_millis(100)).await;
    assert_eq!(sent.iter().map(|s| s.0).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!(most, 4);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_scheduled_for_the_moment_its_place_became_free() {
    let (sent, _) = drive(1, &counter(3), None, &timing(), Duration::from_millis(70)).await;
    assert_eq!(sent, [(0, 0), (1, 70), (2, 140)]);
}

#[tokio::test(start_paused = true)]
async fn no_request_begins_at_or_after_the_end() {
    let timing = timing();
    let until = Some(Moment::EPOCH + Nanos::from_millis(300));
    let (sent, _) = drive(2, &counter(u64::MAX), until, &timing, Duration::from_millis(100)).await;
    assert_eq!(sent.iter().map(|s| s.1).collect::<Vec<_>>(), [0, 0, 100, 100, 200, 200]);
}

#[tokio::test(start_paused = true)]
async fn stopping_sends_no_more_and_waits_for_what_is_under_way() {
    let timing = timing();
    let stop = timing.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(150)).await;
        stop.cancel();
    });
    let (sent, _) = drive(3, &counter(u64::MAX), None, &timing, Duration::from_millis(100)).await;
    assert_eq!(sent.len(), 6);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn drivers_that_share_a_counter_share_the_numbers() {
    let (timing, indexes) = (timing(), counter(100));
    let serve = Duration::from_millis(10);
    let (one, two) = tokio::join!(drive(3, &indexes, None, &timing, serve), drive(2, &indexes, None, &timing, serve));
    let mut numbers: Vec<u64> = one.0.iter().chain(&two.0).map(|s| s.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert!(one.0.len() > two.0.len());
}

#[tokio::test(start_paused = true)]
async fn requests_that_never_wait_leave_room_for_others() {
    let timing = timing();
    let stop = timing.stop.clone();
    tokio::spawn(async move { stop.cancel() });
    let send = |_| std::future::ready(After::SessionGoesOn);
    let (load, indexes) = (Load::Closed { concurrency: 2 }, counter(u64::MAX));
    LocalSet::new().run_until(closed(&streams(&load, &indexes, None), &timing, send)).await;
}
