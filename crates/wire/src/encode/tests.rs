use proptest::prelude::*;

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

/// A body of one dialect for `spec`, with nothing in it that the encoding adds.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is written where it is expected")]
fn check_body(dialect: Dialect, spec: &RequestSpec<'_>, expected: Value) {
    assert_eq!(body(dialect, &Encoding::default(), spec), expected, "{dialect}");
}

fn plain<'a>(messages: &'a [Message<'a>]) -> RequestSpec<'a> {
    RequestSpec { messages, force_length: false, seed: None, nonce: None, ..spec() }
}

const DIALOGUE: [Message<'static>; 6] = [
    Message::text(Role::System, "Be brief."),
    Message::text(Role::User, "One?"),
    Message::text(Role::Assistant, "Two."),
    Message::text(Role::User, "Three?"),
    Message::text(Role::Assistant, "Four."),
    Message::text(Role::User, "Five?"),
];

#[test]
fn a_dialogue_goes_as_turns_where_there_are_roles() {
    let system = json!({ "role": "system", "content": "Be brief." });
    let turns = [
        json!({ "role": "user", "content": "One?" }),
        json!({ "role": "assistant", "content": "Two." }),
        json!({ "role": "user", "content": "Three?" }),
    ];
    let all: Vec<_> = std::iter::once(&system).chain(&turns).collect();
    let spec = plain(&DIALOGUE[..4]);
    check_body(Dialect::OpenaiChat, &spec, json!({ "model": "m", "messages": all, "stream": true, "max_tokens": 64 }));
    check_body(
        Dialect::Anthropic,
        &spec,
        json!({ "model": "m", "system": "Be brief.", "messages": turns, "stream": true, "max_tokens": 64 }),
    );
    check_body(
        Dialect::OllamaChat,
        &spec,
        json!({ "model": "m", "messages": all, "stream": true, "options": { "num_predict": 64 } }),
    );
}

#[test]
fn a_dialogue_is_written_down_where_there_are_no_roles() {
    let spec = plain(&DIALOGUE[..4]);
    let written = "Be brief.\n\nUser: One?\n\nAssistant: Two.\n\nUser: Three?\n\nAssistant:";
    check_body(
        Dialect::OpenaiCompletions,
        &spec,
        json!({ "model": "m", "prompt": written, "stream": true, "max_tokens": 64 }),
    );
    check_body(
        Dialect::OllamaGenerate,
        &spec,
        json!({ "model": "m", "prompt": written, "stream": true, "options": { "num_predict": 64 } }),
    );
    let parameters = json!({ "max_new_tokens": 64, "details": true, "do_sample": false });
    check_body(Dialect::Tgi, &spec, json!({ "inputs": written, "parameters": parameters }));
}

#[test]
fn a_turn_begins_with_all_that_was_said_before_so_that_prefix_caches_find_it() {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| !dialect.embeds()) {
        for answer in [AnswerForm::Text, AnswerForm::Json] {
            let encoded = |turns: usize| {
                let spec = RequestSpec { answer, nonce: Some("n0nce"), ..plain(&DIALOGUE[..turns]) };
                String::from_utf8(encode(dialect, &Encoding::default(), &spec)).unwrap()
            };
            let (earlier, later) = (encoded(4), encoded(6));
            let said = earlier.find("Three?").unwrap() + "Three?".len();
            assert_eq!(earlier[..said], later[..said], "{dialect}");
        }
    }
}

const PICTURE: &str = "data:image/png;base64,iVBORw0KGgo=";

