use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use schema::plan::{Load, Pause, Stop};
use schema::record::{InConversation, Record};
use schema::units::Nanos;
use serde_json::{Value, json};
use sim::{Config, Limits, Sim};

use crate::stage::{Stage, quick};

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
fn three_turns(diaries: &[&Diary], requests: u64) -> Stage {
    let urls = diaries.iter().map(|diary| diary.url.clone());
    let mut stage = Stage::at(urls, Load::Closed { concurrency: 2 }, Stop::Requests(requests));
    stage.plan.blocks = 2;
    stage.plan.workload.turns = 3;
    stage
}

/// Which turns of which conversations were had.
fn places(records: &[Record]) -> BTreeSet<(u64, u32)> {
    let places = records.iter().map(|record| record.conversation.unwrap());
    places.map(|place| (place.conversation, place.turn)).collect()
}

#[test]
fn later_turns_carry_the_answers_that_were_really_received() {
    let diary = Diary::start(|_| false);
    let stage = three_turns(&[&diary], 18);
    let ran = stage.run().unwrap();
    let entries = diary.entries();
    assert_eq!(entries.len(), 18);
    for entry in &entries {
        let Some((before, [answer, followup])) = entry.messages.split_last_chunk().filter(|(b, _)| !b.is_empty())
        else {
            continue;
        };
        let earlier = entries.iter().find(|earlier| earlier.messages == before).expect("the turn before was asked");
        assert_eq!(answer["role"], "assistant");
        assert_eq!(answer["content"], earlier.answer.as_str(), "text alone, no reasoning");
        assert_eq!(followup["role"], "user");
    }
    let places = places(&ran.records("a"));
    assert_eq!(places.len(), 18);
    assert!(places.iter().any(|(_, turn)| *turn == 2));
    assert!(places.iter().all(|(talk, turn)| *turn == 0 || places.contains(&(*talk, turn - 1))), "{places:?}");
}

#[test]
fn conversations_go_on_over_blocks() {
    let diary = Diary::start(|_| false);
    let mut stage = three_turns(&[&diary], 12);
    // Two requests a block: no conversation would ever get beyond its first turn.
    stage.plan.blocks = 6;
    let ran = stage.run().unwrap();
    assert!(places(&ran.records("a")).iter().any(|(_, turn)| *turn == 2));
}

#[test]
fn text_that_is_only_carried_is_not_kept() {
    let diary = Diary::start(|_| false);
    let stage = three_turns(&[&diary], 6);
    assert!(stage.run().unwrap().records("a").iter().all(|record| record.output.is_none()));
}

#[test]
fn all_targets_meet_the_same_conversations() {
    let diaries = [Diary::start(|_| false), Diary::start(|_| false)];
    let stage = three_turns(&[&diaries[0], &diaries[1]], 18);
    let ran = stage.run().unwrap();
    let met = |name| -> BTreeMap<_, _> {
        let records = ran.records(name).into_iter();
        records.map(|record| (record.conversation.unwrap().conversation, record.prompt)).collect()
    };
    let (a, b) = (met("a"), met("b"));
    assert!(a.len() >= 6 && a.iter().all(|(talk, prompt)| b.get(talk).is_none_or(|other| other == prompt)));
}

#[test]
fn a_turn_that_failed_ends_its_conversation() {
    let diary = Diary::start(|number| number % 4 == 1);
    let stage = three_turns(&[&diary], 18);
    let records = stage.run().unwrap().records("a");
    let places = places(&records);
    let failed: Vec<_> = records.iter().filter(|record| !record.outcome.is_complete()).collect();
    assert!(failed.len() >= 4);
    for place in failed.iter().filter_map(|record| record.conversation) {
        assert!(!places.contains(&(place.conversation, place.turn + 1)), "{place:?}");
    }
}

#[test]
fn a_user_s_session_is_one_conversation() {
    let diary = Diary::start(|_| false);
    let mut stage = three_turns(&[&diary], 12);
    stage.plan.load = Load::Users {
        users: 2,
        think: Pause::NONE,
        session_requests: u32::MAX,
        session_pause: "200ms".parse().unwrap(),
        arrive_over_ns: Nanos::ZERO,
    };
    stage.plan.blocks = 1;
    let records = stage.run().unwrap().records("a");
    assert_eq!(places(&records), (0..4).flat_map(|talk| (0..3).map(move |turn| (talk, turn))).collect());
    let begun = |(talk, turn): (u64, u32)| {
        let is_it = |record: &&Record| record.conversation == Some(InConversation { conversation: talk, turn });
        records.iter().find(is_it).unwrap().scheduled_ns
    };
    // Whoever is first to end a conversation stays away before the next.
    let away = begun((2, 0)).since(begun((0, 2)).min(begun((1, 2))));
    assert!(away >= Nanos::from_millis(200), "{away}");
}

/// Many streams wait for the limits whenever a block ends: what they were about to say, they say in the next.
#[test]
fn a_turn_that_waits_when_its_block_ends_is_had_in_the_next() {
    let limits = Limits { requests: Some("20/s".parse().unwrap()), tokens: None };
    let sim = Sim::start(Config { limits, ..quick() }).unwrap();
    let mut stage = Stage::new(&[&sim], Load::Closed { concurrency: 8 }, Stop::DurationNs(Nanos::from_millis(2000)));
    stage.plan.blocks = 8;
    stage.plan.workload.turns = 3;
    stage.plan.respect_limits = true;
    let had = places(&stage.run().unwrap().records("a"));
    let numbers: BTreeSet<_> = had.iter().map(|(conversation, _)| *conversation).collect();
    let begun = numbers.last().unwrap() + 1;
    assert!(begun <= numbers.len() as u64 + 8, "{begun} begun, {} had", numbers.len());
}
