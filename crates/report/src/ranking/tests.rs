use schema::comparison::{DimensionRanking, Evidence, FrontPoint, Support, Test, Turning};

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

/// All that have a value against each other, with so much to both sides of the margin.
fn ranking(criterion: Criterion, verdict: RankVerdict, of_pairs: Verdict, standings: Vec<Standing>) -> Ranking {
    let ranked: Vec<&Standing> = standings.iter().filter(|s| s.estimate.is_some()).collect();
    let value = |s: &Standing| s.estimate.unwrap().value;
    let margin = |better: &Standing, worse: &Standing| {
        let (a, b) = (value(better), value(worse));
        let value = if criterion.is_share() { a - b } else { (b / a).max(a / b) - 1.0 };
        Estimate { value, low: Some(value * 0.8), high: Some(value * 1.2) }
    };
    let pair = |better: &Standing, worse: &Standing| PairVerdict {
        better: better.target.clone(),
        worse: worse.target.clone(),
        simulated_with_real: better.simulated != worse.simulated,
        margin: Some(margin(better, worse)).filter(|margin| margin.value.is_finite()),
        test: Test::PairedBlocks,
        p: Some(0.001),
        p_adjusted: Some(0.003),
        verdict: of_pairs,
        evidence: Evidence { blocks: 10, ..Evidence::default() },
    };
    let pairs = ranked.iter().enumerate().flat_map(|(i, a)| ranked[i + 1..].iter().map(|b| pair(a, b))).collect();
    Ranking { criterion, standings, pairs, verdict }
}

#[track_caller]
fn check(ranking: &Ranking, expected: &str) {
    assert_eq!(sentence(ranking), expected);
}

#[test]
fn a_certain_leader_is_named_with_by_how_much() {
    let leads =
        |criterion, standings| ranking(criterion, RankVerdict::Leader(called("groq")), Verdict::Better, standings);
    check(
        &leads(Criterion::TtftP95, vec![at("groq", Some(50e6)), at("cerebras", Some(60e6))]),
        "groq is faster than cerebras by 16–24 % (TTFT p95), certain",
    );
    check(
        &leads(Criterion::OutputTokensPerS, vec![at("groq", Some(500.0)), at("tgi", Some(488.0)), at("vllm", None)]),
        "groq carries more than tgi by 2.0–3.0 % (Output tokens/s), certain; not enough data: vllm n = 3",
    );
    check(
        &leads(Criterion::TpotP50, vec![at("groq", Some(5e6)), at("tgi", Some(6e6)), at("vllm", Some(7e6))]),
        "groq is fastest by 16–24 % (TPOT p50), certain; next: tgi",
    );
    check(
        &leads(Criterion::SuccessRate, vec![at("groq", Some(1.0)), at("tgi", Some(0.912))]),
        "groq is more reliable than tgi by 7.0–10.6 points (Success rate), certain",
    );
    check(
        &leads(Criterion::CostPer1kRequests, vec![at("groq", Some(0.0)), at("tgi", Some(0.105))]),
        "groq is cheaper than tgi (Cost per 1k requests), certain",
    );
}

#[test]
fn a_tie_says_within_what() {
    let tie = RankVerdict::Tie(vec![called("groq"), called("tgi")]);
    let standings = vec![at("groq", Some(50e6)), at("tgi", Some(50.1e6))];
    check(
        &ranking(Criterion::TtftP50, tie, Verdict::Tie { within: 0.03 }, standings),
        "groq and tgi tie within 3 % (TTFT p50)",
    );
}

#[test]
fn what_cannot_be_told_says_what_it_would_take() {
    let close = || RankVerdict::TooCloseToCall(["groq", "tgi", "vllm"].map(called).to_vec());
    let standings = || vec![at("groq", Some(50e6)), at("tgi", Some(51e6)), at("vllm", Some(52e6)), at("own", None)];
    let open = |requests| ranking(Criterion::TpotP50, close(), Verdict::MoreNeeded { requests }, standings());
    check(
        &open(Some(137)),
        "groq, tgi and vllm: not enough data to tell (TPOT p50), about 140 more requests of each would tell; \
         not enough data: own n = 3",
    );
    check(
        &open(None),
        "groq, tgi and vllm: not enough data to tell (TPOT p50), and more of the same would hardly tell; \
         not enough data: own n = 3",
    );
    let mut one_block = open(None);
    one_block.pairs.iter_mut().for_each(|pair| pair.evidence.blocks = 1);
    check(
        &one_block,
        "groq, tgi and vllm: not enough data to tell (TPOT p50), for want of blocks: `blocks` says into how many a run \
         is divided; not enough data: own n = 3",
    );
    let standings = vec![at("groq", Some(50e6)), at("tgi", None)];
    check(
        &ranking(Criterion::TtftP95, RankVerdict::NotEnoughData, Verdict::Better, standings),
        "TTFT p95: not enough data (groq n = 200, tgi n = 3)",
    );
}

