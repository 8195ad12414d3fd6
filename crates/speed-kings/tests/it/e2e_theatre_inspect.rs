//! `inspect`, as text and drawn on a terminal, with servers that behave, that misbehave, and that say keys back.

use std::path::Path;

use serde_json::{Value, json};
use sim::{Engine, Fault};

use crate::command::{Desk, Outcome};
use crate::e2e_run::{faulty_engine, is_plain, prompt_engine, start, target};
use crate::e2e_server::{Asked, Said, serve};
use crate::pty::{ENTER, Life, Pty, TAB};

const MOCK: [&str; 4] = ["inspect", "--mock=vllm", "--max-tokens=5", "--seed=7"];

fn done(desk: &Desk, arguments: &[&str]) -> Outcome {
    let outcome = desk.run(arguments);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{}", outcome.all());
    outcome
}

#[test]
fn an_exchange_is_shown_as_it_went_over_the_wire() {
    let desk = Desk::new();
    let outcome = done(&desk, &MOCK);
    for words in [
        "vllm-sim (SIMULATED): ",
        "POST /v1/chat/completions HTTP/1.1",
        "\"max_tokens\": 5",
        "HTTP/1.1 200 OK",
        "content-type: text/event-stream",
        "data: [DONE]",
        "efficiency: text ÷ body",
        "counted by                  server usage",
    ] {
        assert!(outcome.out.contains(words), "`{words}` in\n{}", outcome.out);
    }
    assert!(!desk.path().join("results").exists(), "it is no run");
}

#[test]
fn every_form_tells_of_the_same_events() {
    let desk = Desk::new();
    let json: Value = serde_json::from_str(&done(&desk, &[&MOCK[..], &["--output=json"]].concat()).out).unwrap();
    let exchange = &json["exchanges"][0];
    let events = exchange["parts"].as_array().unwrap().len();
    assert_eq!(events, exchange["record"]["events"]["kinds"].as_str().unwrap().len());
    assert_eq!(json["economies"][0]["output_tokens"], 5);
    let body: String = exchange["parts"].as_array().unwrap().iter().map(|part| part["raw"].as_str().unwrap()).collect();
    assert_eq!(body.len() as u64, exchange["record"]["response_bytes"].as_u64().unwrap());
    assert!(body.ends_with("data: [DONE]\n\n") && exchange["rest"] == "");
    let csv = done(&desk, &[&MOCK[..], &["--output=csv", "--raw"]].concat()).out;
    assert!(
        csv.starts_with("target,event,at_ns,gap_ns,bytes,tokens,kind,client_lag_ns,shared_read,text,raw\n"),
        "{csv}"
    );
    assert_eq!(csv.matches("vllm-sim,").count(), events);
    let markdown = done(&desk, &[&MOCK[..], &["--output=markdown", "--kind=text"]].concat()).out;
    assert!(markdown.contains("```\nPOST /v1") && markdown.contains("## Timeline") && markdown.contains("| text"));
    assert!(!markdown.contains("| other"), "{markdown}");
}

#[test]
fn what_was_kept_is_shown_again_without_asking_anybody() {
    let desk = Desk::new();
    let kept = done(&desk, &[&MOCK[..], &["--save=kept.json", "--output=json"]].concat());
    assert!(kept.err.contains("kept in kept.json"), "{}", kept.err);
    let again = done(&desk, &["inspect", "--open=kept.json", "--output=json"]);
    assert_eq!(again.out, kept.out);
    // What is printed can be opened, too.
    let desk = desk.with_file("printed.json", &kept.out);
    assert_eq!(done(&desk, &["inspect", "--open=printed.json", "--output=json"]).out, kept.out);
    let schema = include_str!("../../../../schemas/exchanges.v1.schema.json");
    let is_as_published = |text: &str| {
        jsonschema::is_valid(&serde_json::from_str(schema).unwrap(), &serde_json::from_str::<Value>(text).unwrap())
    };
    assert!(is_as_published(&file(&desk, "kept.json")) && !is_as_published("{}"));
    let found = done(&desk, &["inspect", "--open=kept.json", "--output=csv", "--find=[done]"]);
    assert_eq!(found.out.lines().count(), 2, "{}", found.out);
}

