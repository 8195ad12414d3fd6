//! `POST …/completions`: a choice holds its `text`.

use super::finish_reason;
use super::openai_chat::{index, token_ids};
use crate::frame::Frame;
use crate::json::Json;

/// Reads one choice.
pub(super) fn choice<'a>(json: &mut Json<'a>, frame: &mut Frame<'a>) {
    json.object(|json, key| match key {
        "text" => frame.text = json.string(),
        "reasoning" | "reasoning_content" => frame.reasoning = json.string(),
        "index" => frame.choice = index(json),
        "finish_reason" => frame.finish = finish_reason(json),
        "token_ids" => frame.tokens = token_ids(json),
        _ => json.skip(),
    });
}
