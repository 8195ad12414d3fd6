//! Whether the intervals of searches hold what they look for as often as they say: whole searches at a queue that is
//! computed and not served, so that hundreds take seconds.
//!
//! The engine has so many places, each busy with one request for its service time, and one queue before them; the rate
//! at which it just meets its bound is found beforehand by simulating it over a million arrivals.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use load::Segment;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use schema::event::{Event, EventKind, Events, Stamp};
use schema::plan::{Arrival, Slo, WhenFull};
use schema::record::{FinishReason, Outcome};
use schema::units::Rate;

use super::*;
use crate::turns::tests::{plan, record};

/// Seconds from one count of the requests in flight to the next, and counts from one look at them to the next.
const COUNT_EVERY: f64 = 0.1;
const COUNTS_A_LOOK: u32 = 10;

/// An engine, and what is asked of it.
#[derive(Debug, Clone, Copy)]
struct Queue {
    places: u32,
    /// Mean time a request takes in a place, seconds, and its coefficient of variation.
    service: f64,
    spread: f64,
    /// Share of the service time until the first content.
    first: f64,
    slo: &'static str,
    /// The highest rate at which the bound is met, as [`Queue::highest`] finds it.
    truth: f64,
    /// Where a search begins, how long its steps are and how wide its answer may be.
    from: f64,
    step_s: u64,
    tolerance: f64,
}

/// That of the benchmark with sockets.
const EVEN: Queue = Queue {
    places: 32,
    service: 0.4,
    spread: 0.0,
    first: 0.25,
    slo: "ttft_p90<120ms",
    truth: 64.16,
    from: 48.0,
    step_s: 5,
    tolerance: 0.1,
};

/// Answers of unlike lengths, and a bound that one request in twenty may break.
const UNEVEN: Queue = Queue {
    places: 16,
    service: 0.5,
    spread: 0.7,
    first: 0.1,
    slo: "ttft_p95<300ms",
    truth: 0.0,
    from: 4.0,
    step_s: 10,
    tolerance: 0.05,
};

/// Few places, which remember long.
const NARROW: Queue = Queue {
    places: 4,
    service: 0.4,
    spread: 1.0,
    first: 0.25,
    slo: "ttft_p90<1s",
    truth: 0.0,
    from: 1.0,
    step_s: 20,
    tolerance: 0.1,
};

/// One request in a hundred may wait.
const WIDE: Queue = Queue {
    places: 64,
    service: 0.4,
    spread: 0.3,
    first: 0.1,
    slo: "ttft_p99<150ms",
    truth: 0.0,
    from: 20.0,
    step_s: 10,
    tolerance: 0.05,
};

/// A request's moments, seconds: due, first content, end.
type Served = (f64, f64, f64);

impl Queue {
    /// What becomes of requests due at those moments, first come, first served.
    fn serve(self, due: impl Iterator<Item = f64>, random: &mut ChaCha8Rng) -> impl Iterator<Item = Served> {
        let mut free: BinaryHeap<Reverse<Nanos>> = (0..self.places).map(|_| Reverse(Nanos::ZERO)).collect();
        let sigma = (1.0 + self.spread * self.spread).ln();
        due.map(move |due| {
            let Reverse(at) = free.pop().expect("there are places");
            let begin = at.as_secs_f64().max(due);
            let service = self.service * (sigma.sqrt() * normal(random) - sigma / 2.0).exp();
            free.push(Reverse(Nanos::from_secs_f64(begin + service)));
            // The way there and back takes a little, and not always the same.
            let jitter = 2e-4 * random.random::<f64>();
            (due, begin + service * self.first + jitter, begin + service + jitter)
        })
    }

    /// Share of a million requests that meet the bound at a rate.
    fn share(self, rate: f64) -> f64 {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut arrivals = ChaCha8Rng::seed_from_u64(2);
        let mut now = 0.0;
        let due = (0..1_000_000).map(|_| {
            now -= (1.0 - arrivals.random::<f64>()).ln() / rate;
            now
        });
        let slo: Slo = self.slo.parse().unwrap();
        let met = self.serve(due, &mut random).filter(|(due, first, _)| slo.met_by((first - due) * 1e9)).count();
        met as f64 / 1e6
    }

