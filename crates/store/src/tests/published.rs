//! The published JSON Schemas.

use std::fs;
use std::path::Path;

use schema::exchange::{EXCHANGE_FORMAT, Exchange, Exchanges, Header, Octets, Part, Received, Sent};
use serde_json::Value;

use super::sample::{
    begin, calibration, comparison, curve, ended, failed, name, partial, quality, record, sample, step, summary, write,
};
use crate::{COMPARISON, CURVE, IN_FLIGHT, MANIFEST, REQUESTS, SERVER_METRICS, STEPS, SUMMARY, Seal, json_schema};

#[test]
fn the_published_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for (name, schema) in json_schema::all() {
        let path = folder.join(&name);
        let expected = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &expected).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(published == expected, "schemas/{name} is out of date: run this test with UPDATE_SCHEMAS=1");
    }
}

fn schema(name: &str) -> jsonschema::Validator {
    schema_in(name, schema::FORMAT_VERSION)
}

fn schema_in(name: &str, version: u32) -> jsonschema::Validator {
    let file = format!("{name}.v{version}.schema.json");
    let (_, schema) = json_schema::all().into_iter().find(|(name, _)| *name == file).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn check(schema: &jsonschema::Validator, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<_> = schema.iter_errors(&value).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
}

#[test]
fn a_written_run_is_what_the_schemas_say() {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 0), failed("groq", 1, "no")], &[partial("groq", 2, 0)]);
    run.writer().append_step(&step("groq", 1)).unwrap();
    run.writer().append_sample(&name("groq"), &sample(1)).unwrap();
    let read = |path: &str| fs::read_to_string(run.path().join(path)).unwrap();
    check(&schema("manifest"), &read(MANIFEST));
    read(&format!("groq/{IN_FLIGHT}")).lines().for_each(|line| check(&schema("partial"), line));
    let verdict = quality();
    let ranked = comparison();
    let (summaries, curves, floor) = ([summary("groq")], [curve("groq")], calibration());
    run.seal(Seal {
        summaries: &summaries,
        curves: &curves,
        comparison: Some(&ranked),
        quality: Some(&verdict),
        calibration: Some(&floor),
        ..ended()
    })
    .unwrap();
    let read = |path: &str| fs::read_to_string(run.path().join(path)).unwrap();
    check(&schema("manifest"), &read(MANIFEST));
    read(&format!("groq/{REQUESTS}")).lines().for_each(|line| check(&schema("record"), line));
    read(&format!("groq/{STEPS}")).lines().for_each(|line| check(&schema("step"), line));
    read(&format!("groq/{SERVER_METRICS}")).lines().for_each(|line| check(&schema("server-sample"), line));
    check(&schema("curve"), &read(&format!("groq/{CURVE}")));
    check(&schema("target-summary"), &read(&format!("groq/{SUMMARY}")));
    check(&schema("comparison"), &read(COMPARISON));
}

#[test]
fn exchanges_are_what_their_schema_says() {
    let octets = Octets::from(&b"a\xff"[..]);
    let header = |value: Option<Octets>| Header { name: "x-odd".into(), value };
    let begun = begin(tempfile::tempdir().unwrap().path());
    let exchange = Exchange {
        at: jiff::Timestamp::UNIX_EPOCH,
        target: begun.manifest().plan.targets[0].clone(),
        request: Sent { method: "POST".into(), target: "/".into(), headers: vec![header(None)], body: "{}".into() },
        answer: Some(Received { status: 200, reason: None, headers: vec![header(Some(octets.clone()))] }),
        reads: Vec::new(),
        parts: vec![Part { raw: octets.clone(), text: Some("a".into()) }],
        rest: octets,
        left_out_bytes: 1,
        record: record("groq", 0),
    };
    let exchanges =
        Exchanges { format_version: EXCHANGE_FORMAT, program_version: "1".into(), exchanges: vec![exchange] };
    let schema = schema_in("exchanges", EXCHANGE_FORMAT);
    let mut value = serde_json::to_value(exchanges).unwrap();
    check(&schema, &value.to_string());
    value["exchanges"][0]["rest"] = serde_json::json!({ "bytes": "61ff" });
    assert!(!schema.is_valid(&value));
}

#[test]
fn the_schemas_refuse_what_is_not_a_run() {
    assert!(!schema("manifest").is_valid(&serde_json::json!({ "format_version": 1 })));
    let mut line = serde_json::to_value(record("groq", 0)).unwrap();
    line["outcome"] = "fine".into();
    assert!(!schema("record").is_valid(&line));
}
