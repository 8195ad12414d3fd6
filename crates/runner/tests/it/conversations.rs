use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use schema::plan::Plan;
use schema::record::Outcome;
use serde_json::{Value, json};

use crate::stage::{plan, run, target};

/// A server that keeps what it was asked and what it answered.
struct Diary {
    url: String,
    entries: Arc<Mutex<Vec<Entry>>>,
}

#[derive(Clone)]
struct Entry {
    messages: Vec<Value>,
    answer: String,
}

impl Diary {
    /// Answers each request with text that no other answer has, after some reasoning; those that `fails` says with 400.
    fn start(fails: fn(usize) -> bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let entries = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&entries);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream.unwrap(), &kept, fails));
            }
        });
        Self { url, entries }
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, entries: &Mutex<Vec<Entry>>, fails: fn(usize) -> bool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(body) = read_request(&mut reader) {
        let messages = body["messages"].as_array().unwrap().clone();
        let (number, answer) = {
            let mut entries = entries.lock().unwrap();
            let number = entries.len();
            let answer = format!("answer \"{number}\"");
            entries.push(Entry { messages, answer: answer.clone() });
            (number, answer)
        };
        let (status, page) =
            if fails(number) { ("400 Bad Request", "no".to_owned()) } else { ("200 OK", sse(&answer)) };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n", page.len());
        if stream.write_all((head + &page).as_bytes()).is_err() {
            return;
        }
    }
}

fn sse(answer: &str) -> String {
    let (first, second) = answer.split_at(4);
    let event = |delta: Value| format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }));
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    event(json!({ "reasoning_content": "let me think" }))
        + &event(json!({ "content": first }))
        + &event(json!({ "content": second }))
        + &format!("data: {end}\n\ndata: [DONE]\n\n")
}

fn read_request(reader: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Three turns a conversation, in a closed loop of two streams, in two blocks.
fn three_turns(diaries: &[&Diary], requests: u64) -> Plan {
    let targets = diaries.iter().zip(["a", "b"]).map(|(diary, name)| target(name, &diary.url)).collect();
    let mut plan = Plan { blocks: 2, ..plan(targets, 2, requests) };
    plan.workload.turns = 3;
    plan
}

#[test]
fn later_turns_carry_the_answers_that_were_really_received() {
    let diary = Diary::start(|_| false);
    let done = run(three_turns(&[&diary], 18));
    let entries = diary.entries();
    assert_eq!(entries.len(), 18);
    let mut turns = [0; 3];
    for entry in &entries {
        let turn = entry.messages.len() / 2;
        turns[turn] += 1;
        let Some((before, [answer, followup])) = entry.messages.split_last_chunk() else { continue };
        let earlier = entries.iter().find(|earlier| earlier.messages == before).expect("the turn before was asked");
        assert_eq!(answer["role"], "assistant");
        assert_eq!(answer["content"], earlier.answer.as_str(), "text alone, no reasoning");
        assert_eq!(followup["role"], "user");
    }
    assert_eq!(turns, [6, 6, 6], "conversations go on over blocks");
    let places = done.records("a").into_iter().map(|record| record.conversation.unwrap());
    let mut places: Vec<_> = places.map(|place| (place.conversation, place.turn)).collect();
    places.sort_unstable();
    assert_eq!(places, (0..6).flat_map(|talk| (0..3).map(move |turn| (talk, turn))).collect::<Vec<_>>());
}

#[test]
fn text_that_is_only_carried_is_not_kept() {
    let diary = Diary::start(|_| false);
    assert!(run(three_turns(&[&diary], 6)).records("a").iter().all(|record| record.output.is_none()));
}

#[test]
fn all_targets_meet_the_same_conversations() {
    let diaries = [Diary::start(|_| false), Diary::start(|_| false)];
    let done = run(three_turns(&[&diaries[0], &diaries[1]], 18));
    let met = |name| {
        let records = done.records(name).into_iter();
        let mut met: Vec<_> = records.map(|r| (r.conversation.unwrap().conversation, r.prompt)).collect();
        met.sort_unstable();
        met
    };
    assert_eq!(met("a"), met("b"));
}

#[test]
fn a_turn_that_failed_ends_its_conversation() {
    let diary = Diary::start(|number| number % 4 == 1);
    let done = run(three_turns(&[&diary], 18));
    for record in done.records("a").iter().filter(|record| matches!(record.outcome, Outcome::Failed(_))) {
        let place = record.conversation.unwrap();
        let later = done.records("a").into_iter().filter_map(|record| record.conversation);
        assert!(!later.into_iter().any(|other| other.conversation == place.conversation && other.turn > place.turn));
    }
}
