use insta::{assert_json_snapshot, assert_snapshot};
use jiff::civil::date;
use secrecy::ExposeSecret;

use super::*;
use crate::provider::Kind;
use crate::{Readiness, readiness};

const TODAY: Date = date(2026, 11, 22);

/// An environment that holds `variables`.
fn holding<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

fn with(ask: &Ask<'_>, variables: &[(&str, &str)]) -> Result<Credentialed, ProviderError> {
    resolve(ask, &holding(variables), &PriceBook::embedded(), TODAY)
}

/// An error as people see it, with its help.
fn told(error: &ProviderError) -> String {
    let help = miette::Diagnostic::help(error).map(|help| help.to_string()).unwrap_or_default();
    format!("{error}\nhelp: {help}")
}

#[track_caller]
fn refused(ask: &Ask<'_>, variables: &[(&str, &str)]) -> String {
    told(&with(ask, variables).unwrap_err())
}

#[test]
fn every_provider_resolves_to_its_target() {
    for provider in registry() {
        let url = provider.base_url.is_empty().then_some("https://llm.example/v1");
        let model = provider.default_model.is_none().then_some("some-model");
        let ask = Ask { provider: provider.id, url, model, ..Ask::default() };
        let all_keys = |name: &str| name.ends_with("_KEY").then(|| "sk-canary".to_owned());
        let credentialed = resolve(&ask, &all_keys, &PriceBook::embedded(), TODAY).unwrap();
        assert!(!format!("{credentialed:?}").contains("canary"));
        assert_json_snapshot!(provider.id, credentialed.target);
    }
}

#[test]
fn a_name_of_a_family_becomes_the_providers_own_id() {
    #[track_caller]
    fn check(provider: &str, model: &str, expected: &str) {
        let ask = Ask { provider, model: Some(model), url: Some("http://127.0.0.1:1"), ..Ask::default() };
        assert_eq!(with(&ask, &[]).unwrap().target.model, expected);
    }
    check("groq", "gpt-oss-120b", "openai/gpt-oss-120b");
    check("groq", " GPT-OSS-120b ", "openai/gpt-oss-120b");
    check("cerebras", "gpt-oss-120b", "gpt-oss-120b");
    check("fireworks", "gpt-oss-20b", "accounts/fireworks/models/gpt-oss-20b");
    check("sambanova", "llama-3.3-70b", "Meta-Llama-3.3-70B-Instruct");
    check("openrouter", "llama-3.1-8b", "meta-llama/llama-3.1-8b-instruct");
    check("ollama", "llama-3.1-8b", "llama3.1:8b");
    check("deepseek", "deepseek-v4.1-flash", "deepseek-flash");
    check("vllm", "gpt-oss-120b", "gpt-oss-120b");
    check("groq", "any/other-id", "any/other-id");
}

