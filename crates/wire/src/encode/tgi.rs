//! TGI's own `POST /generate_stream`: the path says whether to stream.

use schema::plan::AnswerForm;
use schema::target::{Encoding, SeedField};

use super::fields::{Fields, escaped};
use super::turns::Turns;
use super::{RequestSpec, tool};

pub(super) fn generate(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.with("inputs", |out| inputs(out, turns));
    fields.object("parameters", |parameters| {
        parameters.value("max_new_tokens", spec.max_tokens);
        parameters.value("details", true);
        // It refuses a temperature of zero: not sampling means that.
        let sample = encoding.temperature && spec.temperature_milli > 0;
        parameters.value("do_sample", sample);
        if sample {
            parameters.value("temperature", spec.temperature());
        }
        if let (SeedField::Seed, Some(seed)) = (encoding.seed_field, spec.seed) {
            parameters.value("seed", seed);
        }
        if spec.answer == AnswerForm::Json {
            parameters.object("grammar", |grammar| {
                grammar.text("type", "json");
                // A schema without `properties` is refused.
                grammar.raw("value", tool::SCHEMA);
            });
        }
    });
}

/// Pictures stand in the text, as Markdown writes them.
fn inputs(out: &mut Vec<u8>, turns: &Turns<'_>) {
    out.push(b'"');
    for image in turns.images() {
        out.extend_from_slice(b"![](");
        escaped(out, image);
        out.push(b')');
    }
    turns.escaped_prompt(out);
    out.push(b'"');
}
