//! What a simulated engine knows of the requests that it served.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use schema::record::Record;
use serde_json::Value;

/// When the engine had a request, and when it wrote each content event.
#[derive(Default)]
struct Served {
    received: u64,
    written: Vec<u64>,
}

/// An engine's log, by request.
pub(crate) struct Truth(HashMap<String, Served>);

impl Truth {
    /// Reads the log of an engine that has stopped.
    pub(crate) fn read(log: &Path) -> Self {
        let mut all: HashMap<String, Served> = HashMap::new();
        for line in BufReader::new(File::open(log).expect("the engine kept a log")).lines() {
            let entry: Value = serde_json::from_str(&line.expect("the log is text")).expect("the log is JSON");
            let number = |key: &str| entry[key].as_u64().expect("the log has numbers");
            let served = all.entry(entry["request_id"].as_str().expect("an id").to_owned()).or_default();
            served.received = number("received_ns");
            if entry["content"] == Value::Bool(true) {
                served.written.push(number("before_ns"));
            }
        }
        Self(all)
    }

    /// How far a completed record is from it.
    pub(crate) fn errors(&self, record: &Record) -> stats::Errors {
        let served =
            record.request_id.as_ref().and_then(|id| self.0.get(id.raw())).expect("the engine knows the request");
        stats::errors(record, served.received, &served.written)
            .unwrap_or_else(|| panic!("request {} lacks events that were written: {:?}", record.index, record.outcome))
    }
}
