use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use schema::insight::Quantity;

use super::*;
use crate::fixture::{ms, plan, record, target};
use crate::summarise_target;

/// So many requests, half a second apart, the i-th with TTFT `ttft(i, noise)` milliseconds, noise between −1 and 1, and ten
/// more tokens ten to twelve milliseconds apart each.
fn requests(n: u64, ttft: impl Fn(u64, f64) -> f64) -> Vec<Record> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let one = |i: u64| {
        let mut noise = || 2.0 * random.random::<f64>() - 1.0;
        let first = ttft(i, noise()).max(1.0);
        let pace = 11.0 + noise();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
        let after: Vec<u64> = (0..=10_u32).map(|k| (first + f64::from(k) * pace).round() as u64).collect();
        Record { index: i, ..record(500 * i, &after) }
    };
    (0..n).map(one).collect()
}

/// Of one target under a plan with an SLO at the 95th percentile.
fn insight_of(records: &[Record], samples: &[ServerSample]) -> Insight {
    let plan = Plan { slos: vec!["ttft_p95<200ms".parse().unwrap()], ..plan(vec![target("a")]) };
    let records: Vec<&Record> = records.iter().collect();
    let summary = summarise_target(&plan, &plan.targets[0], &records);
    insight(&plan, &summary, &records, samples).unwrap()
}

#[test]
fn nothing_stands_out_where_all_is_steady() {
    let found = insight_of(&requests(300, |_, noise| 100.0 + 20.0 * noise), &[]);
    assert!(found.outliers.is_empty() && found.changes.is_empty() && found.relations.is_empty(), "{found:?}");
    assert_eq!(found.drifts.len(), 2);
    assert!(found.drifts.iter().all(|drift| !drift.clear), "{:?}", found.drifts);
    assert_eq!((found.requests, found.every), (300, None));
    let score = found.consistency.unwrap().score;
    assert!((80.0..=100.0).contains(&score), "{score}");
}

#[test]
fn outliers_are_told_and_stay_in_every_figure() {
    let mut records = requests(300, |i, noise| if i % 100 == 50 { 2_000.0 } else { 100.0 + 20.0 * noise });
    records.reverse();
    let found = insight_of(&records, &[]);
    let ttft = found.outliers.iter().find(|outliers| outliers.metric == Metric::Ttft).unwrap();
    assert_eq!((ttft.n, ttft.worst.len(), ttft.worst[0].index), (3, 3, 50));
    assert_eq!(ttft.worst[0].at_ns, ms(25_000));
    assert!((ttft.share - 0.01).abs() < 1e-12 && ttft.above < 1e9, "{ttft:?}");
    let plan = plan(vec![target("a")]);
    let summary = summarise_target(&plan, &plan.targets[0], &records.iter().collect::<Vec<_>>());
    assert_eq!(summary.metrics[&Metric::Ttft].n, 300);
    assert!((summary.metrics[&Metric::Ttft].max - 2e9).abs() < 1.0);
}

#[test]
fn a_second_mode_is_not_called_outliers() {
    let found = insight_of(&requests(300, |i, noise| if i % 5 == 0 { 2_000.0 } else { 100.0 + 20.0 * noise }), &[]);
    assert!(found.outliers.iter().all(|outliers| outliers.metric != Metric::Ttft), "{:?}", found.outliers);
}

#[test]
fn a_drift_is_told_with_its_slope() {
    let found = insight_of(&requests(300, |i, noise| 100.0 + 0.1 * i as f64 + 10.0 * noise), &[]);
    let [ttft, tpot] = found.drifts[..] else { panic!("{:?}", found.drifts) };
    assert!(ttft.clear && !tpot.clear, "{:?}", found.drifts);
    // A tenth of a millisecond a request, 120 of them a minute.
    let Estimate { value, low, high } = ttft.per_minute;
    assert!((value / 12e6 - 1.0).abs() < 0.1, "{value}");
    assert!(low.unwrap() < 12e6 && high.unwrap() > 12e6, "{:?}", ttft.per_minute);
    assert!((0.2..0.35).contains(&ttft.over_run), "{}", ttft.over_run);
}

