//! Readings made up around requests whose times are known. Instants are milliseconds.

use std::collections::BTreeMap;

use schema::metric::Metric;
use schema::plan::Plan;
use schema::record::{FailureClass, Phase, Record, TokenCounts, TokenSource};
use schema::server::{Counter, GpuSample, Histogram, Level, ServerSample, ServerSide};
use schema::units::{Moment, Nanos};

use super::server_side;
use crate::fixture::{failed, ms, plan, record, target};
use crate::measured::Measured;

/// A reading at such a time, asked for at the same instant.
fn reading(at: u64) -> ServerSample {
    ServerSample { at_ns: ms(at), engine: "vllm".into(), ..ServerSample::default() }
}

fn counting(at: u64, generated: f64, prompt: f64) -> ServerSample {
    let counters = [(Counter::GeneratedTokens, generated), (Counter::PromptTokens, prompt)];
    ServerSample { counters: counters.into(), ..reading(at) }
}

/// Seconds below each bound, and their sum.
fn histogram(bounds: &[f64], counts: &[u64], count: u64, sum: f64) -> Histogram {
    Histogram { bounds: bounds.iter().map(|s| s * 1e9).collect(), counts: counts.to_vec(), count, sum: sum * 1e9 }
}

fn timing(at: u64, metric: Metric, histogram: Histogram) -> ServerSample {
    ServerSample { histograms: [(metric, histogram)].into(), ..reading(at) }
}

/// Two requests of 50 ms to the first token, three tokens 10 ms apart, from 100 to 170 and 200 to 270.
fn requests() -> Vec<Record> {
    vec![record(100, &[50, 60, 70]), record(200, &[50, 60, 70])]
}

fn plan_of(names: &[&str]) -> Plan {
    plan(names.iter().map(|name| target(name)).collect())
}

fn side_in(plan: &Plan, records: &[Record], samples: &[ServerSample]) -> Option<ServerSide> {
    let samples = BTreeMap::from([(plan.targets[0].name.clone(), samples.to_vec())]);
    let measured = Measured { samples: &samples, ..Measured::records(records) };
    let own = |record: &&Record| record.phase == Phase::Measured && record.target == plan.targets[0].name;
    let counted: Vec<&Record> = records.iter().filter(own).collect();
    server_side(plan, &plan.targets[0], &counted, &measured)
}

fn side(records: &[Record], samples: &[ServerSample]) -> ServerSide {
    side_in(&plan_of(&["a"]), records, samples).unwrap()
}

#[test]
fn nothing_is_said_without_readings_or_requests() {
    assert_eq!(side_in(&plan_of(&["a"]), &requests(), &[]), None);
    assert_eq!(side_in(&plan_of(&["a"]), &[], &[reading(1)]), None);
}

#[test]
fn counters_grow_from_the_last_reading_before_to_the_first_after() {
    let samples = [
        counting(0, 1.0, 0.0),
        counting(90, 10.0, 100.0),
        counting(150, 13.0, 110.0),
        counting(280, 16.0, 120.0),
        counting(400, 99.0, 999.0),
    ];
    let counters = side(&requests(), &samples).counters;
    assert_eq!(counters, [(Counter::PromptTokens, 20.0), (Counter::GeneratedTokens, 6.0)].into());
}

#[test]
fn a_page_asked_for_before_the_end_is_not_after_it() {
    let early = ServerSample { took_ns: Nanos::from_millis(30), ..counting(290, 15.0, 0.0) };
    let samples = [counting(50, 10.0, 0.0), early, counting(300, 16.0, 0.0)];
    assert_eq!(side(&requests(), &samples).counters.get(&Counter::GeneratedTokens), Some(&6.0));
}

#[test]
fn what_a_page_did_not_name_at_first_was_zero() {
    let first = ServerSample { engine: String::new(), ..reading(0) };
    let side = side(&requests(), &[first, counting(300, 6.0, 20.0)]);
    assert_eq!(side.counters.get(&Counter::GeneratedTokens), Some(&6.0));
    assert_eq!((side.engine.as_str(), side.samples), ("vllm", 2));
}

