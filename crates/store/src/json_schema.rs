//! The formats on disk, what `gate` and `trend` print, the file of assumptions and that of exchanges as JSON Schema (draft 2020-12),
//! generated from the types that write and read them.
//! The published copies stand in `schemas/` at the root of the repository.

use schema::FORMAT_VERSION;
use schema::comparison::Comparison;
use schema::curve::{Curve, Step};
use schema::exchange::{EXCHANGE_FORMAT, Exchanges};
use schema::gate::Gate;
use schema::manifest::Manifest;
use schema::projection::Assumptions;
use schema::record::{Partial, Record};
use schema::server::ServerSample;
use schema::summary::{Summary, TargetSummary};
use schema::trend::Trend;
use schema::vote::Vote;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// Every published schema with the name of its file, such as `manifest.v1.schema.json`.
pub fn all() -> Vec<(String, Value)> {
    vec![
        published::<Manifest>("manifest"),
        published::<Record>("record"),
        published::<Partial>("partial"),
        published::<Step>("step"),
        published::<ServerSample>("server-sample"),
        published::<TargetSummary>("target-summary"),
        published::<Curve>("curve"),
        published::<Summary>("summary"),
        published::<Comparison>("comparison"),
        published::<Gate>("gate"),
        published::<Trend>("trend"),
        published::<Assumptions>("assumptions"),
        published::<Vote>("vote"),
        published_as::<Exchanges>("exchanges", EXCHANGE_FORMAT),
    ]
}

/// The schema of what is written as a `T`, in the version of runs.
fn published<T: JsonSchema>(name: &str) -> (String, Value) {
    published_as::<T>(name, FORMAT_VERSION)
}

/// The schema of what is written as a `T` in a version of its own.
fn published_as<T: JsonSchema>(name: &str, version: u32) -> (String, Value) {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("urn:speed-kings:{name}:{version}").into());
    (format!("{name}.v{version}.schema.json"), schema.to_value())
}
