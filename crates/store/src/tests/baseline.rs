//! What later runs are held against.

use std::fs;
use std::path::Path;

use miette::Diagnostic as _;
use uuid::Uuid;

use super::sample::{NOW, ended, manifest, name};
use crate::{
    BASELINES, Baseline, BaselineRun, RunDir, StoreError, baseline_folders, baselines, no_baseline, remove_baseline,
    set_baseline,
};

/// A sealed run; what a baseline says of it.
fn run(out: &Path, called: &str, id: u128) -> BaselineRun {
    let mut manifest = manifest(called, &["groq"]);
    manifest.run_id = Uuid::from_u128(id);
    let mut run = RunDir::create(out, &manifest, NOW, &[]).unwrap();
    run.seal(ended()).unwrap();
    let folder = run.path().file_name().unwrap().to_str().unwrap().to_owned();
    BaselineRun { run_id: manifest.run_id.to_string(), folder }
}

fn of(runs: &[BaselineRun]) -> Baseline {
    Baseline { runs: runs.to_vec(), target: None }
}

#[test]
fn a_baseline_is_kept_replaced_and_forgotten() {
    let out = tempfile::tempdir().unwrap();
    let (one, other) = (run(out.path(), "one", 1), run(out.path(), "other", 2));
    assert!(baselines(out.path()).unwrap().is_empty());
    set_baseline(out.path(), "main", of(std::slice::from_ref(&one))).unwrap();
    let of_two = Baseline { runs: vec![one, other], target: Some(name("groq")) };
    set_baseline(out.path(), "main", of_two.clone()).unwrap();
    set_baseline(out.path(), "release/1.2 β", of_two.clone()).unwrap();
    let kept = baselines(out.path()).unwrap();
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["main", "release/1.2 β"]);
    assert_eq!(kept["main"], of_two);
    assert_eq!(remove_baseline(out.path(), "main").unwrap(), of_two);
    assert_eq!(baselines(out.path()).unwrap().len(), 1);
}

#[test]
fn a_run_is_found_by_its_id_however_its_folder_is_called_by_now() {
    let out = tempfile::tempdir().unwrap();
    let (moved, gone, replaced) = (run(out.path(), "moved", 1), run(out.path(), "gone", 2), run(out.path(), "a", 3));
    fs::rename(out.path().join(&moved.folder), out.path().join("kept")).unwrap();
    fs::remove_dir_all(out.path().join(&gone.folder)).unwrap();
    fs::rename(out.path().join(&replaced.folder), out.path().join("aside")).unwrap();
    let newcomer = run(out.path(), "a", 4);
    assert_eq!(newcomer.folder, replaced.folder, "the test needs two runs of one folder");
    let folders = baseline_folders(out.path(), &of(&[moved, gone, replaced, newcomer.clone()])).unwrap();
    let expected = [Some("kept"), None, Some("aside"), Some(newcomer.folder.as_str())];
    assert_eq!(folders, expected.map(|folder| folder.map(|folder| out.path().join(folder))));
}

#[test]
fn a_folder_outside_is_never_looked_into() {
    let out = tempfile::tempdir().unwrap();
    let inner = out.path().join("results");
    fs::create_dir(&inner).unwrap();
    let outside = run(out.path(), "outside", 1);
    for folder in [format!("../{}", outside.folder), out.path().join(&outside.folder).display().to_string()] {
        let hostile = BaselineRun { folder, ..outside.clone() };
        assert_eq!(baseline_folders(&inner, &of(&[hostile])).unwrap(), [None]);
    }
}

#[test]
fn what_cannot_be_a_baseline_is_refused() {
    #[track_caller]
    fn check(name: &str, runs: usize, part: &str) {
        let out = tempfile::tempdir().unwrap();
        let one = BaselineRun { run_id: "1".into(), folder: "test_a".into() };
        let refused = set_baseline(out.path(), name, of(&vec![one; runs])).unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
        assert!(!out.path().join(BASELINES).exists());
    }
    check("", 1, "1 to 255 printable characters");
    check("a\nb", 1, "1 to 255 printable characters");
    check("\u{1b}[2J", 1, "1 to 255 printable characters");
    check(&"x".repeat(256), 1, "1 to 255 printable characters");
    check("main", 0, "1 to 100 runs");
    check("main", 101, "1 to 100 runs");
}

#[test]
fn a_file_that_is_not_ours_is_told_and_left_alone() {
    #[track_caller]
    fn check(bytes: &[u8], fits: impl Fn(&StoreError) -> bool) {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join(BASELINES), bytes).unwrap();
        let one = BaselineRun { run_id: "1".into(), folder: "test_a".into() };
        for error in [baselines(out.path()).unwrap_err(), set_baseline(out.path(), "main", of(&[one])).unwrap_err()] {
            assert!(fits(&error), "{error}");
        }
        assert_eq!(fs::read(out.path().join(BASELINES)).unwrap(), bytes);
    }
    check(b"{", |error| matches!(error, StoreError::NotUnderstood { .. }));
    check(br#"{"format_version": 1, "baselines": {"a": {"runs": 3}}}"#, |error| {
        matches!(error, StoreError::NotUnderstood { .. })
    });
    check(br#"{"format_version": 9, "baselines": "of another kind"}"#, |error| {
        matches!(error, StoreError::TooNew { found: 9, known: 1, .. })
    });
    check(&vec![b' '; (4 << 20) + 1], |error| matches!(error, StoreError::TooLarge { .. }));
}

#[test]
fn a_name_that_is_not_there_brings_up_the_nearest() {
    let out = tempfile::tempdir().unwrap();
    set_baseline(out.path(), "nightly", of(&[run(out.path(), "a", 1)])).unwrap();
    let error = remove_baseline(out.path(), "nigthly").unwrap_err();
    assert_eq!(error.to_string(), "no baseline is called `nigthly`");
    assert_eq!(error.help().unwrap().to_string(), "did you mean `nightly`?");
    let other = no_baseline("zzz", &baselines(out.path()).unwrap());
    assert!(other.help().unwrap().to_string().contains("baseline set NAME RUN"));
}

#[test]
fn baselines_set_at_once_are_all_kept() {
    let out = tempfile::tempdir().unwrap();
    let one = BaselineRun { run_id: "1".into(), folder: "test_a".into() };
    std::thread::scope(|scope| {
        for i in 0..8 {
            let (path, one) = (out.path(), one.clone());
            scope.spawn(move || set_baseline(path, &format!("b{i}"), of(&[one])).unwrap());
        }
    });
    assert_eq!(baselines(out.path()).unwrap().len(), 8);
}
