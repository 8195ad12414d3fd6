//! Every form of one small hand-made summary, hostile text included.

use std::collections::BTreeMap;

use schema::metric::Metric;
use schema::plan::{Load, Plan, PromptSource, Size, Stop, Workload};
use schema::record::{FailureClass, FinishReason, TokenSource};
use schema::summary::{
    Cost, CrossCheck, Distribution, Estimate, FailureReason, Percentile, Quality, SloStatus, SloVerdict, Summary,
    TargetSummary, Throughput, Trust,
};
use schema::units::{Nanos, Usd};

use crate::{Align, Cell, Column, Listing, Style, csv, json, markdown, table};

mod searched;

const HOSTILE: &str = "=cmd|'/c calc'!A1\u{1b}[31m<script>alert(1)</script>\u{9b}\u{202e}|x";

fn between(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value, low: Some(low), high: Some(high) }
}

fn bare(value: f64) -> Estimate {
    Estimate { value, low: None, high: None }
}

/// Values around `p50`, in the metric's unit; p95 and p99 withheld where `n` is small.
fn around(n: u64, p50: f64) -> Distribution {
    let at = |factor: f64| Percentile::Known(between(p50 * factor, p50 * factor * 0.98, p50 * factor * 1.03));
    let from = |needed: u64, factor| {
        if n < needed { Percentile::Withheld { needs_more: needed - n } } else { at(factor) }
    };
    Distribution {
        n,
        mean: between(p50 * 1.02, p50, p50 * 1.04),
        sd: Some(between(p50 * 0.1, p50 * 0.08, p50 * 0.13)),
        min: p50 * 0.9,
        p50: from(6, 1.0),
        p90: from(36, 1.12),
        p95: from(72, 1.2),
        p99: from(368, 1.4),
        max: p50 * 1.5,
    }
}

pub(crate) fn plan() -> Plan {
    Plan {
        grace_ns: Nanos::from_secs(30),
        warmup: 2,
        blocks: 5,
        seed: 42,
        slos: vec!["ttft_p95<200ms".parse().unwrap()],
        out: "results".into(),
        ..Plan::plain(
            "evening",
            Vec::new(),
            Workload { force_length: true, ..Workload::plain(PromptSource::BuiltIn(Size::Short), 128) },
            Load::Closed { concurrency: 4 },
            Stop::Requests(400),
        )
    }
}

#[test]
fn the_lengths_that_were_asked_for_are_told_and_not_a_limit_that_counted_for_nothing() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut Plan), expected: &str) {
        let mut plan = plan();
        change(&mut plan);
        let words = crate::comparison::plan_in_words(&plan);
        assert!(words.contains(expected), "{words}");
        assert_eq!(words.contains("up to 128"), expected.contains("up to 128"), "{words}");
    }
    let in_blocks = "400 requests a target in 5 blocks · up to 128 output tokens, forced where possible · ";
    check(|_| (), in_blocks);
    check(|plan| plan.blocks = 1, "400 requests a target · up to 128 output tokens, ");
    let uniform = "uniform:5..50".parse().unwrap();
    check(
        |plan| plan.workload.output_tokens = Some(uniform),
        " · uniform:5..50 output tokens, forced where possible · ",
    );
    let as_recorded = " · output tokens as the trace says, or up to 128, forced where possible · ";
    check(|plan| plan.workload.prompts = PromptSource::Trace, as_recorded);
}

fn reasons<const N: usize>(said: [(FailureClass, &str, u64); N]) -> BTreeMap<FailureClass, FailureReason> {
    said.into_iter()
        .map(|(class, message, requests)| (class, FailureReason { message: message.into(), requests }))
        .collect()
}