    /// The highest rate at which the bound is met, by halving.
    fn highest(self) -> f64 {
        let wanted = self.slo.parse::<Slo>().unwrap().quantile.unwrap().get();
        let (mut low, mut high) = (0.0, f64::from(self.places) / self.service);
        for _ in 0..16 {
            let middle = f64::midpoint(low, high);
            if self.share(middle) > wanted { low = middle } else { high = middle }
        }
        low
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, turn): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}

fn moment(seconds: f64) -> Moment {
    Moment::EPOCH + Nanos::from_secs_f64(seconds)
}

/// The record of a request of a turn that was cut short at `cut`.
fn recorded(turn: &Turn, index: u64, (due, first, end): Served, cut: f64) -> Arc<Record> {
    let content = |at: f64| Event {
        arrival: moment(at),
        lag_ns: 0,
        bytes: 1,
        tokens: 1,
        kind: EventKind::Text,
        stamp: Stamp::Kernel,
        shared_read: false,
    };
    let outcome = if end <= cut { Outcome::Complete { finish: FinishReason::Stop } } else { Outcome::Cancelled };
    Arc::new(Record {
        index,
        block: turn.block,
        step: turn.step.expect("a step of a search").number,
        scheduled_ns: moment(due),
        start_ns: Some(moment(due)),
        end_ns: Some(moment(end.min(cut))),
        events: Events::from([first, end].into_iter().filter(|at| *at <= cut).map(content).collect::<Vec<_>>()),
        outcome,
        ..record()
    })
}

/// When and why a turn is cut short, if it is: looked at as it goes on.
fn cut(served: &[Served], began: f64, length: f64) -> Option<(f64, String)> {
    let mut in_flight = Vec::new();
    let mut count = 0;
    loop {
        count += 1;
        let now = began + f64::from(count) * COUNT_EVERY;
        if now >= began + length {
            return None;
        }
        let open = served.iter().filter(|(due, _, end)| *due <= now && now < *end).count();
        in_flight.push((moment(now), u32::try_from(open).unwrap()));
        if count % COUNTS_A_LOOK != 0 {
            continue;
        }
        let over = served.iter().filter(|(_, _, end)| *end <= now);
        let seen: Vec<stats::Seen> =
            over.map(|(due, first, _)| stats::Seen { at: moment(*due), ttft: moment(*first) - moment(*due) }).collect();
        if let Some(why) = stats::saturation(&seen, &in_flight) {
            return Some((now, why));
        }
    }
}

/// Carries out a turn that begins at `began`, seconds, with nobody in the queue; what was seen, and when sending ended.
fn carry_out(queue: Queue, turn: &Turn, seed: u64, began: f64, random: &mut ChaCha8Rng) -> (Seen, f64) {
    let Share::Open(numbers) = turn.share.clone() else { panic!("an open loop") };
    let length = turn.length.expect("a length").as_secs_f64();
    let offsets = Arc::from([]);
    let slots =
        load::schedule(&turn.load, &offsets, seed, turn.block, moment(began), numbers.start, Segment::WHOLE).unwrap();
    let due = slots.take_while(|slot| slot.index < numbers.end).map(|slot| slot.scheduled.0 as f64 / 1e9);
    let served: Vec<Served> = queue.serve(due, random).collect();
    let cut = cut(&served, began, length);
    let end = cut.as_ref().map_or(f64::INFINITY, |(at, _)| *at);
    let sent = (numbers.start..).zip(&served).filter(|(_, (due, ..))| *due <= end);
    let records = sent.map(|(index, one)| recorded(turn, index, *one, end)).collect();
    (Seen { records, saturated: cut.map(|(_, why)| why) }, end.min(began + length))
}

/// What one search came to.
#[derive(Debug)]
struct Found {
    low: f64,
    high: f64,
    steps: u32,
    requests: usize,
    /// Seconds of sending.
    seconds: f64,
}

