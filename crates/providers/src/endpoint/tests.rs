use proptest::prelude::*;

use super::*;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[track_caller]
fn check(base: &str, dialect: Dialect, expected: &str) {
    assert_eq!(join(&url(base), dialect).as_str(), expected);
}

#[test]
fn a_root_a_versioned_root_and_a_full_endpoint_mean_the_same() {
    for base in [
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8000/",
        "http://127.0.0.1:8000/v1",
        "http://127.0.0.1:8000/v1/",
        "http://127.0.0.1:8000/v1/chat/completions",
        "http://127.0.0.1:8000/v1/chat/completions/",
    ] {
        check(base, Dialect::OpenaiChat, "http://127.0.0.1:8000/v1/chat/completions");
    }
}

#[test]
fn each_dialect_has_its_own_path() {
    let base = "http://h/v1";
    check(base, Dialect::OpenaiCompletions, "http://h/v1/completions");
    check(base, Dialect::Anthropic, "http://h/v1/messages");
    check(base, Dialect::Tgi, "http://h/generate_stream");
    check(base, Dialect::OllamaChat, "http://h/api/chat");
    check(base, Dialect::OllamaGenerate, "http://h/api/generate");
}

#[test]
fn a_version_anywhere_in_the_path_is_enough() {
    check("https://h/v1beta/openai", Dialect::OpenaiChat, "https://h/v1beta/openai/chat/completions");
    check(
        "https://h/v1/account/gateway/groq",
        Dialect::OpenaiChat,
        "https://h/v1/account/gateway/groq/chat/completions",
    );
    check("https://h/api/paas/v4", Dialect::OpenaiChat, "https://h/api/paas/v4/chat/completions");
    check("https://h/vllm", Dialect::OpenaiChat, "https://h/vllm/v1/chat/completions");
}

#[test]
fn a_full_endpoint_stays_as_it_is_for_its_own_dialect() {
    check("https://h/groq/chat/completions", Dialect::OpenaiChat, "https://h/groq/chat/completions");
    check("https://h/x/generate_stream", Dialect::Tgi, "https://h/x/generate_stream");
}

#[test]
fn a_full_endpoint_of_another_dialect_is_exchanged() {
    check("http://h/v1/chat/completions", Dialect::OpenaiCompletions, "http://h/v1/completions");
    check("http://h/v1/completions", Dialect::OpenaiChat, "http://h/v1/chat/completions");
    check("http://h/api/chat", Dialect::OpenaiChat, "http://h/v1/chat/completions");
    check("http://h/v1/chat/completions", Dialect::OllamaChat, "http://h/api/chat");
}

#[test]
fn a_query_is_kept_and_a_fragment_dropped() {
    check(
        "https://h/openai/v1?api-version=2026-01-01#top",
        Dialect::OpenaiChat,
        "https://h/openai/v1/chat/completions?api-version=2026-01-01",
    );
}

#[track_caller]
fn check_models(endpoint: &str, expected: &str) {
    let endpoint = url(endpoint);
    let dialect = dialect_of(&endpoint).unwrap();
    assert_eq!(models_url(&endpoint, dialect).as_str(), expected);
}

#[test]
fn models_are_listed_beside_the_endpoint() {
    check_models("https://api.groq.com/openai/v1/chat/completions", "https://api.groq.com/openai/v1/models");
    check_models("http://h/v1/completions", "http://h/v1/models");
    check_models("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/models");
    check_models("http://h:3000/generate_stream", "http://h:3000/v1/models");
    check_models("http://h:11434/api/chat", "http://h:11434/api/tags");
    check_models("http://h:11434/api/generate", "http://h:11434/api/tags");
    check_models("http://h:11434/api/embed", "http://h:11434/api/tags");
    check_models("http://h:8000/v1/embeddings", "http://h:8000/v1/models");
}

#[track_caller]
fn check_read(text: &str, default: &str, expected: &str) {
    assert_eq!(read_base(text, Url::parse(default).ok().as_ref()).map(String::from).as_deref(), Ok(expected));
}

#[test]
fn a_base_without_a_scheme_is_plain_on_this_machine_and_as_usual_elsewhere() {
    check_read("localhost:9000", "https://api.groq.com/openai/v1", "http://localhost:9000/");
    check_read("127.0.0.1:9000/v1", "https://api.groq.com/openai/v1", "http://127.0.0.1:9000/v1");
    check_read("[::1]:9000", "", "http://[::1]:9000/");
    check_read("gateway.example", "https://api.groq.com/openai/v1", "https://gateway.example/");
    check_read("gpu-box:8001", "http://127.0.0.1:8000/v1", "http://gpu-box:8001/");
}

