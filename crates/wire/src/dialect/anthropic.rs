//! `POST /v1/messages`. Events say their type in the text too, so the SSE event name is not needed.
//! What the fields of one event mean does not depend on its type: a delta, a content block and the
//! blocks of a whole message name their pieces alike.

use super::{Facts, append, count, finish_reason};
use crate::frame::Frame;
use crate::json::{Json, JsonError, document};

/// Reads one event or one whole message.
pub(super) fn decode(text: &str) -> Result<Frame<'_>, JsonError> {
    let mut frame = Frame::default();
    let mut facts = Facts::default();
    document(text, |json| {
        json.object(|json, key| match key {
            "type" => {
                let kind = json.string().unwrap_or_default();
                frame.end = kind == "message_stop";
                facts.failed |= kind == "error";
            }
            "delta" | "content_block" => block(json, &mut frame),
            "content" => drop(json.array(|json| block(json, &mut frame))),
            "message" => message_start(json, &mut facts),
            "stop_reason" => frame.finish = finish_reason(json),
            "usage" => usage(json, &mut facts),
            "error" => facts.error(json),
            _ => json.skip(),
        })
    })?;
    facts.complete(&mut frame, text);
    Ok(frame)
}

/// A content block, a piece of one, or the changes to the message itself.
fn block<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    json.object(|json, key| {
        let piece = match key {
            "text" => &mut frame.text,
            "thinking" => &mut frame.reasoning,
            "name" | "partial_json" => &mut frame.tool_call,
            // Arguments of a whole call; a streamed one begins with none.
            "input" => {
                let arguments = json.raw();
                if arguments != "{}" && arguments != "null" {
                    append(&mut frame.tool_call, arguments.into());
                }
                return;
            }
            "stop_reason" => {
                frame.finish = finish_reason(json);
                return;
            }
            _ => return json.skip(),
        };
        if let Some(more) = json.string() {
            append(piece, more);
        }
    });
}

/// The message as it begins: its prompt is counted, its output count a mere placeholder.
fn message_start(json: &mut Json<'_>, facts: &mut Facts) {
    json.object(|json, key| if key == "usage" { usage(json, facts) } else { json.skip() });
    if let Some(usage) = &mut facts.usage {
        usage.output_tokens = None;
    }
}

/// Prompt tokens are counted in three parts: new, written to a cache, read from one.
fn usage(json: &mut Json<'_>, facts: &mut Facts) {
    let (mut new, mut written, mut read) = (None, None, None);
    json.object(|json, key| match key {
        "input_tokens" => new = count(json),
        "cache_creation_input_tokens" => written = count(json),
        "cache_read_input_tokens" => read = count(json),
        "output_tokens" => facts.usage().output_tokens = count(json),
        _ => json.skip(),
    });
    let usage = facts.usage();
    usage.input_tokens = new.map(|new| new + written.unwrap_or(0) + read.unwrap_or(0));
    usage.cached_input_tokens = read;
}
