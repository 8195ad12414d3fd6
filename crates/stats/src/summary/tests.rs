use proptest::prelude::*;
use schema::plan::Retry;
use schema::record::{ConnectTimes, FailureClass, FinishReason, TokenCounts, Usage};
use schema::target::Price;
use schema::units::{Moment, Nanos};

use super::*;
use crate::fixture::{edit, failed, plan, price, record, target};

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
fn a_comparison_says_in_what_the_targets_are_unlike() {
    let long: Vec<u64> = (1..=30).collect();
    let both = |i: u64| [named("a", record(100 * i, &long)), named("b", record(100 * i, &[1, 2, 3]))];
    let records: Vec<Record> = (0..40).flat_map(both).collect();
    let summary = summarise(&plan(vec![target("a"), target("b")]), &Measured::records(&records));
    let unlike = summary.comparison.unwrap().unlike;
    assert_eq!(
        unlike.iter().map(|unlike| unlike.detail.as_str()).collect::<Vec<_>>(),
        ["answers are of unlike lengths: 30 tokens of a on average, 3 of b (D = 1.00): compare TTFT and TPOT, not \
             E2E, rates or cost"]
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

#[test]
fn a_request_counts_by_its_last_attempt_and_the_others_are_retries() {
    let again = |index, attempt, record: Record| Record { index, attempt, ..record };
    let mut records: Vec<Record> = (0..40).map(|i| again(i, 0, record(i * 100, &[50, 90]))).collect();
    records[7] = again(7, 0, failed(700, FailureClass::Overloaded));
    records.push(again(7, 1, record(1_700, &[50, 90])));
    records[9] = again(9, 0, failed(900, FailureClass::Overloaded));
    records.push(again(9, 1, failed(1_900, FailureClass::ServerError)));
    let summary = summarise(&plan(vec![target("a")]), &Measured::records(&records)).targets.remove(0);
    assert_eq!((summary.attempted, summary.completed, summary.retries), (40, 39, 2));
    assert_eq!(summary.failures, BTreeMap::from([(FailureClass::ServerError, 1)]));
    assert_eq!(summary.metrics[&Metric::Ttft].n, 39);
    assert!((summary.metrics[&Metric::Ttft].max - 50e6).abs() < 1.0);
    assert_eq!(summary.metrics[&Metric::ScheduleLag].n, 38);
}

#[test]
fn a_start_up_stays_in_the_counts_and_out_of_the_figures() {
    let ttft = |i: u64| if i < 12 { 400 } else { 50 } + i * 7 % 11;
    let records: Vec<Record> =
        (0..200).map(|i| Record { index: i, ..record(i * 100, &[ttft(i), ttft(i) + 40]) }).collect();
    let summary = summarise(&plan(vec![target("a")]), &Measured::records(&records)).targets.remove(0);
    let startup = summary.startup.unwrap();
    assert_eq!((summary.attempted, summary.completed), (200, 200));
    assert_eq!(summary.metrics[&Metric::Ttft].n, 200 - startup.requests);
    assert!(summary.metrics[&Metric::Ttft].max < 100e6);
    assert!((summary.throughput.requests_per_s.value - 10.0).abs() < 0.1, "{:?}", summary.throughput);
}

#[test]
fn waiting_for_a_place_is_explained_and_no_fault_of_the_client() {
    let mut plan = plan(vec![target("a")]);
    plan.load = Load::Open {
        rate_per_s: "10/s".parse().unwrap(),
        arrival: schema::plan::Arrival::Constant,
        max_concurrency: 8,
        when_full: WhenFull::Wait,
    };
    let due = |i: u64| crate::fixture::ms(i * 100 + 5_000 - i * 20);
    let records: Vec<Record> =
        (0..100).map(|i| Record { index: i, scheduled_ns: due(i), ..record(i * 100 + 5_000, &[50, 90]) }).collect();
    let summary = summarise(&plan, &Measured::records(&records)).targets.remove(0);
    assert_eq!((summary.waited, summary.quality.trust), (99, Trust::Trustworthy));
    insta::assert_snapshot!(summary.warnings.join("\n"), @"99 requests waited up to 1.98 s for one of 8 places: TTFT counts from when they were sent, TTFT from schedule from when they were due");
}

/// One place, ten requests due a second for ten seconds, of which every fourth found it taken.
fn crammed(change: impl FnOnce(&mut Plan)) -> TargetSummary {
    let mut plan = plan(vec![target("a")]);
    let arrival = schema::plan::Arrival::Constant;
    let (rate_per_s, when_full) = ("10/s".parse().unwrap(), WhenFull::NotSent);
    plan.load = Load::Open { rate_per_s, arrival, max_concurrency: 1, when_full };
    change(&mut plan);
    let sent = |i: u64| Record { index: i, scheduled_ns: crate::fixture::ms(i * 100), ..record(i * 100, &[50, 90]) };
    let one =
        |i: u64| if i % 4 == 3 { Record { start_ns: None, outcome: Outcome::NotSent, ..sent(i) } } else { sent(i) };
    summarise(&plan, &Measured::records(&(0..100).map(one).collect::<Vec<_>>())).targets.remove(0)
}

#[test]
fn a_load_that_was_not_offered_is_part_of_the_verdict() {
    let summary = crammed(|_| {});
    assert_eq!((summary.not_sent, summary.quality.trust), (25, Trust::ClientLimited));
    insta::assert_snapshot!(summary.quality.reasons[0], @"the load asked for was not offered: 25 of 100 requests not sent (7.5 of 10.0 requests/s were), the one place being taken; raise `--max-concurrency`, or let them wait with `--when-full wait`");
    let waiting = |plan: &mut Plan| {
        if let Load::Open { when_full, .. } = &mut plan.load {
            *when_full = WhenFull::Wait;
        }
    };
    insta::assert_snapshot!(crammed(waiting).quality.reasons[0], @"the load asked for was not offered: 25 of 100 requests not sent (7.5 of 10.0 requests/s were), as they still waited when time was up, the one place being taken; raise `--max-concurrency`, or ask for less");
    let closed = crammed(|plan| plan.load = Load::Closed { concurrency: 1 });
    assert_eq!(closed.quality.trust, Trust::Trustworthy, "{:?}", closed.quality.reasons);
}

#[test]
fn what_kept_requests_from_being_sent_is_told_limits_or_places() {
    let all = |connecting_ms: u64, in_flight_ms: u64| {
        let mut plan = plan(vec![target("a")]);
        let arrival = schema::plan::Arrival::Constant;
        let (rate_per_s, when_full) = ("10/s".parse().unwrap(), WhenFull::NotSent);
        plan.load = Load::Open { rate_per_s, arrival, max_concurrency: 2, when_full };
        plan.respect_limits = true;
        // Of four, two 100 ms apart are sent and two are not.
        let one = |i: u64| {
            let scheduled_ns = crate::fixture::ms(i * 100);
            match i % 4 {
                0 | 1 => {
                    let tcp_ns = Nanos::from_millis(connecting_ms);
                    let connect = ConnectTimes { dns_ns: None, tcp_ns, tls_ns: None };
                    let sent = record(i * 100 + connecting_ms, &[50, in_flight_ms]);
                    Record { index: i, scheduled_ns, connect: Some(connect), ..sent }
                }
                _ => Record { start_ns: None, outcome: Outcome::NotSent, index: i, scheduled_ns, ..record(0, &[1]) },
            }
        };
        let mut records: Vec<_> = (0..100).map(one).collect();
        records.push(failed(20_000, FailureClass::RateLimited));
        summarise(&plan, &Measured::records(&records)).targets.remove(0).quality.reasons.remove(0)
    };
    let connecting = all(180, 170);
    assert_eq!(connecting, all(0, 350), "who connects has a place");
    insta::assert_snapshot!(connecting, @"the load asked for was not offered: 50 of 101 requests not sent (2.5 of 5.0 requests/s were), both places being taken; raise `--max-concurrency`, or let them wait with `--when-full wait`");
    insta::assert_snapshot!(all(0, 60), @"the load asked for was not offered: 50 of 101 requests not sent (2.5 of 5.0 requests/s were), held back by the provider's limits until time was up; ask for less, or for longer");
}

#[test]
fn a_wait_that_is_too_long_for_a_retry_is_told_with_its_flag() {
    let mut plan = plan(vec![target("a")]);
    let refused = |index, seconds| {
        let mut record = Record { index, ..failed(index * 100, FailureClass::RateLimited) };
        let Outcome::Failed(failure) = &mut record.outcome else { unreachable!("it failed") };
        failure.retry_after_ns = Some(Nanos::from_secs(seconds));
        record
    };
    let mut records: Vec<Record> =
        [10, 60, 90].iter().zip(0..).map(|(seconds, index)| refused(index, *seconds)).collect();
    records[0].attempt = 3;
    let told = |plan: &Plan| summarise(plan, &Measured::records(&records)).targets.remove(0).warnings.join("\n");
    assert_eq!(told(&plan), "", "nobody asked for retries");
    let retry = Retry { attempts: 3, first_ns: Nanos::from_millis(500), most_ns: Nanos::from_secs(30) };
    plan.retry = Some(retry);
    insta::assert_snapshot!(told(&plan), @"2 requests were not tried again, as the server asked to wait up to 90.0 s and `--retry-most` is 30.0 s: raise it, or send more slowly with `--respect-limits`");
    plan.respect_limits = true;
    assert!(told(&plan).ends_with("is 30.0 s: raise it"), "what is done is no advice");
    plan.retry = Some(Retry { most_ns: Nanos::from_secs(90), ..retry });
    insta::assert_snapshot!(told(&plan), @"2 requests were not tried again, as sending ended before the back-off did: a longer `--duration` or `--step`, or fewer `--blocks`, leave more time for it");
    plan.retry = Some(Retry { attempts: 0, ..retry });
    assert_eq!(told(&plan), "", "there was to be no further attempt");
}

#[test]
fn vectors_have_no_first_token_and_no_pace() {
    let vectors = |mut record: Record| {
        edit(&mut record, |events| {
            for event in events.iter_mut() {
                event.kind = schema::event::EventKind::Embedding;
            }
        });
        record.tokens = Some(TokenCounts { input: Some(10), output: 0, source: TokenSource::ServerUsage });
        record
    };
    let records: Vec<Record> = (0..40).map(|i| vectors(Record { index: i, ..record(i * 100, &[50]) })).collect();
    let embedding = Target { dialect: schema::target::Dialect::OpenaiEmbeddings, ..target("a") };
    let plan = plan(vec![embedding, target("b")]);
    let summary = summarise(&plan, &Measured::records(&records));
    let (a, comparison) = (&summary.targets[0], summary.comparison.as_ref().unwrap());
    let told: Vec<Metric> = a.metrics.keys().copied().collect();
    assert_eq!(told, [Metric::E2e, Metric::InputTokens, Metric::ScheduleLag, Metric::ClientLag]);
    assert!(a.quality.reasons.iter().any(|reason| reason.starts_with("E2E p95 takes")), "{:?}", a.quality);
    assert!(a.throughput.input_tokens_per_s.unwrap() > 90.0 && a.warnings.is_empty(), "{:?}", a.warnings);
    assert!(comparison.rankings.iter().all(|r| r.criterion.heading() != "TTFT p50"), "{comparison:?}");
}
