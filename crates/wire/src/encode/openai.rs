//! `POST …/chat/completions` and `…/completions`.

use schema::plan::AnswerForm;
use schema::target::{CacheDefeat, Encoding, ForceLength, JsonField, MaxTokensField, SeedField};

use super::fields::Fields;
use super::turns::{Turns, conversation};
use super::{RequestSpec, tool};

pub(super) fn chat(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.text("model", spec.model);
    fields.with("messages", |out| conversation(out, turns.all(), picture));
    limits(fields, encoding, spec);
    match spec.answer {
        AnswerForm::Text => {}
        AnswerForm::Json => fields.object("response_format", |format| json(format, encoding.json_field)),
        AnswerForm::Tool => {
            fields.with("tools", tools);
            // There is but one, and fewer servers know how to name it than that one is required.
            fields.text("tool_choice", "required");
        }
    }
}

pub(super) fn completions(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.text("model", spec.model);
    fields.with("prompt", |out| turns.prompt(out));
    limits(fields, encoding, spec);
}

/// What is said of the answer's length and sampling.
fn limits(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>) {
    fields.value("stream", spec.stream);
    let limit = match encoding.max_tokens_field {
        MaxTokensField::MaxTokens => "max_tokens",
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
    };
    fields.value(limit, spec.max_tokens);
    if encoding.temperature {
        fields.value("temperature", spec.temperature());
    }
    let seed = match encoding.seed_field {
        SeedField::None => None,
        SeedField::Seed => Some("seed"),
        SeedField::RandomSeed => Some("random_seed"),
    };
    if let (Some(name), Some(seed)) = (seed, spec.seed) {
        fields.value(name, seed);
    }
    if spec.stream && encoding.stream_options {
        fields.object("stream_options", |options| options.value("include_usage", true));
    }
    if spec.force_length {
        force_length(fields, encoding.force_length, spec.max_tokens);
    }
    defeat_cache(fields, encoding, spec);
}

fn force_length(fields: &mut Fields<'_>, how: ForceLength, tokens: u32) {
    if matches!(how, ForceLength::IgnoreEos | ForceLength::IgnoreEosAndMinTokens) {
        fields.value("ignore_eos", true);
    }
    if matches!(how, ForceLength::MinTokens | ForceLength::IgnoreEosAndMinTokens) {
        fields.value("min_tokens", tokens);
    }
}

/// Keeps caches out in the provider's own way, where it has one.
fn defeat_cache(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>) {
    let Some(nonce) = spec.nonce else { return };
    match encoding.cache_defeat {
        CacheDefeat::Prefix => {}
        CacheDefeat::CacheSalt => fields.text("cache_salt", nonce),
        CacheDefeat::IsolationKey => fields.text("prompt_cache_isolation_key", nonce),
        CacheDefeat::UserId => fields.text("user_id", nonce),
        CacheDefeat::CachePromptFalse => fields.value("cache_prompt", false),
    }
}

fn json(format: &mut Fields<'_>, how: JsonField) {
    match how {
        JsonField::Object => format.text("type", "json_object"),
        JsonField::ObjectWithValue => {
            format.text("type", "json_object");
            format.raw("value", tool::SCHEMA);
        }
        JsonField::Schema => {
            format.text("type", "json_schema");
            format.object("json_schema", |schema| {
                schema.text("name", "answer");
                schema.raw("schema", tool::SCHEMA);
            });
        }
    }
}

fn picture(out: &mut Vec<u8>, url: &str) {
    Fields::write(out, None, |part| {
        part.text("type", "image_url");
        part.object("image_url", |image| image.text("url", url));
    });
}

/// The example tool as OpenAI, and Ollama after it, describe one.
pub(super) fn tools(out: &mut Vec<u8>) {
    out.push(b'[');
    Fields::write(out, None, |listed| {
        listed.text("type", "function");
        listed.object("function", |function| {
            function.text("name", tool::NAME);
            function.text("description", tool::PURPOSE);
            function.raw("parameters", tool::SCHEMA);
        });
    });
    out.push(b']');
}