#[test]
fn a_retired_family_is_refused_but_its_id_may_be_named() {
    let keys = [("GROQ_API_KEY", "k"), ("TOGETHER_API_KEY", "k"), ("CEREBRAS_API_KEY", "k")];
    let ask = |provider, model| Ask { provider, model: Some(model), ..Ask::default() };
    assert_snapshot!(refused(&ask("groq", "llama-3.3-70b"), &keys), @"
    `groq` retired its `llama-3.3-70b`, `llama-3.3-70b-versatile`, on 2026-08-16
    help: take `openai/gpt-oss-120b` instead, or name the id `llama-3.3-70b-versatile` itself if your account still has it
    ");
    assert_snapshot!(refused(&ask("together", "gpt-oss-20b"), &keys), @"
    `together` retired its `gpt-oss-20b`, `openai/gpt-oss-20b`, on 2026-09-15
    help: take `openai/gpt-oss-120b` instead, or name the id `openai/gpt-oss-20b` itself if your account still has it
    ");
    let named = with(&ask("groq", "llama-3.3-70b-versatile"), &keys).unwrap().target;
    assert_eq!(named.price.unwrap().note.as_deref(), Some("retired on 2026-08-16"));
    assert!(with(&ask("cerebras", "llama-3.3-70b"), &keys).is_ok(), "its name is its id");
}

#[test]
fn a_family_is_not_refused_before_its_last_day_nor_elsewhere() {
    let before = resolve(
        &Ask { provider: "groq", model: Some("llama-3.3-70b"), ..Ask::default() },
        &holding(&[("GROQ_API_KEY", "k")]),
        &PriceBook::embedded(),
        date(2026, 8, 15),
    );
    assert_eq!(before.unwrap().target.model, "llama-3.3-70b-versatile");
    let elsewhere =
        Ask { provider: "groq", model: Some("llama-3.3-70b"), url: Some("http://127.0.0.1:9"), ..Ask::default() };
    assert_eq!(with(&elsewhere, &[]).unwrap().target.model, "llama-3.3-70b-versatile");
}

#[test]
fn the_url_asked_for_wins_over_the_variable_and_that_over_the_default() {
    #[track_caller]
    fn check(url: Option<&str>, variables: &[(&str, &str)], expected: &str) {
        let ask = Ask { provider: "ollama", model: Some("m"), url, ..Ask::default() };
        assert_eq!(with(&ask, variables).unwrap().target.url.as_str(), expected);
    }
    let set = [("OLLAMA_URL", "http://a:1"), ("OLLAMA_HOST", "0.0.0.0:2")];
    check(Some("http://c:3/"), &set, "http://c:3/api/chat");
    check(None, &set, "http://a:1/api/chat");
    check(None, &[("OLLAMA_URL", "  "), ("OLLAMA_HOST", "0.0.0.0:2")], "http://127.0.0.1:2/api/chat");
    check(None, &[("OLLAMA_HOST", "gpu-box")], "http://gpu-box:11434/api/chat");
    check(None, &[], "http://127.0.0.1:11434/api/chat");
}

#[test]
fn the_dialect_asked_for_wins_over_the_urls_and_that_over_the_providers() {
    #[track_caller]
    fn check(provider: &str, url: &str, dialect: Option<Dialect>, expected: (Dialect, &str)) {
        let ask = Ask { provider, model: Some("m"), url: Some(url), dialect, ..Ask::default() };
        let target = with(&ask, &[]).unwrap().target;
        assert_eq!((target.dialect, target.url.as_str()), expected);
    }
    let generate = (Dialect::Tgi, "http://h/generate_stream");
    check("tgi", "http://h", Some(Dialect::Tgi), generate);
    check("tgi", "http://h/generate_stream", None, generate);
    check("tgi", "http://h", None, (Dialect::OpenaiChat, "http://h/v1/chat/completions"));
    check("custom", "http://h/v1/completions", None, (Dialect::OpenaiCompletions, "http://h/v1/completions"));
    check("ollama", "http://h", Some(Dialect::OpenaiChat), (Dialect::OpenaiChat, "http://h/v1/chat/completions"));
    check("custom", "http://h/v1/messages", None, (Dialect::Anthropic, "http://h/v1/messages"));
}

#[test]
fn a_dialect_asked_of_a_providers_own_address_has_its_path_there() {
    let url = |dialect| {
        let ask = Ask { provider: "openrouter", dialect: Some(dialect), ..Ask::default() };
        with(&ask, &[("OPENROUTER_API_KEY", "k")]).unwrap().target.url.to_string()
    };
    assert_eq!(url(Dialect::OpenaiCompletions), "https://openrouter.ai/api/v1/completions");
    assert_eq!(url(Dialect::OpenaiEmbeddings), "https://openrouter.ai/api/v1/embeddings");
}

#[test]
fn a_dialect_that_a_provider_does_not_speak_is_refused() {
    let keys = [("CEREBRAS_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k")];
    let ask = |provider, dialect| Ask { provider, model: Some("m"), dialect: Some(dialect), ..Ask::default() };
    assert_snapshot!(refused(&ask("cerebras", Dialect::OpenaiEmbeddings), &keys), @"
    `cerebras` does not speak OpenAI embeddings
    help: ask for `openai-chat` or `openai-completions`, or name the provider `openai-compatible` if it is another server
    ");
    assert_snapshot!(refused(&ask("anthropic", Dialect::OllamaEmbed), &keys), @"
    `anthropic` does not speak Ollama embed
    help: ask for `anthropic`, or name the provider `openai-compatible` if it is another server
    ");
    let url = Some("http://h/generate_stream");
    assert_snapshot!(refused(&Ask { provider: "vllm", url, model: Some("m"), ..Ask::default() }, &[]), @"
    `vllm` does not speak TGI generate
    help: ask for `openai-chat`, `openai-completions`, `openai-embeddings` or `anthropic`, or name the provider `openai-compatible` if it is another server
    ");
    for dialect in Dialect::ALL {
        let generic = Ask { url: Some("http://h"), ..ask("custom", dialect) };
        assert_eq!(with(&generic, &[]).unwrap().target.dialect, dialect);
    }
}

#[test]
fn vectors_are_asked_for_in_the_plainest_words() {
    #[track_caller]
    fn check(provider: &str, dialect: Dialect, expected: &str) {
        let ask =
            Ask { provider, model: Some("m"), url: Some("http://h/v1"), dialect: Some(dialect), ..Ask::default() };
        let target = with(&ask, &[]).unwrap().target;
        assert_eq!((target.url.as_str(), target.encoding), (expected, Encoding::default()));
    }
    check("vllm", Dialect::OpenaiEmbeddings, "http://h/v1/embeddings");
    check("llamacpp", Dialect::OpenaiEmbeddings, "http://h/v1/embeddings");
    check("ollama", Dialect::OllamaEmbed, "http://h/api/embed");
    check("ollama", Dialect::OpenaiEmbeddings, "http://h/v1/embeddings");
    let messages = Ask { provider: "fireworks", dialect: Some(Dialect::Anthropic), ..Ask::default() };
    let target = with(&messages, &[("FIREWORKS_API_KEY", "k")]).unwrap().target;
    assert_eq!(target.url.as_str(), "https://api.fireworks.ai/inference/v1/messages");
    assert!(target.encoding.extra.is_empty() && target.encoding.temperature);
}

#[test]
fn engines_have_their_metrics_at_their_root() {
    #[track_caller]
    fn check(provider: &str, url: &str, expected: Option<&str>) {
        let ask = Ask { provider, model: Some("m"), url: Some(url), ..Ask::default() };
        let found = with(&ask, &[("GROQ_API_KEY", "k")]).unwrap().target.metrics_url;
        assert_eq!(found.as_ref().map(Url::as_str), expected);
    }
    check("vllm", "http://gpu:8000", Some("http://gpu:8000/metrics"));
    check("vllm", "http://gpu:8000/v1/", Some("http://gpu:8000/metrics"));
    check("vllm", "https://gate/team/v1/completions", Some("https://gate/team/metrics"));
    check("sglang", "http://gpu:30000/v1/embeddings", Some("http://gpu:30000/metrics"));
    check("tgi", "http://gpu/generate_stream", Some("http://gpu/metrics"));
    check("llamacpp", "gpu:8080", Some("http://gpu:8080/metrics"));
    check("ollama", "http://gpu:11434", None);
    check("lmstudio", "http://gpu:1234", None);
    check("groq", "https://api.groq.com", None);
    check("custom", "http://gpu:8000/v1", None);
}

#[test]
fn the_key_comes_from_the_first_set_variable_and_is_trimmed() {
    #[track_caller]
    fn check(provider: &str, name: Option<&str>, variables: &[(&str, &str)], expected: Option<(&str, &str)>) {
        let name = name.map(|name| name.parse().unwrap());
        let ask = Ask { provider, name, url: Some("http://127.0.0.1:1"), model: Some("m"), ..Ask::default() };
        let found = with(&ask, variables).unwrap();
        let key = found.key.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!(found.target.key_variable.as_deref().zip(key), expected);
        assert_eq!(found.target.auth == AuthScheme::None, expected.is_none());
    }
    check("gemini", None, &[("GEMINI_API_KEY", "g"), ("GOOGLE_API_KEY", "go")], Some(("GOOGLE_API_KEY", "go")));
    check("gemini", None, &[("GEMINI_API_KEY", " g\n"), ("GOOGLE_API_KEY", " ")], Some(("GEMINI_API_KEY", "g")));
    check("vllm", None, &[], None);
    check(
        "vllm",
        Some("my-vllm.2"),
        &[("MY_VLLM_2_API_KEY", "k"), ("VLLM_API_KEY", "v")],
        Some(("MY_VLLM_2_API_KEY", "k")),
    );
    check("custom", Some("a"), &[("B_API_KEY", "b"), ("A_API_KEY", "a")], Some(("A_API_KEY", "a")));
}

#[test]
fn a_targets_name_does_not_take_another_providers_key_along() {
    let name = Some("openai".parse().unwrap());
    let ask = Ask { provider: "custom", name, url: Some("https://h"), model: Some("m"), ..Ask::default() };
    assert!(with(&ask, &[("OPENAI_API_KEY", "canary")]).unwrap().key.is_none());
}

#[test]
fn errors_say_what_to_do_next() {
    let ask = |provider| Ask { provider, ..Ask::default() };
    assert_snapshot!(refused(&ask("groq"), &[]), @"
    `groq` needs a key, and `GROQ_API_KEY` is not set
    help: get one at https://console.groq.com/keys, then `export GROQ_API_KEY=…`
    ");
    assert_snapshot!(refused(&ask("gemini"), &[("GEMINI_API_KEY", " ")]), @"
    `gemini` needs a key, and `GOOGLE_API_KEY` or `GEMINI_API_KEY` is not set
    help: get one at https://aistudio.google.com/apikey, then `export GOOGLE_API_KEY=…`
    ");
    assert_snapshot!(refused(&ask("vllm"), &[]), @"
    no model was named for `vllm`
    help: name one with `--model ID`; `speed-kings list vllm` shows what it serves
    ");
    assert_snapshot!(refused(&ask("openai-compat"), &[]), @"
    `openai-compatible` has no URL
    help: give one with `--url URL`, or set `OPENAI_COMPATIBLE_URL`
    ");
    assert_snapshot!(refused(&ask("groq"), &[("GROQ_API_KEY", "sk-canary\nx")]), @"
    the key in `GROQ_API_KEY` holds characters that no key has
    help: set `GROQ_API_KEY` again, without line breaks, quotes around it or other text
    ");
    assert_snapshot!(refused(&Ask { model: Some("a\u{1b}[2Jb"), ..ask("vllm") }, &[]), @"
    `a[2Jb` cannot be a model's id
    help: use the id as the provider lists it: at most 256 characters, none of them control characters
    ");
    assert_snapshot!(refused(&Ask { url: Some("https://u:canary@h"), ..ask("groq") }, &[]), @"
    `https://h`, the URL given, cannot be asked: it holds a user name or password
    help: leave it out, and put the key in the provider's environment variable
    ");
    assert_snapshot!(refused(&ask("vllm"), &[("VLLM_URL", "unix:/run/vllm.sock")]), @"
    `unix:/run/vllm.sock`, from `VLLM_URL`, cannot be asked: `unix` is neither http nor https
    help: write it like `http://127.0.0.1:8000/v1` or `https://api.example.com/v1`
    ");
}

#[test]
fn a_key_is_needed_anywhere_but_on_this_machine() {
    let ask = |url| Ask { provider: "groq", url: Some(url), ..Ask::default() };
    assert!(with(&ask("http://127.0.0.1:8000"), &[]).is_ok());
    assert!(matches!(with(&ask("https://gateway.example"), &[]), Err(ProviderError::MissingKey { .. })));
    assert!(matches!(with(&ask("https://api.groq.com"), &[]), Err(ProviderError::MissingKey { .. })));
}

#[test]
fn a_target_is_called_as_asked_or_by_its_provider() {
    let name = Some("fast-one".parse().unwrap());
    let named = Ask { provider: "local", name, model: Some("m"), ..Ask::default() };
    assert_eq!(with(&named, &[]).unwrap().target.name.as_str(), "fast-one");
    let unnamed = Ask { provider: "local", model: Some("m"), ..Ask::default() };
    assert_eq!(with(&unnamed, &[]).unwrap().target.name.as_str(), "ollama");
}

#[test]
fn readiness_names_what_is_missing() {
    let ready = |id: &str, variables: &[(&str, &str)]| readiness(find(id).unwrap(), &holding(variables));
    assert_eq!(ready("groq", &[]), Readiness::MissingKey { variables: &["GROQ_API_KEY"] });
    assert_eq!(ready("groq", &[("GROQ_API_KEY", "k")]), Readiness::Ready);
    assert_eq!(ready("custom", &[]), Readiness::NeedsUrl);
    assert_eq!(ready("custom", &[("OPENAI_COMPATIBLE_URL", "http://h")]), Readiness::Ready);
    for provider in registry().iter().filter(|p| matches!(p.kind, Kind::Engine | Kind::Local)) {
        assert_eq!(ready(provider.id, &[]), Readiness::Ready, "{}", provider.id);
    }
}