#[test]
fn pictures_stand_beside_the_text() {
    let images = [PICTURE.to_owned(), "https://h/cat.jpg".to_owned()];
    let messages = [Message { role: Role::User, content: "What is it?", images: &images }];
    let spec = plain(&messages);
    let text = json!({ "type": "text", "text": "What is it?" });
    let openai = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    check_body(
        Dialect::OpenaiChat,
        &spec,
        json!({
            "model": "m", "stream": true, "max_tokens": 64,
            "messages": [{ "role": "user", "content": [openai(PICTURE), openai("https://h/cat.jpg"), text] }],
        }),
    );
    let base64 = json!({ "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" });
    let elsewhere = json!({ "type": "url", "url": "https://h/cat.jpg" });
    let anthropic = |source: Value| json!({ "type": "image", "source": source });
    check_body(
        Dialect::Anthropic,
        &spec,
        json!({
            "model": "m", "stream": true, "max_tokens": 64,
            "messages": [{ "role": "user", "content": [anthropic(base64), anthropic(elsewhere), text] }],
        }),
    );
    let options = json!({ "num_predict": 64 });
    let bare = json!(["iVBORw0KGgo=", "https://h/cat.jpg"]);
    check_body(
        Dialect::OllamaChat,
        &spec,
        json!({
            "model": "m", "stream": true, "options": options,
            "messages": [{ "role": "user", "content": "What is it?", "images": bare }],
        }),
    );
    check_body(
        Dialect::OllamaGenerate,
        &spec,
        json!({ "model": "m", "stream": true, "options": options, "prompt": "What is it?", "images": bare }),
    );
    check_body(
        Dialect::Tgi,
        &spec,
        json!({
            "inputs": format!("![]({PICTURE})![](https://h/cat.jpg)What is it?"),
            "parameters": { "max_new_tokens": 64, "details": true, "do_sample": false },
        }),
    );
}

/// The fields by which a form of answer differs from text, in any dialect.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is written where it is expected")]
fn check_answer(dialect: Dialect, encoding: &Encoding, answer: AnswerForm, expected: Value) {
    let asked = RequestSpec { answer, ..plain(&TALK) };
    let mut with = body(dialect, encoding, &asked);
    let without = body(dialect, encoding, &plain(&TALK));
    let with = with.as_object_mut().unwrap();
    with.retain(|name, value| without.get(name) != Some(value));
    for prompt in ["messages", "prompt", "inputs"] {
        let text = with.remove(prompt).map(|prompt| prompt.to_string());
        let asks = text.is_some_and(|text| text.contains("Say \\\"hi\\\".\\n\\nAnswer with a JSON object.\""));
        assert_eq!(asks, answer == AnswerForm::Json && without.get(prompt).is_some(), "{dialect}");
    }
    assert_eq!(Value::Object(with.clone()), expected, "{dialect}");
}

fn schema() -> Value {
    json!({ "type": "object", "properties": { "answer": { "type": "string" } }, "required": ["answer"] })
}

#[test]
fn json_is_asked_for_in_every_dialects_own_words() {
    let check = |dialect, expected| check_answer(dialect, &Encoding::default(), AnswerForm::Json, expected);
    check(Dialect::OpenaiChat, json!({ "response_format": { "type": "json_object" } }));
    check(Dialect::OllamaChat, json!({ "format": "json" }));
    check(Dialect::OllamaGenerate, json!({ "format": "json" }));
    let parameters = json!({
        "max_new_tokens": 64, "details": true, "do_sample": false, "grammar": { "type": "json", "value": schema() },
    });
    check(Dialect::Tgi, json!({ "parameters": parameters }));
    let with = |json_field| Encoding { json_field, ..Encoding::default() };
    check_answer(
        Dialect::OpenaiChat,
        &with(JsonField::ObjectWithValue),
        AnswerForm::Json,
        json!({ "response_format": { "type": "json_object", "value": schema() } }),
    );
    check_answer(
        Dialect::OpenaiChat,
        &with(JsonField::Schema),
        AnswerForm::Json,
        json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "answer", "schema": schema() } } }),
    );
}

#[test]
fn a_call_of_the_example_tool_is_asked_for_in_every_dialects_own_words() {
    let check = |dialect, expected| check_answer(dialect, &Encoding::default(), AnswerForm::Tool, expected);
    let purpose = "Gives the answer to what was asked.";
    let function = json!({ "name": "give_answer", "description": purpose, "parameters": schema() });
    let openai = json!([{ "type": "function", "function": function }]);
    check(Dialect::OpenaiChat, json!({ "tools": openai, "tool_choice": "required" }));
    check(Dialect::OllamaChat, json!({ "tools": openai }));
    check(
        Dialect::Anthropic,
        json!({
            "tools": [{ "name": "give_answer", "description": purpose, "input_schema": schema() }],
            "tool_choice": { "type": "tool", "name": "give_answer" },
        }),
    );
}

