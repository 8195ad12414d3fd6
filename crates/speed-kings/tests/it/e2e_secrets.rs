//! A known key is used in every way a key is used, and must then be nowhere: not in what is printed, not in
//! what is kept. The server of these tests says the key back wherever a server can say something.

use std::path::Path;

use serde_json::json;

use crate::command::{Desk, Outcome};
use crate::e2e_server::{Asked, Said, serve};

/// Characters that JSON and URLs escape are part of it.
const CANARY: &str = "sk-canary/0a1b2c3d+4e5f=\"quoted\"";

/// How the canary looks escaped, and parts of it that tell as much.
const FORMS: [&str; 5] = [
    CANARY,
    "sk-canary/0a1b2c3d+4e5f=\\\"quoted\\\"",
    "sk-canary\\/0a1b2c3d+4e5f",
    "sk-canary%2F0a1b2c3d%2B4e5f",
    "0a1b2c3d",
];

/// Where the server says the key back.
#[derive(Clone, Copy)]
enum Echo {
    /// 401 for everything.
    Refusal,
    /// 401 for what generates; the models are listed.
    RefusedAnswer,
    /// In the answer's text, whole and across events, in a header, and in the finish reason.
    Answer,
    /// In an error object inside the stream.
    ErrorInStream,
    /// In the names of the models it lists.
    Models,
}

fn echo(how: Echo) -> String {
    serve(move |asked| said(how, asked))
}

fn said(how: Echo, Asked { is_listing, key }: &Asked) -> Said {
    let error = json!({ "error": { "message": format!("the key {key} is wrong"), "code": key } });
    let event = |text: &str, finish: Option<&str>| {
        let choice = json!({ "index": 0, "delta": { "content": text }, "finish_reason": finish });
        json!({ "id": key, "model": key, "choices": [choice] })
    };
    match (how, is_listing) {
        (Echo::Refusal, _) | (Echo::RefusedAnswer, false) => Said::json("401 Unauthorized", &error),
        (Echo::Models, true) => {
            Said::json("200 OK", &json!({ "data": [{ "id": format!("tiny-{key}") }, { "id": key }] }))
        }
        (_, true) => Said::model("tiny"),
        (Echo::ErrorInStream, false) => Said::stream(&[event("so ", None), error]),
        (Echo::Answer | Echo::Models, false) => {
            let (left, right) = key.split_at(key.len() / 2);
            let texts = ["your key is ", key, left, right];
            let events = texts.iter().map(|text| event(text, None)).chain([event("", Some(key))]);
            Said::stream(&events.collect::<Vec<_>>())
        }
    }
}

/// Everything in and under `folder`, as one text.
fn everything(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            everything(&path, found);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
}

#[track_caller]
fn check(desk: &Desk, outcome: &Outcome, what: &str) {
    let mut texts = vec![(format!("the output of {what}"), outcome.all())];
    everything(desk.path(), &mut texts);
    for (place, text) in texts {
        for form in FORMS {
            assert!(!text.contains(form), "`{form}` stands in {place}:\n{text}");
        }
    }
}

fn desk(url: &str) -> Desk {
    Desk::new().with("GROQ_BASE_URL", &format!("{url}/v1")).with("GROQ_API_KEY", CANARY)
}

#[track_caller]
fn check_server(how: Echo, status: i32) {
    let desk = desk(&echo(how));
    let asked = ["--providers=groq", "--model=tiny", "-vvv"];
    for form in ["--output=table", "--output=json"] {
        let load = ["--requests=2", "--warmup=1", "--max-tokens=4", "--keep-text", form];
        let outcome = desk.run(&[&["benchmark"], &asked[..], &load].concat());
        assert_eq!(outcome.status, Some(status), "{}", outcome.all());
        check(&desk, &outcome, "benchmark");
        let outcome = desk.run(&[&["test"], &asked[..], &[form]].concat());
        check(&desk, &outcome, "test");
        assert_eq!(outcome.status, Some(status), "{}", outcome.all());
    }
    check(&desk, &desk.run(&["results", "show", "-vvv"]), "results show");
    check(&desk, &desk.run(&["list", "groq", "-vvv"]), "list");
}

#[test]
fn a_key_that_is_said_back_in_an_answer_is_nowhere() {
    check_server(Echo::Answer, 0);
}

#[test]
fn a_key_that_is_said_back_in_a_refusal_is_nowhere() {
    check_server(Echo::RefusedAnswer, 1);
    check_server(Echo::Refusal, 1);
}

#[test]
fn a_key_that_is_said_back_inside_a_stream_is_nowhere() {
    check_server(Echo::ErrorInStream, 1);
}

#[test]
fn a_key_that_is_said_back_among_models_is_nowhere() {
    check_server(Echo::Models, 1);
}

#[test]
fn a_key_that_is_presented_in_a_header_of_its_own_is_nowhere() {
    for how in [Echo::Refusal, Echo::RefusedAnswer, Echo::ErrorInStream] {
        let desk = Desk::new().with("ANTHROPIC_BASE_URL", &echo(how)).with("ANTHROPIC_API_KEY", CANARY);
        let asked = ["--providers=anthropic", "--model=tiny", "-vvv"];
        for verb in [&["benchmark", "--requests=2"][..], &["test"]] {
            let outcome = desk.run(&[verb, &asked[..]].concat());
            assert_eq!(outcome.status, Some(1), "{}", outcome.all());
            check(&desk, &outcome, verb[0]);
        }
    }
}

/// A proxy that says its credentials back.
#[test]
fn the_password_of_a_proxy_is_nowhere() {
    let proxy = serve(|asked| Said::json("407 Proxy Authentication Required", &json!({ "error": asked.key })));
    for password in ["canary-0a1b2c3d", "canary%2F0a1b2c3d"] {
        let proxy = proxy.replace("http://", &format!("http://user:{password}@"));
        let desk = Desk::new().with("HTTPS_PROXY", &proxy).with("https_proxy", &proxy);
        let run = ["--url=https://127.0.0.1:1/v1", "--model=m", "-vvv"];
        let once = "--requests=1";
        for arguments in [&["benchmark", once][..], &["benchmark", once, "--dry-run", "--output=json"], &["test"]] {
            let outcome = desk.run(&[arguments, &run].concat());
            check(&desk, &outcome, "a run through a proxy");
            assert!(!outcome.all().contains("dXNlcjpjYW5hcnk"), "in base64: {}", outcome.all());
        }
        check(&desk, &desk.run(&["config", "show"]), "config show");
    }
}

#[test]
fn commands_that_look_at_the_environment_do_not_show_keys() {
    let desk = desk(&echo(Echo::Answer)).with("SPEED_KINGS_LOG", "trace");
    for arguments in [
        &["benchmark", "--providers=groq", "--dry-run"][..],
        &["benchmark", "--providers=groq", "--dry-run", "--output=json"],
        &["benchmark", "--providers=all", "--dry-run"],
        &["config", "show"],
        &["config", "show", "--output=json"],
        &["list"],
        &["list", "--models"],
        &["pricing"],
        &["init"],
    ] {
        check(&desk, &desk.run(arguments), arguments[0]);
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let desk = Desk::new().with_file("deep/down/here", &format!("before {CANARY} after"));
    let outcome = desk.run(&["--version"]);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&desk, &outcome, "nothing")));
    assert!(caught.is_err());
}
