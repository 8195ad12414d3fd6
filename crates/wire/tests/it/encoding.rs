//! Our request bodies against those the engines were captured answering.

use std::path::Path;

use schema::plan::AnswerForm;
use schema::target::{CacheDefeat, Dialect, Encoding, ForceLength, SeedField};
use serde_json::Value;
use wire::{Message, RequestSpec, Role, encode};

#[track_caller]
fn check(captured: &str, dialect: Dialect, encoding: &Encoding, spec: &RequestSpec<'_>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(captured);
    let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let ours: Value = serde_json::from_slice(&encode(dialect, encoding, spec)).unwrap();
    for (name, value) in expected.as_object().unwrap() {
        let same = ours[name] == *value || ours[name].as_f64().is_some_and(|n| value.as_f64() == Some(n));
        assert!(same, "{captured}: `{name}` is {} and not {value}", ours[name]);
    }
    assert_eq!(ours.as_object().unwrap().len(), expected.as_object().unwrap().len(), "{captured}: {ours}");
}

#[test]
fn bodies_are_those_the_engines_answered() {
    let encoding = Encoding {
        stream_options: true,
        temperature: true,
        seed_field: SeedField::Seed,
        force_length: ForceLength::IgnoreEos,
        cache_defeat: CacheDefeat::Prefix,
        ..Encoding::default()
    };
    let question = [Message::text(Role::User, "What is the capital of France? Answer in one sentence.")];
    let chat = RequestSpec {
        model: "smollm2-135m",
        messages: &question,
        max_tokens: 24,
        force_length: false,
        temperature_milli: 0,
        seed: Some(1),
        stream: true,
        nonce: None,
        answer: AnswerForm::Text,
    };
    for engine in ["llamacpp-b11434", "vllm-0.32.0", "tgi-3.3.6-dev0-llamacpp"] {
        check(&format!("{engine}/chat-stream-usage.request.json"), Dialect::OpenaiChat, &encoding, &chat);
    }
    let json = RequestSpec { max_tokens: 48, answer: AnswerForm::Json, ..chat };
    check("vllm-0.32.0/chat-stream-json.request.json", Dialect::OpenaiChat, &encoding, &json);
    let tool = RequestSpec { max_tokens: 96, answer: AnswerForm::Tool, ..chat };
    check("vllm-0.32.0/chat-stream-tool.request.json", Dialect::OpenaiChat, &encoding, &tool);
    check("vllm-0.32.0/messages-stream-tool.request.json", Dialect::Anthropic, &encoding, &tool);
    let answer = Message::text(Role::Assistant, "The capital of France is Paris.");
    let talk = [question[0], answer, Message::text(Role::User, "And of Italy?")];
    let talk = RequestSpec { messages: &talk, max_tokens: 96, ..chat };
    check("vllm-0.32.0/messages-stream.request.json", Dialect::Anthropic, &encoding, &talk);
    let sentence = [Message::text(Role::User, "Speed is distance over time.")];
    let vector = RequestSpec { messages: &sentence, ..chat };
    check("llamacpp-b11549/embeddings.request.json", Dialect::OpenaiEmbeddings, &encoding, &vector);
}