#[test]
fn what_a_dialect_has_no_words_for_is_left_out_and_told_beforehand() {
    let images = [PICTURE.to_owned()];
    let messages = [Message { role: Role::User, content: "What is it?", images: &images }];
    let bare = [Message::text(Role::User, "What is it?")];
    for dialect in Dialect::ALL {
        let encoded = |spec: &RequestSpec<'_>| body(dialect, &generous(), spec);
        let pictured = encoded(&plain(&messages)) != encoded(&plain(&bare));
        assert_eq!(pictured, dialect.takes_images(), "{dialect}");
        for answer in [AnswerForm::Json, AnswerForm::Tool] {
            let mut asked = encoded(&RequestSpec { answer, ..plain(&bare) });
            let mut unasked = encoded(&plain(&bare));
            for body in [&mut asked, &mut unasked] {
                let fields = body.as_object_mut().unwrap();
                fields.retain(|name, _| !["messages", "prompt", "inputs", "input"].contains(&name.as_str()));
            }
            assert_eq!(asked != unasked, dialect.takes_answer(answer), "{dialect} {answer:?}");
        }
    }
}

#[test]
fn where_there_is_no_word_against_caches_the_text_begins_with_the_nonce() {
    for dialect in Dialect::ALL {
        let body = body(dialect, &generous(), &spec()).to_string();
        assert_eq!(body.matches("n0nce").count(), 1, "{dialect}: {body}");
        assert_eq!(body.contains("\"n0nce Be brief."), !body.contains("cache_salt"), "{dialect}: {body}");
    }
}

#[test]
fn a_vector_is_asked_for_with_the_text_alone() {
    let spec = RequestSpec { stream: true, ..spec() };
    // Whatever keeps caches out of answers in words, here it is the beginning.
    let input = "n0nce Be brief.\n\nSay \"hi\".";
    assert_eq!(
        body(Dialect::OpenaiEmbeddings, &generous(), &spec),
        json!({ "model": "m", "input": input, "encoding_format": "float" })
    );
    assert_eq!(body(Dialect::OllamaEmbed, &generous(), &spec), json!({ "model": "m", "input": input }));
}

#[test]
fn a_field_of_ours_gives_way_to_one_that_is_added() {
    let mut encoding = generous();
    encoding.extra.insert("messages".into(), json!("mine"));
    encoding.extra.insert("stream_options".into(), json!(null));
    encoding.extra.insert("tool_choice".into(), json!({ "type": "function" }));
    check_field(&encoding, "messages", &json!("mine"));
    check_field(&encoding, "stream_options", &Value::Null);
    let text = String::from_utf8(encode(Dialect::OpenaiChat, &encoding, &spec())).unwrap();
    assert_eq!(text.matches("stream_options").count(), 1, "{text}");
    assert_eq!(text.matches("messages").count(), 1, "{text}");
}

proptest! {
    #[test]
    fn any_text_comes_back_from_its_body(
        model in ".{0,8}", said in prop::collection::vec("[\"\\\\\u{0}-\u{1f}aé😀\u{2028}]{0,40}", 1..5), nonce in prop::option::of(".{0,9}"),
    ) {
        let roles = [Role::System, Role::User, Role::Assistant, Role::User];
        let messages: Vec<_> = said.iter().zip(roles).map(|(said, role)| Message::text(role, said)).collect();
        let spec = RequestSpec { model: &model, messages: &messages, nonce: nonce.as_deref(), ..spec() };
        for dialect in Dialect::ALL {
            let body = body(dialect, &Encoding::default(), &spec);
            prop_assert!(dialect == Dialect::Tgi || body["model"] == model.as_str());
            if dialect == Dialect::OpenaiChat {
                let prefix = nonce.as_ref().map(|nonce| format!("{nonce} ")).unwrap_or_default();
                let expected = said.iter().enumerate().map(|(i, said)| if i == 0 { prefix.clone() + said } else { said.clone() });
                let found: Vec<_> = body["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
                prop_assert_eq!(found, expected.collect::<Vec<_>>());
            }
        }
    }
}
