//! `POST …/embeddings` and `/api/embed`: the text whose vector is wanted. Neither streams.

use super::RequestSpec;
use super::fields::Fields;
use super::turns::Turns;

pub(super) fn openai(fields: &mut Fields<'_>, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    ollama(fields, spec, turns);
    fields.text("encoding_format", "float");
}

pub(super) fn ollama(fields: &mut Fields<'_>, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.text("model", spec.model);
    fields.with("input", |out| turns.prompt(out));
}
