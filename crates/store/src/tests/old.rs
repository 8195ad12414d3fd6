//! Runs of the first releases, which knew nothing of steps, attempts, conversations, limits or readings.

use std::fs;

use super::sample::{begin, name, read};
use crate::{IN_FLIGHT, MANIFEST, REQUESTS, Run, verify};

/// A record as the first release wrote it.
const LINE: &str = r#"{"index":0,"target":"groq","phase":"measured","block":0,"prompt":0,"max_tokens":16,"forced_length":true,"scheduled_ns":93148,"connect":{"tcp_ns":65741},"http":"http/1.1","start_ns":235161,"first_byte_ns":50636480,"headers_ns":50636480,"end_ns":60770311,"status":200,"request_bytes":423,"response_bytes":1234,"reads":2,"events":EVENTS,"usage":{"input_tokens":40,"output_tokens":2},"tokens":{"input":40,"output":2,"source":"server_usage"},"output_hash":"cbf29ce484222325","outcome":{"complete":{"finish":"length"}}}"#;

/// A part of one, of the same time.
const PART: &str = r#"{"index":1,"target":"groq","phase":"measured","block":0,"prompt":1,"scheduled_ns":60800000,"start_ns":60900000,"events":EVENTS}"#;

fn line(text: &str) -> String {
    let events = super::sample::partial("groq", 0, 0).events;
    text.replace("EVENTS", &serde_json::to_string(&events).unwrap()) + "\n"
}

#[test]
fn an_old_run_opens_with_everything_in_it() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let path = run.path().join(MANIFEST);
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let plan = manifest["plan"].as_object_mut().unwrap();
    for key in ["search", "until", "retry", "respect_limits", "drop_after", "scrape_ns", "gpu_metrics"] {
        plan.remove(key);
    }
    // As the first release wrote what it asked for and how.
    plan.insert("workload".into(), OLD_WORKLOAD.parse().unwrap());
    plan.insert("load".into(), OLD_LOAD.parse().unwrap());
    fs::write(&path, manifest.to_string()).unwrap();
    fs::create_dir(run.path().join("groq")).unwrap();
    fs::write(run.path().join("groq").join(REQUESTS), line(LINE)).unwrap();
    fs::write(run.path().join("groq").join(IN_FLIGHT), line(PART)).unwrap();

    let opened = Run::open(run.path()).unwrap();
    let (records, problems) = read(&opened, "groq");
    assert_eq!(problems, Vec::<String>::new());
    let (done, begun) = (&records[0], &records[1]);
    assert_eq!((done.step, done.attempt, done.prompt_tokens, done.limits), (0, 0, None, None));
    assert_eq!((begun.index, begun.attempt, begun.events.len()), (1, 0, 1));
    assert_eq!(opened.samples(&name("groq")).unwrap().count(), 0);
    assert_eq!(opened.curves().unwrap(), []);
    assert_eq!(verify(&opened).len(), 1, "it was never sealed");
}

/// The load of a plan of the first release.
const OLD_LOAD: &str = r#"{"open":{"rate_per_s":2.0,"arrival":"poisson","max_concurrency":64}}"#;

/// Its workload.
const OLD_WORKLOAD: &str = r#"{"prompts":{"built_in":"short"},"max_tokens":16,"force_length":true,"defeat_cache":false,"temperature_milli":0,"stream":true}"#;
