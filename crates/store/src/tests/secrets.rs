//! Keys never reach the disk.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use schema::record::Outcome;
use schema::text::Untrusted;
use secrecy::SecretString;

use super::sample::{NOW, ended, failed, manifest, partial, quality, read, record, summary, write};
use crate::{Run, RunDir, Seal, StoreError, verify};

const CANARY: &str = "sk-canary/\"42\\+x";

/// Fails when any file or folder below `folder` shows a part of the canary.
#[track_caller]
fn check_absent(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(!path.to_string_lossy().contains("canary"), "{}", path.display());
        if path.is_dir() {
            check_absent(&path);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("canary"), "{}:\n{text}", path.display());
        }
    }
}

#[test]
fn a_key_is_absent_from_everything_written() {
    let out = tempfile::tempdir().unwrap();
    let mut manifest = manifest(&format!("try {CANARY}"), &["groq"]);
    manifest.plan.targets[0].url = "http://localhost/v1?key=sk-canary%2F%2242%5C%2Bx".parse().unwrap();
    manifest.plan.targets[0].headers.push(("x-key".into(), CANARY.into()));
    manifest.plan.targets[0].model = format!("model {CANARY}");
    let mut run = RunDir::create(out.path(), &manifest, NOW, &[SecretString::from(CANARY)]).unwrap();
    let quoted = serde_json::json!({ "error": format!("bad key {CANARY}") }).to_string();
    let mut told = record("groq", 2);
    told.request_id = Some(Untrusted::from(CANARY));
    told.output = Some(["so: sk-ca", "nary/\"4", "2\\+x, yes", "fine"].map(Untrusted::from).to_vec());
    let records = [failed("groq", 0, &format!("bad key {CANARY}")), failed("groq", 1, &quoted), told];
    write(&mut run.writer(), &records, &[partial("groq", 3, 0)]);
    let mut log = run.log().unwrap();
    log.write_all(b"key sk-can").unwrap();
    log.write_all(b"ary/\"42\\+x refused\nno end ").unwrap();
    log.write_all(CANARY.as_bytes()).unwrap();
    drop(log);
    check_absent(out.path());

    let mut verdict = quality();
    verdict.reasons.push(CANARY.into());
    let mut numbers = summary("groq");
    numbers.warnings.push(CANARY.into());
    let page = format!("<p>{CANARY}</p>");
    run.seal(Seal {
        summaries: &[numbers],
        files: &[("reports/page.html", page.as_bytes())],
        quality: Some(&verdict),
        notes: &[CANARY.to_owned()],
        ..ended()
    })
    .unwrap();
    check_absent(out.path());
    assert_eq!(fs::read_to_string(run.path().join("run.log")).unwrap(), "key *** refused\nno end ***");
    assert_eq!(fs::read_to_string(run.path().join("reports/page.html")).unwrap(), "<p>***</p>");

    let sealed = Run::open(run.path()).unwrap();
    assert!(verify(&sealed).is_empty());
    let (kept, problems) = read(&sealed, "groq");
    assert_eq!((kept.len(), problems), (4, vec![]));
    assert!(matches!(&kept[0].outcome, Outcome::Failed(f) if f.message.raw() == "bad key ***"));
    let output: Vec<_> = kept[2].output.as_ref().unwrap().iter().map(Untrusted::raw).collect();
    assert_eq!(output, ["***", "***", "***", "fine"]);
    assert_eq!(kept[2].events, records[2].events, "what was measured is untouched");
}

#[test]
fn a_key_that_contains_another_goes_as_a_whole() {
    let out = tempfile::tempdir().unwrap();
    let secrets = ["sk-canary", "sk-canary-long"].map(SecretString::from);
    let run = RunDir::create(out.path(), &manifest("x", &["groq"]), NOW, &secrets).unwrap();
    run.log().unwrap().write_all(b"sk-canary-long sk-canary\n").unwrap();
    assert_eq!(fs::read_to_string(run.path().join("run.log")).unwrap(), "*** ***\n");
}

#[test]
fn placeholders_that_name_something_are_left_alone() {
    let out = tempfile::tempdir().unwrap();
    let secrets = ["", "EMPTY", "lm-studio"].map(SecretString::from);
    let run = RunDir::create(out.path(), &manifest("EMPTY", &["lm-studio-2"]), NOW, &secrets).unwrap();
    write(&mut run.writer(), &[record("lm-studio-2", 0)], &[]);
    let opened = Run::open(run.path()).unwrap();
    assert_eq!(opened.manifest.plan.name, "EMPTY");
    assert_eq!(read(&opened, "lm-studio-2").0, [record("lm-studio-2", 0)]);
}

#[test]
fn a_key_that_is_a_word_of_the_format_is_refused_rather_than_written_or_half_hidden() {
    let out = tempfile::tempdir().unwrap();
    let secrets = [SecretString::from("measured")];
    let run = RunDir::create(out.path(), &manifest("x", &["groq"]), NOW, &secrets).unwrap();
    assert!(matches!(run.writer().append(&record("groq", 0)), Err(StoreError::SecretIsWord)));
    check_absent(out.path());
}

#[test]
fn a_guard_does_not_print_what_it_guards() {
    let out = tempfile::tempdir().unwrap();
    let run = RunDir::create(out.path(), &manifest("x", &["groq"]), NOW, &[SecretString::from(CANARY)]).unwrap();
    assert!(!format!("{run:?} {:?}", run.writer()).contains("canary"));
}
