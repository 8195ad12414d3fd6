//! Steps, readings and curves.

use std::fs;

use schema::curve::Step;
use schema::server::ServerSample;
use secrecy::SecretString;

use super::sample::{NOW, begin, calibration, curve, ended, manifest, name, record, sample, step, write};
use crate::{CURVE, Run, RunDir, SERVER_METRICS, STEPS, Seal, StoreError, verify};

/// All steps and readings of `groq`, and what could not be read.
fn read(run: &Run) -> (Vec<Step>, Vec<ServerSample>, Vec<String>) {
    let (mut steps, mut samples) = (run.steps(&name("groq")).unwrap(), run.samples(&name("groq")).unwrap());
    let all = (steps.by_ref().map(Result::unwrap).collect(), samples.by_ref().map(Result::unwrap).collect());
    (all.0, all.1, steps.problems().into_iter().chain(samples.problems()).collect())
}

/// A run with two steps and two readings, not sealed.
fn measured(run: &RunDir) -> (Vec<Step>, Vec<ServerSample>) {
    let (steps, samples) = (vec![step("groq", 0), step("groq", 1)], vec![sample(10), ServerSample::default()]);
    let mut writer = run.writer();
    for step in &steps {
        writer.append_step(step).unwrap();
    }
    for sample in &samples {
        writer.append_sample(&name("groq"), sample).unwrap();
    }
    writer.flush().unwrap();
    (steps, samples)
}

#[test]
fn steps_and_readings_come_back_before_and_after_the_seal() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    let (steps, samples) = measured(&run);
    let expected = (steps, samples, Vec::<String>::new());
    assert_eq!(read(&Run::open(run.path()).unwrap()), expected);
    run.seal(ended()).unwrap();
    let sealed = Run::open(run.path()).unwrap();
    assert_eq!(read(&sealed), expected);
    assert_eq!(sealed.steps(&name("vllm-2")).unwrap().count(), 0);
    let sums: Vec<_> = sealed.manifest.checksums.keys().cloned().collect();
    assert_eq!(sums, [format!("groq/{SERVER_METRICS}"), format!("groq/{STEPS}")]);
}

#[test]
fn curves_and_the_machines_floor_are_sealed() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    let (curves, floor) = ([curve("groq"), curve("vllm-2")], calibration());
    run.seal(Seal { curves: &curves, calibration: Some(&floor), ..ended() }).unwrap();
    let sealed = Run::open(run.path()).unwrap();
    assert_eq!(sealed.curves().unwrap(), curves);
    assert_eq!(sealed.manifest.calibration, Some(floor));
    let sums: Vec<_> = sealed.manifest.checksums.keys().cloned().collect();
    assert_eq!(sums, [format!("groq/{CURVE}"), format!("vllm-2/{CURVE}")]);
    fs::write(run.path().join("groq").join(CURVE), "{}").unwrap();
    assert_eq!(
        verify(&sealed).iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["`groq/curve.json` was changed after the seal"]
    );
}

#[test]
fn what_is_of_no_target_of_the_run_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    let unknown = |result: Result<(), StoreError>| matches!(result, Err(StoreError::UnknownTarget { .. }));
    assert!(unknown(run.writer().append_step(&step("other", 0))));
    assert!(unknown(run.writer().append_sample(&name("other"), &sample(0))));
    assert!(unknown(Run::open(run.path()).unwrap().steps(&name("other")).map(drop)));
    assert!(unknown(Run::open(run.path()).unwrap().samples(&name("other")).map(drop)));
    assert!(unknown(run.seal(Seal { curves: &[curve("other")], ..ended() }).map(drop)));
    for file in [STEPS, SERVER_METRICS, CURVE] {
        let path = format!("groq/{file}");
        let refused = run.seal(Seal { files: &[(&path, b"x")], ..ended() });
        assert!(matches!(refused, Err(StoreError::UnsafePath { .. })), "{file}");
    }
}

#[test]
fn cut_at_any_byte_every_complete_reading_is_kept_and_the_torn_one_told() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let (_, samples) = measured(&run);
    let file = run.path().join("groq").join(SERVER_METRICS);
    let bytes = fs::read(&file).unwrap();
    for cut in (0..=bytes.len()).rev() {
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(cut as u64).unwrap();
        let opened = Run::open(run.path()).unwrap();
        let (_, kept, problems) = read(&opened);
        assert!(kept.len() >= memchr::memchr_iter(b'\n', &bytes[..cut]).count(), "cut at byte {cut}");
        assert_eq!(kept, samples[..kept.len()], "cut at byte {cut}");
        assert!(problems.iter().all(|problem| opened.missing.contains(problem)), "cut at byte {cut}: {problems:?}");
        // A line that lacks nothing but its line feed still counts.
        let torn =
            cut > 0 && bytes[cut - 1] != b'\n' && kept.len() == memchr::memchr_iter(b'\n', &bytes[..cut]).count();
        assert_eq!(problems.len(), usize::from(torn), "cut at byte {cut}: {problems:?}");
    }
}

