use schema::summary::SloStatus::{self, Met, Missed, Undecided};

use super::*;
use crate::search::tests::tried;

const RATE: Rules = Rules { axis: Axis::Rate, first: 2.0, highest: 100.0, tolerance: 0.05, trials: 20 };
const STREAMS: Rules = Rules { axis: Axis::Concurrency, ..RATE };

#[track_caller]
fn check(rules: &Rules, seen: &[(f64, u64, SloStatus)], expected: f64) {
    let seen: Vec<_> = seen.iter().map(|&(level, steps, status)| tried(level, steps, status)).collect();
    assert_eq!(next(rules, &seen), Next::Level(expected));
}

#[track_caller]
fn check_over(rules: &Rules, seen: &[(f64, u64, SloStatus)], expected: &str) {
    let seen: Vec<_> = seen.iter().map(|&(level, steps, status)| tried(level, steps, status)).collect();
    assert_eq!(next(rules, &seen), Next::Over(expected.to_owned()));
}

#[test]
fn it_begins_where_it_was_told_and_doubles_until_the_slos_are_missed() {
    check(&RATE, &[], 2.0);
    check(&RATE, &[(2.0, 1, Met)], 4.0);
    check(&RATE, &[(2.0, 1, Met), (4.0, 1, Met)], 8.0);
    check(&RATE, &[(64.0, 1, Met)], 100.0);
    check_over(&RATE, &[(64.0, 1, Met), (100.0, 1, Met)], "no level above 100/s may be tried");
}

#[test]
fn it_halves_until_the_slos_are_met() {
    check(&RATE, &[(2.0, 1, Missed)], 1.0);
    check(&STREAMS, &[(2.0, 1, Missed)], 1.0);
    check_over(&STREAMS, &[(2.0, 1, Missed), (1.0, 1, Missed)], "even 1 at once misses");
}

#[test]
fn it_bisects_and_measures_both_ends_twice_before_it_believes_them() {
    check(&RATE, &[(8.0, 1, Met), (16.0, 1, Missed)], 11.31);
    check(&RATE, &[(8.0, 1, Met), (8.2, 1, Missed)], 8.0);
    check(&RATE, &[(8.0, 2, Met), (8.2, 1, Missed)], 8.2);
    check_over(&RATE, &[(8.0, 2, Met), (8.2, 2, Missed)], "the answer is as narrow as asked for");
    check_over(&STREAMS, &[(8.0, 2, Met), (9.0, 2, Missed)], "the answer is as narrow as asked for");
}

#[test]
fn an_undecided_level_is_measured_again_and_then_left_inside_the_interval() {
    check(&RATE, &[(8.0, 1, Met), (16.0, 1, Missed), (11.0, 2, Undecided)], 11.0);
    // Given up on, the wider gap beside it is narrowed.
    check(&RATE, &[(8.0, 1, Met), (16.0, 1, Missed), (11.0, 3, Undecided)], 13.27);
    check(&RATE, &[(8.0, 1, Met), (12.0, 1, Missed), (11.0, 3, Undecided)], 9.381);
    let stuck = [(10.8, 1, Met), (10.9, 3, Undecided), (11.1, 3, Undecided), (11.2, 1, Missed)];
    check_over(&Rules { tolerance: 0.03, ..RATE }, &stuck, "10.9/s to 11.1/s stay undecided: longer steps would tell");
}

#[test]
fn where_nothing_is_certain_for_want_of_requests_it_goes_up_and_not_down() {
    check(&RATE, &[(2.0, 1, Undecided)], 4.0);
    check(&RATE, &[(2.0, 1, Undecided), (4.0, 1, Undecided), (8.0, 1, Missed)], 4.0);
    check(&RATE, &[(2.0, 1, Undecided), (4.0, 5, Undecided), (8.0, 1, Missed)], 2.0);
    let open = [(2.0, 5, Undecided), (4.0, 5, Undecided), (8.0, 2, Missed)];
    check_over(&RATE, &open, "2.00/s stays undecided: longer steps would tell");
    check(&RATE, &[(2.0, 1, Undecided), (4.0, 1, Met)], 8.0);
}

#[test]
fn levels_that_contradict_each_other_are_measured_again_before_they_are_believed() {
    check(&RATE, &[(8.0, 2, Missed), (16.0, 1, Met)], 16.0);
    check(&RATE, &[(8.0, 2, Missed), (16.0, 2, Met)], 8.0);
    // Believed, the lower one counts.
    check(&RATE, &[(8.0, 3, Missed), (16.0, 3, Met)], 4.0);
}

#[test]
fn no_more_steps_are_taken_than_allowed() {
    check_over(&Rules { trials: 3, ..RATE }, &[(8.0, 1, Met), (16.0, 2, Undecided)], "all steps are used up");
}

