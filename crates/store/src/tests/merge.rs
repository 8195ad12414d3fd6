//! Several runs as one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use schema::manifest::{Source, Status};
use schema::plan::Stop;
use schema::record::{InConversation, Phase, Record};
use schema::units::Nanos;
use uuid::Uuid;

use super::sample::{NOW, ended, manifest, name, record, sample, write};
use crate::{MergeAs, Merged, REQUESTS, Run, RunDir, Seal, StoreError, leftovers, list, merge};

const SECOND: u64 = 1_000_000_000;

/// A sealed run that began so many seconds after the first: two requests, one warm-up, one reading.
fn part(out: &Path, id: u128, later: i64, change: impl FnOnce(&mut schema::manifest::Manifest)) -> Run {
    let mut manifest = manifest(&format!("part {id}"), &["groq", "vllm-2"]);
    manifest.run_id = Uuid::from_u128(id);
    manifest.epoch.wall += jiff::SignedDuration::from_secs(later);
    manifest.tags = vec![format!("t{id}")];
    change(&mut manifest);
    let mut run = RunDir::create(out, &manifest, NOW, &[]).unwrap();
    let place = Some(InConversation { conversation: 0, turn: 0 });
    let records = [
        Record { phase: Phase::Warmup, ..record("groq", 0) },
        Record { conversation: place, ..record("groq", 0) },
        Record { block: 1, ..record("groq", 1) },
        record("vllm-2", 0),
    ];
    write(&mut run.writer(), &records, &[]);
    run.writer().append_sample(&name("groq"), &sample(5)).unwrap();
    run.seal(ended()).unwrap();
    Run::open(run.path()).unwrap()
}

fn target(out: &Path) -> MergeAs<'_> {
    MergeAs { out, name: "both", run_id: Uuid::from_u128(9), now: NOW, program_version: "0.1.0" }
}

fn publish(merged: Merged) -> Run {
    let Merged { mut draft, status, ended: at, notes } = merged;
    draft.directory().seal(Seal { status, ended: at, notes: &notes, ..ended() }).unwrap();
    Run::open(draft.publish().unwrap().path()).unwrap()
}

#[test]
fn records_follow_each_other_on_one_axis_of_time() {
    let out = tempfile::tempdir().unwrap();
    let runs = [part(out.path(), 2, 60, |_| {}), part(out.path(), 1, 0, |_| {})];
    let run = publish(merge(&runs, &target(out.path())).unwrap());
    let all: Vec<Record> = run.records(&name("groq")).unwrap().map(Result::unwrap).collect();
    let told: Vec<_> = all.iter().map(|r| (r.phase == Phase::Measured, r.index, r.block)).collect();
    assert_eq!(told, [(false, 0, 0), (true, 0, 0), (true, 1, 1), (false, 1, 2), (true, 2, 2), (true, 3, 3)]);
    let numbers: Vec<_> = all.iter().filter_map(|r| r.conversation).map(|c| c.conversation).collect();
    assert_eq!(numbers, [0, 1]);
    for (one, moved) in all[..3].iter().zip(&all[3..]) {
        let later = Nanos(60 * SECOND);
        assert_eq!(moved.scheduled_ns, one.scheduled_ns + later);
        assert_eq!(moved.end_ns, one.end_ns.map(|at| at + later));
        let arrivals = |record: &Record| record.events.iter().map(|e| e.arrival).collect::<Vec<_>>();
        assert_eq!(arrivals(moved), arrivals(one).into_iter().map(|at| at + later).collect::<Vec<_>>());
    }
    let readings: Vec<_> = run.samples(&name("groq")).unwrap().map(|s| s.unwrap().at_ns.0).collect();
    assert_eq!(readings, [5, 60 * SECOND + 5]);
}

#[test]
fn the_manifest_tells_what_it_was_made_of() {
    let out = tempfile::tempdir().unwrap();
    let runs = [part(out.path(), 1, 0, |_| {}), part(out.path(), 2, 60, |m| m.plan.seed = 7)];
    let run = publish(merge(&runs, &target(out.path())).unwrap());
    let manifest = &run.manifest;
    assert_eq!((manifest.status, manifest.requests, manifest.plan.blocks), (Status::Complete, Some(8), 4));
    assert_eq!((manifest.plan.stop, manifest.plan.warmup), (Stop::Requests(6), 2));
    assert_eq!(manifest.tags, ["t1", "t2"]);
    let told = manifest.sources.iter().map(|source| match source {
        Source::Run { run_id, seed, requests, .. } => (run_id.ends_with(['1', '2']), *seed, *requests),
        Source::File { .. } => unreachable!(),
    });
    assert_eq!(told.collect::<Vec<_>>(), [(true, 42, 4), (true, 7, 4)]);
    assert_eq!(manifest.notes, ["the records of 2 runs, put together"]);
    assert_eq!(runs[0].manifest.requests, Some(4), "the parts stay as they are");
}

