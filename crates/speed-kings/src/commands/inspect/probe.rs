//! Requests that are wrong, or at the edge of what a server can do: what is wrong with each, and the words by which a
//! good answer would say so.

use bytes::Bytes;
use schema::target::{Credentialed, Dialect, MaxTokensField};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

/// A model that nobody serves.
const NO_MODEL: &str = "speed-kings-no-such-model";

/// A key that nobody issued. It is no secret.
const NO_KEY: &str = "speed-kings-no-such-key";

/// Tokens asked for where the length is not what is wrong.
const FEW_TOKENS: u32 = 8;

/// More tokens than any model generates.
const MANY_TOKENS: u64 = 1_000_000_000;

/// One such request.
pub(super) struct Probe {
    /// Its name, as tables have it.
    pub(super) name: &'static str,
    /// What is wrong with it.
    pub(super) what: &'static str,
    /// Words one of which an answer that names the trouble would have.
    pub(super) naming: Vec<String>,
    /// With whom, under the key and the headers it is sent with.
    pub(super) who: Credentialed,
    /// What is sent.
    pub(super) body: Bytes,
    /// Whether it is sent by GET.
    pub(super) by_get: bool,
}

/// Where in a body a dialect has what.
struct Places {
    model: Option<&'static str>,
    prompt: &'static str,
    limit: Option<&'static str>,
    temperature: Option<&'static str>,
    /// Whether the prompt is a list of messages.
    is_chat: bool,
}

impl Places {
    const fn of(dialect: Dialect, limit: MaxTokensField) -> Self {
        let open = match limit {
            MaxTokensField::MaxTokens => "/max_tokens",
            MaxTokensField::MaxCompletionTokens => "/max_completion_tokens",
        };
        let (prompt, limit, temperature) = match dialect {
            Dialect::OpenaiChat => ("/messages", Some(open), Some("/temperature")),
            Dialect::OpenaiCompletions => ("/prompt", Some(open), Some("/temperature")),
            Dialect::Anthropic => ("/messages", Some("/max_tokens"), Some("/temperature")),
            Dialect::Tgi => ("/inputs", Some("/parameters/max_new_tokens"), Some("/parameters/temperature")),
            Dialect::OllamaChat => ("/messages", Some("/options/num_predict"), Some("/options/temperature")),
            Dialect::OllamaGenerate => ("/prompt", Some("/options/num_predict"), Some("/options/temperature")),
            Dialect::OpenaiEmbeddings | Dialect::OllamaEmbed => ("/input", None, None),
        };
        let is_chat = matches!(dialect, Dialect::OpenaiChat | Dialect::Anthropic | Dialect::OllamaChat);
        let model = if matches!(dialect, Dialect::Tgi) { None } else { Some("/model") };
        Self { model, prompt, limit, temperature, is_chat }
    }
}

/// A body that is all right, and whom it is for.
struct Sound<'a> {
    who: &'a Credentialed,
    body: Value,
}

impl Sound<'_> {
    fn probe(&self, name: &'static str, what: &'static str, naming: &[&str], body: Vec<u8>) -> Probe {
        let naming = naming.iter().map(|word| word.trim_start_matches('/').to_lowercase()).collect();
        Probe { name, what, naming, who: self.who.clone(), body: body.into(), by_get: false }
    }

    /// The body with `value` at `place`, or without what is there.
    fn with(&self, place: &str, value: Option<Value>) -> Vec<u8> {
        let mut body = self.body.clone();
        let (parent, field) = place.rsplit_once('/').unwrap_or(("", place));
        if body.pointer(parent).is_none_or(|parent| !parent.is_object()) {
            body[parent.trim_start_matches('/')] = Value::Object(Map::new());
        }
        if let Some(parent) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
            match value {
                Some(value) => drop(parent.insert(field.to_owned(), value)),
                None => drop(parent.remove(field)),
            }
        }
        body.to_string().into_bytes()
    }
}