#[track_caller]
fn check_refused(arguments: &[&str], words: &str) {
    let desk = Desk::new()
        .with_file("list.json", "[]")
        .with_file("later.json", r#"{"format_version":99}"#)
        .with_file("empty.json", r#"{"format_version":1,"program_version":"1","exchanges":[]}"#);
    let outcome = desk.run(&[&["inspect"], arguments].concat());
    assert_eq!(outcome.status, Some(2), "{}", outcome.all());
    assert!(outcome.err.contains(words) && outcome.out.is_empty(), "`{words}` in\n{}", outcome.all());
}

#[test]
fn what_makes_no_sense_is_refused() {
    check_refused(&["--open=missing.json"], "cannot be read");
    check_refused(&["--open=list.json"], "holds no exchanges");
    check_refused(&["--open=later.json"], "newer speed-kings");
    check_refused(&["--open=empty.json"], "holds no exchange");
    check_refused(&["--open=list.json", "--mock"], "has no use for `--mock`");
    check_refused(&["--open=list.json", "--no-stream"], "has no use for `--no-stream`");
    check_refused(&["--mock", "--rate=5/s"], "`inspect` has no use for `--rate`");
    check_refused(&["--mock", "--slo=ttft_p95<1s"], "`inspect` has no use for `--slo`");
    check_refused(&["--mock", "--kind=banana"], "use one of text, reasoning");
    check_refused(&["--mock", "--errors", "--save=x.json"], "cannot be used with");
    check_refused(&["--mock", "--errors", "--record=x.cast"], "cannot be used with");
    check_refused(&["--mock", "--find=x", "--output=json"], "no use for `--kind` and `--find`");
    check_refused(&["--mock", "--record=x.cast"], "there is no screen to record");
}

#[test]
fn what_cannot_be_kept_is_shown_all_the_same() {
    let outcome = Desk::new().run(&[&MOCK[..], &["--save=nowhere/kept.json"]].concat());
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.out.contains("HTTP/1.1 200 OK") && outcome.err.contains("cannot be kept"), "{}", outcome.all());
}

#[test]
fn a_target_that_is_left_out_is_no_success() {
    let outcome = Desk::new().run(&[&MOCK[..], &["--providers=groq"]].concat());
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.out.contains("HTTP/1.1 200 OK"), "{}", outcome.all());
}

#[test]
fn an_answer_in_one_piece_is_shown_read_by_read() {
    let desk = Desk::new();
    let outcome = done(&desk, &[&MOCK[..], &["--no-stream"]].concat());
    assert!(
        outcome.out.contains("\"object\": \"chat.completion\"") && outcome.out.contains("piece"),
        "{}",
        outcome.out
    );
}

