//! TGI's own `/generate` and `/generate_stream`, after captures of 3.3.6.

use super::{Ending, Format, Piece, Reason, Tally};
use crate::ask::Ask;
use crate::put::put;

/// One answer on a native TGI route.
#[derive(Debug)]
pub(crate) struct Tgi {
    prompt_chars: usize,
    details: bool,
}

impl Tgi {
    pub(crate) const fn new(ask: &Ask) -> Self {
        Self { prompt_chars: ask.prompt_chars, details: ask.details }
    }
}

/// The headers with which TGI tells of its work; the timings only on answers that are not streamed.
pub(crate) fn headers(prompt_chars: usize, tally: &Tally, stream: bool) -> Vec<(&'static str, String)> {
    let mut headers =
        vec![("x-compute-type", "simulated".to_owned()), ("x-compute-characters", prompt_chars.to_string())];
    if stream {
        headers.insert(0, ("cache-control", "no-cache".to_owned()));
        headers.push(("x-accel-buffering", "no".to_owned()));
        return headers;
    }
    let millis = |nanos: u64| (nanos / 1_000_000).to_string();
    let inference = tally.prefill() + tally.decode();
    headers.extend([
        ("x-compute-time", tally.total().as_secs_f64().to_string()),
        ("x-total-time", millis(tally.total().0)),
        ("x-validation-time", "0".to_owned()),
        ("x-queue-time", millis(tally.queue().0)),
        ("x-inference-time", millis(inference.0)),
        ("x-time-per-token", millis(inference.0 / u64::from(tally.generated.max(1)))),
        ("x-prompt-tokens", tally.prompt_tokens.to_string()),
        ("x-generated-tokens", tally.generated.to_string()),
    ]);
    headers
}

const fn name(reason: Reason) -> &'static str {
    match reason {
        Reason::Stop => "eos_token",
        Reason::Length => "length",
    }
}

impl Format for Tgi {
    fn content_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn headers(&self, tally: &Tally, stream: bool) -> Vec<(&'static str, String)> {
        headers(self.prompt_chars, tally, stream)
    }

    fn has_end_token(&self) -> bool {
        true
    }

    fn repeats_text(&self) -> bool {
        true
    }

    fn piece(&self, out: &mut Vec<u8>, piece: &Piece<'_>, tally: &Tally, ending: Option<Ending<'_>>) {
        let special = piece.text.is_empty();
        put!(
            out,
            r#"data: {"index":"#,
            tally.generated,
            r#","token":{"id":"#,
            piece.id,
            r#","text":""#,
            piece.escaped,
            r#"","logprob":-0.5,"special":"#,
            special,
            "},"
        );
        match ending {
            None => out.extend_from_slice(br#""generated_text":null,"details":null}"#),
            Some(Ending { reason, escaped }) => put!(
                out,
                r#""generated_text":""#,
                escaped,
                r#"","details":{"finish_reason":""#,
                name(reason),
                r#"","generated_tokens":"#,
                tally.generated,
                r#","seed":null,"input_length":"#,
                tally.prompt_tokens,
                "}}"
            ),
        }
        out.extend_from_slice(b"\n\n");
    }

    fn failure(&self, index: usize, out: &mut Vec<u8>, problem: &str) -> bool {
        if index == 0 {
            put!(out, "data: ", problem, "\n\n");
        }
        index == 0
    }

    fn whole(&self, out: &mut Vec<u8>, escaped: &str, tally: &Tally, reason: Reason) {
        put!(out, r#"{"generated_text":""#, escaped, "\"");
        if self.details {
            put!(
                out,
                r#","details":{"finish_reason":""#,
                name(reason),
                r#"","generated_tokens":"#,
                tally.generated,
                r#","seed":null,"prefill":[],"tokens":[]}"#
            );
        }
        out.push(b'}');
    }
}
