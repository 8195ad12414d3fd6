//! Runs on disk, as people keep house among them: listed, tagged, merged, exported, removed, brought up to date.

use std::fs;
use std::path::{Path, PathBuf};

use schema::FORMAT_VERSION;
use schema::manifest::{Manifest, Source, Status};
use schema::plan::Plan;
use serde_json::Value;
use sim::{Engine, Sim};
use store::{MANIFEST, Run};

use crate::command::Desk;
use crate::e2e_run::{check_schema, latest, prompt_engine, records, start, summary, target};

/// Measures `sim` as the target `it`; the folder of the run.
#[track_caller]
fn measure(desk: &Desk, sim: &Sim, name: &str, more: &[&str]) -> PathBuf {
    let it = target("it", sim);
    let name = format!("--name={name}");
    let asked = ["benchmark", &it, &name, "--requests=4", "--warmup=1", "--max-tokens=3", "--scrape=0s"];
    let outcome = desk.run(&[&asked[..], more].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    latest(desk).path
}

fn folder(run: &Path) -> &str {
    run.file_name().unwrap().to_str().unwrap()
}

#[track_caller]
fn json(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let outcome = desk.run(&[arguments, &["--output=json"]].concat());
    serde_json::from_str(&outcome.out).unwrap_or_else(|_| panic!("{}", outcome.all()))
}

/// A run of the first format, as its program left it.
fn put_version_1(desk: &Desk, name: &str) -> PathBuf {
    let run = desk.path().join("results").join(name);
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/src/tests/data/run-v1"), &run);
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

#[test]
fn runs_are_found_by_what_they_are_and_what_was_put_on_them() {
    #[track_caller]
    fn check(desk: &Desk, asked: &[&str], expected: &[&Path]) {
        let rows = json(desk, &[&["results", "list"], asked].concat());
        let found: Vec<&str> = rows.iter().map(|row| row["run"].as_str().unwrap()).collect();
        assert_eq!(found, expected.iter().map(|run| folder(run)).collect::<Vec<_>>(), "{asked:?}");
    }
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let one = measure(&desk, &sim, "one", &["--tag=nightly,gpu=h100", "--tag=a"]);
    let two = measure(&desk, &sim, "two", &[]);
    let put = desk.run(&["results", "tag", "two", "+nightly", "b", "-absent"]);
    assert_eq!((put.status, put.out.as_str()), (Some(0), "Tag\n───────\nb\nnightly\n"), "{}", put.all());
    assert_eq!(desk.run(&["results", "tag", "two", "=1+1"]).status, Some(2));
    let late = desk.run(&["results", "tag", "two", "+late", "--output=json"]);
    assert!(late.status == Some(2) && late.err.contains("options come before the run"), "{}", late.all());
    check(&desk, &[], &[&two, &one]);
    check(&desk, &["--tag=nightly"], &[&two, &one]);
    check(&desk, &["--tag=nightly", "--tag=gpu=*"], &[&one]);
    check(&desk, &["--name=t*"], &[&two, &one]);
    check(&desk, &["--name=two"], &[&two]);
    check(&desk, &["--target=it", "--model=sim-*", "--provider=openai-compatible", "--since=1h"], &[&two, &one]);
    check(&desk, &["--model=gpt*"], &[]);
    check(&desk, &["--until=1h"], &[]);
    check(&desk, &["--status=interrupted"], &[]);
    check(&desk, &["--sort=name", "--limit=1"], &[&one]);
    check(&desk, &["--reverse"], &[&one, &two]);
    let wide = &json(&desk, &["results", "list", "--long", "--name=one"])[0];
    assert_eq!((&wide["name"], &wide["tags"]), (&"one".into(), &"a, gpu=h100, nightly".into()));
    assert_eq!(desk.run(&["results", "list", "--since=yesterday"]).status, Some(2));
    let none = desk.run(&["results", "list", "--tag=draft"]);
    assert!(none.err.contains("has 2 runs, none like that"), "{}", none.all());
}

#[test]
fn removing_asks_spares_baselines_and_takes_no_name_that_several_have() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let kept = measure(&desk, &sim, "kept", &[]);
    let (one, two) = (measure(&desk, &sim, "same", &[]), measure(&desk, &sim, "same", &[]));
    let results = desk.path().join("results");
    let run_id = Run::open(&kept).unwrap().manifest.run_id.to_string();
    let runs = vec![store::BaselineRun { run_id, folder: folder(&kept).to_owned() }];
    store::set_baseline(&results, "main", store::Baseline { runs, target: None }).unwrap();
    let refused = desk.run(&["results", "rm", "kept", "--yes"]);
    assert_eq!(refused.status, Some(1), "{}", refused.all());
    assert!(refused.err.contains("a run of the baseline `main`") && kept.exists(), "{}", refused.all());
    let unasked = desk.run(&["results", "rm", folder(&one)]);
    assert_eq!(unasked.status, Some(2), "{}", unasked.all());
    assert!(unasked.err.contains("--yes") && one.exists());
    let several = desk.run(&["results", "rm", "same", "--yes"]);
    assert_eq!(several.status, Some(1), "{}", several.all());
    assert!(several.err.contains("any of 2 runs") && one.exists() && two.exists(), "{}", several.all());
    let elsewhere = Desk::new();
    let other = measure(&elsewhere, &sim, "other", &[]);
    let outside = desk.run(&["results", "rm", other.to_str().unwrap(), "--yes"]);
    assert!(outside.status == Some(1) && other.exists(), "{}", outside.all());
    let gone = desk.run(&["results", "rm", folder(&one), folder(&two), folder(&one), "--yes"]);
    assert_eq!(gone.status, Some(0), "{}", gone.all());
    assert!(!one.exists() && !two.exists() && kept.exists());
    assert_eq!(desk.run(&["results", "rm", "kept", "--yes", "--force"]).status, Some(0));
    assert!(!kept.exists());
}

#[test]
fn cleaning_up_spares_what_someone_needs_and_says_what_would_go() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let old = measure(&desk, &sim, "old", &[]);
    let marked = measure(&desk, &sim, "marked", &["--tag=keep"]);
    let unended = measure(&desk, &sim, "unended", &[]);
    let new = measure(&desk, &sim, "new", &[]);
    let manifest = fs::read_to_string(unended.join(MANIFEST)).unwrap();
    fs::write(unended.join(MANIFEST), manifest.replace("\"complete\"", "\"running\"")).unwrap();
    let leftover = desk.path().join("results/.test_half_20261122_080509_1");
    fs::create_dir(&leftover).unwrap();
    assert_eq!(desk.run(&["cleanup"]).status, Some(2), "nothing was asked for");
    let dry = desk.run(&["cleanup", "--keep=1", "--dry-run", "--output=json"]);
    let rows: Vec<Value> = serde_json::from_str(&dry.out).unwrap();
    let fate = |run: &Path| rows.iter().find(|row| row["run"] == folder(run)).map(|row| row["goes"] == true);
    assert_eq!(
        [&old, &marked, &unended, &new, &leftover].map(|run| fate(run)),
        [Some(true), Some(false), Some(false), None, Some(true)]
    );
    assert!(dry.err.contains("2 folders of") && dry.err.contains("would be removed"), "{}", dry.all());
    assert!(old.exists() && leftover.exists());
    assert_eq!(desk.run(&["cleanup", "--keep=1"]).status, Some(2), "there is nobody to ask");
    assert_eq!(desk.run(&["cleanup", "--keep=0", "--older-than=1d", "--yes"]).status, Some(0));
    assert!(old.exists(), "nothing is that old");
    let done = desk.run(&["cleanup", "--keep=1", "--yes"]);
    assert_eq!(done.status, Some(0), "{}", done.all());
    assert!(!old.exists() && !leftover.exists() && marked.exists() && unended.exists() && new.exists());
}

