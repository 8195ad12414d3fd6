use schema::units::Nanos;

use super::*;

/// Real time: order is asserted, never a duration.
#[track_caller]
fn check_never_early(alarm: fn() -> Alarm) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let epoch = Instant::now();
        let mut pacer = Pacer { epoch, alarm: alarm() };
        for micros in [0, 1, 50, 400, 401, 2_500, 4_000] {
            let moment = Moment::EPOCH + Nanos(micros * 1_000);
            pacer.until(moment).await;
            assert!(pacer.is_due(moment), "woke before {micros} µs");
        }
    });
}

#[test]
fn no_pacer_wakes_early() {
    check_never_early(Alarm::precise);
    check_never_early(|| Alarm::Polling);
    check_never_early(|| Alarm::Tokio);
}

#[cfg(target_os = "linux")]
#[test]
fn linux_waits_by_the_kernels_timer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { assert!(matches!(Alarm::precise(), Alarm::TimerFd(_))) });
}

#[test]
fn a_wait_cut_short_does_not_spoil_the_next() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let epoch = Instant::now();
        let mut pacer = Pacer::new(epoch, Pacing::Precise);
        let far = Moment::EPOCH + Nanos::from_secs(3_600);
        for millis in [2, 4, 6] {
            let soon = Moment::EPOCH + Nanos::from_millis(millis);
            let cut = tokio::time::sleep_until(epoch + Duration::from_nanos(soon.0));
            tokio::select! {
                () = pacer.until(far) => panic!("an hour passed"),
                () = cut => {}
            }
            let next = soon + Nanos(300_000);
            pacer.until(next).await;
            assert!(pacer.is_due(next));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn the_runtimes_timer_keeps_to_paused_time() {
    let epoch = Instant::now();
    let mut pacer = Pacer::new(epoch, Pacing::Tokio);
    pacer.until(Moment::EPOCH + Nanos::from_secs(3_600)).await;
    assert_eq!(Instant::now() - epoch, Duration::from_hours(1));
}

#[tokio::test(start_paused = true)]
async fn a_moment_beyond_the_clock_never_comes() {
    let mut pacer = Pacer::new(Instant::now(), Pacing::Tokio);
    let wait = pacer.until(Moment(u64::MAX));
    assert!(tokio::time::timeout(Duration::from_hours(24), wait).await.is_err());
}