#[test]
fn a_simulated_target_against_a_real_one_says_both() {
    let standings = vec![at("vllm-sim", Some(50e6)), at("groq", Some(100e6))];
    check(
        &ranking(Criterion::TtftP50, RankVerdict::Leader(called("vllm-sim")), Verdict::Better, standings.clone()),
        "vllm-sim (SIMULATED) is faster than groq by 80–120 % (TTFT p50), certain; simulated against real",
    );
    let close = RankVerdict::TooCloseToCall(vec![called("vllm-sim"), called("groq")]);
    check(
        &ranking(Criterion::TtftP50, close, Verdict::MoreNeeded { requests: Some(8) }, standings),
        "vllm-sim (SIMULATED) and groq: not enough data to tell (TTFT p50), about 8 more requests of each would tell; \
         simulated against real",
    );
}

fn score(name: &str, value: f64) -> Score {
    let score = Estimate { value, low: Some(value - 4.0), high: Some(value) };
    Score { target: called(name), simulated: name.ends_with("sim"), score }
}

fn comparison() -> Comparison {
    let pair = || vec![at("groq", Some(50e6)), at("tgi", Some(69e6))];
    let close = RankVerdict::TooCloseToCall(vec![called("groq"), called("tgi")]);
    let leads = || RankVerdict::Leader(called("groq"));
    let more = Verdict::MoreNeeded { requests: Some(40) };
    let weights = |latency: f64| [(Dimension::Latency, latency), (Dimension::Cost, 1.0 - latency)].into();
    let dimension = |dimension, scores| DimensionRanking { dimension, criteria: Vec::new(), scores, verdict: leads() };
    let point = |name: &str, cost, latency, by: &[&str]| FrontPoint {
        target: called(name),
        simulated: false,
        cost_per_1k_requests_usd: cost,
        latency_ns: latency,
        dominated_by: by.iter().map(|name| called(name)).collect(),
    };
    Comparison {
        format_version: 2,
        name: "evening".into(),
        simulated: false,
        rankings: vec![
            ranking(Criterion::TtftP50, leads(), Verdict::Better, pair()),
            ranking(Criterion::TtftP95, RankVerdict::NotEnoughData, more, pair()),
            ranking(Criterion::TpotP50, close.clone(), more, pair()),
            ranking(Criterion::SuccessRate, close, more, pair()),
        ],
        dimensions: vec![
            dimension(Dimension::Latency, vec![score("groq", 100.0), score("tgi", 72.0)]),
            dimension(Dimension::Cost, vec![score("tgi", 100.0), score("groq", 90.0)]),
        ],
        overall: Some(Overall {
            weights: weights(0.75),
            scores: vec![score("groq", 97.0), score("tgi", 78.0)],
            verdict: leads(),
            support: vec![
                Support { target: called("groq"), share: 0.83 },
                Support { target: called("tgi"), share: 0.17 },
            ],
            turning: Some(Turning { winner: called("tgi"), weights: weights(0.24) }),
        }),
        fronts: vec![Front {
            latency: Criterion::TtftP95,
            points: vec![
                point("tgi", 0.1, 70e6, &[]),
                point("groq", 0.2, 50e6, &[]),
                point("own", 0.3, 90e6, &["groq", "tgi"]),
            ],
        }],
        warnings: Vec::new(),
        unlike: Vec::new(),
    }
}

#[test]
fn a_comparison_is_told_in_a_line_a_verdict() {
    insta::assert_snapshot!(verdicts_in_words(&comparison()).join("\n"), @"
    Overall (latency 75 %, cost 25 %): groq wins, certain; first under so many of all weightings: groq 83 %, tgi 17 %; tgi draws level where latency 24 %, cost 76 %
    groq is faster than tgi by 30–46 % (TTFT p50), certain
    groq and tgi: not enough data to tell (TPOT p50), about 40 more requests of each would tell
    Cost against TTFT p95: best tgi and groq; beaten in both: own by groq and tgi
    ");
}

#[test]
fn verdicts_and_scores_stand_under_the_table_in_every_form_for_people_and_all_of_it_in_json() {
    let summary = schema::summary::Summary { comparison: Some(comparison()), ..summary() };
    let shown = table(&summary, &plan(), Style { width: 120, color: false });
    let heading = shown.lines().find(|line| line.contains("overall")).unwrap();
    assert_eq!(heading.split_whitespace().collect::<Vec<_>>(), ["target", "overall", "latency", "cost"], "{shown}");
    let document = markdown(&summary, &plan());
    assert!(document.contains("\n- groq is faster than tgi by 30–46 % (TTFT p50), certain"), "{document}");
    assert!(document.contains("\n| groq | 97 (93–97) | 100 (96–100) | 90 (86–90) |"), "{document}");
    let read: schema::summary::Summary = serde_json::from_str(&json(&summary)).unwrap();
    assert_eq!(read.comparison, summary.comparison);
}

#[test]
fn every_pair_has_a_row() {
    let csv = verdicts(&comparison()).csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 5, "{csv}");
    let columns = "criterion,better,worse,simulated_with_real,margin,margin_low,margin_high,p,p_adjusted,verdict,more_requests,blocks";
    assert_eq!(lines[0], columns);
    assert!(lines[1].starts_with("TTFT p50,groq,tgi,false,0.3"), "{csv}");
    assert!(lines[1].ends_with(",0.001,0.003,better,,10") && lines[3].ends_with(",more needed,40,10"), "{csv}");
}

#[test]
fn requests_are_told_to_two_digits() {
    assert_eq!([1, 99, 100, 101, 137, 12_345].map(rounded), [1, 99, 100, 110, 140, 13_000]);
}
