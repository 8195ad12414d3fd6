//! The example tool: what is asked for when tools are measured.

/// Its name.
pub(super) const NAME: &str = "give_answer";

/// What it is for.
pub(super) const PURPOSE: &str = "Gives the answer to what was asked.";

/// What it takes; also what an answer in JSON looks like where a schema has to be given.
pub(super) const SCHEMA: &str = r#"{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"]}"#;
