//! Shapes known from the providers' own packages and documents; those of engines that were captured
//! are tested against the captures.

use std::fmt::Write;

use schema::event::EventKind;

use super::*;
use crate::frame::Vectors;

/// What an event says, in one line a frame.
fn show(dialect: Dialect, text: &str) -> String {
    let frames = decode(dialect, text).unwrap();
    let mut shown = String::new();
    for frame in frames.earlier.iter().chain([&frames.last]) {
        if !shown.is_empty() {
            shown.push_str(" / ");
        }
        show_frame(&mut shown, frame);
    }
    shown
}

fn show_frame(shown: &mut String, frame: &Frame<'_>) {
    write!(shown, "{:?}", frame.kind()).unwrap();
    for (name, piece) in [("text", &frame.text), ("reasoning", &frame.reasoning), ("tool", &frame.tool_call)] {
        if let Some(piece) = piece {
            write!(shown, " {name}={piece:?}").unwrap();
        }
    }
    if frame.vectors != Vectors::default() {
        write!(shown, " vectors={}x{}", frame.vectors.count, frame.vectors.dimensions).unwrap();
    }
    if frame.choice > 0 {
        write!(shown, " choice={}", frame.choice).unwrap();
    }
    if let Some(tokens) = frame.tokens {
        write!(shown, " tokens={tokens}").unwrap();
    }
    if let Some(finish) = frame.finish {
        write!(shown, " finish={finish:?}").unwrap();
    }
    if let Some(usage) = &frame.usage {
        let n = |count: Option<u64>| count.map_or("-".to_owned(), |n| n.to_string());
        let [input, output] = [n(usage.input_tokens), n(usage.output_tokens)];
        let [cached, reasoning] = [n(usage.cached_input_tokens), n(usage.reasoning_tokens)];
        write!(shown, " usage={input}+{output} cached={cached} reasoning={reasoning}").unwrap();
    }
    if let Some(timing) = &frame.timing {
        let spans = [
            ("queue", timing.queue_ns),
            ("load", timing.load_ns),
            ("prefill", timing.prefill_ns),
            ("decode", timing.decode_ns),
            ("ttft", timing.ttft_ns),
            ("total", timing.total_ns),
        ];
        for (name, span) in spans {
            if let Some(span) = span {
                write!(shown, " {name}={}ns", span.0).unwrap();
            }
        }
    }
    if let Some(error) = &frame.error {
        write!(shown, " error={:?} kind={:?} status={:?}", error.message.raw(), error.kind, error.status).unwrap();
    }
    if frame.end {
        shown.push_str(" end");
    }
}

#[track_caller]
fn chat(text: &str, expected: &str) {
    assert_eq!(show(Dialect::OpenaiChat, text), expected, "{text}");
}

