//! From the first byte to the seal.

use std::fs;
use std::path::Path;

use schema::manifest::Status;
use schema::text::Untrusted;

use super::sample::{NOW, begin, comparison, ended, failed, manifest, quality, read, record, summary, write};
use crate::{MANIFEST, Problem, REQUESTS, Run, RunDir, Seal, StoreError, clean_name, verify};

/// Every file below a folder, by its path.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_begins_with_a_manifest_and_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    assert_eq!(run.path().file_name().unwrap(), "test_night-shift_20261122_080509");
    assert_eq!(files(out.path()), ["test_night-shift_20261122_080509/manifest.json"]);
    assert_eq!(Run::open(run.path()).unwrap().manifest, *run.manifest());
}

#[test]
fn runs_of_one_name_and_second_get_folders_of_their_own() {
    let out = tempfile::tempdir().unwrap();
    let names: Vec<_> =
        (0..3).map(|_| begin(out.path()).path().file_name().unwrap().to_string_lossy().into_owned()).collect();
    let first = "test_night-shift_20261122_080509";
    assert_eq!(names, [first.to_owned(), format!("{first}_2"), format!("{first}_3")]);
}

#[test]
fn a_sealed_run_has_all_its_files_and_their_checksums() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    let records = [record("groq", 0), failed("groq", 1, "no")];
    write(&mut run.writer(), &records, &[]);
    let (verdict, summaries) = (quality(), [summary("groq"), summary("vllm-2")]);
    run.seal(Seal {
        summaries: &summaries,
        comparison: Some(&comparison()),
        files: &[("summary.csv", b"target\ngroq\n"), ("charts/ttft.svg", b"<svg/>")],
        quality: Some(&verdict),
        notes: &["the clock stepped once".to_owned()],
        ..ended()
    })
    .unwrap();
    insta::assert_snapshot!(files(run.path()).join("\n"), @r"
    charts/ttft.svg
    comparison.json
    groq/requests.jsonl
    groq/requests.parquet
    groq/summary.json
    manifest.json
    summary.csv
    vllm-2/summary.json
    ");
    let opened = Run::open(run.path()).unwrap();
    assert_eq!(opened.manifest, *run.manifest());
    assert_eq!(opened.manifest.status, Status::Complete);
    assert_eq!(opened.manifest.requests, Some(2));
    assert_eq!(opened.manifest.quality, Some(verdict));
    assert_eq!(opened.missing, Vec::<String>::new());
    assert_eq!(opened.summaries().unwrap(), summaries);
    assert_eq!(opened.comparison().unwrap(), Some(comparison()));
    assert_eq!(read(&opened, "groq").0, records);
    assert!(verify(&opened).is_empty());
    let mut expected = files(run.path());
    expected.retain(|f| f != MANIFEST);
    assert_eq!(opened.manifest.checksums.keys().cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn a_changed_and_a_lost_file_are_found() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0)], &[]);
    run.seal(Seal { files: &[("summary.csv", b"a")], ..ended() }).unwrap();
    fs::write(run.path().join("summary.csv"), "b").unwrap();
    fs::remove_file(run.path().join("groq/requests.parquet")).unwrap();
    let opened = Run::open(run.path()).unwrap();
    assert_eq!(opened.missing, ["`groq/requests.parquet` is gone"]);
    let problems = verify(&opened).iter().map(Problem::to_string).collect::<Vec<_>>();
    assert_eq!(problems, ["`groq/requests.parquet` is gone", "`summary.csv` was changed after the seal"]);
}

#[test]
fn a_checksum_is_sha_256() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    run.seal(Seal { files: &[("summary.csv", b"abc")], ..ended() }).unwrap();
    // FIPS 180-4, the one-block example.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(run.manifest().checksums["summary.csv"], expected);
}

#[test]
fn an_empty_run_can_be_sealed() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    run.seal(Seal { status: Status::Failed, ..ended() }).unwrap();
    assert_eq!(files(run.path()), [MANIFEST]);
    assert_eq!(Run::open(run.path()).unwrap().manifest.status, Status::Failed);
}

#[test]
fn what_cannot_be_part_of_the_run_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    for path in [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "./x",
        "manifest.json",
        "comparison.json",
        "run.log",
        "groq/requests.jsonl",
        "a\\b",
    ] {
        let refused = run.seal(Seal { files: &[(path, b"x")], ..ended() });
        assert!(matches!(refused, Err(StoreError::UnsafePath { .. })), "{path}");
    }
    assert!(matches!(run.seal(Seal { status: Status::Running, ..ended() }), Err(StoreError::NotAnEnd)));
    let stray = [summary("other")];
    assert!(matches!(run.seal(Seal { summaries: &stray, ..ended() }), Err(StoreError::UnknownTarget { .. })));
    assert!(matches!(run.writer().append(&record("other", 0)), Err(StoreError::UnknownTarget { .. })));
}

#[test]
fn targets_need_folders_of_their_own() {
    let out = tempfile::tempdir().unwrap();
    for targets in [["groq", "Groq"], ["groq", "charts"], ["groq", "Manifest.json"]] {
        let refused = RunDir::create(out.path(), &manifest("x", &targets), NOW, &[]);
        assert!(matches!(refused, Err(StoreError::TakenName { .. })), "{targets:?}");
    }
    assert_eq!(files(out.path()), Vec::<String>::new());
}

#[test]
fn a_record_that_no_reader_would_take_is_refused_and_leaves_no_trace() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let mut writer = run.writer();
    writer.line_bytes = 2_000;
    let mut long = record("groq", 0);
    long.output = Some(vec![Untrusted::bounded("x".repeat(2_000), 2_000)]);
    let error = writer.append(&long).unwrap_err();
    assert!(error.to_string().starts_with("the record of measured request 0 to `groq` needs "), "{error}");
    write(&mut writer, &[record("groq", 1)], &[]);
    assert_eq!(read(&Run::open(run.path()).unwrap(), "groq").0, [record("groq", 1)]);
}

#[test]
fn dropping_the_writer_flushes() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    run.writer().append(&record("groq", 0)).unwrap();
    assert_eq!(fs::read_to_string(run.path().join("groq").join(REQUESTS)).unwrap().lines().count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_names_it() {
    let error = RunDir::create(Path::new("/proc/results"), &manifest("x", &["groq"]), NOW, &[]).unwrap_err();
    assert_eq!(error.to_string(), "cannot create the folder `/proc/results`");
}

#[test]
fn a_name_becomes_a_safe_folder() {
    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(clean_name(name), expected);
    }
    check("Groq vs. vLLM", "groq-vs-vllm");
    check("a_b-c", "a_b-c");
    check("../../etc", "etc");
    check("  ", "run");
    check("Größe", "gr-e");
    check("漢字", "run");
    check(&"x".repeat(300), &"x".repeat(64));
}
