use roxmltree::Document;
use schema::gate::{Check, CheckVerdict, Gate, RunName};
use schema::summary::Estimate;

use super::junit;
use crate::{Style, gate, gate_csv, gate_json, gate_markdown};

const STYLE: Style = Style { width: 110, color: false };

fn run(folder: &str) -> RunName {
    let started = "2026-11-22T08:00:00Z".parse().unwrap();
    RunName { folder: folder.into(), run_id: "1".into(), started, commit: None }
}

fn check(target: &str, bound: &str, verdict: CheckVerdict, why: &str) -> Check {
    let around = |value: f64, width: f64| Some(Estimate { value, low: Some(value - width), high: Some(value + width) });
    Check {
        target: target.parse().unwrap(),
        simulated: target == "sim",
        bound: bound.parse().unwrap(),
        baseline: around(50e6, 1e6),
        run: around(60e6, 1e6),
        change: around(0.2, 0.015),
        verdict,
        more_requests: (verdict == CheckVerdict::Undecided).then_some(140),
        why: why.into(),
    }
}

fn example() -> Gate {
    Gate {
        format_version: 2,
        baseline_name: "main".into(),
        baseline: vec![run("test_monday"), run("test_tuesday")],
        run: run("test_today"),
        simulated: true,
        verdict: CheckVerdict::Regression,
        confidence: 0.9666,
        between_runs: true,
        checks: vec![
            check("sim", "ttft_p95=5%", CheckVerdict::Regression, "certainly worse by more than 5 %"),
            check("groq", "tpot_p50=3%", CheckVerdict::Undecided, "it is between 1 % better and 7 % worse"),
            check("groq", "e2e_mean=50%", CheckVerdict::Pass, "certainly not worse by more than 50 %"),
        ],
        slos: vec![],
        differences: vec![],
        notes: vec!["`test_monday` is not complete: interrupted".into()],
    }
}

/// Tests, failures and skipped of the whole.
#[track_caller]
fn counted(xml: &str) -> [String; 3] {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let of = |element: &str| document.descendants().filter(|node| node.has_tag_name(element)).count().to_string();
    let said = ["tests", "failures", "skipped"].map(|name| document.root_element().attribute(name).unwrap().to_owned());
    assert_eq!(said, ["testcase", "failure", "skipped"].map(of), "{xml}");
    said
}

#[test]
fn a_case_a_check_fails_where_it_regressed() {
    assert_eq!(counted(&junit(&example(), false)), ["3", "1", "1"]);
    assert_eq!(counted(&junit(&example(), true)), ["3", "2", "0"]);
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "\"/><x y='&amp;]]>\u{1b}[2J\u{0}\u{ffff}\u{202e}\n<!-- ";
    let mut gate = example();
    gate.baseline_name = hostile.into();
    gate.run.folder = hostile.into();
    gate.notes = vec![hostile.into()];
    for check in &mut gate.checks {
        check.why = hostile.into();
    }
    let xml = junit(&gate, true);
    counted(&xml);
    let document = Document::parse(&xml).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("x")));
    let message = document.descendants().find_map(|node| node.attribute("message").map(str::to_owned)).unwrap();
    assert!(message.starts_with("\"/><x y='&amp;]]>\u{fffd}[2J"), "{message:?}");
    let shown = super::super::gate(&gate, STYLE);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
    assert!(!gate_markdown(&gate).contains("<x"));
    assert!(!gate_json(&gate).contains('\u{1b}') && !gate_csv(&gate).contains('\u{1b}'));
}

#[test]
fn a_gate_for_a_terminal() {
    insta::assert_snapshot!(gate(&example(), STYLE));
}

#[test]
fn a_gate_for_a_pull_request() {
    insta::assert_snapshot!(gate_markdown(&example()));
}

#[test]
fn a_gate_as_junit_and_csv() {
    insta::assert_snapshot!(format!("{}\n{}", junit(&example(), false), gate_csv(&example())));
}
