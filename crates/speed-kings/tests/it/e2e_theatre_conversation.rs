//! `conversation`: facts told early and asked for later, told in sentences and drawn on a terminal.

use serde_json::Value;
use sim::{Config, Engine, EngineModel, Pace};

use crate::command::Desk;
use crate::e2e_run::{check_schema, is_plain, latest, measured, start, summary, target};
use crate::pty::{CTRL_C, ENTER, Life, Pty};

const MOCK: [&str; 6] =
    ["conversation", "--mock=vllm,ollama", "--conversations=2", "--turns=6", "--max-tokens=16", "--seed=7"];

/// As fast as it can be, with room for so many tokens.
fn engine(engine: Engine, context: u32) -> Config {
    let nothing = schema::units::Nanos::ZERO;
    let usual = EngineModel::of(engine);
    let quick = EngineModel {
        overhead: nothing,
        prefill_base: nothing,
        prefill_per_token: schema::units::Nanos(1_000),
        decode_base: schema::units::Nanos(200_000),
        decode_per_sequence: nothing,
        jitter: 0.0,
        context,
        ..usual
    };
    Config { pace: Pace::Model(quick), ..Config::new(engine) }
}

#[test]
fn what_is_told_is_asked_for_and_judged_and_kept() {
    let desk = Desk::new();
    let outcome = desk.run(&MOCK);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{}", outcome.all());
    let told = "2 conversations of 6 turns with each of 2: vllm-sim (SIMULATED), ollama-sim (SIMULATED).";
    for sentence in [told, "conversation 2 of 2.", "was asked for ", ": right: “It is "] {
        assert!(outcome.err.contains(sentence), "`{sentence}` in\n{}", outcome.err);
    }
    for part in ["grade A", "6 of 6", "turn by turn, medians of 2 conversations", "what the grade is made of"] {
        assert!(outcome.out.contains(part), "`{part}` in\n{}", outcome.out);
    }
    let run = latest(&desk);
    assert!(store::verify(&run).is_empty());
    assert!(run.manifest.checksums.contains_key("conversation.csv"));
    for name in ["vllm-sim", "ollama-sim"] {
        let records = measured(&run, name);
        let places: Vec<_> = records.iter().map(|record| record.conversation.unwrap()).collect();
        let expected: Vec<_> = (0..2).flat_map(|talk| (0..6).map(move |turn| (talk, turn))).collect();
        assert_eq!(places.iter().map(|place| (place.conversation, place.turn)).collect::<Vec<_>>(), expected);
        check_schema("target-summary", &std::fs::read_to_string(run.path.join(name).join("summary.json")).unwrap());
        let came_to = summary(&run, name).conversations.unwrap();
        assert_eq!((came_to.begun, came_to.finished, came_to.retention.right), (2, 2, 6));
        let grown: Vec<_> = came_to.turns[..6].iter().map(|turn| turn.context_tokens.unwrap()).collect();
        assert!(grown.windows(2).all(|pair| pair[0] < pair[1]), "{grown:?}");
    }
    let cached = summary(&run, "vllm-sim").conversations.unwrap().cached_input_tokens;
    assert!(cached > 0, "a vLLM keeps prefixes");

    let shown = desk.run(&["results", "show", "latest"]);
    assert_eq!(shown.out, outcome.out, "a run shows as it did when it ended");
    let again = desk.run(&["reprocess", "latest"]);
    assert!(again.out.contains("sealed again, unchanged"), "{}", again.all());
}

#[test]
fn every_form_of_output_has_the_grade() {
    let desk = Desk::new();
    let once = ["--mock=vllm", "--conversations=2", "--turns=6", "--max-tokens=16", "--seed=7", "--output=json"];
    let json = desk.run(&[&["conversation"], &once[..]].concat());
    check_schema("summary", &json.out);
    let numbers: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(numbers["targets"][0]["conversations"]["retention"]["grade"], "A");
    let markdown = desk.run(&["results", "show", "latest", "--output=markdown"]);
    assert!(markdown.out.contains("| told → asked |"), "{}", markdown.out);
    let csv = desk.run(&["results", "show", "latest", "--output=csv"]);
    assert!(csv.out.lines().any(|line| line.contains(",retention,")), "{}", csv.out);
}