#[test]
fn several_runs_of_one_plan_become_one() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let one = measure(&desk, &sim, "one", &["--seed=1"]);
    let two = measure(&desk, &sim, "two", &["--seed=2"]);
    let unlike = measure(&desk, &sim, "unlike", &["--temperature=0.5"]);
    let merged =
        desk.run(&["results", "merge", folder(&one), folder(&two), "--name=both", "--tag=pooled", "--output=json"]);
    assert_eq!(merged.status, Some(0), "{}", merged.all());
    let run = Run::open(&store::find(&desk.path().join("results"), "both").unwrap()).unwrap();
    assert_eq!((run.manifest.status, run.manifest.requests), (Status::Complete, Some(10)));
    assert_eq!(run.manifest.tags, ["pooled"]);
    assert!(run.manifest.sources.iter().all(|source| matches!(source, Source::Run { requests: 5, .. })));
    assert_eq!((records(&run, "it").len(), summary(&run, "it").attempted), (10, 8));
    assert!(store::verify(&run).is_empty() && run.missing.is_empty());
    check_schema("manifest", &fs::read_to_string(run.path.join(MANIFEST)).unwrap());
    let refused = desk.run(&["results", "merge", folder(&one), folder(&unlike), "--name=bad"]);
    assert_eq!(refused.status, Some(1), "{}", refused.all());
    assert!(refused.err.contains("workload.temperature_milli"), "{}", refused.all());
    assert_eq!(fs::read_dir(desk.path().join("results")).unwrap().count(), 4, "nothing is left behind");
}

