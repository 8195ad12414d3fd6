use schema::alike::{Aspect, Severity, Unlike};
use schema::comparison::{Comparison, Criterion, Evidence, PairVerdict, RankVerdict, Ranking, Standing, Test, Verdict};
use schema::explain::{Cause, Explanation, Figure, Quantity, Reading, Rule, Tool};
use schema::summary::Estimate;

use super::{Compared, compare_csv, compare_json, compare_markdown, compare_table};
use crate::terminal::Style;

fn comparison() -> Comparison {
    let estimate = |value: f64| Estimate { value, low: Some(value * 0.98), high: Some(value * 1.02) };
    let standing = |name: &str, simulated, value| Standing {
        target: name.parse().unwrap(),
        simulated,
        n: 200,
        estimate: Some(estimate(value)),
    };
    let pair = PairVerdict {
        better: "groq".parse().unwrap(),
        worse: "own.monday".parse().unwrap(),
        simulated_with_real: true,
        margin: Some(Estimate { value: 0.5, low: Some(0.45), high: Some(0.55) }),
        test: Test::IndependentBlocks,
        p: Some(0.001),
        p_adjusted: Some(0.002),
        verdict: Verdict::Better,
        evidence: Evidence::default(),
    };
    let ranking = |criterion, better, worse| Ranking {
        criterion,
        standings: vec![standing("groq", false, better), standing("own.monday", true, worse)],
        pairs: vec![pair.clone()],
        verdict: RankVerdict::Leader("groq".parse().unwrap()),
    };
    let hostile = "answers differ \u{1b}[2J<script>: *compare* nothing";
    Comparison {
        format_version: 2,
        name: "monday and tuesday".into(),
        simulated: true,
        rankings: vec![
            ranking(Criterion::TtftP50, 40e6, 60e6),
            ranking(Criterion::SuccessRate, 0.95, 0.9),
            ranking(Criterion::CostPer1kRequests, 0.12, 0.18),
        ],
        dimensions: Vec::new(),
        overall: None,
        fronts: Vec::new(),
        warnings: vec!["`own.monday` was client-limited: its rank is partly our own doing".into()],
        unlike: vec![
            Unlike { severity: Severity::Unfair, what: Aspect::Reality, detail: hostile.into() },
            Unlike { severity: Severity::Note, what: Aspect::Seed, detail: "the seeds were unlike".into() },
        ],
    }
}

fn explanation() -> Explanation {
    let figure = |quantity, value, change, causes| Figure { quantity, value, change, causes };
    let cause = |rule, change, why: &str| Cause { rule, change: Some(change), why: why.into() };
    let reading = |tool| Reading {
        tool,
        figures: vec![
            figure(Quantity::TtftP50, Some(41e6), Some(0.025), vec![cause(Rule::Clock, 0.025, "=stamped later")]),
            figure(Quantity::TpotMean, None, None, Vec::new()),
        ],
        notes: vec!["ours stand in".into()],
    };
    let still = Reading {
        figures: vec![figure(Quantity::TtftP50, Some(40e6), Some(0.0), Vec::new())],
        ..reading(Tool::AiPerf)
    };
    Explanation {
        target: "groq".parse().unwrap(),
        run: "evening".into(),
        simulated: true,
        requests: 200,
        ours: vec![
            figure(Quantity::TtftP50, Some(40e6), None, Vec::new()),
            figure(Quantity::TpotMean, Some(10e6), None, Vec::new()),
        ],
        readings: vec![reading(Tool::VllmBench), reading(Tool::GuideLlm), still],
    }
}

#[test]
fn a_comparison_is_told_and_shown_with_what_is_not_like_with_like() {
    let comparison = comparison();
    let compared = Compared { comparison: Some(&comparison), explanations: &[] };
    let text = compare_table(&compared, Style { width: 100, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn an_explanation_is_a_column_a_tool_and_a_line_a_cause() {
    let explanations = [explanation()];
    let compared = Compared { comparison: None, explanations: &explanations };
    let text = compare_table(&compared, Style { width: 100, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_document_shows_both_and_no_markup_of_others() {
    let (comparison, explanations) = (comparison(), [explanation()]);
    let text = compare_markdown(&Compared { comparison: Some(&comparison), explanations: &explanations });
    assert!(!text.contains("<script>") && !text.contains('\u{1b}'), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn json_and_csv_hold_what_was_asked_for() {
    let (comparison, explanations) = (comparison(), [explanation()]);
    let plain = Compared { comparison: Some(&comparison), explanations: &[] };
    let json: serde_json::Value = serde_json::from_str(&compare_json(&plain)).unwrap();
    assert_eq!(json["comparison"]["unlike"][0]["severity"], "unfair");
    assert!(json.get("explanations").is_none());
    assert!(compare_csv(&plain).starts_with("criterion,"));
    let both = Compared { explanations: &explanations, ..plain };
    let json: serde_json::Value = serde_json::from_str(&compare_json(&both)).unwrap();
    assert_eq!(json["explanations"][0]["readings"][0]["tool"], "vllm-bench");
    let csv = compare_csv(&both);
    insta::assert_snapshot!(csv);
}