#[test]
fn a_base_without_scheme_and_port_takes_the_usual_port() {
    check_read("gpu-box", "http://127.0.0.1:11434", "http://gpu-box:11434/");
    check_read("[::1]", "http://127.0.0.1:11434", "http://[::1]:11434/");
    check_read("gpu-box:80", "http://127.0.0.1:11434", "http://gpu-box/");
    check_read("http://gpu-box", "http://127.0.0.1:11434", "http://gpu-box/");
}

#[test]
fn an_address_that_means_all_interfaces_becomes_this_machine() {
    check_read("0.0.0.0:11434", "http://127.0.0.1:11434", "http://127.0.0.1:11434/");
    check_read("0.0.0.0", "http://127.0.0.1:11434", "http://127.0.0.1:11434/");
    check_read("http://[::]:8000", "", "http://[::1]:8000/");
}

#[test]
fn the_providers_own_host_without_its_path_means_its_own_base() {
    let groq = "https://api.groq.com/openai/v1";
    check_read("https://api.groq.com", groq, groq);
    check_read("https://api.groq.com/openai/", groq, groq);
    check_read("api.groq.com", groq, groq);
    check_read("https://api.groq.com/openai/v2", groq, "https://api.groq.com/openai/v2");
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    assert_eq!(read_base(text, None).unwrap_err().why, expected);
}

#[test]
fn what_cannot_be_asked_or_holds_a_secret_is_refused() {
    check_refused("ftp://h/x", "`ftp` is neither http nor https");
    check_refused("file:///etc/passwd", "`file` is neither http nor https");
    check_refused("https://user:canary@h/v1", "it holds a user name or password");
    check_refused("https://canary@h/v1", "it holds a user name or password");
    check_refused("user:canary@h", "`user` is neither http nor https");
    check_refused("https://h/v1?key=canary", "its query holds a key, `key`");
    check_refused("https://h/v1?x=1&Api_Key=canary", "its query holds a key, `Api_Key`");
    check_refused("", "relative URL without a base");
    check_refused("http://", "empty host");
    check_refused("localhost:99999", "invalid port number");
}

#[test]
fn what_is_shown_of_a_url_holds_no_secret() {
    for (text, expected) in [
        ("https://user:canary@h:x/v1?key=canary#canary", "https://h:x/v1"),
        ("user:canary@h", "h"),
        ("http://a@b:canary@h", "http://h"),
        ("ht\u{1b}[2Jtp://h", "ht[2Jtp://h"),
    ] {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn this_machine_is_known_by_its_names() {
    for (text, expected) in [
        ("http://127.0.0.1:1", true),
        ("http://127.9.9.9", true),
        ("http://[::1]", true),
        ("http://localhost:8000", true),
        ("http://groq.localhost", true),
        ("http://localhost.example", false),
        ("http://10.0.0.1", false),
    ] {
        assert_eq!(is_loopback(&url(text)), expected, "{text}");
    }
}

#[test]
fn a_providers_own_host_is_not_asked_unencrypted() {
    let groq = Url::parse("https://api.groq.com/openai/v1").unwrap();
    let refusal = read_base("http://api.groq.com/openai/v1", Some(&groq)).unwrap_err();
    assert_eq!(refusal.why, "keys and prompts would go unencrypted");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9:/@.\\[\\]?=#%\\-]{0,40}|.{0,40}") {
        let default = Url::parse("https://api.groq.com/openai/v1").unwrap();
        if let Ok(url) = read_base(&text, Some(&default)) {
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.has_host());
            prop_assert!(url.username().is_empty() && url.password().is_none());
        }
    }

    #[test]
    fn joining_twice_changes_nothing(path in "(/[a-z0-9]{1,8}){0,4}/?", first in 0..6_usize, then in 0..6_usize) {
        let base = url(&format!("http://h{path}"));
        let [first, then] = [ROUTES[first].dialect, ROUTES[then].dialect];
        let joined = join(&base, first);
        prop_assert_eq!(join(&joined, first), joined.clone());
        prop_assert_eq!(dialect_of(&join(&joined, then)), Some(then));
    }
}
