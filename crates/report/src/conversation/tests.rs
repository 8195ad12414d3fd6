use schema::conversation::{AtDistance, Grade, Purpose};
use schema::plan::Plan;
use schema::record::TokenSource;
use schema::units::Nanos;

use super::*;
use crate::terminal::Style;

fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value, low: Some(low), high: Some(high) }
}

fn turn(number: u32, purpose: Purpose) -> Turn {
    let n = u64::from(number);
    Turn {
        conversation: 0,
        turn: number,
        purpose,
        context_tokens: Some(60 + 210 * n),
        estimated: false,
        cached_tokens: Some(200 * n),
        ttft_ns: Some(Nanos::from_millis(40 + 3 * n)),
        tpot_ns: Some(9_100_000.0),
        output_tokens: Some(120),
        token_source: Some(TokenSource::ServerUsage),
        cost_usd: Some("0.0012usd".parse().unwrap()),
        failure: None,
    }
}

fn evidence(asked_in: u32, subject: &str, value: &str, recall: Recall, answer: &str) -> Evidence {
    Evidence {
        conversation: 0,
        subject: subject.into(),
        value: value.into(),
        told_in: 0,
        asked_in,
        distance_tokens: Some(210 * u64::from(asked_in)),
        recall,
        excerpt: answer.into(),
    }
}

/// Six questions, five of them answered right.
pub(crate) fn conversations() -> Conversations {
    let purposes = [Purpose::Tells, Purpose::Distracts, Purpose::Asks, Purpose::Asks];
    let right = |n: u32| evidence(2 + n, "the village where we meet", "Dunmere", Recall::Right, "It is Dunmere.");
    let mut all: Vec<Evidence> = (0..5).map(right).collect();
    let hostile = "=cmd() \u{1b}[2J 9034 | or so";
    all.push(evidence(8, "the code of the bicycle shed", "KT-4821", Recall::Confused, hostile));
    Conversations {
        begun: 1,
        finished: 1,
        broken_off: 0,
        turns_each: 4,
        turns: (0..).zip(purposes).map(|(number, purpose)| turn(number, purpose)).collect(),
        over_context: Some(TokenSlope { turns: 3, per_1k_tokens_ns: estimate(14.2e6, 10e6, 19e6), at_zero_ns: 40e6 }),
        over_read: Some(TokenSlope { turns: 4, per_1k_tokens_ns: estimate(310e6, 250e6, 360e6), at_zero_ns: 30e6 }),
        reported_input_tokens: 1_500,
        cached_input_tokens: 1_200,
        flattening: Flattening::Flattens,
        retention: Retention {
            asked: 6,
            right: 5,
            unanswered: 1,
            not_reached: 0,
            share: Some(estimate(5.0 / 6.0, 0.436, 0.970)),
            grade: Some(Grade::C),
            grade_range: Some((Grade::A, Grade::F)),
            by_distance: vec![
                AtDistance { turns_from: 2, turns_to: 4, asked: 3, right: 3, share: estimate(1.0, 0.438, 1.0) },
                AtDistance { turns_from: 5, turns_to: 8, asked: 3, right: 2, share: estimate(0.667, 0.208, 0.939) },
            ],
            near_far_p: Some(1.0),
            evidence: all,
        },
    }
}

fn summary() -> (Summary, Plan) {
    let (mut summary, plan) = (crate::tests::summary(), crate::tests::plan());
    summary.targets.truncate(1);
    summary.comparison = None;
    summary.targets[0].conversations = Some(conversations());
    (summary, plan)
}

#[test]
fn a_terminal_shows_the_grade_its_evidence_and_every_turn() {
    let (summary, plan) = summary();
    insta::assert_snapshot!(crate::table(&summary, &plan, Style { width: 110, color: false }));
}

#[test]
fn a_narrow_terminal_shows_the_same() {
    let (summary, plan) = summary();
    let text = crate::table(&summary, &plan, Style { width: 60, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    assert!(text.contains("confused") && text.contains("grade C"), "{text}");
}

#[test]
fn a_document_shows_the_same() {
    let (summary, plan) = summary();
    let text = crate::markdown(&summary, &plan);
    let from = text.find("turn by turn").unwrap();
    insta::assert_snapshot!(&text[from..]);
}

#[test]
fn a_spreadsheet_gets_a_row_a_turn_and_no_formula() {
    let (summary, _) = summary();
    insta::assert_snapshot!(csv_conversations(&summary));
}

#[test]
fn json_has_all_of_it() {
    let (summary, _) = summary();
    let json: serde_json::Value = serde_json::from_str(&crate::json(&summary)).unwrap();
    let retention = &json["targets"][0]["conversations"]["retention"];
    assert_eq!((retention["grade"].as_str(), retention["right"].as_u64()), (Some("C"), Some(5)));
    assert_eq!(retention["evidence"].as_array().unwrap().len(), 6);
}

#[test]
fn without_conversations_there_is_no_row() {
    let (mut summary, _) = summary();
    summary.targets[0].conversations = None;
    assert_eq!(csv_conversations(&summary).lines().count(), 1);
}

#[test]
fn of_very_many_questions_the_misses_are_shown() {
    let mut evidence: Vec<Evidence> = (0..100).map(|_| conversations().retention.evidence[0].clone()).collect();
    evidence[90].recall = Recall::Wrong;
    let section = questions(&evidence, 1);
    assert_eq!(section.rows.len(), MOST_SHOWN);
    assert!(section.rows.last().unwrap().contains(&"wrong".to_owned()));
    assert!(section.title.contains("60 more right answers"), "{}", section.title);
}

#[test]
fn nothing_asked_gives_no_figure_and_says_so() {
    let mut all = conversations();
    all.retention.share = None;
    all.retention.grade = None;
    assert_eq!(figure(&all), None);
    assert_eq!(
        lines(&all, &crate::tests::plan())[0].1,
        "nothing can be said: questions that are not counted: 1 got no answer"
    );
}

#[test]
fn what_was_asked_for_begun_finished_and_broken_off_is_told() {
    let of = |begun, finished, broken_off| Conversations { begun, finished, broken_off, ..conversations() };
    let told =
        |all: &Conversations| lines(all, &Plan { stop: Stop::Requests(12), ..crate::tests::plan() })[1].1.clone();
    let all = told(&of(3, 3, 0));
    assert!(all.starts_with("3 asked for, 3 begun, 3 finished, 4 turns each, facts asked for"), "{all}");
    let some = told(&of(5, 2, 2));
    let expected = "3 asked for, 5 begun, 2 finished, 2 broken off by a failure (others were begun instead), \
                    1 not finished when the run ended, 4 turns each";
    assert!(some.starts_with(expected), "{some}");
    let at_the_end = told(&of(3, 2, 1));
    let expected = "3 asked for, 3 begun, 2 finished, 1 broken off by a failure, 4 turns each";
    assert!(at_the_end.starts_with(expected), "{at_the_end}");
}