#[test]
fn readings_that_do_not_reach_around_the_requests_are_told() {
    let late = side(&requests(), &[counting(120, 0.0, 0.0), counting(250, 4.0, 10.0)]);
    assert_eq!(
        late.warnings,
        [
            "its metrics were not read in the first 20.0 ms and the last 20.0 ms of the measured time: its counts lack that"
        ]
    );
    assert_eq!(late.counters.get(&Counter::GeneratedTokens), Some(&4.0));
    let once = side(&requests(), &[counting(120, 0.0, 0.0)]);
    assert_eq!(once.warnings, ["its metrics were read but once: nothing can be said of what grew"]);
}

#[test]
fn a_restart_discards_what_was_counted_and_is_told() {
    let samples = [counting(0, 1000.0, 0.0), counting(150, 3.0, 0.0), counting(300, 2000.0, 0.0)];
    let restarted = side(&requests(), &samples);
    assert_eq!(restarted.counters.len(), 0);
    assert_eq!(
        restarted.warnings,
        ["its counters fell while it was measured, so it was restarted: what they say is left out"]
    );
    // Outside the measured time it does not matter.
    let samples = [counting(0, 1000.0, 0.0), counting(90, 0.0, 0.0), counting(300, 6.0, 20.0)];
    assert_eq!(side(&requests(), &samples).counters.get(&Counter::GeneratedTokens), Some(&6.0));
}

#[test]
fn failed_readings_are_counted_and_told() {
    let failed = ServerSample { failed: Some("no".into()), ..reading(150) };
    let side = side(&requests(), &[counting(0, 0.0, 0.0), failed, counting(300, 6.0, 20.0)]);
    assert_eq!((side.samples, side.failed), (2, 1));
    assert_eq!(side.warnings, ["1 of 3 readings of its metrics failed (no)"]);
}

#[test]
fn a_page_that_is_never_read_or_says_nothing_is_told_with_what_to_do() {
    let failed = |at| ServerSample { failed: Some("status 404".into()), engine: String::new(), ..reading(at) };
    let told = side(&requests(), &[failed(0), failed(300)]).warnings.join("; ");
    assert!(told.starts_with("all 2 readings of its metrics failed (status 404): name the right page"), "{told}");
    let foreign = |at| ServerSample { engine: String::new(), ..reading(at) };
    let some = side(&requests(), &[foreign(0), failed(150), foreign(300)]).warnings;
    assert_eq!(some.len(), 2, "one that failed does not hide that: {some:?}");
    let told = side(&requests(), &[foreign(0), foreign(300)]).warnings.join("; ");
    assert!(told.starts_with("nothing on its metrics page has a name that vLLM"), "{told}");
}

fn running(at: u64, running: f64) -> ServerSample {
    ServerSample { running: Some(running), ..reading(at) }
}

#[track_caller]
fn check_level(level: Option<Level>, mean: f64, max: f64) {
    let level = level.unwrap();
    assert!((level.mean - mean).abs() < 1e-9 && (level.max - max).abs() < 1e-9, "{level:?}");
}

#[test]
fn a_level_is_a_time_average_within_the_window() {
    // One request from 100 to 300. Read at 150 and 250: 4 for 50 ms, from 4 to 8 for 100 ms, 8 for 50 ms.
    let records = [record(100, &[200])];
    let samples = [running(0, 99.0), running(150, 4.0), running(250, 8.0), running(400, 99.0)];
    check_level(side(&records, &samples).running, 6.0, 8.0);
}

#[test]
fn the_turns_of_others_are_in_no_level() {
    let block = |start, block| Record { block, ..record(start, &[100]) };
    let records = [block(0, 0), block(1000, 1)];
    let samples = [running(50, 4.0), running(500, 0.0), running(1050, 6.0)];
    check_level(side(&records, &samples).running, 5.0, 6.0);
}

