use std::cell::Cell;
use std::time::Duration;

use schema::plan::{Load, Stage};
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

/// What a driver sent, and the most requests under way at once.
struct Drove {
    sent: Vec<Slot>,
    most: usize,
}

impl Drove {
    fn numbers(&self) -> Vec<u64> {
        self.sent.iter().map(|slot| slot.index).collect()
    }

    fn scheduled_ms(&self) -> Vec<u64> {
        self.sent.iter().map(|slot| slot.scheduled.0 / 1_000_000).collect()
    }

    /// When that stream's requests were scheduled, in milliseconds.
    fn of(&self, stream: u32) -> Vec<u64> {
        let own = self.sent.iter().filter(|slot| slot.stream == stream);
        own.map(|slot| slot.scheduled.0 / 1_000_000).collect()
    }
}

/// Drives `streams` against a server that takes `serve` for each request and says what follows.
async fn drive(
    streams: &Streams<'_>,
    timing: &Timing,
    serve: Duration,
    mut after: impl FnMut(Slot) -> After + 'static,
) -> Drove {
    let sent = Rc::new(RefCell::new(Vec::new()));
    let under_way = Rc::new(Cell::new(0_usize));
    let most = Rc::new(Cell::new(0));
    let note = {
        let (sent, most, timing) = (Rc::clone(&sent), Rc::clone(&most), timing.clone());
        move |slot: Slot| {
            assert!(timing.now() >= slot.scheduled, "{slot:?} was sent before its time");
            sent.borrow_mut().push(slot);
            let under_way = Rc::clone(&under_way);
            under_way.set(under_way.get() + 1);
            most.set(most.get().max(under_way.get()));
            let after = after(slot);
            async move {
                tokio::time::sleep(serve).await;
                under_way.set(under_way.get() - 1);
                after
            }
        }
    };
    LocalSet::new().run_until(closed(streams, timing, note)).await;
    Drove { sent: sent.take(), most: most.get() }
}

fn on(_: Slot) -> After {
    After::SessionGoesOn
}

fn stop_after(timing: &Timing, millis: u64) {
    let stop = timing.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        stop.cancel();
    });
}

fn counter(count: u64) -> Arc<Counter> {
    Arc::new(Counter::new(0..count))
}

const MS_10: Duration = Duration::from_millis(10);
const MS_100: Duration = Duration::from_millis(100);

fn places(concurrency: u32) -> Load {
    Load::Closed { concurrency }
}

fn stages(levels: &[(f64, f64, u64)]) -> Load {
    let stage = |&(from, to, ms)| Stage { name: String::new(), from, to, length_ns: Nanos::from_millis(ms) };
    Load::StreamStages { stages: levels.iter().map(stage).collect() }
}

fn users(users: u32, think: &str, session_requests: u32, session_pause: &str, arrive_over_ms: u64) -> Load {
    let (think, session_pause) = (think.parse().unwrap(), session_pause.parse().unwrap());
    Load::Users { users, think, session_requests, session_pause, arrive_over_ns: Nanos::from_millis(arrive_over_ms) }
}

