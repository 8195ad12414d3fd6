//! TGI's own `POST /generate_stream` and `/generate`, and its `/`, whose whole answer is a list of one.

use super::{Facts, count, finish_reason};
use crate::frame::Frame;
use crate::json::{Json, JsonError, document};

/// Reads one token's event or one whole answer.
pub(super) fn decode(text: &str) -> Result<Frame<'_>, JsonError> {
    let mut frame = Frame::default();
    let mut facts = Facts::default();
    document(text, |json| {
        if json.peek() == b'[' {
            json.array(|json| answer(json, &mut frame, &mut facts));
        } else {
            answer(json, &mut frame, &mut facts);
        }
    })?;
    facts.complete(&mut frame, text);
    Ok(frame)
}

fn answer<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>, facts: &mut Facts) {
    let mut whole = None;
    json.object(|json, key| match key {
        "token" => token(json, frame),
        "generated_text" => whole = json.string(),
        "details" => details(json, frame, facts),
        "error" => facts.error(json),
        _ => json.skip(),
    });
    frame.end |= whole.is_some();
    if frame.tokens.is_none() {
        frame.text = whole;
    }
}

/// One token. A special one (the end of text) is generated but no part of the answer.
fn token<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    let (mut text, mut special) = (None, false);
    let is_token = json.object(|json, key| match key {
        "text" => text = json.string(),
        "special" => special = json.is_true(),
        _ => json.skip(),
    });
    if is_token {
        frame.tokens = Some(1);
        frame.text = text.filter(|_| !special);
    }
}

fn details(json: &mut Json<'_>, frame: &mut Frame<'_>, facts: &mut Facts) {
    json.object(|json, key| match key {
        "finish_reason" => frame.finish = finish_reason(json),
        "generated_tokens" => facts.usage().output_tokens = count(json),
        "input_length" => facts.usage().input_tokens = count(json),
        _ => json.skip(),
    });
}
