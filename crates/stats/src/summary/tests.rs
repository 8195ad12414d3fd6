use proptest::prelude::*;
use schema::record::{FailureClass, FinishReason, TokenCounts, Usage};
use schema::target::Price;
use schema::units::Moment;

use super::*;
use crate::fixture::{failed, plan, price, record, target};

fn named(name: &str, record: Record) -> Record {
    Record { target: name.parse().unwrap(), ..record }
}

/// Forty requests of target `a`, two at once, 100 + i ms to the first of eleven tokens, then 10 ms each.
fn forty() -> Vec<Record> {
    let after = |i: u64| (0..=10).map(move |k| 100 + i + 10 * k).collect::<Vec<u64>>();
    (0..40).map(|i| record(i / 2 * 1_000, &after(i))).collect()
}

#[test]
fn a_summary_counts_each_request_once() {
    let mut records = forty();
    records.extend([FailureClass::Stalled, FailureClass::RateLimited, FailureClass::RateLimited].map(|c| failed(0, c)));
    for outcome in [Outcome::NotSent, Outcome::Cancelled, Outcome::Interrupted] {
        records.push(Record { start_ns: None, end_ns: None, tokens: None, outcome, ..record(0, &[]) });
    }
    records.push(Record { phase: Phase::Warmup, ..record(0, &[5_000]) });
    records.push(named("b", record(0, &[7])));
    let summary = summarise(&plan(vec![target("a"), target("b"), target("c")]), &Measured::records(&records));
    let a = &summary.targets[0];
    assert_eq!((a.attempted, a.completed, a.not_sent, a.cancelled, a.interrupted, a.warmup), (46, 40, 1, 1, 1, 1));
    assert_eq!(a.failures, BTreeMap::from([(FailureClass::Stalled, 1), (FailureClass::RateLimited, 2)]));
    assert_eq!(a.finish_reasons, BTreeMap::from([(FinishReason::Stop, 40)]));
    assert!((a.success_rate - 40.0 / 44.0).abs() < 1e-12);
    assert_eq!((a.output_tokens, a.input_tokens), (440, 400));
    assert!((a.tokens_per_event - 1.0).abs() < 1e-12 && (a.kernel_stamped - 1.0).abs() < 1e-12);
    assert_eq!(summary.targets[1].completed, 1);
    assert_eq!(summary.targets[2].quality.trust, Trust::NoData);
    assert_eq!(summary.quality.trust, Trust::NoData);
}

#[test]
fn distributions_are_of_completed_measured_requests_alone() {
    let mut records = forty();
    records.push(Record { phase: Phase::Warmup, ..record(0, &[5_000, 6_000]) });
    records.push(Record { outcome: failed(0, FailureClass::Truncated).outcome, ..record(0, &[4_000, 9_000]) });
    let refs: Vec<&Record> = records.iter().collect();
    let summary = summarise_target(&plan(Vec::new()), &target("a"), &refs);
    let ttft = &summary.metrics[&Metric::Ttft];
    assert_eq!(ttft.n, 40);
    assert!((ttft.max - 139e6).abs() < 1.0 && (ttft.min - 100e6).abs() < 1.0);
    assert!((ttft.p50.known().unwrap().value - 119.5e6).abs() < 1.0);
    assert_eq!(ttft.p95, schema::summary::Percentile::Withheld { needs_more: 32 });
    let itl = &summary.metrics[&Metric::Itl];
    assert_eq!(itl.n, 400);
    assert!((itl.p50.known().unwrap().value - 10e6).abs() < 1.0);
    assert!(!summary.metrics.contains_key(&Metric::ServerTtft));
    assert!(summary.cross_checks.iter().all(|c| c.holds), "{:?}", summary.cross_checks);
}

#[test]
fn warnings_say_what_the_numbers_do_not() {
    let off = |source| {
        let mut record = Record { forced_length: true, ..record(0, &[10, 20]) };
        record.tokens = Some(TokenCounts { input: Some(10), output: 60, source });
        record.usage = Some(Usage { cached_input_tokens: Some(5), ..Usage::default() });
        record
    };
    let (a, b) = (off(TokenSource::ServerUsage), named("b", off(TokenSource::ContentEvents)));
    let dear = Target {
        price: Some(Price { note: Some("off-peak hours".into()), ..price() }),
        simulated: true,
        ..target("a")
    };
    let mut plan = plan(vec![dear, target("b")]);
    plan.transport.insecure = true;
    let summary = summarise(&plan, &Measured::records(&[a, b]));
    assert_eq!(summary.targets[0].off_length, 1);
    assert_eq!(summary.targets[1].off_length, 0);
    assert!(summary.simulated);
    let all = [summary.targets[0].warnings.clone(), summary.warnings].concat().join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn unlike_lengths_are_told() {
    let long: Vec<u64> = (1..=30).collect();
    let records = [named("a", record(0, &long)), named("b", record(0, &[1, 2, 3]))];
    let summary = summarise(&plan(vec![target("a"), target("b")]), &Measured::records(&records));
    assert_eq!(
        summary.warnings,
        ["answers differ in length (b 3 tokens, a 30): compare TTFT and TPOT, not E2E or cost a request"]
    );
}

#[test]
fn the_order_of_records_does_not_matter() {
    let plan = plan(vec![target("a")]);
    let mut records = forty();
    let forwards = summarise(&plan, &Measured::records(&records));
    records.reverse();
    assert_eq!(
        summarise(&plan, &Measured::records(&records)).targets[0].metrics[&Metric::Ttft].p50,
        forwards.targets[0].metrics[&Metric::Ttft].p50
    );
    assert_eq!(summarise(&plan, &Measured::records(&records)).targets[0].slos, forwards.targets[0].slos);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_records_give_a_summary(instants in prop::collection::vec((0u64..1_000, 0u64..1_000, prop::collection::vec(0u64..2_000, 0..8), 0u8..5), 0..60)) {
        let mut plan = plan(vec![Target { price: Some(price()), ..target("a") }]);
        plan.slos = vec!["ttft_p95<1ms".parse().unwrap(), "itl_p99<1ms".parse().unwrap(), "output_speed>5".parse().unwrap()];
        let records: Vec<Record> = instants
            .into_iter()
            .map(|(scheduled, start, after, kind)| {
                let mut record = Record { scheduled_ns: Moment(scheduled), end_ns: Some(Moment(start / 2)), ..record(start, &after) };
                match kind {
                    0 => record.outcome = Outcome::Interrupted,
                    1 => (record.start_ns, record.outcome) = (None, Outcome::NotSent),
                    2 => record.tokens = None,
                    3 => {
                        let all = Some(u64::MAX);
                        record.usage = Some(Usage { input_tokens: all, cached_input_tokens: all, ..Usage::default() });
                        let source = TokenSource::ServerUsage;
                        record.tokens = Some(TokenCounts { input: all, output: u64::MAX, source });
                    }
                    _ => {}
                }
                record
            })
            .collect();
        let summary = summarise(&plan, &Measured::records(&records));
        let json = serde_json::to_string(&summary).unwrap();
        prop_assert!(serde_json::from_str::<Summary>(&json).is_ok(), "{}", json);
        for d in summary.targets[0].metrics.values() {
            prop_assert!(d.min <= d.max && d.n > 0);
            for p in [d.p50, d.p90, d.p95, d.p99].iter().filter_map(|p| p.known().copied()) {
                prop_assert!(d.min <= p.low.unwrap() && p.low.unwrap() <= p.high.unwrap() && p.high.unwrap() <= d.max);
            }
        }
    }
}
