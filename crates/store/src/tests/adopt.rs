//! What lies about.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use schema::manifest::{Source, Status};
use schema::plan::{Load, Stop};
use schema::record::{Phase, Record};

use super::sample::{begin, ended, failed, partial, quality, read, record, sample, summary, write};
use crate::{IN_FLIGHT, Loose, MANIFEST, REQUESTS, Run, SUMMARY, Seal, StoreError, list, loose, verify};

/// Records of two targets in one file.
fn lone_records(out: &Path) -> PathBuf {
    let records = [
        Record { phase: Phase::Warmup, ..record("groq", 0) },
        record("groq", 0),
        failed("vllm-sim", 0, "no"),
        Record { block: 2, ..record("groq", 1) },
    ];
    let line = |record: &Record| serde_json::to_string(record).unwrap() + "\n";
    let path = out.join("Old work.jsonl");
    fs::write(&path, records.iter().map(line).collect::<String>() + "not a record\n").unwrap();
    path
}

/// Makes a run of it.
fn adopt(path: &Path, out: &Path) -> (Run, Vec<String>) {
    let loose = Loose::look(path).unwrap();
    let mut adopted = loose.adopt(out, "0.1.0", |at| at.to_zoned(TimeZone::UTC).datetime()).unwrap();
    let summaries = loose.summary.as_ref().map_or_else(Vec::new, |summary| summary.targets.clone());
    let seal =
        Seal { status: adopted.status, ended: adopted.ended, summaries: &summaries, notes: &adopted.notes, ..ended() };
    adopted.draft.directory().seal(seal).unwrap();
    (Run::open(adopted.draft.publish().unwrap().path()).unwrap(), loose.lacking)
}

#[test]
fn a_file_of_records_becomes_a_run_that_says_what_is_not_known() {
    let out = tempfile::tempdir().unwrap();
    let path = lone_records(out.path());
    let original = fs::read(&path).unwrap();
    let (run, lacking) = adopt(&path, out.path());
    let plan = &run.manifest.plan;
    assert_eq!(plan.name, "Old work");
    assert!(run.path.file_name().unwrap().to_string_lossy().starts_with("test_old-work_"));
    assert_eq!((run.manifest.status, run.manifest.requests), (Status::Interrupted, Some(4)));
    assert_eq!((plan.stop, plan.warmup, plan.blocks), (Stop::Requests(2), 1, 3));
    assert_eq!((&plan.load, plan.workload.max_tokens), (&Load::Closed { concurrency: 2 }, 64));
    assert_eq!(read(&run, "groq").0.len(), 3);
    assert!(run.manifest.simulated, "`vllm-sim` is called as simulated engines are");
    insta::assert_snapshot!(run.manifest.notes.join("\n"), @r"
    taken over from records without a manifest: the load, the workload, the seed and the machine are not known; what the plan says of them was worked out from the records
    when it began is not known: it is taken to have ended when the file was last written
    whether it was complete is not known
    provider, model and price of `groq`, and whether it is simulated, are not known
    provider, model and price of `vllm-sim`, and whether it is simulated, are not known
    `vllm-sim` is taken for a simulated engine, by its name
    line 5 of `Old work.jsonl` cannot be read and is left out: expected ident at column 2
    ");
    assert_eq!(lacking.len(), 6);
    assert!(matches!(run.manifest.sources.as_slice(), [Source::File { sha256, .. }] if sha256.len() == 64));
    assert!(verify(&run).is_empty());
    assert_eq!(fs::read(&path).unwrap(), original, "the original stays");
}

#[test]
fn what_was_taken_over_is_known_again() {
    let out = tempfile::tempdir().unwrap();
    let path = lone_records(out.path());
    assert_eq!(Loose::look(&path).unwrap().already(out.path()).unwrap(), None);
    let (run, _) = adopt(&path, out.path());
    assert_eq!(Loose::look(&path).unwrap().already(out.path()).unwrap(), Some(run.path));
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("not a record\n", "")).unwrap();
    assert_eq!(Loose::look(&path).unwrap().already(out.path()).unwrap(), None, "it is another file now");
}

