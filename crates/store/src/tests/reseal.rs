//! Runs that are sealed again.

use std::fs;
use std::path::{Path, PathBuf};

use schema::FORMAT_VERSION;
use schema::manifest::Status;

use super::sample::{begin, comparison, curve, ended, name, partial, read, record, summary, write};
use crate::{
    COMPARISON, CURVE, IN_FLIGHT, MANIFEST, Problem, REQUESTS, Run, RunDir, SUMMARY, Seal, StoreError, verify,
};

/// A run of the first format, as its program sealed it.
fn of_version_1(out: &Path) -> PathBuf {
    let run = out.join("test_old_20261122_075354");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/data/run-v1"), &run);
    run
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A sealed run with all that a seal can make.
fn sealed(out: &Path) -> PathBuf {
    let mut run = begin(out);
    write(&mut run.writer(), &[record("groq", 0)], &[]);
    let (summaries, curves, ranked) = ([summary("groq"), summary("vllm-2")], [curve("groq")], comparison());
    let files: &[(&str, &[u8])] = &[("summary.csv", b"old\n"), ("reports/mine.html", b"<p>")];
    run.seal(Seal { summaries: &summaries, curves: &curves, comparison: Some(&ranked), files, ..ended() }).unwrap();
    run.path().to_owned()
}

#[test]
fn a_second_seal_replaces_what_is_made_and_leaves_what_was_recorded() {
    let out = tempfile::tempdir().unwrap();
    let path = sealed(out.path());
    let before = Run::open(&path).unwrap();
    assert!(before.kept().is_some());
    let lines = fs::read(path.join("groq").join(REQUESTS)).unwrap();
    let mut again = RunDir::reopen(&path).unwrap();
    let summaries = [summary("groq"), summary("vllm-2")];
    again.seal(Seal { summaries: &summaries, files: &[("summary.csv", b"new\n")], ..ended() }).unwrap();
    let after = Run::open(&path).unwrap();
    assert_eq!(after.manifest.run_id, before.manifest.run_id);
    assert_eq!(fs::read(path.join("groq").join(REQUESTS)).unwrap(), lines);
    assert_eq!(fs::read(path.join("summary.csv")).unwrap(), b"new\n");
    for stale in [path.join(COMPARISON), path.join("groq").join(CURVE)] {
        assert!(!stale.exists(), "{} was not made this time", stale.display());
    }
    assert!(after.manifest.checksums.contains_key("reports/mine.html"), "what others made stays sealed");
    assert!(verify(&after).is_empty() && after.missing.is_empty() && after.kept().is_some());
}

#[test]
fn a_second_seal_does_not_cover_up_records_that_were_changed() {
    let out = tempfile::tempdir().unwrap();
    let path = sealed(out.path());
    let lines = path.join("groq").join(REQUESTS);
    fs::write(&lines, [fs::read(&lines).unwrap(), b"\n".to_vec()].concat()).unwrap();
    RunDir::reopen(&path).unwrap().seal(ended()).unwrap();
    let problems = verify(&Run::open(&path).unwrap());
    assert!(matches!(problems.as_slice(), [Problem::Changed(path)] if path == "groq/requests.jsonl"), "{problems:?}");
}

#[test]
fn numbers_of_a_seal_that_broke_off_do_not_stand_for_the_run() {
    let out = tempfile::tempdir().unwrap();
    let path = sealed(out.path());
    let mut again = RunDir::reopen(&path).unwrap();
    fs::remove_file(path.join("summary.csv")).unwrap();
    fs::create_dir(path.join("summary.csv")).unwrap();
    let summaries = [summary("groq"), summary("vllm-2")];
    let seal = Seal { summaries: &summaries, files: &[("summary.csv", b"new\n")], ..ended() };
    again.seal(seal).unwrap_err();
    drop(again);
    let broken = Run::open(&path).unwrap();
    assert!(broken.kept().is_none());
    assert!(verify(&broken).is_empty(), "what is still sealed is as it was");
    fs::remove_dir(path.join("summary.csv")).unwrap();
    RunDir::reopen(&path).unwrap().seal(seal).unwrap();
    assert!(Run::open(&path).unwrap().kept().is_some());
}

#[test]
fn what_a_killed_seal_left_half_written_goes_with_the_next() {
    let out = tempfile::tempdir().unwrap();
    let path = sealed(out.path());
    let [table, ranking, manifest, others] =
        ["groq/requests.parquet.ID.tmp", "comparison.json.ID.tmp", "manifest.json.ID.tmp", "groq/mine.tmp"]
            .map(|file| path.join(file.replace("ID", "019a0f6c6d1e7c3fa2d1f5b7c8e90123")));
    for file in [&table, &ranking, &manifest, &others] {
        fs::write(file, "half").unwrap();
    }
    RunDir::reopen(&path).unwrap().seal(ended()).unwrap();
    assert!(!table.exists() && !ranking.exists());
    assert!(manifest.exists() && others.exists(), "someone may be writing a tag, and others' files are theirs");
}

#[test]
fn a_run_that_died_is_sealed_with_what_was_in_flight() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0)], &[partial("groq", 1, 0)]);
    let path = run.path().to_owned();
    drop(run);
    RunDir::reopen(&path).unwrap().seal(Seal { status: Status::Interrupted, ..ended() }).unwrap();
    let sealed = Run::open(&path).unwrap();
    assert_eq!((sealed.manifest.status, sealed.manifest.requests), (Status::Interrupted, Some(2)));
    assert_eq!(read(&sealed, "groq").0.len(), 2);
    assert!(!path.join("groq").join(IN_FLIGHT).exists());
    assert!(verify(&sealed).is_empty());
}