#[test]
fn a_change_is_told_with_its_moment() {
    let found = insight_of(&requests(300, |i, noise| if i < 180 { 100.0 } else { 160.0 } + 20.0 * noise), &[]);
    let [change] = found.changes[..] else { panic!("{:?}", found.changes) };
    assert_eq!(change.metric, Metric::Ttft);
    let away = change.at_ns.0.abs_diff(ms(90_000).0);
    assert!(away <= ms(2_000).0, "{away}");
    assert!(change.before < 1.1e8 && change.after > 1.5e8, "{change:?}");
}

#[test]
fn what_depends_on_what_is_told_and_what_does_not_is_not() {
    let mut records = requests(300, |i, noise| 50.0 + (i * 37 % 101) as f64 + 10.0 * noise);
    for record in &mut records {
        let input = 100 + record.index * 37 % 101;
        record.tokens = record.tokens.map(|tokens| schema::record::TokenCounts { input: Some(input), ..tokens });
    }
    let found = insight_of(&records, &[]);
    let [relation] = found.relations[..] else { panic!("{:?}", found.relations) };
    assert_eq!((relation.of, relation.on), (Quantity::Metric(Metric::Ttft), Quantity::Metric(Metric::InputTokens)));
    assert!(relation.rho.value > 0.9 && relation.n == 300 && found.relations_tested > 1, "{found:?}");
}

#[test]
fn the_servers_own_metrics_are_held_against_it() {
    let waiting = |i: u64| (i * 53 % 17) as f64;
    let records = requests(300, |i, noise| 50.0 + 10.0 * waiting(i) + 5.0 * noise);
    let sample = |i: u64| ServerSample {
        at_ns: ms((500 * i).saturating_sub(10)),
        waiting: Some(waiting(i)),
        kv_usage: Some(0.5),
        ..ServerSample::default()
    };
    let samples: Vec<ServerSample> = (0..300).map(sample).collect();
    let found = insight_of(&records, &samples);
    assert!(
        found.relations.iter().any(|r| r.on == Quantity::ServerWaiting && r.rho.value > 0.9),
        "{:?}",
        found.relations
    );
    assert!(found.relations.iter().all(|r| r.on != Quantity::ServerKvUsage));
    let old: Vec<ServerSample> = samples.into_iter().take(1).collect();
    let found = insight_of(&records, &old);
    assert!(found.relations.iter().all(|r| r.on != Quantity::ServerWaiting), "a reading of minutes ago says nothing");
}

#[test]
fn a_p95_target_is_told_by_how_much() {
    let found = insight_of(&requests(300, |_, noise| 100.0 + 20.0 * noise), &[]);
    let [target] = found.p95_targets[..] else { panic!("{:?}", found.p95_targets) };
    assert!((0.38..0.45).contains(&target.margin.value), "{target:?}");
    assert!(target.margin.low.unwrap() <= target.margin.value && target.margin.high.unwrap() >= target.margin.value);
    assert!((target.share - 1.0).abs() < 1e-12);
    let found = insight_of(&requests(300, |_, noise| 300.0 + 20.0 * noise), &[]);
    assert!(found.p95_targets[0].margin.value < -0.5, "{:?}", found.p95_targets);
}

#[test]
fn a_long_run_is_thinned_evenly_and_says_so() {
    let found = insight_of(&requests(12_000, |i, noise| 100.0 + 0.01 * i as f64 + 20.0 * noise), &[]);
    assert_eq!((found.requests, found.every), (12_000, Some(3)));
    assert!(
        found.drifts[0].clear && (found.drifts[0].per_minute.value / 1.2e6 - 1.0).abs() < 0.1,
        "{:?}",
        found.drifts
    );
}

#[test]
fn where_nothing_completed_there_is_none() {
    let plan = plan(vec![target("a")]);
    let summary = summarise_target(&plan, &plan.targets[0], &[]);
    assert_eq!(insight(&plan, &summary, &[], &[]), None);
}