#[test]
fn what_a_target_completed_where_it_could_not_keep_up_says_where_to_look() {
    let mut full = tried(64.0, 1, Missed);
    full.requests_per_s.value = 40.0;
    assert_eq!(next(&RATE, &[tried(16.0, 1, Met), full.clone()]), Next::Level(36.0));
    assert_eq!(next(&RATE, &[tried(36.0, 1, Met), full]), Next::Level(43.2));
}

#[test]
fn where_this_machine_is_the_limit_the_search_goes_no_higher_and_says_so() {
    let limited = |level, steps| Tried { client_limited: true, ..tried(level, steps, Undecided) };
    assert_eq!(next(&RATE, &[tried(8.0, 1, Met), limited(16.0, 1)]), Next::Level(16.0));
    assert_eq!(next(&RATE, &[tried(8.0, 1, Met), limited(16.0, 2)]), Next::Level(11.31));
    let ends = [tried(8.0, 2, Met), limited(8.3, 2)];
    assert_eq!(next(&RATE, &ends), Next::Over("from 8.30/s on this machine and not the target is the limit".into()));
    assert_eq!(next(&RATE, &[limited(2.0, 2)]), Next::Level(1.0));
    // What is met although this machine is slow is met.
    let met = Tried { client_limited: true, ..tried(2.0, 1, Met) };
    assert_eq!(next(&RATE, &[met]), Next::Level(4.0));
}

/// A server of which the share of requests within the bound falls with the level; a p95 asks for 95 % of them.
struct Server {
    /// The level at which 95 % of requests are within the bound.
    maximum: f64,
    /// How fast the share falls.
    steepness: i32,
    random: u64,
}

impl Server {
    /// xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016).
    fn draw(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How many of so many requests at `level` are within the bound.
    fn met(&mut self, level: f64, requests: u64) -> u64 {
        let beyond = 0.05 * (level / self.maximum).powi(self.steepness);
        (0..requests).filter(|_| self.draw() >= beyond).count() as u64
    }
}

/// Met, missed or undecided as the verdict on a percentile is: by the ranks that bound it.
fn judge(met: u64, of: u64) -> SloStatus {
    match stats::interval::ranks(of, 0.95) {
        (_, Some(high)) if met >= high => Met,
        (Some(low), _) if met < low => Missed,
        _ => Undecided,
    }
}

/// Searches to the end; what it found.
fn search(rules: &Rules, server: &mut Server, requests: u64) -> schema::curve::Answer {
    let mut seen: Vec<(f64, u64, u64, u64)> = Vec::new();
    let all = |seen: &[(f64, u64, u64, u64)]| -> Vec<Tried> {
        seen.iter().map(|&(level, steps, met, of)| tried(level, steps, judge(met, of))).collect()
    };
    while let Next::Level(level) = next(rules, &all(&seen)) {
        match seen.iter_mut().find(|(at, ..)| at.total_cmp(&level).is_eq()) {
            Some((_, steps, met, of)) => {
                *steps += 1;
                *met += server.met(level, 2 * requests);
                *of += 2 * requests;
            }
            None => seen.push((level, 1, server.met(level, requests), requests)),
        }
    }
    let verdicts: Vec<_> = all(&seen).iter().map(|tried| tried.verdict).collect();
    stats::answer(rules.axis, &[], &verdicts)
}

/// What a hundred seeded searches came to.
#[derive(Debug)]
struct Hundred {
    /// Intervals that hold the maximum.
    held: u32,
    /// Mean number of steps.
    steps: f64,
    /// Mean width of the intervals, relative to their lower ends.
    width: f64,
}

fn hundred(rules: &Rules, maximum: f64, steepness: i32, requests: u64) -> Hundred {
    let mut all = Hundred { held: 0, steps: 0.0, width: 0.0 };
    for seed in 1..=100 {
        let mut server = Server { maximum, steepness, random: 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed) };
        let found = search(rules, &mut server, requests);
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        all.held += u32::from(low <= maximum && maximum <= high);
        all.steps += found.steps as f64 / 100.0;
        all.width += (high - low) / low / 100.0;
    }
    all
}

#[track_caller]
fn check_hundred(rules: &Rules, (maximum, steepness, requests): (f64, i32, u64), most_steps: f64, widest: f64) {
    let all = hundred(rules, maximum, steepness, requests);
    assert!(all.held >= 95 && all.steps <= most_steps && all.width <= widest, "{all:?}");
}

#[test]
fn the_interval_holds_the_true_maximum_however_noisy_the_verdicts_are() {
    check_hundred(&RATE, (23.0, 20, 1000), 12.0, 0.05);
    check_hundred(&RATE, (23.0, 8, 200), 20.0, 0.15);
    check_hundred(&RATE, (23.0, 2, 200), 20.0, 0.5);
    check_hundred(&RATE, (57.3, 20, 100), 17.5, 0.08);
    check_hundred(&RATE, (0.3, 8, 100), 20.0, 0.2);
    check_hundred(&STREAMS, (23.5, 8, 200), 17.5, 0.15);
}