#[test]
fn a_server_that_cuts_prompts_is_caught_and_one_that_refuses_them_too() {
    let desk = Desk::new();
    let (cuts, refuses) = (start(engine(Engine::Ollama, 420)), start(engine(Engine::Vllm, 420)));
    let (cuts, refuses) = (target("cuts", &cuts), target("refuses", &refuses));
    let asked = ["conversation", "--conversations=2", "--turns=12", "--passage=150", "--max-tokens=16", "--seed=3"];
    let outcome = desk.run(&[&asked[..], &[&cuts, &refuses, "--side-by-side"]].concat());
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    let run = latest(&desk);
    assert!(run.manifest.plan.side_by_side);
    let (cuts, refuses) = (summary(&run, "cuts"), summary(&run, "refuses"));
    assert_eq!(cuts.completed, cuts.attempted, "it says nothing of what it cuts");
    let cuts = cuts.conversations.unwrap().retention;
    assert_eq!((cuts.asked, cuts.unanswered, cuts.not_reached), (12, 0, 0));
    assert!(cuts.right < 6 && cuts.grade.unwrap() >= schema::conversation::Grade::D, "{cuts:?}");
    let unknown = cuts.evidence.iter().filter(|one| one.recall == schema::conversation::Recall::Unknown).count();
    assert_eq!(unknown as u64, cuts.asked - cuts.right, "it does not know what it was not shown");
    let refuses = refuses.conversations.unwrap().retention;
    let turned_down = refuses.evidence.iter().filter(|one| one.recall == schema::conversation::Recall::Refused).count();
    assert!(turned_down > 0 && refuses.right + turned_down as u64 == refuses.asked, "{refuses:?}");
}

#[test]
fn what_cannot_be_is_refused() {
    let check = |more: &[&str], expected: &str| {
        let outcome = Desk::new().run(&[&["conversation", "--mock=vllm"], more].concat());
        assert_eq!(outcome.status, Some(2), "{}", outcome.all());
        assert!(outcome.err.contains(expected), "`{expected}` in\n{}", outcome.err);
    };
    check(&["--turns=4", "--facts=6"], "6 facts cannot be told and asked for in 4 turns");
    check(&["--facts=6", "--turns=4"], "use `turns` of 9 or more");
    check(&["--size=long"], "has no use for `--size`");
    check(&["--requests=4"], "has no use for `--requests`");
    check(&["--conversations=0"], "0 is not in 1..=10000");
}

#[test]
fn a_benchmark_can_ask_for_facts_under_load() {
    let desk = Desk::new();
    let asked = ["benchmark", "--mock=vllm", "--facts=2", "--turns=4", "--requests=16", "--concurrency=4"];
    let outcome = desk.run(&[&asked[..], &["--max-tokens=8", "--no-force-length"]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let came_to = summary(&latest(&desk), "vllm-sim").conversations.unwrap();
    // Whoever is faster gets more of the requests, so how many conversations are whole is left to chance.
    let retention = &came_to.retention;
    assert!(came_to.begun >= 4 && retention.asked > 0 && retention.right == retention.asked, "{came_to:?}");
}

#[test]
fn on_a_terminal_it_is_drawn_and_left_by_enter() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &MOCK, 120, 40);
    pty.wait_for("TTFT over context");
    pty.wait_for("Enter shows the results");
    let screen = pty.screen();
    for part in
        ["CONVERSATION", "SIMULATED", "conversation 2 of 2 · turn 6 of 6 asks", "A  6 of 6", "✓✓✓ ✓✓✓", "Memory"]
    {
        assert!(screen.contains(part), "`{part}` in\n{screen}");
    }
    pty.keys(ENTER);
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
    assert!(store::verify(&latest(&desk)).is_empty());
}

#[test]
fn a_small_terminal_shows_it_too_and_ctrl_c_stops_it() {
    let desk = Desk::new();
    let slow = start(Config {
        pace: Pace::Fixed { ttft: schema::units::Nanos::from_millis(5), itl: schema::units::Nanos::from_millis(100) },
        ..Config::new(Engine::OpenAi)
    });
    let slow = target("slow", &slow);
    let pty = Pty::spawn(&desk, &["conversation", &slow, "--max-tokens=100000", "--warmup=0"], 80, 24);
    pty.wait_for("pieces");
    pty.keys(CTRL_C);
    pty.keys(CTRL_C);
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
}
