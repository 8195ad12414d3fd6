//! Runs that died at some byte.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use schema::event::Events;
use schema::manifest::Status;
use schema::record::{Outcome, Record};

use super::sample::{begin, ended, failed, name, partial, read, record, write};
use crate::{IN_FLIGHT, REQUESTS, Run};

/// A run that died with two finished requests and one in flight; its finished requests.
fn dead(out: &Path) -> (std::path::PathBuf, Vec<Record>) {
    let run = begin(out);
    let records = vec![record("groq", 0), failed("groq", 1, "no")];
    write(&mut run.writer(), &records, &[partial("groq", 0, 0), partial("groq", 2, 0), partial("groq", 2, 1)]);
    (run.path().to_owned(), records)
}

fn truncate(file: &Path, len: usize) {
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len(len as u64).unwrap();
}

#[test]
fn a_killed_run_opens_and_says_what_it_lacks() {
    let out = tempfile::tempdir().unwrap();
    let (path, records) = dead(out.path());
    let run = Run::open(&path).unwrap();
    assert_eq!(run.manifest.status, Status::Running);
    insta::assert_snapshot!(run.missing.join("\n"), @r"
    the run has not ended: it is still going on, or it was killed; it has no summary and no tables yet
    1 request to `groq` was in flight: kept as far as they had come
    `vllm-2` has no records
    ");
    let (read, problems) = read(&run, "groq");
    assert_eq!(read[..2], records);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn parts_of_a_request_in_flight_become_one_interrupted_record() {
    let out = tempfile::tempdir().unwrap();
    let (path, _) = dead(out.path());
    let (read, _) = read(&Run::open(&path).unwrap(), "groq");
    assert_eq!(read.len(), 3);
    let interrupted = &read[2];
    assert_eq!((interrupted.index, &interrupted.outcome), (2, &Outcome::Interrupted));
    let events: Events = [0, 1].map(|part| partial("groq", 2, part).events).iter().flatten().collect();
    assert_eq!(interrupted.events, events);
    assert_eq!((interrupted.max_tokens, interrupted.forced_length), (64, true));
    assert_eq!((interrupted.response_bytes, interrupted.reads), (500, 2));
}

#[test]
fn cut_at_any_byte_the_records_keep_every_complete_line() {
    let out = tempfile::tempdir().unwrap();
    let (path, records) = dead(out.path());
    let file = path.join("groq").join(REQUESTS);
    fs::remove_file(path.join("groq").join(IN_FLIGHT)).unwrap();
    let bytes = fs::read(&file).unwrap();
    for cut in (0..=bytes.len()).rev() {
        truncate(&file, cut);
        let run = Run::open(&path).unwrap();
        let (read, problems) = read(&run, "groq");
        let complete = memchr::memchr_iter(b'\n', &bytes[..cut]).count();
        assert!(read.len() >= complete, "cut at byte {cut}");
        assert_eq!(read, records[..read.len()], "cut at byte {cut}");
        // A line that lacks nothing but its line feed still counts.
        let whole = read.len() > complete || cut == 0 || bytes[cut - 1] == b'\n';
        assert_eq!(problems.is_empty(), whole, "cut at byte {cut}: {problems:?}");
        assert!(problems.iter().all(|problem| run.missing.contains(problem)));
    }
}

#[test]
fn cut_at_any_byte_the_parts_keep_every_complete_line() {
    let out = tempfile::tempdir().unwrap();
    let (path, records) = dead(out.path());
    let file = path.join("groq").join(IN_FLIGHT);
    let bytes = fs::read(&file).unwrap();
    for cut in (0..=bytes.len()).rev() {
        truncate(&file, cut);
        let run = Run::open(&path).unwrap();
        let (read, _) = read(&run, "groq");
        assert_eq!(read[..2], records, "cut at byte {cut}");
        // The first line belongs to a request that has its record.
        let lines = memchr::memchr_iter(b'\n', &bytes[..cut]).count();
        let events = read.get(2).map_or(0, |r| r.events.len());
        assert!(events >= lines.saturating_sub(1) && events <= lines, "cut at byte {cut}");
    }
}

#[test]
fn a_bad_line_in_the_middle_costs_only_itself() {
    let out = tempfile::tempdir().unwrap();
    let (path, records) = dead(out.path());
    let file = path.join("groq").join(REQUESTS);
    let text = fs::read_to_string(&file).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    fs::write(&file, format!("{first}\n{{\"index\": \"\u{1b}[2J\"}}\n\n{rest}")).unwrap();
    let run = Run::open(&path).unwrap();
    let (read, problems) = read(&run, "groq");
    assert_eq!(read[..2], records);
    insta::assert_snapshot!(problems.join("\n"), @r"
    line 2 of `groq/requests.jsonl` cannot be read and is left out: control character (\u0000-\u001F) found while parsing a string at column 12
    line 3 of `groq/requests.jsonl` cannot be read and is left out: EOF while parsing a value at column 0
    ");
    assert!(problems.iter().all(|problem| run.missing.contains(problem)));
}

#[test]
fn parts_beyond_what_fits_in_memory_are_left_out_and_told() {
    let out = tempfile::tempdir().unwrap();
    let (path, _) = dead(out.path());
    let run = Run::open(&path).unwrap();
    // Room for one request with one event.
    let mut records = run.records(&name("groq")).unwrap();
    records.room = 21;
    assert_eq!(records.by_ref().last().unwrap().unwrap().events.len(), 1);
    assert_eq!(
        records.problems(),
        ["`groq/in-flight.jsonl` holds more than fits in memory; its later lines are left out"]
    );
}

/// Runs in a process of its own, which is killed: keeps requests and tells each once it is flushed.
#[test]
#[ignore = "started by `a_process_killed_at_work_loses_nothing_it_had_flushed`"]
fn keep_requests_until_killed() {
    let Some(out) = std::env::var_os("STORE_TEST_OUT") else { return };
    let run = begin(Path::new(&out));
    let mut writer = run.writer();
    for index in 0.. {
        write(&mut writer, &[record("groq", index)], &[partial("groq", index + 1, 0)]);
        // Not captured by the harness, as `println!` would be.
        writeln!(std::io::stdout(), "flushed {}", run.path().display()).unwrap();
    }
}

#[test]
fn a_process_killed_at_work_loses_nothing_it_had_flushed() {
    let out = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crash::keep_requests_until_killed", "--ignored", "--nocapture"])
        .env("STORE_TEST_OUT", out.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let paths: Vec<_> =
        told.filter_map(|l| l.split_once("flushed ").map(|(_, path)| path.to_owned())).take(50).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let run = Run::open(Path::new(&paths[0])).unwrap();
    let (kept, _) = read(&run, "groq");
    assert!(kept.len() > paths.len(), "fifty finished and one in flight, at least: {}", kept.len());
    assert_eq!(kept[49], record("groq", 49));
    // The kill may have come between the two files of a flush: then the last request is whole.
    let (_, before) = kept.split_last().unwrap();
    assert!(before.iter().all(|record| record.outcome != Outcome::Interrupted));
}

#[test]
fn a_record_in_the_wrong_folder_is_left_out() {
    let out = tempfile::tempdir().unwrap();
    let (path, _) = dead(out.path());
    fs::create_dir(path.join("vllm-2")).unwrap();
    fs::copy(path.join("groq").join(REQUESTS), path.join("vllm-2").join(REQUESTS)).unwrap();
    let (read, problems) = read(&Run::open(&path).unwrap(), "vllm-2");
    assert_eq!(read, vec![]);
    assert_eq!(problems.len(), 2);
    assert!(problems[0].contains("a record of `groq` stands in the folder of `vllm-2`"), "{problems:?}");
}

#[test]
fn sealing_keeps_requests_that_only_left_parts() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0)], &[partial("groq", 0, 0), partial("groq", 1, 0)]);
    run.seal(ended()).unwrap();
    assert!(!run.path().join("groq").join(IN_FLIGHT).exists());
    let sealed = Run::open(run.path()).unwrap();
    let (read, _) = read(&sealed, "groq");
    assert_eq!(read.iter().map(|r| r.outcome.is_complete()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(sealed.manifest.requests, Some(2));
}

#[test]
fn a_seal_that_failed_can_be_made_again() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0)], &[partial("groq", 1, 0)]);
    let in_the_way = run.path().join("summary.csv");
    fs::create_dir(&in_the_way).unwrap();
    let seal = crate::Seal { files: &[("summary.csv", b"target\n")], ..ended() };
    assert!(run.seal(seal).is_err());
    assert_eq!(Run::open(run.path()).unwrap().manifest.status, Status::Running);
    fs::remove_dir(&in_the_way).unwrap();
    run.seal(seal).unwrap();
    let sealed = Run::open(run.path()).unwrap();
    assert_eq!(sealed.manifest.requests, Some(2));
    assert_eq!(sealed.records(&name("groq")).unwrap().count(), 2);
}
