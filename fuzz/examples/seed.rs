//! Writes the first inputs of every target from the captured responses: `cargo run --example seed`,
//! in this folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Shapes that were not captured, one event each.
const DOCUMENTED: &[(&str, &str)] = &[
    ("anthropic", r#"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":85}}}"#),
    ("anthropic", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#),
    ("anthropic", r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#),
    ("anthropic", r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":256}}"#),
    ("anthropic", r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
    ("ollama", r#"{"model":"m","message":{"role":"assistant","content":"The"},"done":false}"#),
    ("ollama", r#"{"response":"","thinking":"hm","done":true,"done_reason":"stop","eval_count":18,"eval_duration":5}"#),
    ("ollama", r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}}"#),
    ("embeddings", r#"{"data":[{"embedding":[0.1,-2e-3],"index":0}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#),
    ("embeddings", r#"{"data":[{"embedding":"AACAPw=="},{"embedding":[]},{"embedding":null}]}"#),
    ("embeddings", r#"{"embeddings":[[0.1],[2]],"total_duration":14143917,"prompt_eval_count":8}"#),
    ("openai_chat", r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}"#),
    ("openai_chat", r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}],"x_groq":{"error":"x"}}"#),
    ("openai_chat", r#"{"perf_metrics":{"prefill-duration":"0.05"},"time_info":{"queue_time":0.001}}"#),
    (
        "prometheus",
        "# TYPE x counter\nsglang:token_usage{tp_rank=\"0\",} NaN 12\nDCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} 9.3e18 # {a=\"b\"} 1\n# EOF",
    ),
    ("http1", "\u{1}\u{1}\u{1}\u{1}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"),
    ("http1", "\u{2}\u{1}\u{1}\u{1}HTTP/1.0 200 OK\nconnection: keep-alive\ncontent-length: 5, 5\n\nhello"),
    (
        "http1",
        "\u{3}\u{7}\u{1}\u{1}HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nsum: 1\r\n\r\n",
    ),
    ("http1", "\u{20}\u{1}\u{3}\u{1}HTTP/1.1 204 No Content\r\nx: a\r\n"),
    ("http1", "\u{3}\u{5}\u{1}\u{1}HTTP/1.1 101 Switching Protocols\r\ntransfer-encoding: gzip\r\n\r\n"),
    ("ndjson", "\u{1}\u{7}\u{40}\u{3}{\"response\":\"a\"}\r\n\n{\"done\":true}\n"),
    (
        "sse",
        "\u{1}\u{7}\u{40}\u{3}\u{FEFF}: ping\r\n\r\nevent: error\rdata: {}\r\rdata: {\ndata: }\n\ndata: [DONE]\n\n",
    ),
    ("error", "<html><script>x</script>502</html>"),
    ("error", r#"[{"error":{"code":429,"details":[{"violations":[{"quotaId":"PerDay"}]},{"retryDelay":"34s"}]}}]"#),
    (
        "error",
        "x-ratelimit-limit-tokens-day: 9\nx-ratelimit-remaining-tokens-day: 3\nanthropic-ratelimit-requests-limit: 5",
    ),
    ("prompt_file", "0a prompt\nanother\n"),
    ("prompt_file", "1{\"prompt\":\"a\",\"system\":\"s\",\"max_tokens\":9,\"image\":\"data:image/png;base64,AAAA\"}\n"),
    ("prompt_file", "2[{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]}]"),
    ("prompt_file", "1{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]}"),
    ("prompt_file", "3prompt,system,max_tokens\n\"a, \"\"b\"\"\",s,5\n"),
    ("prompt_file", "7a,b,c,d,e\nx,,5,,\n"),
    ("trace", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"),
    ("trace", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5.5,m,472,18,490,API log\n"),
    ("trace", r#"{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, "f"]}"#),
    ("error", "retry-after: 5\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 2m59.56s\nfireworks-prompt-tokens: 3"),
];

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds: BTreeSet<(&str, Vec<u8>)> =
        DOCUMENTED.iter().map(|(target, seed)| (*target, seed.as_bytes().to_vec())).collect();
    for folder in fs::read_dir(root.join("../crates/wire/tests/data"))? {
        let Ok(files) = fs::read_dir(folder?.path()) else { continue };
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|ending| ending == "raw") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                seeds.extend(from_capture(&name, &fs::read(&path)?));
            }
        }
    }
    for (number, (target, seed)) in seeds.iter().enumerate() {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{number:04}")), seed)?;
    }
    Ok(())
}

/// A stream is a seed with the sizes of its chunks left in, which SSE passes over; each of its
/// events is one for its dialect; any other body is an answer or an error.
fn from_capture(name: &str, response: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let text = String::from_utf8_lossy(response);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Vec::new() };
    if head.contains("text/plain") && name.starts_with("metrics") {
        return vec![("prometheus", body.into())];
    }
    if !head.contains("event-stream") {
        let target = if head.starts_with("HTTP/1.1 200") { "answer" } else { "error" };
        return if body.starts_with(['{', '[']) { vec![(target, body.into())] } else { Vec::new() };
    }
    let dialect = match name {
        _ if name.contains("generate") || name.starts_with("root") => "tgi",
        _ if name.starts_with("completion") => "openai_completions",
        _ => "openai_chat",
    };
    let events = body.lines().filter_map(|line| line.strip_prefix("data: "));
    // The first and the last few of each stream: those between are alike.
    let events: Vec<&str> = events.collect();
    let ends = events.iter().take(3).chain(events.iter().rev().take(4));
    let mut seeds: Vec<(&'static str, Vec<u8>)> =
        ends.flat_map(|event| [(dialect, event.as_bytes().to_vec()), ("json", event.as_bytes().to_vec())]).collect();
    seeds.push(("sse", [&[1, 7, 64, 255], body.as_bytes()].concat()));
    seeds
}
