//! The one-pass reader against a second implementation over `serde_json`'s trees, on chunks with
//! their fields in any order, any spacing and any escapes.

use std::fmt::Write;

use proptest::prelude::*;
use schema::record::FinishReason;
use schema::target::Dialect;
use serde_json::{Map, Value, json};
use wire::{Decoder, Frame};

use crate::capture;

/// What is compared of a chunk with at most one choice.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: Option<String>,
    reasoning: Option<String>,
    tool_call: Option<String>,
    choice: u64,
    tokens: Option<u64>,
    finish: Option<FinishReason>,
    counts: [Option<u64>; 4],
    error: bool,
}

fn of_frame(frame: &Frame<'_>) -> Said {
    let usage = frame.usage.as_deref().copied().unwrap_or_default();
    let text = |piece: &Option<std::borrow::Cow<'_, str>>| piece.as_deref().map(str::to_owned);
    Said {
        text: text(&frame.text),
        reasoning: text(&frame.reasoning),
        tool_call: text(&frame.tool_call),
        choice: frame.choice.into(),
        tokens: frame.tokens.map(u64::from),
        finish: frame.finish,
        counts: [usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, usage.reasoning_tokens],
        error: frame.error.is_some(),
    }
}

fn of_tree(chunk: &Value) -> Said {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let choice = &chunk["choices"][0];
    let delta = &choice["delta"];
    let usage = &chunk["usage"];
    let call = &delta["tool_calls"][0]["function"];
    let call = [text(&call["name"]), text(&call["arguments"])];
    Said {
        text: text(&delta["content"]).or_else(|| text(&choice["text"])),
        reasoning: text(&delta["reasoning"]).or_else(|| text(&delta["reasoning_content"])),
        tool_call: call.iter().any(Option::is_some).then(|| call.into_iter().flatten().collect()),
        choice: choice["index"].as_u64().unwrap_or(0),
        tokens: choice["token_ids"].as_array().map(|ids| ids.len() as u64),
        finish: match choice["finish_reason"].as_str().unwrap_or_default() {
            "" => None,
            "stop" => Some(FinishReason::Stop),
            "length" => Some(FinishReason::Length),
            "tool_calls" => Some(FinishReason::ToolCalls),
            _ => Some(FinishReason::Other),
        },
        counts: [
            usage["prompt_tokens"].as_u64(),
            usage["completion_tokens"].as_u64(),
            usage["prompt_tokens_details"]["cached_tokens"].as_u64(),
            usage["completion_tokens_details"]["reasoning_tokens"].as_u64(),
        ],
        error: !chunk["error"].is_null(),
    }
}

fn decode(dialect: Dialect, event: &str) -> Vec<Said> {
    let mut said = Vec::new();
    let mut decoder = Decoder::new(dialect, 1 << 20);
    decoder.feed(event.as_bytes(), |frame| said.push(of_frame(&frame))).unwrap();
    said
}

/// Some field or none.
fn maybe(
    name: &'static str,
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Option<(&'static str, Value)>> {
    prop::option::of(value.prop_map(move |value| (name, value)))
}

fn object(fields: Vec<Option<(&'static str, Value)>>) -> Value {
    fields.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => ".{0,12}".prop_map(Value::from),
        2 => " [a-z]{1,8}".prop_map(Value::from),
        1 => "[\"\\\\\n\t/\u{1}é😀]{1,6}".prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn noise() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<f64>().prop_filter("JSON has no other numbers", |n| n.is_finite()).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!({ "content": [{ "token": "\"", "bytes": [34], "logprob": -0.5e-3 }], "choices": [] })),
        Just(json!([[], {}, [null, true, false]])),
    ]
}

fn counts() -> impl Strategy<Value = Value> {
    let n = || (0..1_000_000u64).prop_map(Value::from);
    (maybe("prompt_tokens", n()), maybe("completion_tokens", n()), maybe("total_tokens", n()), any::<bool>(), n(), n())
        .prop_map(|(input, output, total, detailed, cached, reasoning)| {
            let mut usage = object(vec![input, output, total]);
            if detailed {
                usage["prompt_tokens_details"] = json!({ "cached_tokens": cached, "audio_tokens": 0 });
                usage["completion_tokens_details"] = json!({ "reasoning_tokens": reasoning });
            }
            usage
        })
}

