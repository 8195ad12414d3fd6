use schema::record::FailureClass;

use super::*;
use crate::fixture::{failed, price, record, target};

fn watched(records: &[Record]) -> TargetSnapshot {
    let mut live = Live::new(&[Target { price: Some(price()), ..target("a") }, target("b")]);
    for record in records {
        live.record(record);
    }
    let mut snapshot = live.snapshot();
    assert_eq!(snapshot.targets.len(), 2);
    assert_eq!(snapshot.targets[1].done, 0);
    snapshot.targets.remove(0)
}

#[test]
fn records_add_up_as_they_come() {
    let seen = watched(&[
        record(0, &[100, 1_000]),
        record(0, &[120, 500]),
        record(1_000, &[140, 1_000]),
        failed(0, FailureClass::Stalled),
        failed(0, FailureClass::RateLimited),
        Record { phase: Phase::Warmup, ..record(0, &[9_000]) },
    ]);
    assert_eq!((seen.done, seen.failed, seen.throttled, seen.warmup), (5, 1, 1, 1));
    let p50 = seen.ttft_p50.unwrap().as_millis_f64();
    assert!((p50 - 120.0).abs() < 0.2, "{p50}");
    // Six tokens in two seconds.
    assert!((seen.output_tokens_per_s.unwrap() - 3.0).abs() < 1e-9);
    // Four answers to ten tokens and seven tokens out, warm-up included.
    assert_eq!(seen.cost, Some("$0.000054".parse().unwrap()));
}

#[test]
fn blocks_apart_in_time_do_not_slow_it_down() {
    let later = Record { block: 1, ..record(60_000, &[100, 1_000]) };
    let seen = watched(&[record(0, &[100, 1_000]), later]);
    assert!((seen.output_tokens_per_s.unwrap() - 2.0).abs() < 1e-9);
}

#[test]
fn nothing_seen_is_nothing_shown() {
    let seen = watched(&[]);
    assert_eq!((seen.ttft_p50, seen.output_tokens_per_s, seen.cost), (None, None, Some(Usd::ZERO)));
}

#[test]
fn a_stranger_is_ignored() {
    let stranger = Record { target: "c".parse().unwrap(), ..record(0, &[1]) };
    assert_eq!(watched(&[stranger]).done, 0);
}