/// All of them for one target. `long` is how many words go beyond what it can read.
pub(super) fn probes(who: &Credentialed, sound: &[u8], long: usize) -> Vec<Probe> {
    let target = &who.target;
    let places = Places::of(target.dialect, target.encoding.max_tokens_field);
    // What we encode ourselves is an object.
    let body = serde_json::from_slice(sound).unwrap_or_else(|_| json!({}));
    let sound = Sound { who, body };
    let mut probes = bodies(&sound, &places);
    probes.extend(limits(&sound, &places));
    probes.push(over_long(&sound, &places, long));
    probes.extend(envelopes(&sound));
    probes.extend(keys(&sound));
    probes
}

/// Tokens that a probe asks for where the length is not what is wrong.
pub(super) const fn few_tokens() -> u32 {
    FEW_TOKENS
}

fn bodies(sound: &Sound<'_>, places: &Places) -> Vec<Probe> {
    let whole = sound.body.to_string().into_bytes();
    let prompt = places.prompt;
    let field = prompt.trim_start_matches('/');
    let empty = if places.is_chat { json!([]) } else { json!("") };
    let mut probes = Vec::new();
    if let Some(model) = places.model {
        let body = sound.with(model, Some(json!(NO_MODEL)));
        probes.push(sound.probe("bad-model", "a model that nobody serves", &["model"], body));
    }
    let broken = whole[..whole.len() / 2].to_vec();
    let syntax = ["json", "parse", "syntax", "eof", "unexpected end", "unterminated", "malformed"];
    probes.push(sound.probe("bad-json", "JSON that breaks off", &syntax, broken));
    probes.push(sound.probe("empty-body", "no body at all", &["body", "empty", "json", "eof", "missing"], Vec::new()));
    let mut bytes = whole.clone();
    bytes.splice(1..1, *b"\"\xff\xfe\":1,");
    probes.push(sound.probe(
        "not-utf8",
        "bytes that are no text",
        &["utf", "unicode", "encod", "decod", "byte"],
        bytes,
    ));
    probes.push(sound.probe("no-prompt", "without its prompt", &[field], sound.with(prompt, None)));
    let empty_words = [field, "empty", "at least one"];
    probes.push(sound.probe("empty-prompt", "with an empty prompt", &empty_words, sound.with(prompt, Some(empty))));
    probes.push(sound.probe("wrong-type", "a number for a prompt", &[field], sound.with(prompt, Some(json!(42)))));
    if places.is_chat {
        let messages = json!([{ "role": "wizard", "content": "Say hello." }]);
        probes.push(sound.probe("bad-role", "a role there is none of", &["role"], sound.with(prompt, Some(messages))));
    }
    let unknown = sound.with("/no_such_field", Some(json!(true)));
    probes.push(sound.probe("unknown-field", "a field there is none of", &["no_such_field"], unknown));
    probes
}

fn limits(sound: &Sound<'_>, places: &Places) -> Vec<Probe> {
    let mut probes = Vec::new();
    if let Some(limit) = places.limit {
        let field = limit.rsplit('/').next().unwrap_or(limit);
        let names = [field, "max_tokens", "max_new_tokens", "num_predict", "n_predict"];
        let mut probe = |name, what, value| {
            probes.push(sound.probe(name, what, &names, sound.with(limit, Some(value))));
        };
        probe("text-limit", "a word for an output limit", json!("many"));
        probe("negative-limit", "an output limit below zero", json!(-5));
        probe("zero-limit", "an output limit of zero", json!(0));
        probe("huge-limit", "a thousand million tokens of output", json!(MANY_TOKENS));
    }
    if let Some(temperature) = places.temperature {
        let body = sound.with(temperature, Some(json!(-1)));
        probes.push(sound.probe("cold", "a temperature below zero", &["temperature"], body));
    }
    probes
}

fn over_long(sound: &Sound<'_>, places: &Places, long: usize) -> Probe {
    let text = "word ".repeat(long);
    let prompt = if places.is_chat { json!([{ "role": "user", "content": text }]) } else { json!(text) };
    let words = ["token", "context", "too long", "length", "too large"];
    sound.probe("over-long", "a prompt longer than the context", &words, sound.with(places.prompt, Some(prompt)))
}