fn search(queue: Queue, seed: u64) -> Found {
    let open = Load::Open {
        rate_per_s: Rate::per_second(queue.from).unwrap(),
        arrival: Arrival::Poisson,
        max_concurrency: 10_000,
        when_full: WhenFull::NotSent,
    };
    let (first, tolerance) = (queue.from, queue.tolerance);
    let search = Search::FindMax { axis: Axis::Rate, first, highest: None, tolerance, trials: 30 };
    let mut plan = plan(&["a"], open, Stop::DurationNs(Nanos::from_secs(queue.step_s)));
    (plan.seed, plan.search, plan.slos) = (seed, Some(search), vec![queue.slo.parse().unwrap()]);
    let plan = Arc::new(plan);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut searching = Searching::new(Arc::clone(&plan), search, 10_000, None);
    let (mut now, mut steps, mut requests, mut seconds) = (0.0, 0, 0, 0.0);
    while let Some(turn) = searching.next(|_| true) {
        let began = now + 10.0;
        let (outcome, ended) = carry_out(queue, &turn, seed, began, &mut random);
        (steps, requests, seconds) = (steps + 1, requests + outcome.records.len(), seconds + ended - began);
        now = ended + 100.0;
        let whole = outcome.saturated.is_none();
        searching.take_in(&turn, Span { began: moment(began), whole, broken_off: false }, outcome);
    }
    let verdicts: Vec<_> = searching.targets[0].tried.iter().map(|tried| tried.verdict).collect();
    let found = stats::answer(Axis::Rate, &plan.slos, &verdicts);
    let (low, high) = (found.low.unwrap_or(0.0), found.high.unwrap_or(f64::INFINITY));
    Found { low, high, steps, requests, seconds }
}

/// What several seeded searches came to.
#[derive(Debug, Default)]
struct Many {
    /// Intervals that hold the truth, and those that lie above and below it.
    hold: u64,
    above: u64,
    below: u64,
    /// Intervals with both ends.
    closed: u64,
    /// Means over all.
    steps: f64,
    requests: f64,
    seconds: f64,
    /// Mean width of the intervals with both ends, relative to the truth.
    width: f64,
}

fn many(queue: Queue, searches: u64) -> Many {
    let mut all = Many::default();
    let share = 1.0 / searches as f64;
    for seed in 1..=searches {
        let found = search(queue, seed);
        all.above += u64::from(found.low > queue.truth);
        all.below += u64::from(found.high < queue.truth);
        all.steps += f64::from(found.steps) * share;
        all.requests += found.requests as f64 * share;
        all.seconds += found.seconds * share;
        if found.low > 0.0 && found.high.is_finite() {
            all.closed += 1;
            all.width += (found.high - found.low) / queue.truth;
        }
    }
    all.hold = searches - all.above - all.below;
    all.width /= all.closed as f64;
    all
}

#[test]
fn an_interval_holds_the_truth_where_independent_requests_would_miss_it() {
    for seed in [5, 10] {
        let found = search(EVEN, seed);
        assert!(found.low <= EVEN.truth && EVEN.truth <= found.high, "{found:?}");
        assert!(found.high < 1.5 * found.low, "{found:?}");
    }
}

/// Of 300 searches each, with requests taken for independent and as it is now: even 199 and 300 hold the truth,
/// uneven 61 and 298, narrow 92 and 277, wide 139 and 300. A queue of few places remembers for longer than what is in
/// flight stays there, which is why the narrow one falls short of 95 %.
#[test]
#[ignore = "hundreds of searches"]
#[expect(clippy::print_stdout, reason = "prints its figures")]
fn measure() {
    let searches = std::env::var("SEARCHES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    for (name, queue) in [("even", EVEN), ("uneven", UNEVEN), ("narrow", NARROW), ("wide", WIDE)] {
        let queue = Queue { truth: queue.highest(), ..queue };
        let found: Many = many(queue, searches);
        println!("{name}: truth {:.2}/s of {:.0}: {found:?}", queue.truth, f64::from(queue.places) / queue.service);
    }
}
