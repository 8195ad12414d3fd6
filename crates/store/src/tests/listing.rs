//! Finding runs.

use std::fs;
use std::path::Path;

use miette::Diagnostic;

use super::sample::{NOW, ended, manifest, record, write};
use crate::{RunDir, StoreError, find, list};

/// Two sealed runs an hour apart, a folder of ours without a manifest, and two that are not ours.
fn results(out: &Path) {
    for (name, start) in [("morning", "2026-11-22T08:00:00Z"), ("evening", "2026-11-22T20:00:00Z")] {
        let mut manifest = manifest(name, &["groq"]);
        manifest.epoch.wall = start.parse().unwrap();
        let mut run = RunDir::create(out, &manifest, NOW, &[]).unwrap();
        write(&mut run.writer(), &[record("groq", 0)], &[]);
        run.seal(ended()).unwrap();
    }
    for folder in ["test_broken_20261122_080509", "notes", ".test_half-born"] {
        fs::create_dir(out.join(folder)).unwrap();
    }
}

#[test]
fn runs_are_listed_newest_first_and_broken_ones_last() {
    let out = tempfile::tempdir().unwrap();
    results(out.path());
    let shown = list(out.path()).unwrap().into_iter().map(|entry| match entry.head {
        Ok(head) => {
            format!("{} {} {:?} simulated={}", head.name, head.status.in_words(), head.requests, head.simulated)
        }
        Err(error) => error.to_string().replace(&*out.path().to_string_lossy(), "OUT"),
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r"
    evening complete Some(1) simulated=true
    morning complete Some(1) simulated=true
    `OUT/test_broken_20261122_080509` is not a run: it has no manifest.json
    ");
}

#[test]
fn a_folder_that_is_not_there_holds_no_runs() {
    assert!(list(Path::new("/nonexistent/results")).unwrap().is_empty());
}

#[test]
fn a_run_is_found_by_what_people_write() {
    let out = tempfile::tempdir().unwrap();
    results(out.path());
    let path = out.path().join("test_morning_20261122_080509");
    for wanted in ["morning", "test_morning_20261122_080509", "test_mor", "mor", path.to_str().unwrap()] {
        assert_eq!(find(out.path(), wanted).unwrap(), path, "{wanted}");
    }
    assert_eq!(find(out.path(), "latest").unwrap(), out.path().join("test_evening_20261122_080509"));
}

#[test]
fn a_name_that_was_left_empty_names_no_run() {
    let out = tempfile::tempdir().unwrap();
    RunDir::create(out.path(), &manifest("", &["groq"]), NOW, &[]).unwrap();
    assert!(matches!(find(out.path(), ""), Err(StoreError::NotFound { .. })));
}

#[test]
fn a_name_that_fits_several_or_none_says_which_are_near() {
    #[track_caller]
    fn check(out: &Path, wanted: &str, error: &str, help: &str) {
        let found = find(out, wanted).unwrap_err();
        let shown = found.to_string().replace(&*out.to_string_lossy(), "OUT");
        assert_eq!((shown.as_str(), found.help().unwrap().to_string().as_str()), (error, help));
    }
    let out = tempfile::tempdir().unwrap();
    check(
        out.path(),
        "latest",
        "no run in `OUT` is called `latest`",
        "there are no runs here yet; `speed-kings benchmark --mock` makes one",
    );
    results(out.path());
    check(out.path(), "mornign", "no run in `OUT` is called `mornign`", "did you mean `morning`?");
    check(out.path(), "zzz", "no run in `OUT` is called `zzz`", "`speed-kings results list` lists the runs there are");
    assert!(matches!(find(out.path(), "test_"), Err(StoreError::Ambiguous { count: 3, .. })));
    assert!(matches!(find(out.path(), ""), Err(StoreError::NotFound { .. })));
}
