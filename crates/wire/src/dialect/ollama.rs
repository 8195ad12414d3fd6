//! Ollama's `POST /api/chat` and `/api/generate`. Durations are whole nanoseconds; what is zero is
//! left out.

use super::openai_chat::tool_call;
use super::{Facts, NANOS, count, finish_reason, time};
use crate::frame::Frame;
use crate::json::{Json, JsonError, document};

/// Reads one line or one whole answer.
pub(super) fn decode(text: &str) -> Result<Frame<'_>, JsonError> {
    let mut frame = Frame::default();
    let mut facts = Facts::default();
    document(text, |json| {
        json.object(|json, key| match key {
            "message" => message(json, &mut frame),
            "response" => frame.text = json.string(),
            "thinking" => frame.reasoning = json.string(),
            "done" => frame.end = json.is_true(),
            "done_reason" => frame.finish = finish_reason(json),
            _ => fact(json, key, &mut facts),
        })
    })?;
    facts.complete(&mut frame, text);
    Ok(frame)
}

/// Reads a field that is about the whole request.
pub(super) fn fact(json: &mut Json<'_>, key: &str, facts: &mut Facts) {
    match key {
        "prompt_eval_count" => facts.usage().input_tokens = count(json),
        "eval_count" => facts.usage().output_tokens = count(json),
        "load_duration" => facts.timing().load_ns = time(json, NANOS),
        "prompt_eval_duration" => facts.timing().prefill_ns = time(json, NANOS),
        "eval_duration" => facts.timing().decode_ns = time(json, NANOS),
        "total_duration" => facts.timing().total_ns = time(json, NANOS),
        "error" => facts.error(json),
        _ => json.skip(),
    }
}

fn message<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    json.object(|json, key| match key {
        "content" => frame.text = json.string(),
        "thinking" => frame.reasoning = json.string(),
        "tool_calls" => drop(json.array(|json| tool_call(json, &mut frame.tool_call))),
        _ => json.skip(),
    });
}