#[test]
fn a_level_that_was_not_read_within_the_window_is_not_known() {
    assert_eq!(side(&requests(), &[running(0, 0.0), running(300, 0.0)]).running, None);
}

#[test]
fn prefix_hits_are_a_share_of_what_grew() {
    let cache = |at, queried, hit| {
        let counters = [(Counter::PrefixQueriedTokens, queried), (Counter::PrefixHitTokens, hit)];
        ServerSample { counters: counters.into(), ..reading(at) }
    };
    assert_eq!(side(&requests(), &[cache(0, 1000.0, 1000.0), cache(300, 1200.0, 1050.0)]).prefix_hit_share, Some(0.25));
    assert_eq!(side(&requests(), &[cache(0, 1000.0, 1000.0), cache(300, 1000.0, 1000.0)]).prefix_hit_share, None);
}

#[test]
fn times_are_those_of_the_growth_with_an_interpolated_median() {
    let bounds = [0.01, 0.02, 0.04];
    let before = histogram(&bounds, &[5, 5, 5], 5, 0.025);
    let after = histogram(&bounds, &[5, 7, 9], 9, 0.121);
    let samples = [timing(0, Metric::ServerQueue, before), timing(300, Metric::ServerQueue, after)];
    let time = side(&requests(), &samples).times[&Metric::ServerQueue];
    // Two values between 10 and 20 ms, two between 20 and 40: half of four is at the end of the second bucket.
    assert_eq!(time.n, 4);
    assert!((time.mean - 24e6).abs() < 1.0 && (time.p50.unwrap() - 20e6).abs() < 1.0, "{time:?}");
}

#[test]
fn medians_are_prometheus_own() {
    #[track_caller]
    fn check(counts: &[u64], count: u64, expected: Option<f64>) {
        let grown = histogram(&[0.1, 0.2, 0.4], counts, count, 1.0);
        let samples = [reading(0), timing(300, Metric::ServerQueue, grown)];
        let p50 = side(&requests(), &samples).times.get(&Metric::ServerQueue).and_then(|time| time.p50);
        assert_eq!(p50.map(|ns| (ns / 1e6).round() / 1e3), expected, "{counts:?}");
    }
    // `histogram_quantile(0.5, …)` of Prometheus 3.
    check(&[0, 4, 4], 4, Some(0.15));
    check(&[1, 2, 4], 4, Some(0.2));
    check(&[1, 1, 4], 4, Some(0.267));
    // In the first bucket Prometheus gives 0.05, beyond the last bound that bound, and we nothing.
    check(&[4, 4, 4], 4, None);
    check(&[0, 0, 1], 4, None);
    check(&[0, 0, 0], 0, None);
}

/// As vLLM would tell of [`requests`], had it seen the first token after 40 ms.
fn told(at: u64, n: u64) -> ServerSample {
    let mean = |mean: f64, n: u64| histogram(&[0.01, 0.1], &[0, n], n, mean * n as f64);
    let histograms = [
        (Metric::ServerTtft, mean(0.04, n)),
        (Metric::Itl, histogram(&[0.01, 0.1], &[2 * n, 2 * n], 2 * n, 0.01 * 2.0 * n as f64)),
        (Metric::ServerTotal, mean(0.06, n)),
    ];
    ServerSample { histograms: histograms.into(), ..reading(at) }
}

