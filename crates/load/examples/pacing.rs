//! How late the pacer wakes on this machine: `cargo run --release -p load --example pacing`.
//!
//! 2,000 Poisson slots at 500/s through the open driver, once by each kind of pacing, with the thread
//! otherwise idle. Prints microseconds from the scheduled moment to the call of `send`.

use std::error::Error;
use std::sync::Arc;

use load::{Pacing, Places, Segment, Timing, open, schedule};
use schema::plan::{Arrival, Load, WhenFull};
use schema::units::Rate;
use tokio::task::LocalSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const SLOTS: u32 = 2_000;

#[expect(clippy::print_stdout, reason = "an example shows its figures")]
fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for pacing in [Pacing::Precise, Pacing::Tokio] {
        let mut lateness = runtime.block_on(LocalSet::new().run_until(lateness_ns(pacing)));
        lateness.sort_unstable();
        let micros = |percent| lateness[(lateness.len() - 1) * percent / 100] as f64 / 1e3;
        println!(
            "{pacing:?}: p50 {:.0} µs, p90 {:.0} µs, p99 {:.0} µs, max {:.0} µs",
            micros(50),
            micros(90),
            micros(99),
            micros(100)
        );
    }
    Ok(())
}

async fn lateness_ns(pacing: Pacing) -> Vec<u64> {
    let timing = Timing { epoch: Instant::now(), pacing, stop: CancellationToken::new() };
    let rate_per_s = Rate::per_second(500.0).expect("500 is above zero");
    let (arrival, when_full) = (Arrival::Poisson, WhenFull::NotSent);
    let load = Load::Open { rate_per_s, arrival, max_concurrency: 1, when_full };
    let slots = schedule(&load, &Arc::default(), 1, 0, timing.now(), 0, Segment::WHOLE);
    let slots = slots.expect("the load is open").take(SLOTS as usize);
    let mut lateness = Vec::with_capacity(SLOTS as usize);
    let send = |slot: load::Slot| {
        lateness.push((timing.now() - slot.scheduled).0);
        std::future::ready(())
    };
    open(slots, &timing, &Places::new(0, SLOTS, 1), WhenFull::NotSent, send, |_| {}).await;
    lateness
}