/// A chat chunk with this delta.
#[track_caller]
fn delta(delta: &str, expected: &str) {
    chat(&format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#), expected);
}

#[test]
fn only_what_is_generated_is_content() {
    delta(r#"{"role":"assistant","content":""}"#, r#"Other text="""#);
    delta(r#"{"role":"assistant","content":null}"#, "Other");
    delta("{}", "Other");
    delta("null", "Other");
    delta(r#"{"content":"Hello"}"#, r#"Text text="Hello""#);
    delta(r#"{"content":"","reasoning":"hm"}"#, r#"Reasoning text="" reasoning="hm""#);
    delta(r#"{"content":null,"tool_calls":[]}"#, "Other");
    delta(r#"{"content":null,"reasoning_content":null,"tool_calls":null}"#, "Other");
}

#[test]
fn reasoning_goes_by_two_names() {
    delta(r#"{"reasoning":"hm"}"#, r#"Reasoning reasoning="hm""#);
    delta(r#"{"content":null,"reasoning_content":"hm"}"#, r#"Reasoning reasoning="hm""#);
    delta(r#"{"reasoning":"hm","reasoning_content":"hm"}"#, r#"Reasoning reasoning="hm""#);
    delta(r#"{"reasoning":"","reasoning_content":"hm"}"#, r#"Reasoning reasoning="hm""#);
    delta(r#"{"reasoning":"hm","reasoning_content":null}"#, r#"Reasoning reasoning="hm""#);
}

#[test]
fn tool_calls_are_names_and_pieces_of_arguments() {
    delta(
        r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]}"#,
        r#"ToolCall tool="weather""#,
    );
    delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"#, r#"ToolCall tool="{\"city\":""#);
    delta(r#"{"tool_calls":[{"function":{"arguments":"{}","name":"f"}}]}"#, r#"ToolCall tool="f{}""#);
    delta(r#"{"function_call":{"name":"f","arguments":"{}"}}"#, r#"ToolCall tool="f{}""#);
    delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":""}}]}"#, r#"Other tool="""#);
}

#[test]
fn content_may_be_a_list_of_parts() {
    delta(r#"{"content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}"#, r#"Text text="Hello""#);
    delta(
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#,
        r#"Reasoning reasoning="hm""#,
    );
    delta(r#"{"content":[]}"#, "Other");
}

#[test]
fn chunks_without_a_choice_and_what_is_no_chunk_are_passed_over() {
    for text in ["null", "1", r#""text""#, "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":null}"#, r#"{"choices":7}"#] {
        chat(text, "Other");
    }
    chat(
        r#"{"created":1721336361.58,"id":"x","obfuscation":"r4N7vQ2m","choices":[{"delta":[],"index":null}]}"#,
        "Other",
    );
}

#[test]
fn finish_reasons_are_translated() {
    for (word, expected) in [
        ("stop", "Stop"),
        ("eos", "Stop"),
        ("STOP", "Stop"),
        ("length", "Length"),
        ("tool_calls", "ToolCalls"),
        ("content_filter", "ContentFilter"),
        ("error", "Error"),
        ("abort", "Error"),
        ("whatever", "Other"),
    ] {
        let text = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{word}"}}]}}"#);
        chat(&text, &format!("Other finish={expected}"));
    }
    chat(r#"{"choices":[{"delta":{"content":"x"},"finish_reason":""}]}"#, r#"Text text="x""#);
}

#[test]
fn every_choice_of_an_event_has_its_frame_and_the_last_has_the_usage() {
    chat(
        r#"{"usage":{"completion_tokens":4},"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"},"token_ids":[1,2]}]}"#,
        r#"Text text="b" choice=1 / Text text="a" tokens=2 usage=-+4 cached=- reasoning=-"#,
    );
}

#[test]
fn openai_counts_tokens_at_the_end() {
    chat(
        r#"{"id":"chatcmpl-123","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":4}}}"#,
        "Other usage=19+10 cached=0 reasoning=4",
    );
    chat(r#"{"choices":[],"usage":null}"#, "Other");
    chat(r#"{"choices":[],"usage":{}}"#, "Other");
}

#[test]
fn groq_times_within_x_groq() {
    chat(
        r#"{"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_01j","usage":{"queue_time":0.061348671,"prompt_tokens":18,"prompt_time":0.000211569,"completion_tokens":439,"completion_time":0.798181818,"total_tokens":457,"total_time":0.798393387}}}"#,
        "Other finish=Stop usage=18+439 cached=- reasoning=- queue=61348671ns prefill=211569ns decode=798181818ns total=798393387ns",
    );
    chat(
        r#"{"choices":[],"x_groq":{"id":"req","error":"stopped early"}}"#,
        r#"Other error="stopped early" kind=None status=None"#,
    );
}

#[test]
fn cerebras_times_in_time_info() {
    chat(
        r#"{"choices":[],"usage":{"prompt_tokens":69,"completion_tokens":45,"total_tokens":114,"prompt_tokens_details":{"cached_tokens":32},"completion_tokens_details":{"reasoning_tokens":8}},"time_info":{"queue_time":0.001,"prompt_time":0.006,"completion_time":0.014,"total_time":0.09,"created":1782514735.28}}"#,
        "Other usage=69+45 cached=32 reasoning=8 queue=1000000ns prefill=6000000ns decode=14000000ns total=90000000ns",
    );
}

#[test]
fn sambanova_times_within_usage() {
    chat(
        r#"{"choices":[],"usage":{"is_last_response":true,"total_tokens":62,"prompt_tokens":21,"completion_tokens":41,"time_to_first_token":0.0915,"end_time":1721336361.58,"start_time":1721336361.41,"total_latency":0.168,"total_tokens_per_sec":369.0}}"#,
        "Other usage=21+41 cached=- reasoning=- ttft=91500000ns total=168000000ns",
    );
}

#[test]
fn fireworks_times_in_perf_metrics_as_numbers_or_text() {
    let expected =
        "Other usage=11+- cached=3 reasoning=- queue=30000000ns prefill=50000000ns ttft=120000000ns total=900000000ns";
    chat(
        r#"{"perf_metrics":{"prompt-tokens":11,"cached-prompt-tokens":3,"server-time-to-first-token":0.12,"server-processing-time":0.9,"prefill-queue-duration":0.01,"generation-queue-duration":0.02,"prefill-duration":0.05,"backend-host":"h"}}"#,
        expected,
    );
    chat(
        r#"{"perf_metrics":{"prompt-tokens":"11","cached-prompt-tokens":"3","server-time-to-first-token":"0.12","server-processing-time":"0.9","prefill-queue-duration":"0.01","generation-queue-duration":"0.02","prefill-duration":"0.05"}}"#,
        expected,
    );
}

#[test]
fn deepseek_counts_cache_hits_beside_the_prompt() {
    chat(
        r#"{"choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":20,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36,"completion_tokens_details":{"reasoning_tokens":12}}}"#,
        r#"Other text="" finish=Stop usage=100+20 cached=64 reasoning=12"#,
    );
}

#[test]
fn vllm_times_in_metrics_and_lm_studio_in_stats() {
    chat(
        r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2},"metrics":{"time_to_first_token_ms":12.5,"generation_time_ms":100,"queue_time_ms":1.5,"mean_itl_ms":3.0}}"#,
        "Other usage=1+2 cached=- reasoning=- queue=1500000ns decode=100000000ns ttft=12500000ns",
    );
    chat(
        r#"{"choices":[],"stats":{"tokens_per_second":51.4,"time_to_first_token":0.111,"generation_time":0.954}}"#,
        "Other decode=954000000ns ttft=111000000ns",
    );
}

#[test]
fn llama_cpp_counts_tokens_in_its_timings_where_usage_was_not_asked_for() {
    let timings =
        r#""timings":{"cache_n":236,"prompt_n":1,"prompt_ms":30.958,"predicted_n":35,"predicted_ms":661.064}"#;
    let spans = "prefill=30958000ns decode=661064000ns";
    chat(&format!(r#"{{"choices":[],{timings}}}"#), &format!("Other usage=237+35 cached=236 reasoning=- {spans}"));
    chat(
        &format!(r#"{{"choices":[],"usage":{{"prompt_tokens":1,"completion_tokens":2}},{timings}}}"#),
        &format!("Other usage=1+2 cached=236 reasoning=- {spans}"),
    );
}

#[test]
fn cached_prompt_tokens_have_many_names() {
    let cached = |dialect: Dialect, event: &str| -> Option<u64> {
        decode(dialect, event).unwrap().last.usage.and_then(|usage| usage.cached_input_tokens)
    };
    for event in [
        r#"{"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4}}}"#,
        r#"{"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5}}"#,
        r#"{"usage":{"prompt_tokens":9,"cached_tokens":4}}"#,
        r#"{"x_groq":{"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4}}}}"#,
        r#"{"usage":{"prompt_tokens":9},"timings":{"cache_n":4,"prompt_n":5}}"#,
        r#"{"timings":{"cache_n":4,"prompt_n":5},"usage":{"prompt_tokens":9}}"#,
        r#"{"perf_metrics":{"cached-prompt-tokens":"4"}}"#,
    ] {
        for dialect in [Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings] {
            assert_eq!(cached(dialect, event), Some(4), "{dialect}: {event}");
        }
    }
    let anthropic =
        r#"{"type":"message_delta","usage":{"input_tokens":5,"cache_read_input_tokens":4,"output_tokens":1}}"#;
    assert_eq!(cached(Dialect::Anthropic, anthropic), Some(4));
}

#[test]
fn figures_that_make_no_sense_are_ignored() {
    chat(
        r#"{"usage":{"prompt_tokens":-1,"completion_tokens":1e300,"queue_time":-0.1,"total_time":1e300,"prompt_time":"NaN","completion_time":null}}"#,
        "Other",
    );
    chat(r#"{"usage":{"prompt_tokens":7.0,"completion_tokens":"8"}}"#, "Other usage=7+8 cached=- reasoning=-");
}

#[test]
fn errors_inside_a_stream_are_found_in_every_shape() {
    chat(
        r#"{"error":{"message":"boom","type":"InternalServerError","param":null,"code":500}}"#,
        r#"Other error="boom" kind=Some("InternalServerError") status=Some(500)"#,
    );
    chat(
        r#"{"object":"error","message":"queue full","type":"SERVICE_UNAVAILABLE","param":null,"code":503}"#,
        r#"Other error="queue full" kind=Some("SERVICE_UNAVAILABLE") status=Some(503)"#,
    );
    chat(
        r#"{"error":{"id":"1","code":"queue_exceeded","message":"busy","type":"too_many_requests_error"},"status_code":429}"#,
        r#"Other error="busy" kind=Some("too_many_requests_error") status=Some(429)"#,
    );
    chat(
        r#"{"error":{"code":502,"message":"upstream"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
        r#"Other text="" finish=Error error="upstream" kind=None status=Some(502)"#,
    );
    chat(r#"{"error":"plain"}"#, r#"Other error="plain" kind=None status=None"#);
    for none in ["null", r#""""#, "{}", "false"] {
        chat(&format!(r#"{{"error":{none},"choices":[]}}"#), "Other");
    }
}

#[track_caller]
fn completion(text: &str, expected: &str) {
    assert_eq!(show(Dialect::OpenaiCompletions, text), expected, "{text}");
}

#[test]
fn completions_hold_text() {
    completion(r#"{"choices":[{"index":1,"text":" the","finish_reason":null}]}"#, r#"Text text=" the" choice=1"#);
    completion(r#"{"choices":[{"text":"","finish_reason":"length"}]}"#, r#"Other text="" finish=Length"#);
    completion(r#"{"choices":[{"text":"x","finish_reason":"","token_ids":[5]}]}"#, r#"Text text="x" tokens=1"#);
}

#[track_caller]
fn anthropic(text: &str, expected: &str) {
    assert_eq!(show(Dialect::Anthropic, text), expected, "{text}");
}

#[test]
fn anthropic_events_are_read_by_their_fields() {
    anthropic(
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":85,"output_tokens":1}}}"#,
        "Other usage=100+- cached=85 reasoning=-",
    );
    anthropic(
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"Other text="""#,
    );
    anthropic(r#"{"type":"ping"}"#, "Other");
    anthropic(
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello"}}"#,
        r#"Text text="Hello""#,
    );
    anthropic(
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"Reasoning reasoning="hm""#,
    );
    anthropic(
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq"}}"#,
        "Other",
    );
    anthropic(
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}"#,
        r#"ToolCall tool="weather""#,
    );
    anthropic(
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
        r#"ToolCall tool="{\"a\"""#,
    );
    anthropic(r#"{"type":"content_block_stop","index":0}"#, "Other");
    anthropic(
        r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":256}}"#,
        "Other finish=Length usage=-+256 cached=- reasoning=-",
    );
    anthropic(r#"{"type":"message_stop"}"#, "Other end");
    anthropic(r#"{"type":"something_new","delta":{"type":"new_delta","new":1}}"#, "Other");
    anthropic(
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
        r#"Other error="Overloaded" kind=Some("overloaded_error") status=None"#,
    );
}

#[test]
fn anthropic_stop_reasons_are_translated() {
    for (word, expected) in [
        ("end_turn", "Stop"),
        ("stop_sequence", "Stop"),
        ("max_tokens", "Length"),
        ("model_context_window_exceeded", "Length"),
        ("tool_use", "ToolCalls"),
        ("refusal", "ContentFilter"),
        ("pause_turn", "Other"),
    ] {
        let text = format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{word}"}}}}"#);
        anthropic(&text, &format!("Other finish={expected}"));
    }
}

#[track_caller]
fn tgi(text: &str, expected: &str) {
    assert_eq!(show(Dialect::Tgi, text), expected, "{text}");
}

#[test]
fn tgi_sends_a_token_an_event() {
    tgi(
        r#"{"index":1,"token":{"id":578,"text":" the","logprob":-0.27,"special":false},"generated_text":null,"details":null}"#,
        r#"Text text=" the" tokens=1"#,
    );
    tgi(
        r#"{"index":64,"token":{"id":13,"text":".","logprob":-0.4,"special":false},"generated_text":" the.","details":{"finish_reason":"length","generated_tokens":64,"seed":null,"input_length":11}}"#,
        r#"Text text="." tokens=1 finish=Length usage=11+64 cached=- reasoning=- end"#,
    );
    tgi(
        r#"{"token":{"id":2,"text":"</s>","special":true},"generated_text":"x","details":{"finish_reason":"eos_token","generated_tokens":2}}"#,
        "Other tokens=1 finish=Stop usage=-+2 cached=- reasoning=- end",
    );
    tgi(
        r#"{"error":"Request failed during generation","error_type":"generation"}"#,
        r#"Other error="Request failed during generation" kind=Some("generation") status=None"#,
    );
}

#[test]
fn tgi_answers_whole_alone_or_in_a_list() {
    tgi(
        r#"{"generated_text":" the.","details":{"finish_reason":"stop_sequence","generated_tokens":2}}"#,
        r#"Text text=" the." finish=Stop usage=-+2 cached=- reasoning=- end"#,
    );
    tgi(r#"[{"generated_text":" the."}]"#, r#"Text text=" the." end"#);
}

#[track_caller]
fn ollama(text: &str, expected: &str) {
    assert_eq!(show(Dialect::OllamaChat, text), expected, "{text}");
    assert_eq!(show(Dialect::OllamaGenerate, text), expected, "{text}");
}

#[test]
fn ollama_lines_are_read_by_their_fields() {
    ollama(
        r#"{"model":"llama3.2","created_at":"2025-10-26T17:15:24.097767Z","message":{"role":"assistant","content":"The"},"done":false}"#,
        r#"Text text="The""#,
    );
    ollama(
        r#"{"model":"llama3.2","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":174560334,"load_duration":101397084,"prompt_eval_count":11,"prompt_eval_duration":13074791,"eval_count":18,"eval_duration":52479709}"#,
        r#"Other text="" finish=Stop usage=11+18 cached=- reasoning=- load=101397084ns prefill=13074791ns decode=52479709ns total=174560334ns end"#,
    );
    ollama(
        r#"{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
        r#"Reasoning text="" reasoning="hm""#,
    );
    ollama(
        r#"{"message":{"content":"","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Bonn"}}}]},"done":false}"#,
        r#"ToolCall text="" tool="weather{\"city\":\"Bonn\"}""#,
    );
    ollama(r#"{"response":"The","done":false}"#, r#"Text text="The""#);
    ollama(r#"{"response":"","thinking":"hm","done":false}"#, r#"Reasoning text="" reasoning="hm""#);
    ollama(r#"{"response":"","done":true,"done_reason":"load"}"#, r#"Other text="" finish=Other end"#);
    ollama(
        r#"{"error":"model runner has unexpectedly stopped"}"#,
        r#"Other error="model runner has unexpectedly stopped" kind=None status=None"#,
    );
}

#[test]
fn text_comes_before_reasoning_and_tool_calls_in_the_kind() {
    let frame = Frame { text: Some("a".into()), reasoning: Some("b".into()), ..Frame::default() };
    assert_eq!(frame.kind(), EventKind::Text);
}

#[track_caller]
fn embeddings(dialect: Dialect, text: &str, expected: &str) {
    assert_eq!(show(dialect, text), expected, "{text}");
}

#[test]
fn vectors_are_counted() {
    let openai = |text: &str, expected: &str| embeddings(Dialect::OpenaiEmbeddings, text, expected);
    openai(
        r#"{"object":"list","data":[{"object":"embedding","embedding":[0.0023,-1e-3,7],"index":0}],
            "model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        "Embedding vectors=1x3 usage=8+- cached=- reasoning=- end",
    );
    openai(r#"{"data":[{"embedding":[1,2]},{"embedding":[3,4]},{"index":2}]}"#, "Embedding vectors=2x2 end");
    // Eight bytes in base64: two numbers.
    openai(r#"{"data":[{"embedding":"AACAPwAAAEA="}]}"#, "Embedding vectors=1x2 end");
    let ollama = |text: &str, expected: &str| embeddings(Dialect::OllamaEmbed, text, expected);
    ollama(
        r#"{"model":"all-minilm","embeddings":[[0.01,-0.001,0.05],[1,2,3]],"total_duration":14143917,"load_duration":1019500,"prompt_eval_count":8}"#,
        "Embedding vectors=2x3 usage=8+- cached=- reasoning=- load=1019500ns total=14143917ns end",
    );
}

#[test]
fn an_answer_without_vectors_has_no_content() {
    for (dialect, text) in [
        (Dialect::OpenaiEmbeddings, r#"{"data":[]}"#),
        (Dialect::OpenaiEmbeddings, r#"{"data":[{"embedding":[]},{"embedding":null},{"embedding":""},7]}"#),
        (Dialect::OpenaiEmbeddings, r#"{"data":null,"choices":[{"message":{"content":"x"}}]}"#),
        (Dialect::OpenaiEmbeddings, r"[[1]]"),
        (Dialect::OllamaEmbed, r#"{"embeddings":[[],7]}"#),
        (Dialect::OllamaEmbed, r#"{"embeddings":[]}"#),
        (Dialect::OllamaEmbed, "null"),
    ] {
        embeddings(dialect, text, "Other");
    }
    let error = r#"{"error":{"code":501,"message":"no embeddings here","type":"not_supported_error"}}"#;
    embeddings(
        Dialect::OpenaiEmbeddings,
        error,
        r#"Other error="no embeddings here" kind=Some("not_supported_error") status=Some(501)"#,
    );
    assert!(decode(Dialect::OpenaiEmbeddings, r#"{"data":[{"embedding":[1,2"#).is_err());
}

#[test]
fn a_call_of_anthropics_is_told_by_its_name_and_its_arguments() {
    let anthropic = |text: &str, expected: &str| assert_eq!(show(Dialect::Anthropic, text), expected, "{text}");
    anthropic(
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        "ToolCall tool=\"f\"",
    );
    anthropic(
        r#"{"type":"message","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":"b"}}]}"#,
        r#"ToolCall tool="f{\"a\":\"b\"}""#,
    );
}