fn envelopes(sound: &Sound<'_>) -> Vec<Probe> {
    let whole = sound.body.to_string().into_bytes();
    let plain = ["content-type", "content type", "media type", "application/json"];
    let mut plain = sound.probe("plain-text", "JSON sent as plain text", &plain, whole.clone());
    plain.who.target.headers.push(("content-type".to_owned(), "text/plain".to_owned()));
    let mut get = sound.probe("wrong-method", "GET where POST belongs", &["method", "post", "get"], Vec::new());
    get.by_get = true;
    let words = ["path", "route", "url", "endpoint", "page", "not found"];
    let mut lost = sound.probe("wrong-path", "a path there is none of", &words, whole);
    let path = format!("{}-nowhere", lost.who.target.url.path());
    lost.who.target.url.set_path(&path);
    vec![plain, get, lost]
}

fn keys(sound: &Sound<'_>) -> Vec<Probe> {
    let whole = sound.body.to_string().into_bytes();
    let words = ["key", "auth", "credential", "token"];
    let mut wrong = sound.probe("bad-key", "a key that nobody issued", &words, whole.clone());
    wrong.who.key = Some(SecretString::from(NO_KEY));
    if wrong.who.target.auth == schema::target::AuthScheme::None {
        wrong.who.target.auth = schema::target::AuthScheme::Bearer;
    }
    let none = sound.who.key.is_some().then(|| {
        let mut none = sound.probe("no-key", "no key at all", &words, whole);
        none.who.key = None;
        none
    });
    [Some(wrong), none].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(provider: &str) -> Credentialed {
        let ask = providers::Ask {
            provider,
            url: Some("http://127.0.0.1:1/v1"),
            model: Some("tiny"),
            ..providers::Ask::default()
        };
        let book = providers::PriceBook::embedded();
        providers::resolve(&ask, &|_| None, &book, jiff::civil::date(2026, 11, 22)).unwrap()
    }

    fn sent(provider: &str) -> Vec<(&'static str, String)> {
        let who = who(provider);
        let spec = wire::RequestSpec {
            model: "tiny",
            messages: &[wire::Message::text(wire::Role::User, "Say hello.")],
            max_tokens: FEW_TOKENS,
            force_length: false,
            temperature_milli: 0,
            seed: None,
            stream: true,
            nonce: None,
            answer: schema::plan::AnswerForm::Text,
        };
        let sound = wire::encode(who.target.dialect, &who.target.encoding, &spec);
        let probes = probes(&who, &sound, 3);
        probes.iter().map(|probe| (probe.name, String::from_utf8_lossy(&probe.body).into_owned())).collect()
    }

    #[track_caller]
    fn check(provider: &str, name: &str, expected: &str) {
        let sent = sent(provider);
        let (_, body) = sent.iter().find(|(probe, _)| *probe == name).unwrap();
        assert!(body.contains(expected), "{body}");
    }

    #[test]
    fn each_dialect_is_asked_wrongly_in_its_own_words() {
        check("vllm", "negative-limit", r#""max_tokens":-5"#);
        check("vllm", "over-long", r#""messages":[{"content":"word word word ","role":"user"}]"#);
        check("ollama", "negative-limit", r#""num_predict":-5"#);
        check(
            "tgi",
            "empty-prompt",
            if sent("tgi").iter().any(|(_, body)| body.contains("inputs")) {
                r#""inputs":"""#
            } else {
                r#""messages":[]"#
            },
        );
        check("anthropic", "bad-role", "wizard");
    }

    #[test]
    fn all_but_the_sound_differ_from_a_sound_request() {
        let sent = sent("vllm");
        let names: Vec<_> = sent.iter().map(|(name, _)| *name).collect();
        insta::assert_snapshot!(names.join(" "), @"bad-model bad-json empty-body not-utf8 no-prompt empty-prompt wrong-type bad-role unknown-field text-limit negative-limit zero-limit huge-limit cold over-long plain-text wrong-method wrong-path bad-key");
        let json = |name: &str| {
            sent.iter().find(|(probe, _)| *probe == name).map(|(_, body)| serde_json::from_str::<Value>(body).is_ok())
        };
        assert_eq!((json("bad-json"), json("not-utf8"), json("no-prompt")), (Some(false), Some(true), Some(true)));
    }
}
