//! Words on runs.

use std::fs;

use schema::manifest::Status;

use super::sample::{begin, ended};
use crate::{MANIFEST, Run, list, tag, verify};

#[test]
fn tags_are_put_on_and_taken_off() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    run.seal(ended()).unwrap();
    let word = |text: &str| text.parse().unwrap();
    assert_eq!(tag(run.path(), &[word("nightly"), word("a")], &[]).unwrap(), ["a", "nightly"]);
    assert_eq!(tag(run.path(), &[word("a")], &[word("nightly"), word("absent")]).unwrap(), ["a"]);
    assert_eq!(list(out.path()).unwrap()[0].head.as_ref().unwrap().tags, ["a"]);
    let opened = Run::open(run.path()).unwrap();
    assert_eq!(opened.manifest.tags, ["a"]);
    assert!(verify(&opened).is_empty());
}

#[test]
fn what_a_later_version_added_to_a_manifest_stays() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let path = run.path().join(MANIFEST);
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["weather"] = "sunny".into();
    fs::write(&path, manifest.to_string()).unwrap();
    tag(run.path(), &["a".parse().unwrap()], &[]).unwrap();
    manifest["tags"] = serde_json::json!(["a"]);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&fs::read(&path).unwrap()).unwrap(), manifest);
}

#[test]
fn tags_put_on_while_a_run_goes_on_outlive_its_seal() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    tag(run.path(), &["a".parse().unwrap()], &[]).unwrap();
    run.seal(ended()).unwrap();
    assert_eq!(Run::open(run.path()).unwrap().manifest.tags, ["a"]);
}

#[test]
fn tags_and_the_seal_never_undo_each_other() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    let path = run.path().to_owned();
    let words = |person: u32| (0..30).map(move |n| format!("p{person}.{n}"));
    std::thread::scope(|scope| {
        for person in 0..3 {
            let path = &path;
            scope.spawn(move || words(person).for_each(|word| drop(tag(path, &[word.parse().unwrap()], &[]).unwrap())));
        }
        for _ in 0..10 {
            run.seal(ended()).unwrap();
        }
    });
    let mut all: Vec<String> = (0..3).flat_map(words).collect();
    all.sort();
    let manifest = Run::open(&path).unwrap().manifest;
    assert_eq!((manifest.tags, manifest.status), (all, Status::Complete));
}

#[test]
fn words_that_could_be_something_else_are_no_tags() {
    for wrong in ["", "-a", "+a", "a b", "a,b", "ä", "=1+1", &"a".repeat(65)] {
        assert!(wrong.parse::<schema::manifest::Tag>().is_err(), "{wrong}");
    }
}
