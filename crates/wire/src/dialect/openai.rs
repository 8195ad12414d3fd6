//! What OpenAI's two streamed protocols have in common, and what others add to them.

use super::{Facts, MILLIS, SECONDS, count, time};
use crate::frame::{Frame, Frames};
use crate::headers::fireworks_fact;
use crate::json::{Json, JsonError, document};

/// Reads one chunk, its choices by `choice`.
pub(super) fn decode<'a>(
    text: &'a str,
    mut choice: impl FnMut(&mut Json<'a>, &mut Frame<'a>),
) -> Result<Frames<'a>, JsonError> {
    let mut facts = Facts::default();
    let mut frames = Frames::default();
    let mut choices = 0u32;
    document(text, |json| {
        json.object(|json, key| match key {
            "choices" => drop(json.array(|json| {
                if choices > 0 {
                    frames.earlier.push(std::mem::take(&mut frames.last));
                }
                choice(json, &mut frames.last);
                choices += 1;
            })),
            _ => fact(json, key, &mut facts),
        })
    })?;
    facts.complete(&mut frames.last, text);
    Ok(frames)
}

/// Reads a field of the chunk that is about the whole request.
pub(super) fn fact(json: &mut Json<'_>, key: &str, facts: &mut Facts) {
    match key {
        "usage" => usage(json, facts),
        "x_groq" => groq(json, facts),
        // Cerebras.
        "time_info" => drop(json.object(|json, key| seconds(json, key, facts))),
        "timings" => llama_cpp(json, facts),
        "metrics" => vllm(json, facts),
        "perf_metrics" => fireworks(json, facts),
        "stats" => lm_studio(json, facts),
        "error" => facts.error(json),
        // SGLang's flat errors.
        "object" => facts.failed |= json.string().is_some_and(|object| object == "error"),
        _ => json.skip(),
    }
}

/// `usage`, in which Groq and SambaNova keep their timings too.
fn usage(json: &mut Json<'_>, facts: &mut Facts) {
    json.object(|json, key| match key {
        "prompt_tokens" => facts.usage().input_tokens = count(json),
        "completion_tokens" => facts.usage().output_tokens = count(json),
        // DeepSeek; Moonshot.
        "prompt_cache_hit_tokens" | "cached_tokens" => facts.usage().cached_input_tokens = count(json),
        // SGLang.
        "reasoning_tokens" => facts.usage().reasoning_tokens = count(json),
        "prompt_tokens_details" => {
            detail(json, "cached_tokens", |tokens| facts.usage().cached_input_tokens = Some(tokens));
        }
        "completion_tokens_details" => {
            detail(json, "reasoning_tokens", |tokens| facts.usage().reasoning_tokens = Some(tokens));
        }
        _ => seconds(json, key, facts),
    });
}

/// The one count of interest in an object of details.
fn detail(json: &mut Json<'_>, wanted: &str, mut found: impl FnMut(u64)) {
    json.object(|json, key| {
        if key != wanted {
            return json.skip();
        }
        if let Some(tokens) = count(json) {
            found(tokens);
        }
    });
}

/// The timings of Groq, Cerebras and SambaNova, whose names do not collide. In seconds.
fn seconds(json: &mut Json<'_>, key: &str, facts: &mut Facts) {
    match key {
        "queue_time" => facts.timing().queue_ns = time(json, SECONDS),
        "prompt_time" => facts.timing().prefill_ns = time(json, SECONDS),
        "completion_time" => facts.timing().decode_ns = time(json, SECONDS),
        "time_to_first_token" => facts.timing().ttft_ns = time(json, SECONDS),
        "total_time" | "total_latency" => facts.timing().total_ns = time(json, SECONDS),
        _ => json.skip(),
    }
}

/// `x_groq`: usage and timings without asking, and an error that ends a stream early.
fn groq(json: &mut Json<'_>, facts: &mut Facts) {
    json.object(|json, key| match key {
        "usage" => usage(json, facts),
        "error" => facts.error(json),
        _ => json.skip(),
    });
}

/// `timings` of llama.cpp, which count the tokens where no usage was asked for.
fn llama_cpp(json: &mut Json<'_>, facts: &mut Facts) {
    let (mut cached, mut read, mut written) = (None, None, None);
    json.object(|json, key| match key {
        "cache_n" => cached = count(json),
        "prompt_n" => read = count(json),
        "predicted_n" => written = count(json),
        "prompt_ms" => facts.timing().prefill_ns = time(json, MILLIS),
        "predicted_ms" => facts.timing().decode_ns = time(json, MILLIS),
        _ => json.skip(),
    });
    let counted = facts.usage.is_some();
    let usage = facts.usage();
    if !counted {
        usage.input_tokens = read.map(|read| read + cached.unwrap_or(0));
        usage.output_tokens = written;
    }
    usage.cached_input_tokens = usage.cached_input_tokens.or(cached);
}

/// `metrics` of vLLM. Its TTFT counts from scheduling, without the queue.
fn vllm(json: &mut Json<'_>, facts: &mut Facts) {
    json.object(|json, key| match key {
        "queue_time_ms" => facts.timing().queue_ns = time(json, MILLIS),
        "time_to_first_token_ms" => facts.timing().ttft_ns = time(json, MILLIS),
        "generation_time_ms" => facts.timing().decode_ns = time(json, MILLIS),
        _ => json.skip(),
    });
}

/// `perf_metrics` of Fireworks, in seconds, numbers or text.
fn fireworks(json: &mut Json<'_>, facts: &mut Facts) {
    json.object(|json, key| {
        if let Some(value) = json.number_or_text() {
            let usage = facts.usage.get_or_insert_default();
            fireworks_fact(key, value, usage, facts.timing.get_or_insert_default());
        }
    });
}

/// `stats` of LM Studio's own API.
fn lm_studio(json: &mut Json<'_>, facts: &mut Facts) {
    json.object(|json, key| match key {
        "time_to_first_token" => facts.timing().ttft_ns = time(json, SECONDS),
        "generation_time" => facts.timing().decode_ns = time(json, SECONDS),
        _ => json.skip(),
    });
}