#[test]
fn a_torn_step_is_noted_at_the_seal() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    measured(&run);
    let file = run.path().join("groq").join(STEPS);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() - 10]).unwrap();
    run.seal(ended()).unwrap();
    assert_eq!(run.manifest().notes, ["the last line of `groq/steps.jsonl`, 2, was cut off and is left out"]);
}

#[test]
fn a_line_longer_than_readers_accept_is_neither_written_nor_read() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let long = Step { cut_short: Some("x".repeat(crate::SIDE_LINE_BYTES)), ..step("groq", 0) };
    let mut writer = run.writer();
    let error = writer.append_step(&long).unwrap_err();
    assert!(error.to_string().starts_with("a step of a search of `groq` needs "), "{error}");
    writer.append_step(&step("groq", 1)).unwrap();
    drop(writer);
    let file = run.path().join("groq").join(STEPS);
    let line = serde_json::to_string(&long).unwrap();
    fs::write(&file, format!("{line}\n{}", fs::read_to_string(&file).unwrap())).unwrap();
    let (steps, _, problems) = read(&Run::open(run.path()).unwrap());
    assert_eq!(steps, [step("groq", 1)]);
    assert_eq!(problems, ["line 1 of `groq/steps.jsonl` is too long and is left out"]);
}

#[test]
fn bad_lines_are_described_as_far_as_anyone_would_read() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let folder = run.path().join("groq");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(STEPS), "{\"number\": \"\u{1b}[2J\"}\n".repeat(50)).unwrap();
    let (steps, _, problems) = read(&Run::open(run.path()).unwrap());
    assert_eq!((steps.len(), problems.len()), (0, 21));
    assert_eq!(problems[20], "30 further lines cannot be read and are left out");
    assert!(problems.iter().all(|problem| !problem.contains('\u{1b}')));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    fs::create_dir(run.path().join("groq")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", run.path().join("groq").join(SERVER_METRICS)).unwrap();
    let opened = Run::open(run.path()).unwrap();
    let items: Vec<_> = opened.samples(&name("groq")).unwrap().collect();
    assert!(matches!(items.as_slice(), [Err(StoreError::Io { .. })]), "{items:?}");
}

#[test]
fn a_key_is_absent_from_steps_and_readings_and_curves() {
    let out = tempfile::tempdir().unwrap();
    let key = SecretString::from("canary-key-1");
    let mut run = RunDir::create(out.path(), &manifest("x", &["groq"]), NOW, &[key]).unwrap();
    let mut writer = run.writer();
    writer.append_step(&Step { cut_short: Some("it said canary-key-1".into()), ..step("groq", 0) }).unwrap();
    let failed = ServerSample { failed: Some("no canary-key-1".into()), ..ServerSample::default() };
    writer.append_sample(&name("groq"), &failed).unwrap();
    drop(writer);
    run.seal(Seal { curves: &[curve("groq")], ..ended() }).unwrap();
    for file in [STEPS, SERVER_METRICS, CURVE] {
        let text = fs::read_to_string(run.path().join("groq").join(file)).unwrap();
        assert!(!text.contains("canary"), "{file}: {text}");
    }
    let (steps, samples, _) = read(&Run::open(run.path()).unwrap());
    assert_eq!(steps[0].cut_short.as_deref(), Some("it said ***"));
    assert_eq!(samples[0].failed, Some("no ***".into()));
}

#[test]
fn attempts_and_steps_tell_interrupted_requests_apart() {
    use schema::record::{Outcome, Partial, Record};
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let part = |step, attempt| Partial { step, attempt, ..super::sample::partial("groq", 0, 0) };
    write(&mut run.writer(), &[record("groq", 0)], &[part(0, 0), part(0, 1), part(1, 0), part(0, 1)]);
    let (kept, _) = super::sample::read(&Run::open(run.path()).unwrap(), "groq");
    let shown = |r: &Record| (r.step, r.attempt, r.events.len(), r.outcome == Outcome::Interrupted);
    // The first part is of the attempt that was recorded.
    assert_eq!(kept.iter().map(shown).collect::<Vec<_>>(), [(0, 0, 3, false), (0, 1, 2, true), (1, 0, 1, true)]);
}
