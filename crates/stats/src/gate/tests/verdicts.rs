//! What becomes of one bound.

use schema::figure::{At, Figure};
use schema::gate::{Bound, CheckVerdict};
use schema::metric::Metric;
use schema::summary::Percentile;
use schema::units::Quantile;

use crate::gate::{Judged, Reading, Readings, judge};
use crate::inference::Mean;

/// A rate of so much, with a standard error of so much, of ten blocks.
fn rate(value: f64, error: f64) -> Reading {
    Reading::Rate { rate: Mean { value, error, freedom: 9.0 }, requests: 200 }
}

fn share(hits: u64, of: u64) -> Reading {
    Reading::Share { hits, of, worth: of as f64 }
}

fn target(name: &str, figure: Reading) -> Readings {
    Readings {
        target: name.parse().unwrap(),
        simulated: false,
        attempted: 200,
        completed: 200,
        success: share(200, 200),
        figures: vec![figure],
        slos: Vec::new(),
    }
}

fn hold(bound: &str, run: Reading, baseline: Vec<Reading>) -> Judged {
    let baseline: Vec<_> = baseline.into_iter().map(|one| vec![target("a", one)]).collect();
    judge(&[target("a", run)], &baseline, &[bound.parse().unwrap()], 1)
}

#[track_caller]
fn check(bound: &str, run: Reading, baseline: Vec<Reading>, verdict: CheckVerdict, why: &str) {
    let judged = hold(bound, run, baseline);
    let [check] = judged.checks.as_slice() else { panic!("{judged:#?}") };
    assert_eq!((check.verdict, check.why.as_str()), (verdict, why), "{check:#?}");
}

#[test]
fn a_rate_is_worse_when_it_falls() {
    use CheckVerdict::{Pass, Regression, Undecided};
    let before = || vec![rate(100.0, 1.0)];
    let bound = "output_tokens_per_s=5%";
    check(bound, rate(80.0, 1.0), before(), Regression, "certainly worse by more than 5 %");
    check(bound, rate(120.0, 1.0), before(), Pass, "certainly better");
    check(bound, rate(100.0, 1.0), before(), Pass, "certainly not worse by more than 5 %");
    check(
        bound,
        rate(96.0, 1.0),
        before(),
        Pass,
        "not shown to be worse by more than 5 %; 7.4 % would likely have shown",
    );
    let open = "it is between 5.8 % better and 18 % worse; about 8000 more requests on either side would tell";
    check(bound, rate(93.0, 6.5), before(), Undecided, open);
}

#[test]
fn a_success_rate_falls_by_points() {
    use CheckVerdict::{Pass, Regression};
    let why = "certainly worse by more than 0.5 points";
    check("success_rate=0.5%", share(930, 1000), vec![share(1000, 1000)], Regression, why);
    let why = "certainly not worse by more than 1 points";
    check("success_rate=1%", share(1000, 1000), vec![share(1000, 1000)], Pass, why);
}

#[test]
fn runs_that_differ_from_each_other_widen_what_is_tolerated() {
    use CheckVerdict::{Pass, Regression, Undecided};
    let bound = "output_tokens_per_s=5%";
    let of = |values: &[f64]| values.iter().map(|value| rate(*value, 0.5)).collect::<Vec<_>>();
    let steady = of(&[100.0, 100.4, 99.7, 100.1, 99.8]);
    check(bound, rate(90.0, 0.5), steady, Regression, "certainly worse by more than 5 %");
    let restless = of(&[100.0, 104.0, 97.0, 102.0, 98.0]);
    let judged = hold(bound, rate(97.0, 0.5), restless);
    assert_eq!((judged.between_runs, judged.checks[0].verdict), (true, Undecided));
    let why = &judged.checks[0].why;
    assert!(why.contains("a baseline of ") && why.contains(" runs in place of 5 would tell"), "{why}");
    let better = of(&[100.0, 101.0, 99.0, 100.0]);
    assert_eq!(hold(bound, rate(110.0, 0.5), better).checks[0].verdict, Pass);
}

#[test]
fn two_runs_say_little_of_how_much_runs_differ() {
    let judged = hold("output_tokens_per_s=5%", rate(90.0, 0.5), vec![rate(99.0, 0.5), rate(101.0, 0.5)]);
    assert_eq!(judged.checks[0].verdict, CheckVerdict::Undecided);
}