fn good() -> TargetSummary {
    let metrics = [
        (Metric::Ttft, around(398, 51.2e6)),
        (Metric::E2e, around(398, 1.32e9)),
        (Metric::Itl, around(50_546, 9.98e6)),
        (Metric::Tpot, around(398, 9.99e6)),
        (Metric::OutputSpeed, around(398, 100.1)),
        (Metric::ClientLag, around(50_944, 14_200.0)),
        (Metric::ScheduleLag, around(400, 31_000.0)),
        (Metric::ServerTtft, around(398, 49.8e6)),
        (Metric::ServerQueue, around(398, 1.2e6)),
        (Metric::ServerPrefill, around(398, 48.1e6)),
    ];
    TargetSummary {
        target: "groq".parse().unwrap(),
        provider: "groq".into(),
        model: HOSTILE.into(),
        simulated: false,
        attempted: 400,
        completed: 398,
        success_rate: 398.0 / 399.0,
        failures: BTreeMap::from([(FailureClass::RateLimited, 1), (FailureClass::Stalled, 1)]),
        failure_reasons: reasons([(FailureClass::RateLimited, HOSTILE, 1)]),
        not_sent: 0,
        cancelled: 0,
        interrupted: 0,
        finish_reasons: BTreeMap::from([(FinishReason::Length, 398)]),
        warmup: 2,

        retries: 0,
        waited: 0,
        startup: None,
        limits: None,
        server_side: None,
        insight: None,
        metrics: BTreeMap::from(metrics),
        throughput: Throughput {
            window_ns: Nanos::from_millis(132_400),
            offered_requests_per_s: None,
            requests_per_s: between(3.006, 2.97, 3.04),
            output_tokens_per_s: between(384.8, 380.2, 389.1),
            input_tokens_per_s: Some(120.2),
            mean_in_flight: 3.98,
            goodput_requests_per_s: Some(2.99),
        },
        slos: vec![SloVerdict {
            slo: "ttft_p95<200ms".parse().unwrap(),
            measured: Some(between(61.4e6, 60.2e6, 63.3e6)),
            share: 0.995,
            status: SloStatus::Met,
            why: "99.5 % of 400 requests met it (98.2 to 99.9 %); 95 % is wanted".into(),
        }],
        output_tokens: 50_944,
        input_tokens: 15_920,
        cached_input_tokens: 800,
        tokens_per_event: 1.0,
        off_length: 0,
        token_sources: BTreeMap::from([(TokenSource::ServerUsage, 398)]),
        kernel_stamped: 1.0,
        shared_reads: 0.01,
        cost: Some(Cost {
            total_usd: "$0.0416".parse::<Usd>().unwrap(),
            warmup_usd: "$0.000209".parse().unwrap(),
            per_1k_requests_usd: "$0.1045".parse().unwrap(),
            output_tokens_per_usd: Some(1_224_615.4),
            per_request_usd: Some(between(0.000_104_5, 0.000_103, 0.000_106)),
        }),
        conversations: None,
        cross_checks: vec![CrossCheck {
            name: "Little's law".into(),
            holds: true,
            detail: "3.006 requests/s × 1.3200 s = 3.968 in flight; measured 3.980 of 4 places".into(),
        }],
        quality: Quality { trust: Trust::Trustworthy, reasons: Vec::new() },
        warnings: vec!["5 % of the input tokens came from a prompt cache: TTFT is that of a warm cache".into()],
    }
}

fn simulated() -> TargetSummary {
    let metrics = [
        (Metric::Ttft, around(20, 104.0e6)),
        (Metric::E2e, around(20, 812.0e6)),
        (Metric::ScheduleLag, around(20, 31_000.0)),
    ];
    TargetSummary {
        target: "vllm-sim".parse().unwrap(),
        provider: "vllm".into(),
        model: "sim-8b".into(),
        simulated: true,
        attempted: 24,
        completed: 20,
        success_rate: 20.0 / 24.0,
        failures: BTreeMap::from([(FailureClass::Truncated, 3)]),
        failure_reasons: BTreeMap::new(),
        not_sent: 1,
        metrics: BTreeMap::from(metrics),
        throughput: Throughput {
            window_ns: Nanos::from_millis(4_400),
            requests_per_s: bare(4.545),
            output_tokens_per_s: bare(12_345.6),
            mean_in_flight: 3.7,
            goodput_requests_per_s: Some(4.545),
            ..good().throughput
        },
        slos: vec![SloVerdict {
            measured: None,
            share: 20.0 / 24.0,
            status: SloStatus::Undecided,
            why: "83.3 % of 24 requests met it (64.1 to 93.3 %); 95 % is wanted; at least 48 more requests would tell"
                .into(),
            ..good().slos[0].clone()
        }],
        cost: None,
        conversations: None,
        cross_checks: vec![CrossCheck {
            name: "token sums".into(),
            holds: false,
            detail: "17 of 20 sums over events not above the server's usage".into(),
        }],
        quality: Quality {
            trust: Trust::TooFewSamples,
            reasons: vec![
                "20 completed requests, where a p90 needs 36".into(),
                "TTFT p90 takes 16 more requests, p95 52, p99 348".into(),
            ],
        },
        warnings: Vec::new(),
        ..good()
    }
}

