use schema::comparison::{Evidence, Test, Verdict};

use super::*;
use crate::tests::{plan, summary};
use crate::{Style, json, markdown, table};

fn called(name: &str) -> TargetName {
    name.parse().unwrap()
}

fn at(name: &str, value: Option<f64>) -> Standing {
    let estimate = value.map(|value| Estimate { value, low: None, high: None });
    Standing {
        target: called(name),
        simulated: name.ends_with("sim"),
        n: if value.is_some() { 200 } else { 3 },
        estimate,
    }
}

/// All that have a value against each other.
fn ranking(criterion: Criterion, verdict: RankVerdict, standings: Vec<Standing>) -> Ranking {
    let ranked: Vec<&Standing> = standings.iter().filter(|s| s.estimate.is_some()).collect();
    let value = |s: &Standing| s.estimate.unwrap().value;
    let pair = |better: &Standing, worse: &Standing| PairVerdict {
        better: better.target.clone(),
        worse: worse.target.clone(),
        simulated_with_real: better.simulated != worse.simulated,
        margin: Some(value(worse) / value(better) - 1.0).filter(|ratio| ratio.is_finite()).map(|value| Estimate {
            value,
            low: None,
            high: None,
        }),
        test: Test::PairedBlocks,
        p: Some(0.001),
        p_adjusted: Some(0.003),
        verdict: match verdict {
            RankVerdict::Leader(_) => Verdict::Better,
            _ => Verdict::MoreNeeded { requests: None },
        },
        evidence: Evidence::default(),
    };
    let pairs = ranked.iter().enumerate().flat_map(|(i, a)| ranked[i + 1..].iter().map(|b| pair(a, b))).collect();
    Ranking { criterion, standings, pairs, verdict }
}

#[track_caller]
fn check(ranking: &Ranking, expected: &str) {
    assert_eq!(sentence(ranking), expected);
}

#[test]
fn a_certain_leader_is_named_with_the_next() {
    let leads = |name: &str| RankVerdict::Leader(called(name));
    check(
        &ranking(Criterion::TtftP50, leads("groq"), vec![at("groq", Some(50e6)), at("cerebras", Some(69e6))]),
        "Fastest TTFT p50: groq, certain (next: cerebras +38 %)",
    );
    check(
        &ranking(
            Criterion::OutputTokensPerS,
            leads("groq"),
            vec![at("groq", Some(500.0)), at("tgi", Some(488.0)), at("vllm", None)],
        ),
        "Most output tokens/s: groq, certain (next: tgi −2.4 %; not enough data: vllm n = 3)",
    );
    check(
        &ranking(Criterion::SuccessRate, leads("groq"), vec![at("groq", Some(1.0)), at("tgi", Some(0.912))]),
        "Highest success rate: groq, certain (next: tgi 91.2 %)",
    );
    check(
        &ranking(Criterion::CostPer1kRequests, leads("own"), vec![at("own", Some(0.0)), at("groq", Some(0.105))]),
        "Lowest cost per 1k requests: own, certain (next: groq $0.105)",
    );
}

#[test]
fn what_cannot_be_told_says_so() {
    let close = RankVerdict::TooCloseToCall(["groq", "tgi", "vllm"].map(called).to_vec());
    let standings = vec![at("groq", Some(50e6)), at("tgi", Some(51e6)), at("vllm", Some(52e6)), at("own", None)];
    check(
        &ranking(Criterion::TpotP50, close, standings),
        "TPOT p50: groq, tgi and vllm too close to call (not enough data: own n = 3)",
    );
    check(
        &ranking(Criterion::TtftP95, RankVerdict::NotEnoughData, vec![at("groq", Some(50e6)), at("tgi", None)]),
        "TTFT p95: not enough data (groq n = 200, tgi n = 3)",
    );
}

#[test]
fn a_simulated_target_against_a_real_one_says_both() {
    let standings = vec![at("vllm-sim", Some(50e6)), at("groq", Some(100e6))];
    check(
        &ranking(Criterion::TtftP50, RankVerdict::Leader(called("vllm-sim")), standings.clone()),
        "Fastest TTFT p50: vllm-sim (SIMULATED), certain (next: groq +100 %); simulated against real",
    );
    let close = RankVerdict::TooCloseToCall(vec![called("vllm-sim"), called("groq")]);
    check(
        &ranking(Criterion::TtftP50, close, standings),
        "TTFT p50: vllm-sim (SIMULATED) and groq too close to call; simulated against real",
    );
}

fn comparison() -> Comparison {
    let pair = || vec![at("groq", Some(50e6)), at("vllm-sim", Some(69e6))];
    let close = RankVerdict::TooCloseToCall(vec![called("groq"), called("vllm-sim")]);
    Comparison {
        format_version: 1,
        name: "evening".into(),
        simulated: true,
        rankings: vec![
            ranking(Criterion::TtftP50, RankVerdict::Leader(called("groq")), pair()),
            ranking(Criterion::TtftP95, RankVerdict::NotEnoughData, pair()),
            ranking(Criterion::TpotP50, close.clone(), pair()),
            ranking(Criterion::SuccessRate, close, pair()),
        ],
        dimensions: Vec::new(),
        overall: None,
        fronts: Vec::new(),
        warnings: Vec::new(),
        unlike: Vec::new(),
    }
}

#[test]
fn headlines_stand_under_the_table_in_every_form_for_people_and_the_whole_ranking_in_json() {
    let summary = schema::summary::Summary { comparison: Some(comparison()), ..summary() };
    let lines = headlines(&comparison());
    assert_eq!(lines.len(), 2, "{lines:?}");
    let shown = table(&summary, &plan(), Style { width: 120, color: false });
    assert!(shown.contains(&lines.join("\n")), "{shown}");
    assert!(markdown(&summary, &plan()).contains("\n- Fastest TTFT p50: groq, certain"));
    let read: schema::summary::Summary = serde_json::from_str(&json(&summary)).unwrap();
    assert_eq!(read.comparison, summary.comparison);
}
