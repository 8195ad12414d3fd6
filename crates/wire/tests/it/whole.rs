//! Captured answers, errors and model lists that came whole.

use schema::record::FailureClass::{self, BadRequest, NotFound, RateLimited};
use schema::record::{FinishReason, Usage};
use schema::target::Dialect;
use wire::{Frame, Vectors, classify_status, decode_answer, decode_error, decode_models};

use crate::capture;

/// Text, reasoning and tool call.
fn said<'a>(answer: &'a Frame<'_>) -> [&'a str; 3] {
    [&answer.text, &answer.reasoning, &answer.tool_call].map(|said| said.as_deref().unwrap_or_default())
}

#[track_caller]
fn check_answer(name: &str, text: &str, finish: FinishReason, tokens: (u64, u64), cached: Option<u64>) {
    let capture = capture::load(name);
    let answer = decode_answer(capture.dialect().unwrap(), &capture.body).unwrap();
    assert_eq!((said(&answer), answer.finish), ([text, "", ""], Some(finish)), "{name}");
    let usage = Usage {
        input_tokens: Some(tokens.0).filter(|_| answer.usage.as_ref().unwrap().input_tokens.is_some()),
        output_tokens: Some(tokens.1),
        cached_input_tokens: cached,
        reasoning_tokens: None,
    };
    assert_eq!(answer.usage.as_deref(), Some(&usage), "{name}");
    assert_eq!(answer.error, None, "{name}");
}

#[test]
fn captured_answers_say_what_was_generated() {
    use FinishReason::{Length, Stop};
    let paris = "The capital of France is Paris.";
    check_answer("llamacpp-b11434/chat.raw", paris, Stop, (42, 8), Some(31));
    check_answer("vllm-0.32.0/chat.raw", paris, Stop, (42, 8), None);
    check_answer("tgi-3.3.6-dev0-llamacpp/chat.raw", "FI-L selling lemonade!", Stop, (42, 7), None);
    check_answer("llamacpp-b11434/chat-n2.raw", "Le Jura est la capital", Length, (42, 6), Some(41));
    check_answer("vllm-0.32.0/chat-n2.raw", "The capital of France is Paris", Length, (42, 12), None);
    check_answer(
        "vllm-0.32.0/completion.raw",
        " the primary colours of the human eye, which are the primary colors of the visible spectrum: red, blue, and green",
        Length,
        (5, 24),
        None,
    );
    check_answer(
        "tgi-3.3.6-dev0-llamacpp/generate.raw",
        ":\n- Red (Cu²+)\n- Blue (Cu¹\u{FFFD}\u{FFFD}",
        Length,
        (5, 16),
        None,
    );
    check_answer("llamacpp-b11434/error-max-tokens-zero.raw", "The", Length, (42, 1), Some(41));
}

#[test]
fn llama_cpp_tells_its_timings_in_whole_answers_too() {
    let capture = capture::load("llamacpp-b11434/chat.raw");
    let timing = decode_answer(Dialect::OpenaiChat, &capture.body).unwrap().timing.unwrap();
    assert_eq!(timing.prefill_ns.unwrap().0, 486_159_000);
    assert_eq!(timing.decode_ns.unwrap().0, 715_939_000);
}

#[track_caller]
fn check_error(name: &str, status: u16, class: FailureClass, message: &str) {
    let capture = capture::load(name);
    let error = decode_error(capture.status, &capture.body);
    assert_eq!(capture.status, status, "{name}");
    assert_eq!(error.message.raw(), message, "{name}");
    assert_eq!(classify_status(status, &error), class, "{name}");
}

#[test]
fn captured_errors_are_read_and_classed() {
    let wrong_model = "The model `no-such-model` does not exist. Valid aliases: smollm2-135m.";
    check_error("vllm-0.32.0/error-bad-model.raw", 404, NotFound, wrong_model);
    check_error("vllm-0.32.0/error-bad-model-stream.raw", 404, NotFound, wrong_model);
    check_error("vllm-0.32.0/error-wrong-path.raw", 404, NotFound, "Not Found");
    check_error("vllm-0.32.0/error-wrong-method.raw", 405, BadRequest, "Method Not Allowed");
    check_error(
        "vllm-0.32.0/error-max-tokens-zero.raw",
        400,
        BadRequest,
        "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
    );
    check_error(
        "llamacpp-b11434/error-too-long-prompt-stream.raw",
        400,
        BadRequest,
        "request (3031 tokens) exceeds the available context size (1024 tokens), try increasing it",
    );
    check_error("llamacpp-b11434/error-wrong-path.raw", 404, NotFound, "File Not Found");
    let tgi = "tgi-3.3.6-dev0-llamacpp";
    check_error(&format!("{tgi}/error-overloaded.raw"), 429, RateLimited, "Model is overloaded");
    check_error(&format!("{tgi}/error-wrong-path.raw"), 404, NotFound, "status 404 without a message");
    check_error(
        &format!("{tgi}/error-malformed-json.raw"),
        400,
        BadRequest,
        "Failed to parse the request body as JSON: messages: EOF while parsing a list at line 1 column 39",
    );
    check_error(
        &format!("{tgi}/error-max-tokens-zero.raw"),
        422,
        BadRequest,
        "Input validation error: `max_new_tokens` must be strictly positive",
    );
}