fn dead() -> TargetSummary {
    TargetSummary {
        target: "tgi".parse().unwrap(),
        provider: "tgi".into(),
        model: "tgi".into(),
        simulated: false,
        attempted: 24,
        completed: 0,
        success_rate: 0.0,
        failures: BTreeMap::from([(FailureClass::ConnectRefused, 24)]),
        failure_reasons: reasons([(FailureClass::ConnectRefused, "Connection refused (os error 111)", 23)]),
        metrics: BTreeMap::new(),
        throughput: Throughput {
            window_ns: Nanos::ZERO,
            requests_per_s: bare(0.0),
            output_tokens_per_s: bare(0.0),
            mean_in_flight: 0.0,
            goodput_requests_per_s: Some(0.0),
            ..good().throughput
        },
        slos: vec![SloVerdict {
            measured: None,
            share: 0.0,
            status: SloStatus::Missed,
            why: "0.0 % of 24 requests met it (0.0 to 13.8 %); 95 % is wanted".into(),
            ..good().slos[0].clone()
        }],
        cost: None,
        conversations: None,
        cross_checks: Vec::new(),
        quality: Quality { trust: Trust::NoData, reasons: vec!["no request completed".into()] },
        warnings: Vec::new(),
        ..good()
    }
}

pub(crate) fn summary() -> Summary {
    Summary {
        format_version: 1,
        name: "evening".into(),
        simulated: true,
        targets: vec![good(), simulated(), dead()],
        quality: Quality { trust: Trust::NoData, reasons: vec!["tgi: no request completed".into()] },
        warnings: vec!["simulated and real targets in one run: do not compare them".into()],
        comparison: None,

        curves: Vec::new(),
        calibration: None,
    }
}