#[track_caller]
fn check_fault(fault: Fault, words: &str) {
    let desk = Desk::new();
    let engine = start(faulty_engine(Engine::Vllm, fault));
    let outcome = desk.run(&["inspect", &target("bad", &engine), "--max-tokens=8", "--raw", "--output=table"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(is_plain(&outcome.out), "{:?}", outcome.out);
    assert!(outcome.out.contains(words), "`{words}` in\n{}", outcome.out);
}

#[test]
fn what_went_wrong_is_shown_as_far_as_it_came() {
    check_fault(Fault::BadRequest, "failed: request refused");
    check_fault(Fault::Malformed, "failed: malformed");
    check_fault(Fault::TruncateClean, "failed: truncated");
    check_fault(Fault::ErrorInStream, "failed: error in stream");
    check_fault(Fault::ResetEarly, "failed: closed before answering");
    check_fault(Fault::Html, "the answer is a web page");
    check_fault(Fault::RateLimit, "retry-after: 2");
}

#[test]
fn harmless_oddities_are_shown_and_harm_nobody() {
    for fault in [Fault::HostileText, Fault::SplitUtf8, Fault::OneByteWrites, Fault::MultiToken] {
        let desk = Desk::new();
        let engine = start(faulty_engine(Engine::Vllm, fault));
        done(&desk, &["inspect", &target("odd", &engine), "--max-tokens=8", "--raw"]);
    }
}

fn answered(rows: &Value, request: &str) -> Value {
    rows.as_array().unwrap().iter().find(|row| row["request"] == request).unwrap_or_else(|| panic!("{rows:#}")).clone()
}

#[test]
fn the_error_theatre_shows_how_each_wrong_request_is_answered() {
    let desk = Desk::new();
    let outcome = done(&desk, &["inspect", "--mock=vllm,tgi,ollama", "--errors", "--output=json"]);
    let rows: Value = serde_json::from_str(&outcome.out).unwrap();
    let row = answered(&rows, "negative-limit");
    assert_eq!((&row["status"], &row["verdict"]), (&json!(400.0), &json!("good")), "{row}");
    assert_eq!((&row["says_what"], &row["says_how"], &row["simulated"]), (&json!(true), &json!(true), &json!(true)));
    assert_eq!(answered(&rows, "wrong-path")["class"], "not found");
    assert_eq!(answered(&rows, "unknown-field")["verdict"], "accepted");
    assert_eq!(answered(&rows, "over-long")["class"], "request refused");
    for name in ["vllm-sim", "tgi-sim", "ollama-sim"] {
        let own = rows.as_array().unwrap().iter().filter(|row| row["target"] == name).count();
        assert!(own > 15, "{name}: {own}");
    }
    let table = done(&desk, &["inspect", "--mock=vllm", "--errors"]).out;
    assert!(table.contains("vllm-sim (SIMULATED)") && table.contains("In its words"), "{table}");
}

#[test]
fn an_answer_to_a_wrong_request_is_cut_off() {
    let desk = Desk::new();
    let endless = start(faulty_engine(Engine::Vllm, Fault::Endless));
    let outcome = done(&desk, &["inspect", &target("endless", &endless), "--errors", "--output=json"]);
    let rows: Value = serde_json::from_str(&outcome.out).unwrap();
    let row = answered(&rows, "unknown-field");
    assert_eq!((&row["class"], &row["verdict"]), (&json!("cut off by us"), &json!("accepted")), "{row}");
}

#[test]
fn the_theatre_cannot_be_played_to_an_empty_house() {
    let outcome = Desk::new().run(&["inspect", "--target=dead=vllm@http://127.0.0.1:1,model=m", "--errors"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
}

/// Characters that JSON and URLs escape are part of it.
const CANARY: &str = "sk-canary/0a1b2c3d+4e5f=\"quoted\"";

/// Says the key back in headers, in events, across events, and in events behind one that is broken, there also with all of
/// it escaped.
fn echo() -> String {
    serve(|Asked { is_listing, key }: &Asked| {
        if *is_listing {
            return Said::model("tiny");
        }
        let event = |text: &str| {
            let choice = json!({ "index": 0, "delta": { "content": text }, "finish_reason": null });
            format!("data: {}\n\n", json!({ "id": key, "choices": [choice] }))
        };
        let (left, right) = key.split_at(key.len() / 2);
        let body: String = ["your key: ", key, left, right].into_iter().map(event).collect();
        let escaped = key.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
        let broken = format!("data: {{oops {key}\n\ndata: {{\"key\":\"{escaped}\"}}\n\n");
        let after: String = [left, right].into_iter().map(event).collect();
        Said { status: "200 OK", content_type: "text/event-stream", body: format!("{body}{broken}{after}") }
    })
}

#[track_caller]
fn check_no_canary(text: &str) {
    for form in ["0a1b2c3d", "4e5f", "sk-canary", "quoted", "u0063"] {
        assert!(!text.contains(form), "`{form}` stands in\n{text}");
    }
}

fn keyed() -> Desk {
    Desk::new().with("GROQ_BASE_URL", &format!("{}/v1", echo())).with("GROQ_API_KEY", CANARY)
}

fn file(desk: &Desk, name: impl AsRef<Path>) -> String {
    std::fs::read_to_string(desk.path().join(name)).unwrap()
}

#[test]
fn a_key_is_nowhere_in_what_is_printed_and_kept() {
    let desk = keyed();
    let asked = ["inspect", "--providers=groq", "--model=tiny", "--raw", "-vvv"];
    for form in ["table", "json", "markdown", "csv"] {
        let output = format!("--output={form}");
        let outcome = desk.run(&[&asked[..], &["--save=kept.json", &output]].concat());
        assert_eq!(outcome.status, Some(1), "{}", outcome.all());
        check_no_canary(&outcome.all());
        check_no_canary(&file(&desk, "kept.json"));
        let theatre = desk.run(&["inspect", "--providers=groq", "--model=tiny", "--errors", "-vvv", &output]);
        check_no_canary(&theatre.all());
    }
    let kept: Value = serde_json::from_str(&file(&desk, "kept.json")).unwrap();
    let headers = kept["exchanges"][0]["request"]["headers"].as_array().unwrap();
    let key = headers.iter().find(|header| header["name"] == "authorization").unwrap();
    assert_eq!(*key, json!({ "name": "authorization" }), "its name is there, its value is not");
    assert!(kept.to_string().contains("your key: "), "what is no key is kept");
}

#[test]
fn a_key_is_nowhere_on_the_screen() {
    let desk = keyed();
    let pty = Pty::spawn(&desk, &["inspect", "--providers=groq", "--model=tiny", "--raw"], 120, 40);
    pty.wait_for("200 · HTTP/1.1");
    pty.keys("1");
    pty.wait_for("authorization: ***");
    pty.keys("2");
    pty.wait_for("Its body");
    pty.keys("3");
    pty.wait_for("as it came");
    pty.keys("jjjjs");
    pty.wait_for("kept in exchange_");
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(1));
    check_no_canary(&String::from_utf8_lossy(&pty.sent()));
    let kept =
        std::fs::read_dir(desk.path()).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let kept = kept.into_iter().find(|name| name.starts_with("exchange_")).unwrap();
    check_no_canary(&file(&desk, kept));
}

#[test]
fn the_screen_is_walked_through_with_keys() {
    let desk = Desk::new();
    let engine = start(prompt_engine(Engine::Vllm));
    let arguments = ["inspect", &target("near", &engine), "--mock=ollama", "--max-tokens=6"];
    let pty = Pty::spawn(&desk, &arguments, 100, 30);
    pty.wait_for("200 · HTTP/1.1");
    pty.wait_for("3 Timeline");
    pty.keys("f");
    pty.wait_for("only text (");
    pty.keys("/zzz");
    pty.wait_for("find: zzz");
    pty.keys(ENTER);
    pty.wait_for("(0 of ");
    pty.keys("/\u{1b}");
    pty.wait_until("nothing is held back by text", |screen| !screen.contents().contains("holding"));
    pty.keys("l");
    pty.keys(ENTER);
    pty.wait_for("as it came");
    pty.keys(TAB);
    pty.keys("1");
    pty.wait_for("POST /api/chat HTTP/1.1");
    pty.resize(60, 20);
    pty.keys("4");
    pty.wait_for("Tokens");
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
    let left = pty.screen();
    assert!(left.contains("ollama-sim") && left.contains("(SIMULATED)"), "{left}");
}