fn choice() -> impl Strategy<Value = Value> {
    let call = (text(), text()).prop_map(|(name, arguments)| {
        json!([{ "index": 0, "id": "call_1", "function": { "name": name, "arguments": arguments } }])
    });
    let delta = (
        maybe("content", text()),
        maybe("reasoning_content", text()),
        maybe("role", Just(json!("assistant"))),
        maybe("tool_calls", call),
        maybe("extra", noise()),
    )
        .prop_map(|(a, b, c, d, e)| object(vec![a, b, c, d, e]));
    let finish =
        prop_oneof![Just(json!(null)), Just(json!("")), Just(json!("stop")), Just(json!("length")), Just(json!("new"))];
    let ids = prop::collection::vec(0..50_000u32, 0..4).prop_map(|ids| json!(ids));
    (
        maybe("delta", delta),
        maybe("index", (0..4u32).prop_map(|index| json!(index))),
        maybe("finish_reason", finish),
        maybe("token_ids", prop_oneof![ids.boxed(), Just(Value::Null).boxed()]),
        maybe("logprobs", noise()),
    )
        .prop_map(|(a, b, c, d, e)| object(vec![a, b, c, d, e]))
}

fn chunks() -> impl Strategy<Value = Value> {
    (
        maybe("choices", prop::collection::vec(choice(), 0..2).prop_map(Value::from)),
        maybe("usage", prop_oneof![counts().boxed(), Just(Value::Null).boxed()]),
        maybe("id", noise()),
        maybe("unknown", noise()),
        maybe("error", prop_oneof![Just(json!(null)), Just(json!({ "message": "x" })), Just(json!("x"))]),
    )
        .prop_map(|(a, b, c, d, e)| object(vec![a, b, c, d, e]))
}

/// Writes `value` with its fields in another order, spaced and escaped as `style` says.
fn write_as(value: &Value, style: u8, out: &mut String) {
    let space = ["", " ", "\t "][usize::from(style % 3)];
    let mut between = "";
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            let by = usize::from(style) % fields.len().max(1);
            fields.rotate_left(by);
            out.push('{');
            for (name, value) in fields {
                out.push_str(between);
                out.extend([space, &quote(name, style), space, ":", space]);
                write_as(value, style, out);
                out.push_str(space);
                between = ",";
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for element in elements {
                out.push_str(between);
                out.push_str(space);
                write_as(element, style, out);
                between = ",";
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&quote(text, style)),
        other => out.push_str(&other.to_string()),
    }
}

/// A string plainly written, or with every character escaped.
fn quote(text: &str, style: u8) -> String {
    if style % 4 != 3 {
        return Value::from(text).to_string();
    }
    let mut escaped = String::from("\"");
    for unit in text.encode_utf16() {
        write!(escaped, "\\u{unit:04x}").unwrap();
    }
    escaped + "\""
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn one_pass_and_a_tree_say_the_same_of_a_chunk(chunk in chunks(), style: u8) {
        let mut event = String::from("data: ");
        write_as(&chunk, style, &mut event);
        event.push_str("\n\n");
        let said = decode(Dialect::OpenaiChat, &event);
        prop_assert_eq!(said, vec![of_tree(&chunk)], "{}", event);
    }
}

#[test]
fn one_pass_and_a_tree_say_the_same_of_every_captured_event() {
    let mut events = 0;
    for capture in capture::all() {
        let Some(dialect @ (Dialect::OpenaiChat | Dialect::OpenaiCompletions)) = capture.dialect() else { continue };
        if !capture.is_stream() {
            continue;
        }
        for event in
            std::str::from_utf8(&capture.body).unwrap().split("\n\n").filter(|event| event.starts_with("data: {"))
        {
            let chunk: Value = serde_json::from_str(&event[6..]).unwrap();
            let mut expected = of_tree(&chunk);
            let said = decode(dialect, &format!("{event}\n\n"));
            if chunk["usage"].is_null() {
                // llama.cpp's `timings` count too.
                expected.counts = said[0].counts;
            }
            assert_eq!(said, vec![expected], "{}: {event}", capture.name);
            events += 1;
        }
    }
    assert!(events > 1_500, "{events} events");
}