#[test]
fn a_run_is_exported_for_other_programs() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let run = measure(&desk, &sim, "out", &[]);
    let rows = desk.run(&["results", "export", "out"]).out;
    assert_eq!(rows.lines().count(), 6, "a heading, a warm-up and four requests");
    assert!(rows.starts_with("run,target,provider,model,simulated,phase,index"), "{rows}");
    for (to, format) in [("a.csv", "csv"), ("a.jsonl", "jsonl"), ("a.json", "json"), ("a.parquet", "parquet")] {
        let done = desk.run(&["results", "export", "out", "--to", to]);
        assert_eq!(done.status, Some(0), "{}", done.all());
        let exported = fs::read(desk.path().join(to)).unwrap();
        let folder_done = desk.run(&["results", "export", "out", "--to=exports/", "--format", format]);
        assert_eq!(folder_done.status, Some(0), "{}", folder_done.all());
        let target = if format == "parquet" { "-it" } else { "" };
        let named = desk.path().join(format!("exports/{}{target}.{format}", folder(&run)));
        assert_eq!(fs::read(named).unwrap(), exported, "{format}");
    }
    assert_eq!(fs::read_to_string(desk.path().join("a.csv")).unwrap(), rows);
    let lines = fs::read_to_string(desk.path().join("a.jsonl")).unwrap();
    assert_eq!(lines, fs::read_to_string(run.join("it/requests.jsonl")).unwrap());
    check_schema("summary", &fs::read_to_string(desk.path().join("a.json")).unwrap());
    assert_eq!(fs::read(desk.path().join("a.parquet")).unwrap(), fs::read(run.join("it/requests.parquet")).unwrap());
    let again = desk.run(&["results", "export", "out", "--to=a.csv"]);
    assert!(again.status == Some(2) && again.err.contains("there already"), "{}", again.all());
    assert_eq!(desk.run(&["results", "export", "out", "--to=a.csv", "--force"]).status, Some(0));
    assert_eq!(desk.run(&["results", "export", "out", "--target=other"]).status, Some(2));
    measure(&desk, &sim, "pair", &[&target("other", &sim)]);
    let asked = ["results", "export", "pair", "--format=json"];
    let told = |more: &[&str]| serde_json::from_str::<Value>(&desk.run(&[&asked[..], more].concat()).out).unwrap();
    assert!(told(&[])["comparison"].is_object());
    let alone = told(&["--target=other"]);
    assert_eq!((alone["targets"].as_array().unwrap().len(), &alone["comparison"]), (1, &Value::Null));
    assert_eq!(desk.run(&["results", "export", "out", "--format=parquet"]).status, Some(2));
}

#[test]
fn a_run_of_the_first_format_is_shown_and_migrated_once() {
    let desk = Desk::new();
    let run = put_version_1(&desk, "test_old_20261122_075354");
    let shown = desk.run(&["results", "show", "old", "--output=json"]);
    assert_eq!(shown.status, Some(0), "{}", shown.all());
    assert_eq!(Run::open(&run).unwrap().manifest.format_version, 1, "looking changes nothing");
    let result = |asked: &[&str]| json(&desk, asked)[0]["result"].clone();
    assert_eq!(result(&["migrate", "--all", "--dry-run"]), "would change");
    assert_eq!(Run::open(&run).unwrap().manifest.format_version, 1);
    let lines = fs::read(run.join("vllm-sim/requests.jsonl")).unwrap();
    assert_eq!(result(&["migrate", "--all"]), "sealed again");
    let migrated = Run::open(&run).unwrap();
    assert_eq!(migrated.manifest.format_version, FORMAT_VERSION);
    assert!(store::verify(&migrated).is_empty() && migrated.kept().is_some());
    assert_eq!(fs::read(run.join("vllm-sim/requests.jsonl")).unwrap(), lines);
    assert!(run.join("manifest.v1.json").exists());
    check_schema("manifest", &fs::read_to_string(run.join(MANIFEST)).unwrap());
    let again = desk.run(&["results", "show", "old", "--output=json"]);
    let numbers = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(store::changes(&numbers(&shown.out), &numbers(&again.out)), [], "the same numbers");
    assert_eq!(result(&["migrate", "test_old"]), "up to date");
}

