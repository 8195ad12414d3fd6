//! `POST /v1/messages`: the system prompt has a field of its own.

use schema::plan::AnswerForm;
use schema::target::Encoding;

use super::fields::Fields;
use super::turns::{Turns, conversation, data_url};
use super::{RequestSpec, Role, tool};

pub(super) fn messages(fields: &mut Fields<'_>, encoding: &Encoding, spec: &RequestSpec<'_>, turns: &Turns<'_>) {
    fields.text("model", spec.model);
    if turns.has_system() {
        fields.with("system", |out| turns.system(out));
    }
    fields.with("messages", |out| conversation(out, turns.all().filter(|turn| turn.role != Role::System), picture));
    fields.value("max_tokens", spec.max_tokens);
    fields.value("stream", spec.stream);
    if encoding.temperature {
        fields.value("temperature", spec.temperature());
    }
    if spec.answer == AnswerForm::Tool {
        fields.with("tools", tools);
        fields.object("tool_choice", |choice| {
            choice.text("type", "tool");
            choice.text("name", tool::NAME);
        });
    }
}

fn picture(out: &mut Vec<u8>, url: &str) {
    Fields::write(out, None, |part| {
        part.text("type", "image");
        part.object("source", |source| {
            if let Some((media_type, base64)) = data_url(url) {
                source.text("type", "base64");
                source.text("media_type", media_type);
                source.text("data", base64);
            } else {
                source.text("type", "url");
                source.text("url", url);
            }
        });
    });
}

fn tools(out: &mut Vec<u8>) {
    out.push(b'[');
    Fields::write(out, None, |listed| {
        listed.text("name", tool::NAME);
        listed.text("description", tool::PURPOSE);
        listed.raw("input_schema", tool::SCHEMA);
    });
    out.push(b']');
}