#[test]
fn the_table_fits_eighty_columns() {
    let text = table(&summary(), &plan(), Style { width: 80, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn the_table_fits_a_hundred_and_twenty_columns() {
    let text = table(&summary(), &plan(), Style { width: 120, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn colours_mark_headings_and_words_and_change_nothing_else() {
    let plain = table(&summary(), &plan(), Style { width: 100, color: false });
    let coloured = table(&summary(), &plan(), Style { width: 100, color: true });
    let mut stripped = String::new();
    let mut parts = coloured.split('\u{1b}');
    stripped.push_str(parts.next().unwrap());
    for part in parts {
        stripped.push_str(part.split_once('m').unwrap().1);
    }
    assert_eq!(stripped, plain);
    assert!(coloured.contains("\u{1b}[33mSIMULATED\u{1b}[0m"), "{coloured}");
    assert!(coloured.contains("\u{1b}[32mtrustworthy\u{1b}[0m"), "{coloured}");
}

#[test]
fn no_escape_sequence_of_others_reaches_the_terminal() {
    let mut summary = summary();
    summary.name = HOSTILE.into();
    summary.warnings = vec![HOSTILE.into()];
    for target in &mut summary.targets {
        target.provider = HOSTILE.into();
        target.warnings = vec![HOSTILE.into()];
        target.quality.reasons = vec![HOSTILE.into()];
    }
    let text = table(&summary, &plan(), Style { width: 80, color: false });
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_very_narrow_terminal_and_an_empty_run_are_no_reason_to_panic() {
    let narrow = table(&summary(), &plan(), Style { width: 1, color: false });
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    let empty = Summary { targets: Vec::new(), warnings: Vec::new(), simulated: false, ..summary() };
    assert!(table(&empty, &plan(), Style { width: 80, color: false }).starts_with("evening\n"));
    assert!(markdown(&empty, &plan()).starts_with("# evening\n"));
    assert_eq!(csv(&empty).lines().count(), 1);
}

#[test]
fn an_open_loop_shows_latency_from_the_schedule() {
    let mut plan = plan();
    plan.load = Load::Open {
        rate_per_s: "5/s".parse().unwrap(),
        arrival: schema::plan::Arrival::Poisson,
        max_concurrency: 64,
        when_full: schema::plan::WhenFull::NotSent,
    };
    let mut summary = summary();
    summary.targets.truncate(1);
    summary.targets[0].metrics.insert(Metric::TtftFromSchedule, around(398, 60.0e6));
    let text = table(&summary, &plan, Style { width: 120, color: false });
    assert!(text.contains("TTFT from") && text.contains("schedule p95"), "{text}");
    assert!(text.contains("open loop, 5/s (poisson), at most 64 at once"), "{text}");
}

#[test]
fn markdown_shows_hostile_text_as_it_is() {
    let text = markdown(&summary(), &plan());
    assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn csv_has_one_row_a_target_and_metric_and_no_formula() {
    let mut summary = summary();
    summary.targets[1].model = HOSTILE.into();
    let text = csv(&summary);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.unwrap();
        assert_eq!(record.len(), 28);
        let texts = record.iter().take(7);
        assert!(texts.clone().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{record:?}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn json_is_the_summary() {
    let text = json(&summary());
    let read: Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(read.targets[1].metrics[&Metric::Ttft].p95, Percentile::Withheld { needs_more: 52 });
    assert_eq!(read.targets[0].cost, summary().targets[0].cost);
    assert!(text.contains("\"ttft_ns\": {\n"), "{text}");
}

fn listing() -> Listing {
    let column = |key, heading, align| Column { key, heading, align };
    let number = |shown: &str, value| Cell::Number { shown: shown.into(), value };
    Listing {
        title: "Providers".into(),
        columns: vec![
            column("provider", "provider", Align::Left),
            column("ready", "ready", Align::Left),
            column("input_per_mtok_usd", "$ per 1M input", Align::Right),
            column("note", "note", Align::Left),
        ],
        rows: vec![
            vec![Cell::Text("groq".into()), Cell::Flag(true), number("$0.59", 0.59), Cell::Empty],
            vec![Cell::Text("vllm".into()), Cell::Flag(false), Cell::Empty, Cell::Text(HOSTILE.into())],
        ],
    }
}

#[test]
fn a_listing_is_the_same_rows_in_every_form() {
    let forms =
        [listing().table(Style { width: 80, color: false }), listing().markdown(), listing().csv(), listing().json()];
    insta::assert_snapshot!(forms.join("\n"));
}

#[test]
fn one_is_not_many() {
    let counted = |n| crate::number::counted(n, "request");
    assert_eq!([counted(0), counted(1), counted(12_000)], ["0 requests", "1 request", "12,000 requests"]);
}

#[test]
fn numbers_keep_three_digits_and_their_unit() {
    use crate::number::{count, number, percent, value};
    use schema::metric::Unit;
    for (nanos, shown) in [
        (12.0, "12.0 ns"),
        (999.0, "999 ns"),
        (1_234.0, "1.23 µs"),
        (51.2e6, "51.2 ms"),
        (2.5e9, "2.50 s"),
        (123.4e9, "123 s"),
    ] {
        assert_eq!(value(nanos, Unit::Nanos), shown);
    }
    for (x, shown) in [
        (0.0, "0"),
        (0.001_234, "0.00123"),
        (0.5, "0.500"),
        (99.94, "99.9"),
        (1_234.5, "1234"),
        (12_345.6, "12,346"),
        (1e9, "1,000,000,000"),
    ] {
        assert_eq!(number(x), shown);
    }
    assert_eq!(count(9_999), "9999");
    for (share, shown) in [(0.0, "0 %"), (0.000_1, "0.1 %"), (0.947, "94.7 %"), (0.999_9, "99.9 %"), (1.0, "100 %")] {
        assert_eq!(percent(share), shown);
    }
}
