use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// What a queue of one server, M/M/1, shows: arrivals `load` times as fast as it serves, ten a second.
struct Queue {
    seen: Vec<Seen>,
    in_flight: Vec<(Moment, u32)>,
}

fn seconds(at: f64) -> Moment {
    Moment(Nanos::from_secs_f64(at).0)
}

impl Queue {
    /// From empty, watched twice a second until `share` of the arrivals have come.
    fn new(load: f64, arrivals: usize, share: f64, number: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(number);
        let mut exponential = |mean: f64| -> f64 { -mean * (1.0 - random.random::<f64>()).ln() };
        let (mut due, mut free) = (0.0, 0.0f64);
        let mut requests: Vec<(f64, f64)> = Vec::new();
        for _ in 0..arrivals {
            due += exponential(0.1);
            free = free.max(due) + exponential(0.1 * load);
            requests.push((due, free));
        }
        let now = due * share;
        let answered = requests.iter().filter(|(_, end)| *end <= now);
        let seen = answered.map(|&(due, end)| Seen { at: seconds(due), ttft: seconds(end) - seconds(due) }).collect();
        let looks = (1..).map(|look| f64::from(look) / 2.0).take_while(|at| *at < now);
        let busy = |at: f64| requests.iter().filter(|(due, end)| *due <= at && *end > at).count();
        let in_flight = looks.map(|at| (seconds(at), u32::try_from(busy(at)).unwrap())).collect();
        Self { seen, in_flight }
    }

    fn verdict(&self) -> Option<String> {
        saturation(&self.seen, &self.in_flight)
    }
}

/// Share of 100 seeds in which the queue is called saturated at any of the `looks`.
fn share(load: f64, arrivals: usize, looks: &[f64]) -> f64 {
    let called = |seed| looks.iter().any(|&look| Queue::new(load, arrivals, look, seed).verdict().is_some());
    (0..100).filter(|&seed| called(seed)).count() as f64 / 100.0
}

const ONCE: [f64; 1] = [1.0];
const OFTEN: [f64; 8] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

#[test]
fn a_queue_at_seventy_per_cent_keeps_up_however_often_it_is_looked_at() {
    for arrivals in [100, 300, 1_000] {
        let (once, often) = (share(0.7, arrivals, &ONCE), share(0.7, arrivals, &OFTEN));
        assert!(once <= 0.05 && often <= 0.05, "{once} and {often} of {arrivals} arrivals");
    }
}

#[test]
fn a_queue_at_a_hundred_and_twenty_per_cent_cannot_keep_up() {
    let share = share(1.2, 2_000, &ONCE);
    assert!(share >= 0.95, "{share}");
}

#[test]
fn a_queue_at_twice_its_capacity_is_known_soon() {
    let share = share(2.0, 200, &ONCE);
    assert!(share >= 0.95, "{share}");
}

#[test]
fn why_says_how_much_grew() {
    insta::assert_snapshot!(Queue::new(1.5, 600, 1.0, 3).verdict().unwrap(), @"requests in flight grew from 60 to 183 in 43.9 s, and TTFT from 6.86 s to 19.1 s");
}

#[test]
fn a_full_closed_loop_and_an_empty_step_say_nothing() {
    let seen: Vec<Seen> = (0..300_u32).map(|i| Seen { at: seconds(f64::from(i)), ttft: Nanos(u64::from(i)) }).collect();
    let full: Vec<(Moment, u32)> = (0..300).map(|i| (seconds(f64::from(i)), 8)).collect();
    assert_eq!(saturation(&seen, &full), None);
    assert_eq!(saturation(&[], &[]), None);
    assert_eq!(saturation(&seen, &[]), None);
}
