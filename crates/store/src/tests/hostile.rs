//! Run folders that someone else made.

use std::fs;
use std::path::Path;

use super::sample::{begin, ended, name, record, write};
use crate::{MANIFEST, Problem, REQUESTS, Run, StoreError, verify};

/// Opens a run whose manifest was changed.
fn open_with(change: impl FnOnce(&mut serde_json::Value)) -> Result<Run, StoreError> {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    change_manifest(run.path(), change);
    Run::open(run.path())
}

fn change_manifest(run: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = run.join(MANIFEST);
    let mut manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let error =
        open_with(|m| *m = serde_json::json!({ "format_version": 7, "everything": "else changed" })).unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 7, known: schema::FORMAT_VERSION, .. }), "{error}");
}

#[test]
fn fields_we_do_not_know_are_passed_over() {
    let run = open_with(|m| m["weather"] = "sunny".into()).unwrap();
    assert_eq!(run.manifest.plan.name, "Night shift");
}

#[test]
fn a_target_that_would_leave_the_run_is_refused() {
    for bad in ["..", "../groq", "/etc", ""] {
        let error = open_with(|m| m["plan"]["targets"][0]["name"] = bad.into()).unwrap_err();
        assert!(matches!(error, StoreError::NotUnderstood { .. }), "{bad}: {error}");
    }
}

#[test]
fn text_in_a_manifest_does_not_reach_the_terminal_raw() {
    let error = open_with(|m| m["status"] = "\u{1b}[2Jdone".into()).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
}

#[test]
fn a_folder_without_a_manifest_is_not_a_run() {
    let out = tempfile::tempdir().unwrap();
    assert!(matches!(Run::open(out.path()), Err(StoreError::NotARun { .. })));
}

#[test]
fn a_manifest_beyond_its_bound_is_not_read() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let file = fs::OpenOptions::new().append(true).open(run.path().join(MANIFEST)).unwrap();
    file.set_len(crate::JSON_BYTES + 1).unwrap();
    assert!(matches!(Run::open(run.path()), Err(StoreError::TooLarge { .. })));
}

#[test]
fn checksums_of_files_outside_the_run_are_not_followed() {
    let run = open_with(|m| {
        m["status"] = "complete".into();
        m["checksums"] = serde_json::json!({ "../../../etc/passwd": "00" });
    });
    let run = run.unwrap();
    assert!(matches!(verify(&run).as_slice(), [Problem::Unreadable(_, StoreError::UnsafePath { .. })]));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0)], &[]);
    run.seal(ended()).unwrap();
    let file = run.path().join("groq").join(REQUESTS);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
    let opened = Run::open(run.path()).unwrap();
    let items: Vec<_> = opened.records(&name("groq")).unwrap().collect();
    assert!(matches!(items.as_slice(), [Err(StoreError::Io { .. })]), "{items:?}");
    assert!(matches!(verify(&opened).as_slice(), [Problem::Unreadable(..)]));
}

#[test]
fn records_of_a_target_the_run_does_not_have_are_an_error() {
    let run = open_with(|_| {}).unwrap();
    assert!(matches!(run.records(&name("other")), Err(StoreError::UnknownTarget { .. })));
}