#[test]
fn each_machine_and_what_it_found_is_kept() {
    let out = tempfile::tempdir().unwrap();
    let found =
        |ns| schema::manifest::Found { target: name("groq"), about: Vec::new(), round_trip_ns: Some(Nanos(ns)) };
    let runs = [
        part(out.path(), 1, 0, |m| m.found = vec![found(1)]),
        part(out.path(), 2, 60, |m| (m.machine.cores, m.found) = (64, vec![found(2)])),
    ];
    let both = publish(merge(&runs, &target(out.path())).unwrap());
    let third = part(out.path(), 3, 120, |m| m.machine.cores = 7);
    let again = MergeAs { run_id: Uuid::from_u128(10), ..target(out.path()) };
    let all = publish(merge(&[both, third], &again).unwrap());
    let told = all.manifest.sources.into_iter().map(|source| match source {
        Source::Run { machine, found, .. } => (machine.unwrap().cores, found),
        Source::File { .. } => unreachable!(),
    });
    let first = runs[0].manifest.machine.cores;
    assert_eq!(told.collect::<Vec<_>>(), [(first, vec![found(1)]), (64, vec![found(2)]), (7, vec![])]);
    assert!(
        all.manifest.notes.iter().any(|note| note.contains("machines that are not alike")),
        "{:?}",
        all.manifest.notes
    );
}

#[test]
fn unlike_runs_are_refused_with_what_they_differ_in() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut schema::manifest::Manifest), expected: &str) {
        let out = tempfile::tempdir().unwrap();
        let runs = [part(out.path(), 1, 0, |_| {}), part(out.path(), 2, 60, change)];
        let refused = merge(&runs, &target(out.path())).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 2, "nothing is left behind");
    }
    check(|m| m.plan.workload.max_tokens = 65, "`workload.max_tokens` is `64` in `test_part-1");
    check(|m| m.plan.targets[0].model = "other".into(), "`targets.0.model` is `\"SmolLM2-135M\"`");
    check(|m| m.plan.load = schema::plan::Load::Closed { concurrency: 3 }, "`load.closed.concurrency` is `2`");
    check(|m| m.plan.stop = Stop::DurationNs(Nanos(1)), "`stop.duration_ns` is absent");
    check(|m| m.run_id = Uuid::from_u128(1), "is among them twice");
}

#[test]
fn one_run_alone_or_one_that_goes_on_cannot_be_merged() {
    let out = tempfile::tempdir().unwrap();
    let one = part(out.path(), 1, 0, |_| {});
    let refused = merge(std::slice::from_ref(&one), &target(out.path())).unwrap_err();
    assert!(refused.to_string().contains("two runs at least"), "{refused}");
    let begun = super::sample::begin(out.path());
    let refused = merge(&[one, Run::open(begun.path()).unwrap()], &target(out.path())).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Unlike { .. }) && refused.to_string().contains("has not ended"),
        "{refused}"
    );
}

#[test]
fn records_that_are_gone_are_not_merged_in_silence_and_changed_ones_are_told() {
    let out = tempfile::tempdir().unwrap();
    let runs = [part(out.path(), 1, 0, |_| {}), part(out.path(), 2, 60, |_| {})];
    let lines = runs[0].path.join("groq").join(REQUESTS);
    let text = std::fs::read_to_string(&lines).unwrap();
    std::fs::write(&lines, text.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    let merged = merge(&runs, &target(out.path())).unwrap();
    let told = "part 1: `groq/requests.jsonl` was changed after the seal";
    assert!(merged.notes.iter().any(|note| note == told), "{:?}", merged.notes);
    drop(merged);
    std::fs::remove_file(&lines).unwrap();
    let refused = merge(&runs, &target(out.path())).unwrap_err().to_string();
    assert!(refused.contains("`groq/requests.jsonl` of `test_part-1"), "{refused}");
    std::fs::remove_file(runs[0].path.join("vllm-2").join(REQUESTS)).unwrap();
    let refused = merge(&runs, &target(out.path())).unwrap_err().to_string();
    assert!(refused.contains("has no records"), "{refused}");
    assert_eq!(leftovers(out.path()).unwrap().len(), 0);
}

#[test]
fn a_merged_run_cannot_be_merged_with_a_part_of_itself() {
    let out = tempfile::tempdir().unwrap();
    let runs = [part(out.path(), 1, 0, |_| {}), part(out.path(), 2, 60, |_| {})];
    let both = publish(merge(&runs, &target(out.path())).unwrap());
    let [one, _] = runs;
    let refused = merge(&[both, one], &target(out.path())).unwrap_err().to_string();
    assert!(refused.contains("twice"), "{refused}");
}

/// Runs in a process of its own, which is killed with a merged run that is whole but not published.
#[test]
#[ignore = "started by `a_merge_that_is_killed_leaves_no_run`"]
fn merge_until_killed() {
    let Some(out) = std::env::var_os("STORE_TEST_OUT") else { return };
    let out = Path::new(&out);
    let runs = [part(out, 1, 0, |_| {}), part(out, 2, 60, |_| {})];
    let mut merged = merge(&runs, &target(out)).unwrap();
    merged.draft.directory().seal(ended()).unwrap();
    // Not captured by the harness, as `println!` would be.
    writeln!(std::io::stdout(), "merged").unwrap();
    std::thread::park();
}

#[test]
fn a_merge_that_is_killed_leaves_no_run() {
    let out = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::merge::merge_until_killed", "--ignored", "--nocapture"])
        .env("STORE_TEST_OUT", out.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("merged")));
    let before = list(out.path()).unwrap().len();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((before, list(out.path()).unwrap().len()), (2, 2));
    assert_eq!(leftovers(out.path()).unwrap().len(), usize::from(cfg!(unix)));
}