#[test]
fn both_clocks_stand_side_by_side_with_the_difference_explained() {
    let mut records = requests();
    for record in &mut records {
        record.sent_ns = record.start_ns.map(|start| start + Nanos::from_millis(1));
    }
    let side = side(&records, &[told(0, 0), told(300, 2)]);
    let shown: Vec<_> = side
        .both_sides
        .iter()
        .map(|both| {
            let (client, server) = (both.client_mean / 1e6, both.server_mean / 1e6);
            format!("{} {client:.1} {server:.1} n {}: {}", both.metric, both.server_n, both.why)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    TTFT 50.0 40.0 n 2: 10.0 ms longer at the client: network, HTTP, and the server's work before its own clock begins (of it our own sending 1.00 ms), 9.00 ms not known further; 2 values here, 2 there
    E2E 70.0 60.0 n 2: 10.0 ms longer at the client: as TTFT, and the way of the last token back; 2 values here, 2 there
    ITL 10.0 10.0 n 4: they agree; 4 values here, 4 there
    ");
    insta::assert_snapshot!(
        side.warnings.join("\n"),
        @"the server's medians lie in buckets too wide to compare: TTFT (10.0 ms to 100 ms), E2E (10.0 ms to 100 ms), ITL (below 10.0 ms)"
    );
}

#[test]
fn of_answers_that_came_whole_the_first_token_is_not_compared() {
    let mut whole = requests();
    for record in &mut whole {
        let last = record.events.iter().next_back().expect("it has events");
        record.events = vec![last].into();
        record.tokens = Some(TokenCounts { input: None, output: 3, source: TokenSource::ServerUsage });
    }
    let compared = |records: &[Record]| side(records, &[told(0, 0), told(300, 2)]).both_sides;
    let both = compared(&whole);
    assert_eq!(both.iter().map(|both| both.metric).collect::<Vec<_>>(), [Metric::E2e]);
    assert!(
        both[0].why.contains("network, HTTP, and the server's work before its own clock begins"),
        "{}",
        both[0].why
    );
    // Where some came in pieces, it is compared of those.
    whole.extend(requests());
    assert_eq!(compared(&whole)[0].metric, Metric::Ttft);
}

#[test]
fn the_client_is_compared_over_the_same_time_warm_up_included() {
    let mut records = requests();
    // As slow as can be, but the server's histograms hold it, too.
    records.push(Record { phase: Phase::Warmup, ..record(20, &[70]) });
    let client = |from| side(&records, &[told(from, 0), told(300, 3)]).both_sides[0].client_mean / 1e6;
    assert!((client(0) - (50.0 + 50.0 + 70.0) / 3.0).abs() < 1e-6);
    assert!((client(95) - 50.0).abs() < 1e-6);
}

#[test]
fn a_client_that_is_faster_than_its_server_measured_something_else() {
    let slow = timing(300, Metric::ServerTtft, histogram(&[], &[], 9, 9.0));
    let side = side(&requests(), &[reading(0), slow]);
    assert_eq!(
        side.both_sides[0].why,
        "950 ms shorter at the client, which cannot be for the same requests: 2 values here, 9 there"
    );
    assert_eq!(side.both_sides[0].server_p50, None);
}

#[test]
fn an_engine_that_tells_only_sums_is_compared_by_them() {
    let sums = |at, prefill, decode, generated| {
        let counters = [
            (Counter::PrefillSeconds, prefill),
            (Counter::DecodeSeconds, decode),
            (Counter::GeneratedTokens, generated),
        ];
        ServerSample { engine: "llamacpp".into(), counters: counters.into(), ..reading(at) }
    };
    let side = side(&requests(), &[sums(0, 1.0, 1.0, 0.0), sums(300, 1.06, 1.03, 6.0)]);
    let shown: Vec<_> = side
        .both_sides
        .iter()
        .map(|both| format!("{} {:.3}: {}", both.metric, both.server_mean / 1e6, both.why))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    TTFT 30.000: the server tells only how long it read prompts, and those it read together share that time; 20.0 ms more at the client are that, queueing, HTTP and network
    TPOT 5.000: the server's is its generating time ÷ all tokens, the first ones included; the client's a mean over requests
    ");
}

#[track_caller]
fn check_traffic(records: &[Record], generated: f64, prompt: f64, expected: &[&str]) {
    let side = side(records, &[counting(0, 0.0, 0.0), counting(1000, generated, prompt)]);
    assert_eq!(side.warnings, expected);
}

#[test]
fn tokens_that_are_not_ours_are_told() {
    check_traffic(&requests(), 6.0, 20.0, &[]);
    check_traffic(
        &requests(),
        16.0,
        20.0,
        &["it counted 16 output tokens and we 6: somebody else had 10 of them, and its figures are theirs, too"],
    );
    check_traffic(
        &requests(),
        6.0,
        120.0,
        &["it counted 120 prompt tokens and we 20: somebody else had 100 of them, and its figures are theirs, too"],
    );
}

#[test]
fn a_page_of_one_replica_of_several_is_told() {
    let several =
        "it counted 3 output tokens and we 6: its page may speak of one of several servers behind the address";
    check_traffic(&requests(), 3.0, 20.0, &[several]);
}

#[test]
fn warm_up_is_ours_too() {
    let mut records = requests();
    records.push(Record { phase: Phase::Warmup, ..record(20, &[10]) });
    check_traffic(&records, 7.0, 30.0, &[]);
}

#[test]
fn requests_that_did_not_end_may_have_gone_on_without_us() {
    let mut records = requests();
    records.push(failed(200, FailureClass::Stalled));
    // The limit is 64 tokens; the prompt is as long as the others at most.
    check_traffic(&records, 6.0 + 64.0, 30.0, &[]);
    check_traffic(&records, 6.0, 20.0, &[]);
    check_traffic(
        &records,
        6.0 + 65.0,
        20.0,
        &["it counted 71 output tokens and we 6: somebody else had 65 of them, and its figures are theirs, too"],
    );
}

#[test]
fn counts_that_are_estimates_may_differ() {
    let tokens = TokenCounts { input: None, output: 100, source: TokenSource::ContentEvents };
    let records = [Record { tokens: Some(tokens), ..record(100, &[50]) }];
    check_traffic(&records, 109.0, 1e9, &[]);
    check_traffic(&records, 91.0, 1e9, &[]);
    assert_eq!(side(&records, &[counting(0, 0.0, 0.0), counting(1000, 111.0, 0.0)]).warnings.len(), 1);
}

/// What is said of `a`, whose page counts a token more than `a` had, when `b` had one: with these addresses of both.
#[track_caller]
fn check_company(a: (&str, Option<&str>), b: (&str, Option<&str>), warnings: usize) {
    let mut plan = plan_of(&["a", "b"]);
    for (target, (url, page)) in plan.targets.iter_mut().zip([a, b]) {
        target.url = url.parse().unwrap();
        target.metrics_url = page.map(|page| page.parse().unwrap());
    }
    let mut records = requests();
    records.push(Record { target: "b".parse().unwrap(), ..record(400, &[50]) });
    let samples = [counting(0, 0.0, 0.0), counting(1000, 7.0, 30.0)];
    let told = side_in(&plan, &records, &samples).unwrap().warnings;
    assert_eq!(told.len(), warnings, "{told:?}");
    assert!(told.iter().all(|told| told.contains("or a target of this run under another address, had 1")), "{told:?}");
}

#[test]
fn targets_of_one_server_are_not_strangers_to_each_other() {
    let page = Some("http://x:9/metrics");
    check_company(("http://x:1/v1", page), ("http://y:1/v1", page), 0);
    check_company(("http://x:1/v1", page), ("http://x:1/v2", None), 0);
    check_company(("http://localhost:1/v1", page), ("http://127.0.0.1:1/v1", None), 0);
    check_company(("http://x:1/v1", page), ("http://x:2/v1", None), 2);
    check_company(("http://x:1/v1", page), ("http://x:1/v1", Some("http://x:8/metrics")), 2);
}

#[test]
fn what_may_be_anothers_is_not_missed() {
    let mut plan = plan_of(&["a", "b"]);
    plan.targets[0].metrics_url = Some("http://x:9/metrics".parse().unwrap());
    let mut records = requests();
    records.push(Record { target: "b".parse().unwrap(), ..record(400, &[50]) });
    let samples = [counting(0, 0.0, 0.0), counting(1000, 6.0, 20.0)];
    assert_eq!(side_in(&plan, &records, &samples).unwrap().warnings, Vec::<String>::new());
}

fn gpus(at: u64, gpus: &[(f64, f64, Option<f64>)]) -> ServerSample {
    let gpu = |&(busy, power, energy_j): &(f64, f64, Option<f64>)| GpuSample {
        busy: Some(busy),
        power_w: Some(power),
        energy_j,
        ..GpuSample::default()
    };
    ServerSample { at_ns: ms(at), gpus: gpus.iter().map(gpu).collect(), ..ServerSample::default() }
}

#[test]
fn joules_are_from_energy_counters_between_the_readings() {
    // One request from 100 to 300, two tokens; 2 GPUs that use 100 J a reading interval of 200 ms each.
    let records = [record(100, &[100, 200])];
    let at = |at, joules| gpus(at, &[(0.5, 400.0, Some(joules)), (1.0, 600.0, Some(joules))]);
    let side = side(&records, &[at(0, 1000.0), at(200, 1100.0), at(400, 1200.0)]);
    check_level(side.gpu_busy, 0.75, 0.75);
    check_level(side.gpu_power_w, 1000.0, 1000.0);
    assert!((side.joules_per_output_token.unwrap() - 100.0).abs() < 1e-9, "{side:?}");
    // A page about GPUs alone says nothing of requests.
    assert_eq!((side.engine.as_str(), side.counters.len(), side.warnings.len()), ("", 0, 0));
}

#[test]
fn joules_are_from_power_where_there_is_no_counter() {
    let records = [record(100, &[100, 200])];
    let samples = [gpus(0, &[(1.0, 9.0, None)]), gpus(200, &[(1.0, 300.0, None)])];
    // 300 W for 200 ms, two tokens.
    assert!((side(&records, &samples).joules_per_output_token.unwrap() - 30.0).abs() < 1e-9);
    assert_eq!(side(&records, &samples[..1]).joules_per_output_token, None);
}

#[test]
fn an_energy_counter_that_fell_is_not_used() {
    let records = [record(100, &[100, 200])];
    let samples = [gpus(0, &[(1.0, 0.0, Some(900.0))]), gpus(400, &[(1.0, 0.0, Some(100.0))])];
    assert_eq!(side(&records, &samples).joules_per_output_token, None);
}

#[test]
fn joules_of_targets_that_were_measured_at_the_same_time_are_not_told_apart() {
    let mut plan = plan_of(&["a", "b"]);
    plan.side_by_side = true;
    let samples = [gpus(0, &[(1.0, 9.0, None)]), gpus(200, &[(1.0, 300.0, None)])];
    let side = side_in(&plan, &[record(100, &[100, 200])], &samples).unwrap();
    assert_eq!(side.joules_per_output_token, None);
    assert!(side.warnings[0].starts_with("GPUs were read while all targets were measured"), "{:?}", side.warnings);
}

#[test]
fn any_numbers_make_no_panic() {
    let wild = ServerSample {
        at_ns: Moment(u64::MAX),
        took_ns: Nanos(u64::MAX),
        running: Some(f64::MAX),
        counters: [(Counter::GeneratedTokens, f64::MAX)].into(),
        histograms: [
            (Metric::Itl, Histogram { bounds: vec![1.0], counts: vec![], count: 3, sum: -1.0 }),
            (Metric::ServerTtft, Histogram { bounds: vec![], counts: vec![1, 2, 3], count: 3, sum: 1.0 }),
        ]
        .into(),
        ..reading(0)
    };
    let odd = ServerSample { histograms: [(Metric::Itl, Histogram::default())].into(), ..reading(150) };
    side(&requests(), &[wild.clone(), odd, wild]);
}
