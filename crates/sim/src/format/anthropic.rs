//! Anthropic's Messages: named events, no `[DONE]`.

use super::{Ending, Format, Piece, Reason, Tally, quoted, unescaped};
use crate::ask::{Ask, Form};
use crate::put::put;

/// One answer on `/v1/messages`.
#[derive(Debug)]
pub(crate) struct Anthropic {
    id: String,
    /// As a JSON string.
    model: String,
    /// A call of a tool up to its input.
    tool: Option<String>,
}

impl Anthropic {
    pub(crate) fn new(ask: &Ask, id: &str) -> Self {
        let tool = match &ask.form {
            Form::Tool(name) => {
                Some(format!(r#"{{"type":"tool_use","id":"toolu_{id}","name":{},"input":"#, quoted(name)))
            }
            Form::Text | Form::Json => None,
        };
        Self { id: format!("msg_{id}"), model: ask.model.clone(), tool }
    }

    const fn name(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Stop if self.tool.is_some() => "tool_use",
            Reason::Stop => "end_turn",
            Reason::Length => "max_tokens",
        }
    }

    /// The block of a whole answer.
    fn block(&self, escaped: &str) -> String {
        match &self.tool {
            None => format!(r#"{{"type":"text","text":"{escaped}"}}"#),
            Some(tool) => format!("{tool}{}}}", unescaped(escaped)),
        }
    }
}

impl Format for Anthropic {
    fn content_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    fn opening(&self, index: usize, out: &mut Vec<u8>, tally: &Tally) -> bool {
        match index {
            0 => put!(
                out,
                "event: message_start\ndata: ",
                r#"{"type":"message_start","message":{"id":""#,
                self.id,
                r#"","type":"message","role":"assistant","model":"#,
                self.model,
                r#","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":"#,
                tally.prompt_tokens,
                r#","cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}"#,
                "\n\n"
            ),
            1 => {
                let block = self.tool.as_ref().map(|tool| format!("{tool}{{}}}}"));
                let block = block.as_deref().unwrap_or(r#"{"type":"text","text":""}"#);
                put!(
                    out,
                    "event: content_block_start\ndata: ",
                    r#"{"type":"content_block_start","index":0,"content_block":"#,
                    block,
                    "}\n\n"
                );
            }
            2 => out.extend_from_slice(b"event: ping\ndata: {\"type\":\"ping\"}\n\n"),
            _ => return false,
        }
        true
    }

    fn piece(&self, out: &mut Vec<u8>, piece: &Piece<'_>, _: &Tally, _: Option<Ending<'_>>) {
        let (kind, field) =
            if self.tool.is_some() { ("input_json_delta", "partial_json") } else { ("text_delta", "text") };
        put!(
            out,
            "event: content_block_delta\ndata: ",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":""#,
            kind,
            r#"",""#,
            field,
            r#"":""#,
            piece.escaped,
            "\"}}\n\n"
        );
    }

    fn closing(&self, index: usize, out: &mut Vec<u8>, tally: &Tally, reason: Reason) -> bool {
        match index {
            0 => out.extend_from_slice(
                b"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
            ),
            1 => put!(
                out,
                "event: message_delta\ndata: ",
                r#"{"type":"message_delta","delta":{"stop_reason":""#,
                self.name(reason),
                r#"","stop_sequence":null},"usage":{"output_tokens":"#,
                tally.generated,
                "}}\n\n"
            ),
            2 => out.extend_from_slice(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
            _ => return false,
        }
        true
    }

    fn failure(&self, index: usize, out: &mut Vec<u8>, problem: &str) -> bool {
        if index == 0 {
            put!(out, "event: error\ndata: ", problem, "\n\n");
        }
        index == 0
    }

    fn whole(&self, out: &mut Vec<u8>, escaped: &str, tally: &Tally, reason: Reason) {
        put!(
            out,
            r#"{"id":""#,
            self.id,
            r#"","type":"message","role":"assistant","model":"#,
            self.model,
            r#","content":["#,
            self.block(escaped),
            r#"],"stop_reason":""#,
            self.name(reason),
            r#"","stop_sequence":null,"usage":{"input_tokens":"#,
            tally.prompt_tokens,
            r#","cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":"#,
            tally.generated,
            "}}"
        );
    }
}