#[test]
fn what_lies_about_becomes_runs() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let run = measure(&desk, &sim, "whole", &["--tag=keep"]);
    let results = desk.path().join("results");
    let numbers = desk.run(&["results", "show", "--output=json"]).out;
    fs::write(results.join("numbers.json"), &numbers).unwrap();
    fs::copy(run.join("it/requests.jsonl"), results.join("requests.jsonl")).unwrap();
    fs::write(results.join("other.json"), "{}").unwrap();
    fs::remove_file(run.join(MANIFEST)).unwrap();
    let results_of = |asked: &[&str]| -> Vec<(String, String)> {
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        json(&desk, asked).iter().map(|row| (text(row, "run"), text(row, "result"))).collect()
    };
    let names = [folder(&run), "numbers.json", "other.json", "requests.jsonl"];
    let pairs = |results: [&str; 4]| -> Vec<(String, String)> {
        names.iter().zip(results).map(|(name, result)| ((*name).to_owned(), result.to_owned())).collect()
    };
    let (would, left) = ("would be taken over", "left as it is");
    assert_eq!(results_of(&["migrate", "--all", "--dry-run"]), pairs([would, would, left, would]));
    // The lone file holds the records of the folder, which tells more about them.
    let (done, before) = ("taken over", "taken over before");
    assert_eq!(results_of(&["migrate", "--all"]), pairs([done, done, left, before]));
    let again = results_of(&["migrate", "--all"]);
    assert_eq!(again[2..], pairs([before, before, left, before]), "after the two new runs");
    let shown: Value = serde_json::from_str(&desk.run(&["results", "show", "whole", "--output=json"]).out).unwrap();
    assert_eq!(shown["targets"][0]["attempted"], 4);
    let listed = json(&desk, &["results", "list", "--status=complete"]);
    assert_eq!(listed.len(), 1, "only a summary is known to be of a run that ended");
    assert_eq!(desk.run(&["migrate", "results/other.json"]).status, Some(1));
    assert_eq!(desk.run(&["migrate", "--all", "--remove"]).status, Some(0));
    assert!(!run.exists() && !results.join("numbers.json").exists() && results.join("other.json").exists());
    assert_eq!(store::list(&results).unwrap().iter().filter(|entry| entry.head.is_ok()).count(), 2);
}

#[test]
fn numbers_are_made_anew_and_what_changed_is_told() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let path = measure(&desk, &sim, "again", &[]);
    let before = Run::open(&path).unwrap().manifest;
    let row = |asked: &[&str]| json(&desk, asked).remove(0);
    assert_eq!(row(&["reprocess", "again", "--dry-run"])["result"], "unchanged");
    assert_eq!(row(&["reprocess", "again"])["result"], "sealed again, unchanged");
    let kept = path.join("it/summary.json");
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace("\"attempted\": 4", "\"attempted\": 3")).unwrap();
    fs::remove_file(path.join("it/requests.parquet")).unwrap();
    let told = row(&["reprocess", "--all"]);
    assert_eq!(told["result"], "sealed again");
    assert_eq!(told["changes"], "it: attempted 3 → 4; `it/requests.parquet` was gone");
    let after = Run::open(&path).unwrap();
    assert!(store::verify(&after).is_empty() && after.missing.is_empty());
    assert_eq!((after.manifest.run_id, after.manifest.ended), (before.run_id, before.ended));
    assert_eq!(summary(&after, "it").attempted, 4);
}