#[test]
fn every_captured_refusal_has_a_message_and_a_class_of_refusals() {
    let refusals: Vec<_> = capture::all().into_iter().filter(|capture| capture.status >= 400).collect();
    assert!(refusals.len() > 30, "{} refusals", refusals.len());
    for capture in refusals {
        let error = decode_error(capture.status, &capture.body);
        assert!(!error.message.raw().is_empty(), "{}", capture.name);
        let class = classify_status(capture.status, &error);
        // llama.cpp answers 501 where an endpoint is switched off.
        let expected = [BadRequest, NotFound, RateLimited, FailureClass::ServerError];
        assert!(expected.contains(&class), "{}: {class}", capture.name);
        assert!(decode_answer(Dialect::OpenaiChat, &capture.body).map_or(true, |answer| said(&answer) == [""; 3]));
    }
}

#[test]
fn captured_model_lists_are_read() {
    let models = |folder: &str| decode_models(&capture::load(&format!("{folder}/models.raw")).body).unwrap();
    assert_eq!(models("llamacpp-b11434"), ["smollm2-135m"]);
    assert_eq!(models("vllm-0.32.0"), ["smollm2-135m"]);
    assert_eq!(models("tgi-3.3.6-dev0-llamacpp"), ["HuggingFaceTB/SmolLM2-135M-Instruct"]);
}

#[test]
fn answers_known_only_from_documents_are_read() {
    let deepseek = "\n\n\n{\"choices\":[{\"index\":0,\"message\":{\"content\":\"4\",\"reasoning_content\":\"2+2\"},\
                    \"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"prompt_cache_hit_tokens\":4}}";
    let answer = decode_answer(Dialect::OpenaiChat, deepseek.as_bytes()).unwrap();
    assert_eq!(said(&answer), ["4", "2+2", ""]);
    assert_eq!(answer.usage.unwrap().cached_input_tokens, Some(4));

    let anthropic = br#"{"id":"msg_1","type":"message","role":"assistant","content":[
        {"type":"thinking","thinking":"2+2","signature":"E"},{"type":"text","text":"It is "},{"type":"text","text":"4"},
        {"type":"tool_use","id":"t","name":"f","input":{"a":1}}],
        "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":5}}"#;
    let answer = decode_answer(Dialect::Anthropic, anthropic).unwrap();
    assert_eq!(said(&answer), ["It is 4", "2+2", r#"f{"a":1}"#]);
    assert_eq!(answer.finish, Some(FinishReason::ToolCalls));
    assert_eq!(answer.usage.unwrap().output_tokens, Some(5));

    let ollama = br#"{"model":"m","message":{"role":"assistant","content":"4"},"done":true,"done_reason":"stop","eval_count":2,"eval_duration":1000}"#;
    let answer = decode_answer(Dialect::OllamaChat, ollama).unwrap();
    assert_eq!((said(&answer), answer.finish), (["4", "", ""], Some(FinishReason::Stop)));
    assert_eq!(answer.timing.unwrap().decode_ns.unwrap().0, 1_000);

    let unfinished = decode_answer(Dialect::OllamaGenerate, br#"{"response":"4"}"#).unwrap();
    assert_eq!(unfinished.finish, None);
}

#[test]
fn a_whole_message_of_a_real_engine_is_read() {
    let italy = "The capital of Italy is Rome.";
    check_answer("vllm-0.32.0/messages.raw", italy, FinishReason::Stop, (64, 8), Some(0));
}

#[test]
fn vectors_of_a_real_engine_are_counted() {
    let capture = capture::load("llamacpp-b11549/embeddings.raw");
    let answer = decode_answer(Dialect::OpenaiEmbeddings, &capture.body).unwrap();
    assert_eq!(answer.vectors, Vectors { count: 1, dimensions: 576 });
    assert_eq!(answer.usage.as_deref(), Some(&Usage { input_tokens: Some(6), ..Usage::default() }));
    assert_eq!((said(&answer), &answer.error), ([""; 3], &None));
    let refusal = capture::load("llamacpp-b11549/error-embeddings-unsupported.raw");
    let error = decode_error(refusal.status, &refusal.body);
    assert_eq!(classify_status(refusal.status, &error), FailureClass::ServerError);
    assert!(error.message.raw().contains("does not support embeddings"));
}

#[test]
fn an_error_despite_a_good_status_is_kept() {
    let answer = decode_answer(Dialect::OpenaiChat, br#"{"error":{"message":"no","code":500}}"#).unwrap();
    let error = answer.error.unwrap();
    assert_eq!((error.message.raw(), error.status), ("no", Some(500)));
}

#[test]
fn a_page_is_no_answer() {
    assert!(decode_answer(Dialect::OpenaiChat, b"<html>").is_err());
    assert!(decode_answer(Dialect::OpenaiChat, b"").is_err());
    assert!(decode_answer(Dialect::OpenaiChat, b"\xff").is_err());
}
