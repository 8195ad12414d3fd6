//! `POST /api/chat` and `/api/generate`.

use schema::plan::AnswerForm;
use schema::target::{Encoding, SeedField};

use super::fields::{Fields, array, text};
use super::turns::{Turns, data_url};
use super::{RequestSpec, openai};

pub(super) fn chat(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.text("model", spec.model);
    fields.with("messages", |out| messages(out, turns));
    options(fields, encoding, spec);
    if spec.answer == AnswerForm::Tool {
        fields.with("tools", openai::tools);
    }
}

pub(super) fn generate(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.text("model", spec.model);
    fields.with("prompt", |out| turns.prompt(out));
    if turns.images().next().is_some() {
        fields.with("images", |out| pictures(out, turns.images()));
    }
    options(fields, encoding, spec);
}

/// What is said of the answer's length, sampling and form.
fn options(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>) {
    fields.value("stream", spec.stream);
    fields.object("options", |options| {
        options.value("num_predict", spec.max_tokens);
        if encoding.temperature {
            options.value("temperature", spec.temperature());
        }
        if let (SeedField::Seed, Some(seed)) = (encoding.seed_field, spec.seed) {
            options.value("seed", seed);
        }
    });
    if spec.answer == AnswerForm::Json {
        fields.text("format", "json");
    }
}

fn messages(out: &mut Vec<u8>, turns: &Turns<'_>) {
    array(out, turns.all(), |out, turn| {
        Fields::write(out, None, |message| {
            message.text("role", turn.role.name());
            message.with("content", |out| turn.text(out));
            if !turn.images.is_empty() {
                message.with("images", |out| pictures(out, turn.images.iter()));
            }
        });
    });
}

/// Pictures are bare base64, without the data URL around it.
fn pictures<'a>(out: &mut Vec<u8>, images: impl Iterator<Item = &'a String>) {
    array(out, images, |out, image| text(out, data_url(image).map_or(image.as_str(), |(_, base64)| base64)));
}
