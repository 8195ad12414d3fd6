use super::*;
use schema::target::{ForceLength, JsonField, MaxTokensField, SeedField};
use serde_json::{Map, Value, json};

const TALK: [Message<'static>; 2] =
    [Message::text(Role::System, "Be brief."), Message::text(Role::User, "Say \"hi\".")];

fn spec() -> RequestSpec<'static> {
    RequestSpec {
        model: "m",
        messages: &TALK,
        max_tokens: 64,
        force_length: true,
        temperature_milli: 700,
        seed: Some(7),
        stream: true,
        nonce: Some("n0nce"),
        answer: AnswerForm::Text,
    }
}

/// An encoding of an engine that takes everything.
fn generous() -> Encoding {
    Encoding {
        max_tokens_field: MaxTokensField::MaxTokens,
        stream_options: true,
        temperature: true,
        seed_field: SeedField::Seed,
        force_length: ForceLength::IgnoreEosAndMinTokens,
        cache_defeat: CacheDefeat::CacheSalt,
        json_field: JsonField::Object,
        extra: Map::new(),
    }
}

fn body(dialect: Dialect, encoding: &Encoding, spec: &RequestSpec<'_>) -> Value {
    serde_json::from_slice(&encode(dialect, encoding, spec)).unwrap()
}

#[test]
fn a_generous_engine_is_sent_everything() {
    assert_eq!(
        body(Dialect::OpenaiChat, &generous(), &spec()),
        json!({
            "model": "m",
            "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Say \"hi\"." }],
            "max_tokens": 64, "temperature": 0.7, "seed": 7, "stream": true,
            "stream_options": { "include_usage": true }, "ignore_eos": true, "min_tokens": 64, "cache_salt": "n0nce",
        })
    );
}

#[test]
fn a_strict_provider_is_sent_the_least() {
    let strict = Encoding { max_tokens_field: MaxTokensField::MaxCompletionTokens, ..Encoding::default() };
    assert_eq!(
        body(Dialect::OpenaiChat, &strict, &spec()),
        json!({
            "model": "m",
            "messages": [{ "role": "system", "content": "n0nce Be brief." }, { "role": "user", "content": "Say \"hi\"." }],
            "max_completion_tokens": 64, "stream": true,
        })
    );
}

#[test]
fn nothing_is_forced_or_defeated_unasked() {
    let plain = RequestSpec { force_length: false, nonce: None, seed: None, stream: false, ..spec() };
    assert_eq!(
        body(Dialect::OpenaiCompletions, &generous(), &plain),
        json!({ "model": "m", "prompt": "Be brief.\n\nSay \"hi\".", "max_tokens": 64, "temperature": 0.7, "stream": false })
    );
}

#[track_caller]
fn check_field(encoding: &Encoding, name: &str, expected: &Value) {
    let body = body(Dialect::OpenaiChat, encoding, &spec());
    assert_eq!(body.get(name).unwrap_or(&Value::Null), expected, "{name}");
}

#[test]
fn quirks_are_data() {
    let with = |force_length| Encoding { force_length, ..Encoding::default() };
    check_field(&with(ForceLength::IgnoreEos), "ignore_eos", &json!(true));
    check_field(&with(ForceLength::IgnoreEos), "min_tokens", &Value::Null);
    check_field(&with(ForceLength::MinTokens), "min_tokens", &json!(64));
    check_field(&with(ForceLength::MinTokens), "ignore_eos", &Value::Null);
    let with = |cache_defeat| Encoding { cache_defeat, ..Encoding::default() };
    check_field(&with(CacheDefeat::IsolationKey), "prompt_cache_isolation_key", &json!("n0nce"));
    check_field(&with(CacheDefeat::UserId), "user_id", &json!("n0nce"));
    check_field(&with(CacheDefeat::CachePromptFalse), "cache_prompt", &json!(false));
    check_field(&Encoding { seed_field: SeedField::RandomSeed, ..Encoding::default() }, "random_seed", &json!(7));
}

#[test]
fn further_fields_join_those_already_there() {
    let mut encoding = generous();
    encoding.extra.insert("stream_options".into(), json!({ "include_obfuscation": false }));
    encoding.extra.insert("perf_metrics_in_response".into(), json!(true));
    encoding.extra.insert("max_tokens".into(), json!(1));
    check_field(&encoding, "stream_options", &json!({ "include_usage": true, "include_obfuscation": false }));
    check_field(&encoding, "perf_metrics_in_response", &json!(true));
    check_field(&encoding, "max_tokens", &json!(1));
}

#[test]
fn anthropic_takes_the_system_prompt_apart() {
    assert_eq!(
        body(Dialect::Anthropic, &Encoding::default(), &spec()),
        json!({
            "model": "m", "max_tokens": 64, "stream": true, "system": "n0nce Be brief.",
            "messages": [{ "role": "user", "content": "Say \"hi\"." }],
        })
    );
}

#[test]
fn tgi_does_not_sample_at_temperature_zero() {
    let encoding = Encoding { cache_defeat: CacheDefeat::Prefix, ..generous() };
    let spec = RequestSpec { messages: &TALK[1..], ..spec() };
    assert_eq!(
        body(Dialect::Tgi, &encoding, &spec),
        json!({
            "inputs": "n0nce Say \"hi\".",
            "parameters": { "max_new_tokens": 64, "details": true, "do_sample": true, "temperature": 0.7, "seed": 7 },
        })
    );
    let cold = body(Dialect::Tgi, &encoding, &RequestSpec { temperature_milli: 0, seed: None, ..spec });
    assert_eq!(cold["parameters"], json!({ "max_new_tokens": 64, "details": true, "do_sample": false }));
}

#[test]
fn ollama_keeps_its_options_together() {
    let mut encoding = Encoding { cache_defeat: CacheDefeat::Prefix, ..generous() };
    encoding.extra.insert("options".into(), json!({ "num_ctx": 4096 }));
    encoding.extra.insert("keep_alive".into(), json!("30m"));
    let options = json!({ "num_predict": 64, "temperature": 0.7, "seed": 7, "num_ctx": 4096 });
    assert_eq!(
        body(Dialect::OllamaChat, &encoding, &RequestSpec { messages: &TALK[1..], nonce: None, ..spec() }),
        json!({
            "model": "m", "stream": true, "options": options, "keep_alive": "30m",
            "messages": [{ "role": "user", "content": "Say \"hi\"." }],
        })
    );
    assert_eq!(
        body(Dialect::OllamaGenerate, &encoding, &spec()),
        json!({
            "model": "m", "stream": true, "options": options, "keep_alive": "30m",
            "prompt": "n0nce Be brief.\n\nSay \"hi\".",
        })
    );
}