#[cfg(unix)]
#[test]
fn a_run_that_goes_on_is_not_sealed_by_others() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    assert!(matches!(RunDir::reopen(run.path()), Err(StoreError::GoingOn { .. })));
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    use std::os::unix::fs::symlink;
    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = sealed(out.path());
    let precious = elsewhere.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    for replaced in [path.join(COMPARISON), path.join("groq").join(SUMMARY)] {
        drop(fs::remove_file(&replaced));
        symlink(&precious, replaced).unwrap();
    }
    let (summaries, ranked) = ([summary("groq")], comparison());
    RunDir::reopen(&path).unwrap().seal(Seal { summaries: &summaries, comparison: Some(&ranked), ..ended() }).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    fs::rename(path.join("groq"), elsewhere.path().join("groq")).unwrap();
    symlink(elsewhere.path().join("groq"), path.join("groq")).unwrap();
    assert!(matches!(RunDir::reopen(&path), Err(StoreError::Linked { .. })));
}

#[test]
fn a_run_of_the_first_format_opens_and_its_numbers_are_not_taken_as_they_are() {
    let out = tempfile::tempdir().unwrap();
    let run = Run::open(&of_version_1(out.path())).unwrap();
    assert_eq!((run.manifest.format_version, run.missing.len()), (1, 0));
    assert!(verify(&run).is_empty());
    assert!(run.kept().is_none());
    for target in ["vllm-sim", "ollama-sim"] {
        let (records, problems) = read(&run, target);
        assert_eq!((records.len(), problems.len()), (9, 0), "{target}");
    }
    assert_eq!(run.samples(&name("vllm-sim")).unwrap().count(), 0);
}

#[test]
fn a_run_of_the_first_format_is_sealed_in_the_current_one() {
    let out = tempfile::tempdir().unwrap();
    let path = of_version_1(out.path());
    let old = fs::read(path.join(MANIFEST)).unwrap();
    let mut again = RunDir::reopen(&path).unwrap();
    again.keep_manifest().unwrap();
    let summaries = [summary("vllm-sim"), summary("ollama-sim")];
    again.seal(Seal { summaries: &summaries, ..ended() }).unwrap();
    again.keep_manifest().unwrap();
    let run = Run::open(&path).unwrap();
    assert_eq!(run.manifest.format_version, FORMAT_VERSION);
    assert_eq!(fs::read(path.join("manifest.v1.json")).unwrap(), old);
    assert!(verify(&run).is_empty() && run.kept().is_some());
}

#[test]
fn numbers_without_records_stand_whatever_their_format() {
    let out = tempfile::tempdir().unwrap();
    let path = of_version_1(out.path());
    for target in ["vllm-sim", "ollama-sim"] {
        fs::remove_file(path.join(target).join(REQUESTS)).unwrap();
    }
    let run = Run::open(&path).unwrap();
    assert!(!run.has_records());
    assert_eq!(run.kept().map(|kept| kept.summaries.len()), Some(2));
}