#[test]
fn a_folder_that_lost_its_manifest_becomes_a_run_again() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0)], &[partial("groq", 1, 0)]);
    run.writer().append_sample(&super::sample::name("groq"), &sample(1)).unwrap();
    fs::write(run.path().join("groq").join(SUMMARY), serde_json::to_vec(&summary("groq")).unwrap()).unwrap();
    fs::remove_file(run.path().join(MANIFEST)).unwrap();
    let path = run.path().to_owned();
    assert_eq!(loose(out.path()).unwrap().as_slice(), std::slice::from_ref(&path));
    run = {
        drop(run);
        begin(out.path())
    };
    run.seal(ended()).unwrap();
    let (adopted, lacking) = adopt(&path, out.path());
    let target = &adopted.manifest.plan.targets[0];
    assert_eq!(adopted.manifest.plan.name, "night-shift");
    assert_eq!((target.provider.as_str(), target.model.as_str(), target.simulated), ("vllm", "SmolLM2-135M", true));
    assert_eq!(lacking.len(), 3, "its numbers told who was asked: {lacking:?}");
    assert_eq!(read(&adopted, "groq").0.len(), 2, "what was in flight is kept, too");
    assert_eq!(adopted.samples(&target.name).unwrap().count(), 1);
    assert!(path.join("groq").join(IN_FLIGHT).exists(), "the original stays");
}

#[test]
fn a_summary_becomes_a_run_of_numbers_alone() {
    let out = tempfile::tempdir().unwrap();
    let targets = vec![summary("groq"), summary("vllm-2")];
    let tree = serde_json::json!({
        "format_version": 1,
        "name": "Night shift",
        "simulated": true,
        "targets": targets,
        "quality": quality(),
        "warnings": [],
        "comparison": { "of": "another format" },
    });
    let path = out.path().join("numbers.json");
    fs::write(&path, tree.to_string()).unwrap();
    let (run, lacking) = adopt(&path, out.path());
    assert!(lacking.iter().any(|lack| lack.contains("ranking")), "{lacking:?}");
    assert!(!run.has_records());
    assert_eq!((run.manifest.status, run.manifest.requests), (Status::Complete, Some(6)));
    assert_eq!(run.kept().map(|kept| kept.summaries), Some(targets));
}

#[test]
fn what_is_nothing_of_ours_is_refused_and_says_why() {
    let out = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 5] = [
        ("empty.json", b""),
        ("list.json", b"[1, 2]"),
        ("hostile.json", b"{\"targets\": \"\x1b[2J\"}"),
        ("none.json", br#"{"format_version":2,"name":"x","simulated":false,"targets":[],"warnings":[]}"#),
        ("bytes.jsonl", &[0, 255, 10, 13]),
    ];
    for (name, bytes) in files {
        let path = out.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = Loose::look(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotAdoptable { .. }), "{name}: {error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    fs::create_dir(out.path().join("test_empty_20261122_080509")).unwrap();
    fs::write(out.path().join(crate::BASELINES), "{}").unwrap();
    fs::write(out.path().join(crate::VOTES), "{}").unwrap();
    fs::write(out.path().join("notes.txt"), "").unwrap();
    assert_eq!(loose(out.path()).unwrap().len(), 6);
    assert!(matches!(
        Loose::look(&out.path().join("test_empty_20261122_080509")),
        Err(StoreError::NotAdoptable { .. })
    ));
    assert!(list(out.path()).unwrap().iter().all(|entry| entry.head.is_err()));
}

#[cfg(unix)]
#[test]
fn links_are_not_taken_over() {
    let out = tempfile::tempdir().unwrap();
    let path = lone_records(out.path());
    let link = out.path().join(REQUESTS);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(Loose::look(&link), Err(StoreError::Io { .. })));
    assert_eq!(loose(out.path()).unwrap(), [path]);
}
