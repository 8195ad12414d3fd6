use schema::insight::{Outlier, Quantity};
use schema::metric::Metric;
use schema::summary::Estimate;

use super::*;

fn around(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value, low: Some(low), high: Some(high) }
}

fn told(insight: &Insight) -> String {
    let told = lines(insight).into_iter();
    told.map(|(label, text)| [label, ": ", text.as_str(), "\n"].concat()).collect()
}

fn eventful() -> Insight {
    Insight {
        requests: 480,
        outliers: vec![Outliers {
            metric: Metric::Ttft,
            n: 12,
            share: 0.025,
            above: 1.21e9,
            worst: vec![Outlier { index: 311, at_ns: Moment(42_100_000_000), value: 4.1e9 }],
        }],
        drifts: vec![Drift {
            metric: Metric::Ttft,
            per_minute: around(3.1e6, 2e6, 4.2e6),
            over_run: 0.12,
            p: 0.001,
            clear: true,
        }],
        changes: vec![Change {
            metric: Metric::Tpot,
            at_ns: Moment(34_200_000_000),
            before: 2.1e7,
            after: 1.05e7,
            p: 0.002,
        }],
        relations: vec![Relation {
            of: Quantity::Metric(Metric::Ttft),
            on: Quantity::InFlight,
            n: 480,
            rho: around(0.62, 0.551, 0.681),
            p_adjusted: 1e-9,
        }],
        relations_tested: 6,
        consistency: Some(Consistency { score: 54.2, ttft: Some(0.32), tpot: Some(0.8), pace: Some(0.6) }),
        p95_targets: vec![
            Achievement { slo: "ttft_p95<200ms".parse().unwrap(), margin: around(-0.12, -0.15, -0.08), share: 0.91 },
            Achievement { slo: "tpot_p95<50ms".parse().unwrap(), margin: around(0.2, 0.17, 0.23), share: 1.0 },
        ],
        every: None,
    }
}

#[test]
fn what_is_noteworthy_is_told_in_words_and_numbers() {
    insta::assert_snapshot!(told(&eventful()), @"
    p95 target: ttft_p95<200ms missed by 12.0 % (8.00 to 15.0), 91 % of requests within
    p95 target: tpot_p95<50ms met with 20.0 % to spare (17.0 to 23.0), 100 % of requests within
    outliers: TTFT of 12 requests (2.5 %) above 1.21 s, worst 4.10 s (request 311, 42.1 s into the run); counted in every figure
    drift: TTFT rose by 12.0 % over the run, 3.10 ms a minute (2.00–4.20)
    change: TPOT p50 went from 21.0 ms to 10.5 ms at 34.2 s into the run
    relation: TTFT rises with requests in flight: ρ 0.62 (0.55 to 0.68)
    consistency: 54 of 100: TTFT p95 is 3.12 times its p50, TPOT p95 is 1.25 times its p50, jitter is 0.667 times the ITL
    ");
}

#[test]
fn nothing_is_told_where_all_is_steady() {
    let mut steady = Insight { requests: 480, ..Insight::default() };
    steady.consistency = Some(Consistency { score: 91.0, ttft: Some(0.9), tpot: None, pace: None });
    steady.drifts = eventful().drifts;
    steady.drifts[0].clear = false;
    assert_eq!(told(&steady), "");
}

#[test]
fn what_was_thinned_says_so() {
    let text = told(&Insight { every: Some(22), ..eventful() });
    let marked: Vec<&str> = text.lines().filter(|line| line.ends_with("(of every 22nd request)")).collect();
    assert_eq!(marked.len(), 3, "{text}");
}
