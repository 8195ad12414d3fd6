//! Votes as they are kept and found again.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use schema::vote::{Contender, Preference, Vote};
use secrecy::SecretString;

use crate::{Redactor, VOTES, keep_vote, votes};

fn contender(name: &str) -> Contender {
    Contender { target: name.parse().unwrap(), provider: "vllm".into(), model: "m".into(), simulated: false }
}

fn vote(prompt: &str, preferred: &str) -> Vote {
    Vote {
        format_version: 1,
        at: "2026-11-22T11:00:00Z".parse().unwrap(),
        run_id: uuid::Uuid::nil(),
        run: "test_try-it_20261122_110000".to_owned(),
        prompt: prompt.into(),
        shown: vec![contender("a"), contender("b")],
        preference: Preference::One(preferred.parse().unwrap()),
    }
}

fn nothing_secret() -> Redactor {
    Redactor::new(&[], &[])
}

fn add(out: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().create(true).append(true).open(out.join(VOTES)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn votes_are_found_in_the_order_they_were_given() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("not there yet");
    assert!(votes(&folder).unwrap().votes.is_empty());
    for (prompt, best) in [("one", "a"), ("two", "b"), ("three\nlines\u{1b}[2J", "a")] {
        keep_vote(&folder, &vote(prompt, best), &nothing_secret()).unwrap();
    }
    let found = votes(&folder).unwrap();
    assert_eq!(found.votes, [vote("one", "a"), vote("two", "b"), vote("three\nlines\u{1b}[2J", "a")]);
    assert_eq!((found.unreadable, found.newer, found.cut), (0, 0, false));
}

#[test]
fn a_vote_torn_at_any_byte_costs_itself_alone() {
    let out = tempfile::tempdir().unwrap();
    keep_vote(out.path(), &vote("one", "a"), &nothing_secret()).unwrap();
    let whole = fs::read(out.path().join(VOTES)).unwrap();
    for cut in 1..whole.len() {
        let out = tempfile::tempdir().unwrap();
        add(out.path(), &whole);
        add(out.path(), &whole[..cut]);
        keep_vote(out.path(), &vote("after", "b"), &nothing_secret()).unwrap();
        let found = votes(out.path()).unwrap();
        let is_whole = cut == whole.len() - 1;
        assert_eq!(found.votes.len(), 2 + usize::from(is_whole), "cut at {cut}");
        assert_eq!(found.unreadable, u64::from(!is_whole), "cut at {cut}");
        assert_eq!(found.votes.last().unwrap().prompt.raw(), "after");
    }
}

#[test]
fn lines_that_are_no_votes_are_counted_and_passed_over() {
    let out = tempfile::tempdir().unwrap();
    let line = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(vote("x", "a")).unwrap();
        change(&mut value);
        format!("{value}\n").into_bytes()
    };
    let hostile: Vec<Vec<u8>> = vec![
        b"\xff\xfe\x00\n".to_vec(),
        b"[[[[[[[[\n".to_vec(),
        b"{}\n".to_vec(),
        format!("{}\n", "[".repeat(20_000)).into_bytes(),
        format!("\"{}\"\n", "x".repeat(40_000)).into_bytes(),
        line(&|v| v["preference"]["one"] = "nobody".into()),
        line(&|v| v["shown"] = serde_json::json!([])),
        line(&|v| v["shown"][1] = v["shown"][0].clone()),
        line(&|v| v["shown"][0]["target"] = "../../etc".into()),
        line(&|v| v["format_version"] = (-1).into()),
    ];
    for line in &hostile {
        add(out.path(), line);
    }
    add(out.path(), &line(&|v| v["format_version"] = 2.into()));
    add(out.path(), &line(&|v| v["weather"] = "sunny".into()));
    add(out.path(), b"\n");
    let found = votes(out.path()).unwrap();
    assert_eq!((found.votes.len(), found.unreadable, found.newer), (1, hostile.len() as u64, 1));
}

#[test]
fn a_key_typed_into_a_prompt_is_not_kept() {
    let out = tempfile::tempdir().unwrap();
    let guard = Redactor::new(&[SecretString::from("sk-canary-0123456789")], &[]);
    keep_vote(out.path(), &vote("my key is sk-canary-0123456789", "a"), &guard).unwrap();
    let kept = fs::read_to_string(out.path().join(VOTES)).unwrap();
    assert!(!kept.contains("canary") && kept.contains("***"), "{kept}");
}

#[test]
fn a_vote_that_no_reader_would_take_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let long = Vote { run: "x".repeat(40_000), ..vote("x", "a") };
    assert!(keep_vote(out.path(), &long, &nothing_secret()).is_err());
    assert!(votes(out.path()).unwrap().votes.is_empty());
}