#[test]
fn a_run_still_going_on_is_left_alone_among_all_and_refused_by_name() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let ended = measure(&desk, &sim, "ended", &[]);
    let manifest = Run::open(&measure(&desk, &sim, "pattern", &[])).unwrap().manifest;
    let manifest = Manifest { plan: Plan { name: "going".into(), ..manifest.plan.clone() }, ..manifest };
    let now = jiff::civil::date(2026, 11, 22).at(8, 5, 9, 0);
    let going = store::RunDir::create(ended.parent().unwrap(), &manifest, now, &[]).unwrap();
    let outcome = desk.run(&["reprocess", "--all"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let mut results: Vec<String> =
        json(&desk, &["reprocess", "--all"]).iter().map(|row| row["result"].as_str().unwrap().to_owned()).collect();
    results.sort();
    assert_eq!(results, ["left as it is", "sealed again, unchanged", "sealed again, unchanged"]);
    assert!(outcome.out.contains("still going on"), "{}", outcome.out);
    let outcome = desk.run(&["reprocess", "going"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    drop(going);
}

#[test]
fn damaged_records_are_told_and_stay_as_they_are() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let path = measure(&desk, &sim, "damaged", &[]);
    let lines = path.join("it/requests.jsonl");
    let damaged = fs::read_to_string(&lines).unwrap() + "{\"torn\": ";
    fs::write(&lines, &damaged).unwrap();
    let outcome = desk.run(&["reprocess", "damaged"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(
        outcome.err.contains("was cut off") && outcome.err.contains("was changed after the seal"),
        "{}",
        outcome.err
    );
    assert_eq!(fs::read_to_string(&lines).unwrap(), damaged);
    let run = Run::open(&path).unwrap();
    assert_eq!(store::verify(&run).len(), 1, "a new seal does not cover it up");
    assert_eq!(summary(&run, "it").attempted, 4);
}

#[test]
fn numbers_whose_records_are_gone_are_not_replaced_by_worse() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let path = measure(&desk, &sim, "half", &[&target("other", &sim)]);
    fs::remove_file(path.join("it/requests.jsonl")).unwrap();
    let row = |asked: &[&str]| json(&desk, asked).remove(0);
    for asked in [&["reprocess", "half", "--dry-run"][..], &["reprocess", "--all"]] {
        let told = row(asked);
        assert_eq!(told["result"], "failed", "{told}");
        assert!(told["changes"].as_str().unwrap().contains("`it/requests.jsonl` of"), "{told}");
    }
    assert_eq!(desk.run(&["reprocess", "half"]).status, Some(1));
    let run = Run::open(&path).unwrap();
    assert_eq!(summary(&run, "it").attempted, 4);
    assert!(path.join("it/requests.parquet").exists(), "the last copy of the records");
}

#[test]
fn a_run_that_was_killed_is_sealed_with_what_it_has() {
    let (desk, sim) = (Desk::new(), start(prompt_engine(Engine::OpenAi)));
    let path = measure(&desk, &sim, "killed", &[]);
    let manifest = fs::read_to_string(path.join(MANIFEST)).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["status"] = "running".into();
    for later in ["ended", "requests", "quality", "checksums"] {
        manifest.as_object_mut().unwrap().remove(later);
    }
    fs::write(path.join(MANIFEST), manifest.to_string()).unwrap();
    let outcome = desk.run(&["reprocess", "killed"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = Run::open(&path).unwrap();
    assert_eq!((run.manifest.status, run.manifest.requests), (Status::Interrupted, Some(5)));
    assert!(run.manifest.ended.unwrap() > run.manifest.epoch.wall);
    assert!(store::verify(&run).is_empty() && run.kept().is_some());
}

#[test]
fn hostile_folders_steer_nothing() {
    let desk = Desk::new();
    let results = desk.path().join("results");
    let run = put_version_1(&desk, "test_evil_20261122_075354");
    let manifest = fs::read_to_string(run.join(MANIFEST)).unwrap();
    let evil = manifest.replace("\"name\": \"quick\"", "\"name\": \"\\u001b[2J\\u202e=1+1\"").replacen(
        "\"model\": \"simulated-8b\"",
        "\"model\": \"=cmd\\u0007\"",
        1,
    );
    assert_ne!(evil, manifest);
    fs::write(run.join(MANIFEST), evil).unwrap();
    fs::create_dir(results.join("test_\u{1b}[2Jx")).unwrap();
    fs::create_dir(results.join("test_huge")).unwrap();
    fs::File::create(results.join("test_huge").join(MANIFEST)).unwrap().set_len(1 << 40).unwrap();
    for form in ["table", "json", "markdown", "csv"] {
        for asked in [&["results", "list", "--long"][..], &["cleanup", "--keep=0", "--dry-run"], &["migrate", "--all"]]
        {
            let outcome = desk.run(&[asked, &["--output", form]].concat());
            assert!(
                crate::e2e_run::is_plain(&outcome.out) && crate::e2e_run::is_plain(&outcome.err),
                "{}",
                outcome.all()
            );
            if form == "csv" {
                assert!(!outcome.out.split([',', '\n']).any(|cell| cell.trim_matches('"').starts_with('=')));
            }
        }
    }
}
