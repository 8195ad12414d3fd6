//! `POST …/chat/completions`: a choice holds a `delta` while streaming, a `message` when whole.

use std::borrow::Cow;

use super::{append, count, finish_reason};
use crate::frame::Frame;
use crate::json::Json;

/// Reads one choice.
pub(super) fn choice<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    json.object(|json, key| match key {
        "delta" | "message" => delta(json, frame),
        "index" => frame.choice = index(json),
        "finish_reason" => frame.finish = finish_reason(json),
        "token_ids" => frame.tokens = token_ids(json),
        _ => json.skip(),
    });
}

/// Number of a choice.
pub(super) fn index(json: &mut Json<'_>) -> u32 {
    count(json).and_then(|index| u32::try_from(index).ok()).unwrap_or(0)
}

/// How many tokens are listed, where they are.
pub(super) fn token_ids(json: &mut Json<'_>) -> Option<u32> {
    let mut tokens = 0u32;
    let listed = json.array(|json| {
        tokens += 1;
        json.skip();
    });
    listed.then_some(tokens)
}

fn delta<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    json.object(|json, key| match key {
        "content" => content(json, frame),
        // Both names at once say the same thing twice.
        "reasoning" | "reasoning_content" => {
            let text = json.string();
            if frame.reasoning.as_ref().is_none_or(|before| before.is_empty()) {
                frame.reasoning = text.or(frame.reasoning.take());
            }
        }
        "refusal" => text_into(json, &mut frame.text),
        "tool_calls" => drop(json.array(|json| tool_call(json, &mut frame.tool_call))),
        "function_call" => function(json, &mut frame.tool_call),
        _ => json.skip(),
    });
}

/// A string, or (Mistral) a list of parts, some of which may be thinking.
fn content<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    if json.peek() != b'[' {
        return text_into(json, &mut frame.text);
    }
    json.array(|json| {
        json.object(|json, key| match key {
            "text" => text_into(json, &mut frame.text),
            "thinking" => thinking(json, &mut frame.reasoning),
            _ => json.skip(),
        });
    });
}

/// Thinking is a string or again a list of parts.
fn thinking<'a>(json: &mut Json<'a>, reasoning: &mut Option<Cow<'a, str>>) {
    if json.peek() != b'[' {
        return text_into(json, reasoning);
    }
    json.array(|json| {
        json.object(|json, key| if key == "text" { text_into(json, reasoning) } else { json.skip() });
    });
}

fn text_into<'a>(json: &mut Json<'a>, text: &mut Option<Cow<'a, str>>) {
    if let Some(more) = json.string() {
        append(text, more);
    }
}

/// One tool call or a piece of it: `{"index":0,"function":{"name":…,"arguments":…}}`.
pub(super) fn tool_call<'a>(json: &mut Json<'a>, call: &mut Option<Cow<'a, str>>) {
    json.object(|json, key| if key == "function" { function(json, call) } else { json.skip() });
}

/// A function's name and then its arguments, in whichever order they stand; Ollama writes the
/// latter as an object.
fn function<'a>(json: &mut Json<'a>, call: &mut Option<Cow<'a, str>>) {
    let (mut name, mut arguments) = (None, None);
    json.object(|json, key| match key {
        "name" => name = json.string(),
        "arguments" if json.peek() == b'{' => arguments = Some(json.raw().into()),
        "arguments" => arguments = json.string(),
        _ => json.skip(),
    });
    for piece in [name, arguments].into_iter().flatten() {
        append(call, piece);
    }
}