#[test]
fn what_is_missing_is_told() {
    use CheckVerdict::Undecided;
    let none = || Reading::None { why: "no price is known".into() };
    check("cost=5%", none(), vec![none()], Undecided, "the run has no such figure: no price is known");
    let withheld = Reading::Values {
        values: vec![1.0; 50],
        blocks: vec![0; 50],
        shown: Percentile::Withheld { needs_more: 22 },
        requests: 50,
    };
    let why = "the run has too few requests for this percentile; about 22 more requests on either side would tell";
    check("ttft_p95=5%", withheld.clone(), vec![withheld], Undecided, why);
    check(
        "output_tokens_per_s=5%",
        rate(100.0, f64::NAN),
        vec![rate(100.0, 1.0)],
        Undecided,
        "a rate has an interval from three blocks on: `--blocks 3` or more",
    );
}

#[test]
fn a_target_that_is_gone_leaves_its_bounds_open_and_one_that_is_new_has_none() {
    let bound: Bound = "output_tokens_per_s=5%".parse().unwrap();
    let (a, b, c) = (target("a", rate(100.0, 1.0)), target("b", rate(100.0, 1.0)), target("c", rate(100.0, 1.0)));
    let judged = judge(&[c, a.clone()], &[vec![a, b]], &[bound], 1);
    let told: Vec<_> = judged.checks.iter().map(|check| (check.target.as_str(), check.why.as_str())).collect();
    assert_eq!(told, [("a", "certainly not worse by more than 5 %"), ("b", "the run has no such target")]);
}

#[test]
fn a_run_of_which_nothing_completed_is_a_regression() {
    let bound: Bound = "ttft_p50=5%".parse().unwrap();
    let nothing = Readings { completed: 0, ..target("a", Reading::None { why: "no request completed".into() }) };
    let judged = judge(&[nothing], &[vec![target("a", rate(1.0, 0.1))]], &[bound], 1);
    assert_eq!(judged.checks[0].verdict, CheckVerdict::Regression);
    assert_eq!(judged.checks[0].why, "none of its 200 requests completed");
}

#[test]
fn failures_that_no_bound_looks_at_are_told() {
    let fewer = Readings { success: share(180, 200), ..target("a", rate(100.0, 1.0)) };
    let bound: Bound = "output_tokens_per_s=5%".parse().unwrap();
    let judged = judge(&[fewer], &[vec![target("a", rate(100.0, 1.0))]], &[bound], 1);
    assert_eq!(judged.checks[0].verdict, CheckVerdict::Pass);
    let [note] = judged.notes.as_slice() else { panic!("{:?}", judged.notes) };
    assert!(note.contains("`a` succeeds less often than it did, 90.0 % instead of 100.0 %"), "{note}");
}

#[test]
fn more_checks_ask_for_more_confidence() {
    let bounds: Vec<Bound> = ["output_tokens_per_s=5%"; 4].iter().map(|bound| bound.parse().unwrap()).collect();
    let wide = Readings { figures: vec![rate(100.0, 1.0); 4], ..target("a", rate(100.0, 1.0)) };
    let judged = judge(std::slice::from_ref(&wide), &[vec![wide.clone()]], &bounds, 1);
    assert!((judged.confidence - 0.975).abs() < 1e-12, "{}", judged.confidence);
    let one = hold("output_tokens_per_s=5%", rate(100.0, 1.0), vec![rate(100.0, 1.0)]);
    assert!((one.confidence - 0.9).abs() < 1e-12);
}

#[test]
fn a_median_that_doubled_is_a_regression_and_one_that_stayed_is_none() {
    let of = |level: f64| {
        let values: Vec<f64> = (0..40).map(|i| level * (1.0 + 0.01 * f64::from(i * 7 % 11))).collect();
        super::worlds::of_values(&values, Quantile::P50)
    };
    let figure = Figure::Metric(Metric::Ttft, At::Quantile(Quantile::P50));
    let verdict = |level: f64| {
        let bound = Bound { figure, worse: 0.05 };
        judge(&[target("a", of(level))], &[vec![target("a", of(50e6))]], &[bound], 1).checks[0].verdict
    };
    assert_eq!(verdict(100e6), CheckVerdict::Regression);
    assert_eq!(verdict(50e6), CheckVerdict::Pass);
}
