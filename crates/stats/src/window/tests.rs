use super::*;
use crate::fixture::{failed, plan, record};
use schema::record::{FailureClass, Outcome};

fn refs(records: &[Record]) -> Vec<&Record> {
    records.iter().collect()
}

fn of(plan: &Plan, measured: &[&Record]) -> Throughput {
    throughput(plan, &Requests::of(plan, measured))
}

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs(), "{got} is not {expected}");
}

/// Blocks of 1 s, 2 s and 1 s, far apart, with two requests each: 4 s in all.
fn three_blocks() -> Vec<Record> {
    let block = |block, start, end| {
        let length = end - start;
        [record(start, &[10, length]), record(start, &[10, length / 2])].map(|r| Record { block, ..r })
    };
    [block(0, 0, 1_000), block(1, 10_000, 12_000), block(2, 50_000, 51_000)].concat()
}

#[test]
fn the_window_is_the_blocks_spans_without_what_lies_between() {
    let throughput = of(&plan(Vec::new()), &refs(&three_blocks()));
    assert_eq!(throughput.window_ns, Nanos::from_secs(4));
    near(throughput.requests_per_s.value, 6.0 / 4.0);
    near(throughput.output_tokens_per_s.value, 12.0 / 4.0);
    near(throughput.input_tokens_per_s.unwrap(), 60.0 / 4.0);
    near(throughput.mean_in_flight, 1.5);
    assert_eq!(throughput.offered_requests_per_s, None);
    assert_eq!(throughput.goodput_requests_per_s, None);
}

#[test]
fn rates_have_an_interval_from_three_blocks_on() {
    let records = three_blocks();
    let all = of(&plan(Vec::new()), &refs(&records)).requests_per_s;
    assert!(all.low.unwrap() < all.value && all.value < all.high.unwrap());
    let two = of(&plan(Vec::new()), &refs(&records[..4])).requests_per_s;
    assert_eq!((two.low, two.high), (None, None));
}

#[test]
fn failed_requests_take_time_but_are_no_throughput() {
    let mut records = three_blocks();
    records.truncate(2);
    records.push(Record { end_ns: Some(crate::fixture::ms(2_000)), ..failed(0, FailureClass::Stalled) });
    let throughput = of(&plan(Vec::new()), &refs(&records));
    assert_eq!(throughput.window_ns, Nanos::from_secs(2));
    near(throughput.requests_per_s.value, 1.0);
    near(throughput.mean_in_flight, 3.5 / 2.0);
}

#[test]
fn goodput_counts_requests_that_met_every_bound_one_by_one() {
    let mut plan = plan(Vec::new());
    plan.slos = vec!["ttft_p95<20ms".parse().unwrap(), "e2e_p50<900ms".parse().unwrap()];
    let throughput = of(&plan, &refs(&three_blocks()));
    near(throughput.goodput_requests_per_s.unwrap(), 2.0 / 4.0);
}

#[test]
fn an_open_loop_says_what_was_offered() {
    let mut plan = plan(Vec::new());
    plan.load = schema::plan::Load::Open {
        rate_per_s: "2/s".parse().unwrap(),
        arrival: schema::plan::Arrival::Constant,
        max_concurrency: 8,
        when_full: schema::plan::WhenFull::NotSent,
    };
    let mut records = three_blocks();
    records.extend([0, 1].map(|_| Record {
        start_ns: None,
        end_ns: None,
        outcome: Outcome::NotSent,
        ..record(0, &[])
    }));
    near(of(&plan, &refs(&records)).offered_requests_per_s.unwrap(), 8.0 / 4.0);
}

#[test]
fn nothing_sent_is_no_rate_at_all() {
    let throughput = of(&plan(Vec::new()), &[]);
    assert_eq!(throughput.requests_per_s, Estimate { value: 0.0, low: None, high: None });
    assert!(throughput.mean_in_flight.abs() < f64::EPSILON);
}

#[test]
fn the_peak_counts_what_overlaps() {
    let records = [record(0, &[100]), record(50, &[100]), record(100, &[100]), record(150, &[10])];
    assert_eq!(peak_in_flight(&refs(&records)), 2);
    assert_eq!(peak_in_flight(&[]), 0);
}

#[test]
fn few_requests_far_apart_are_no_more_a_second_than_were_offered() {
    let mut plan = plan(Vec::new());
    plan.load = schema::plan::Load::Open {
        rate_per_s: "1/s".parse().unwrap(),
        arrival: schema::plan::Arrival::Constant,
        max_concurrency: 8,
        when_full: schema::plan::WhenFull::NotSent,
    };
    let records: Vec<Record> = (0..4).map(|second| record(second * 1_000, &[10, 20])).collect();
    let throughput = of(&plan, &refs(&records));
    near(throughput.offered_requests_per_s.unwrap(), 1.0);
    near(throughput.requests_per_s.value, 1.0);
}

#[test]
fn a_request_of_the_start_up_that_was_sent_again_after_it_slows_no_offered_rate() {
    let mut plan = plan(Vec::new());
    plan.load = schema::plan::Load::Open {
        rate_per_s: "100/s".parse().unwrap(),
        arrival: schema::plan::Arrival::Constant,
        max_concurrency: 1000,
        when_full: schema::plan::WhenFull::NotSent,
    };
    let one = |index: u64| {
        let ttft = if index < 25 { 400 } else { 20 + index % 3 };
        Record { index, ..record(index * 10, &[ttft, ttft + 10]) }
    };
    let mut records: Vec<_> = (0..400).map(one).collect();
    records[2].outcome = failed(0, FailureClass::RateLimited).outcome;
    records.push(Record {
        attempt: 1,
        scheduled_ns: records[2].scheduled_ns,
        ..Record { index: 2, ..record(1_000, &[20, 30]) }
    });
    let (all, plan) = (refs(&records), &plan);
    let requests = Requests::of(plan, &all);
    assert!(requests.startup.is_some() && requests.steady.iter().any(|record| record.attempt == 1));
    near(of(plan, &all).offered_requests_per_s.unwrap(), 100.0);
}