#[tokio::test(start_paused = true)]
async fn every_number_is_sent_once_and_places_are_kept_full() {
    let timing = timing();
    let drove = drive(&streams(&places(4), &counter(10), None), &timing, MS_100, on).await;
    assert_eq!(drove.numbers(), (0..10).collect::<Vec<_>>());
    assert_eq!(drove.most, 4);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_scheduled_for_the_moment_its_place_became_free() {
    let drove = drive(&streams(&places(1), &counter(3), None), &timing(), Duration::from_millis(70), on).await;
    assert_eq!(drove.scheduled_ms(), [0, 70, 140]);
}

#[tokio::test(start_paused = true)]
async fn the_first_slots_are_scheduled_for_the_beginning_however_late_the_driver_is() {
    let (timing, load, indexes) = (timing(), places(2), counter(4));
    let late = Streams { begin: Moment::EPOCH + Nanos::from_millis(20), ..streams(&load, &indexes, None) };
    tokio::time::advance(Duration::from_millis(25)).await;
    let drove = drive(&late, &timing, MS_10, on).await;
    assert_eq!(drove.scheduled_ms(), [20, 20, 35, 35]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_beginning() {
    let (timing, load, indexes) = (timing(), places(2), counter(3));
    let later = Streams { begin: Moment::EPOCH + Nanos::from_secs(5), ..streams(&load, &indexes, None) };
    let drove = drive(&later, &timing, MS_10, on).await;
    assert_eq!(drove.scheduled_ms(), [5000, 5000, 5010]);
}

#[tokio::test(start_paused = true)]
async fn no_request_begins_at_or_after_the_end() {
    let until = Some(Moment::EPOCH + Nanos::from_millis(300));
    let drove = drive(&streams(&places(2), &counter(u64::MAX), until), &timing(), MS_100, on).await;
    assert_eq!(drove.scheduled_ms(), [0, 0, 100, 100, 200, 200]);
}

#[tokio::test(start_paused = true)]
async fn stopping_sends_no_more_and_waits_for_what_is_under_way() {
    let timing = timing();
    stop_after(&timing, 150);
    let drove = drive(&streams(&places(3), &counter(u64::MAX), None), &timing, MS_100, on).await;
    assert_eq!(drove.sent.len(), 6);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn drivers_share_the_numbers_and_each_has_its_own_streams() {
    let (timing, indexes, load) = (timing(), counter(100), places(5));
    let part = |index| Streams { segment: Segment::new(index, 2).unwrap(), ..streams(&load, &indexes, None) };
    let (one, two) = (part(0), part(1));
    let (one, two) = tokio::join!(drive(&one, &timing, MS_10, on), drive(&two, &timing, MS_10, on));
    let mut numbers = [one.numbers(), two.numbers()].concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_eq!((one.most, two.most), (3, 2));
    assert!(one.sent.iter().all(|slot| [0, 2, 4].contains(&slot.stream)));
    assert!(two.sent.iter().all(|slot| [1, 3].contains(&slot.stream)));
}

#[tokio::test(start_paused = true)]
async fn requests_that_never_wait_leave_room_for_others() {
    let timing = timing();
    let stop = timing.stop.clone();
    tokio::spawn(async move { stop.cancel() });
    let send = |_| std::future::ready(After::SessionGoesOn);
    LocalSet::new().run_until(closed(&streams(&places(2), &counter(u64::MAX), None), &timing, send)).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_load_has_no_streams() {
    let load = Load::Crowd { users: 3, waves: 1, every_ns: Nanos::ZERO };
    let drove = drive(&streams(&load, &counter(10), None), &timing(), MS_10, on).await;
    assert!(drove.sent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn streams_begin_and_end_with_the_level_of_their_stages() {
    // Two at once, then four, then one; each request takes 100 ms.
    let (timing, load) = (timing(), stages(&[(2.0, 2.0, 300), (4.0, 4.0, 300), (1.0, 1.0, 300)]));
    let drove = drive(&streams(&load, &counter(u64::MAX), None), &timing, MS_100, on).await;
    assert_eq!(drove.of(0), [0, 100, 200, 300, 400, 500, 600, 700, 800]);
    assert_eq!(drove.of(1), [0, 100, 200, 300, 400, 500]);
    assert_eq!(drove.of(2), [300, 400, 500]);
    assert_eq!(drove.of(3), [300, 400, 500]);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(900));
}

#[tokio::test(start_paused = true)]
async fn streams_set_in_one_by_one_as_the_level_rises() {
    let (timing, load) = (timing(), stages(&[(0.0, 3.0, 300)]));
    let drove = drive(&streams(&load, &counter(u64::MAX), None), &timing, Duration::from_secs(9), on).await;
    assert_eq!(drove.scheduled_ms(), [50, 150, 250]);
    assert_eq!(drove.sent.iter().map(|slot| slot.stream).collect::<Vec<_>>(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_stream_wakes_for_its_next_stage_and_what_is_under_way_is_left_to_end() {
    let load = stages(&[(1.0, 1.0, 150), (0.0, 0.0, 350), (1.0, 1.0, 100)]);
    let drove = drive(&streams(&load, &counter(u64::MAX), None), &timing(), MS_100, on).await;
    assert_eq!(drove.scheduled_ms(), [0, 100, 500]);
}

#[tokio::test(start_paused = true)]
async fn users_think_between_requests_and_stay_away_between_sessions() {
    let (timing, load) = (timing(), users(1, "1s", 3, "10s", 0));
    let drove = drive(&streams(&load, &counter(5), None), &timing, MS_100, on).await;
    assert_eq!(drove.scheduled_ms(), [0, 1100, 2200, 12_300, 13_400]);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(13_500));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_end_its_session() {
    let over = |slot: Slot| if slot.index == 0 { After::SessionOver } else { After::SessionGoesOn };
    let load = users(1, "1s", 3, "10s", 0);
    let drove = drive(&streams(&load, &counter(5), None), &timing(), Duration::ZERO, over).await;
    assert_eq!(drove.scheduled_ms(), [0, 10_000, 11_000, 12_000, 22_000]);
}

#[tokio::test(start_paused = true)]
async fn users_arrive_one_after_another_whatever_the_segment() {
    let (load, indexes) = (users(4, "1h", 9, "1h", 2000), counter(4));
    let odd = Streams { segment: Segment::new(1, 2).unwrap(), ..streams(&load, &indexes, None) };
    let until = Some(Moment::EPOCH + Nanos::from_secs(60));
    let drove = drive(&Streams { until, ..odd }, &timing(), MS_10, on).await;
    assert_eq!((drove.of(1), drove.of(3)), (vec![500], vec![1500]));
    assert_eq!(drove.sent.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_who_has_no_number_to_send() {
    // Two users and three numbers: the second user would think for a day.
    let timing = timing();
    let load = users(2, "24h", 9, "24h", 0);
    let drove = drive(&streams(&load, &counter(2), None), &timing, MS_100, on).await;
    assert_eq!(drove.sent.len(), 2);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_driver_whose_users_think_ends_when_another_takes_the_last_number() {
    let (timing, indexes) = (timing(), counter(3));
    let (thinking, busy) = (users(1, "24h", 9, "24h", 0), places(1));
    let (one, two) = (streams(&thinking, &indexes, None), streams(&busy, &indexes, None));
    tokio::join!(drive(&one, &timing, MS_100, on), drive(&two, &timing, MS_100, on));
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn stopping_wakes_those_who_think() {
    let timing = timing();
    stop_after(&timing, 150);
    let load = users(3, "24h", 9, "24h", 0);
    let drove = drive(&streams(&load, &counter(u64::MAX), None), &timing, MS_100, on).await;
    assert_eq!(drove.sent.len(), 3);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_millis(150));
}

#[tokio::test(start_paused = true)]
async fn users_who_would_ask_after_the_end_leave() {
    let timing = timing();
    let until = Some(Moment::EPOCH + Nanos::from_secs(2));
    let load = users(2, "1s", 9, "1s", 0);
    let drove = drive(&streams(&load, &counter(u64::MAX), until), &timing, Duration::ZERO, on).await;
    assert_eq!(drove.scheduled_ms(), [0, 0, 1000, 1000]);
    assert_eq!(timing.now(), Moment::EPOCH + Nanos::from_secs(1));
}

/// In real time: `drive` sees to it that none is early.
#[tokio::test]
async fn users_are_paced_by_the_kernels_timer_too() {
    let timing = Timing { pacing: Pacing::Precise, ..timing() };
    let load = users(3, "uniform:100us..2ms", 4, "3ms", 5);
    let drove = drive(&streams(&load, &counter(30), None), &timing, Duration::ZERO, on).await;
    assert_eq!(drove.numbers(), (0..30).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_driver_cancels_what_is_under_way() {
    let (timing, alive) = (timing(), Rc::new(()));
    let send = {
        let alive = Rc::clone(&alive);
        move |_| {
            let alive = Rc::clone(&alive);
            async move {
                std::future::pending::<()>().await;
                drop(alive);
                After::SessionOver
            }
        }
    };
    let (load, indexes) = (places(3), counter(u64::MAX));
    let streams = streams(&load, &indexes, None);
    let local = LocalSet::new();
    let driver = closed(&streams, &timing, send);
    assert!(local.run_until(tokio::time::timeout(MS_100, driver)).await.is_err());
    drop(local);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a bug in a request")]
async fn a_panicking_request_is_not_swallowed() {
    let send = |_| async { panic!("a bug in a request") };
    LocalSet::new().run_until(closed(&streams(&places(1), &counter(1), None), &timing(), send)).await;
}
