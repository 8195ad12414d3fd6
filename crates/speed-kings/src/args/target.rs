//! `--target NAME=PROVIDER@URL,model=M`: one target written out in full.

use std::fmt;
use std::str::FromStr;

use schema::target::{Dialect, TargetName};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::config::nearest::nearest;

/// One target as it was asked for. In YAML either the text of the flag or a mapping of the same
/// pieces: `{name: mine, provider: vllm, url: "http://gpu:8000/v1", model: qwen}`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Written")]
pub(crate) struct TargetSpec {
    /// What tables and folders call it; the provider's id where none was given.
    pub(crate) name: Option<TargetName>,
    /// The provider's id.
    pub(crate) provider: String,
    /// Where it is; the provider's own address where none was given.
    pub(crate) address: Option<String>,
    /// The model; the provider's default where none was given.
    pub(crate) model: Option<String>,
    /// The protocol spoken, where neither the provider nor the URL tells it.
    pub(crate) dialect: Option<Dialect>,
    /// Its metrics page, where it is not where the provider's usually is.
    pub(crate) metrics: Option<String>,
}

/// What may follow the URL, each as `,name=value`.
const OPTIONS: [&str; 3] = ["model", "dialect", "metrics"];

/// A target that cannot be read, by the piece that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{piece}; write a target like `mine=vllm@http://gpu:8000/v1,model=qwen`")]
pub(crate) struct TargetError {
    piece: String,
}

fn wrong(piece: impl Into<String>) -> TargetError {
    TargetError { piece: piece.into() }
}

impl FromStr for TargetSpec {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (head, options) = split_options(text.trim())?;
        let (name, place) = split_name(head)?;
        let (provider, address) = match place.split_once('@') {
            Some((provider, address)) => (provider, Some(checked_address(address)?)),
            None => (place, None),
        };
        let provider = provider.trim();
        if provider.is_empty() || !provider.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err(wrong(format!("the provider `{provider}` is not a provider's id")));
        }
        let (mut model, mut dialect, mut metrics) = (None, None, None);
        for (key, value) in options {
            let place = match key {
                "model" => &mut model,
                "dialect" => &mut dialect,
                _ => &mut metrics,
            };
            let before = place.replace(value);
            if before.is_some() {
                return Err(wrong(format!("`{key}` is given twice")));
            }
        }
        let dialect = dialect.map(|text| parse_dialect(&text)).transpose()?;
        let metrics = metrics.map(|text| checked_address(&text)).transpose()?;
        Ok(Self { name, provider: provider.to_owned(), address, model, dialect, metrics })
    }
}

fn parse_dialect(text: &str) -> Result<Dialect, TargetError> {
    let found = Dialect::ALL.iter().find(|dialect| dialect.id() == text).copied();
    found.ok_or_else(|| {
        let names: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.id()).collect();
        wrong(format!("`{text}` is not a dialect, use one of {}", names.join(", ")))
    })
}

/// Options by name, as they were written.
type Pairs = Vec<(&'static str, String)>;

/// Divides `a=vllm@http://x,model=m,n` into its head and its options. A comma that no `word=` follows
/// belongs to what stands before it.
fn split_options(text: &str) -> Result<(&str, Pairs), TargetError> {
    let mut starts: Vec<(usize, &'static str)> = Vec::new();
    for (comma, _) in text.match_indices(',') {
        let Some((word, _)) = text[comma + 1..].split_once('=') else { continue };
        let word = word.trim();
        if let Some(known) = OPTIONS.iter().find(|o| **o == word) {
            starts.push((comma, known));
        } else if starts.is_empty() && !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            let hint = nearest(word, OPTIONS).map_or_else(String::new, |n| format!(", did you mean `{n}`"));
            return Err(wrong(format!("`{word}` is no option of a target{hint}")));
        }
    }
    let head = &text[..starts.first().map_or(text.len(), |(at, _)| *at)];
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let mut options = Vec::new();
    for ((start, key), end) in starts.iter().zip(ends) {
        let value = text[*start..end].split_once('=').map_or("", |(_, value)| value).trim();
        if value.is_empty() {
            return Err(wrong(format!("`{key}=` has no value")));
        }
        options.push((*key, value.to_owned()));
    }
    Ok((head, options))
}

/// Takes `NAME=` off the front. An `=` after the `@` belongs to the URL.
fn split_name(head: &str) -> Result<(Option<TargetName>, &str), TargetError> {
    let before_url = &head[..head.find('@').unwrap_or(head.len())];
    match before_url.find('=') {
        None => Ok((None, head)),
        Some(at) => {
            let name = head[..at].trim();
            let parsed = name.parse().map_err(|_| wrong(format!("the name `{name}` cannot name a target")))?;
            Ok((Some(parsed), &head[at + 1..]))
        }
    }
}

/// An address that can be asked, as it was written.
fn checked_address(text: &str) -> Result<String, TargetError> {
    let text = text.trim();
    if text.contains('@') {
        return Err(wrong("the URL holds an `@`: a user name or password would be kept with the results"));
    }
    let url = Url::parse(text).map_err(|error| wrong(format!("the URL `{text}` is not an address ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("the URL `{text}` does not begin with `http://` or `https://`")));
    }
    Ok(text.to_owned())
}

impl TargetSpec {
    /// A provider at its own address.
    pub(crate) fn of_provider(provider: &str, model: Option<String>) -> Self {
        Self { name: None, provider: provider.to_owned(), address: None, model, dialect: None, metrics: None }
    }
}

impl fmt::Display for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        f.write_str(&self.provider)?;
        if let Some(address) = &self.address {
            write!(f, "@{address}")?;
        }
        if let Some(model) = &self.model {
            write!(f, ",model={model}")?;
        }
        if let Some(dialect) = self.dialect {
            write!(f, ",dialect={}", dialect.id())?;
        }
        if let Some(metrics) = &self.metrics {
            write!(f, ",metrics={metrics}")?;
        }
        Ok(())
    }
}

impl Serialize for TargetSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A target as YAML may write it.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the two spellings to the JSON Schema; reading is done by `EitherSpelling`")]
enum Written {
    /// `NAME=PROVIDER@URL,model=M`.
    Text(String),
    /// The same pieces apart.
    Pieces(Pieces),
}

/// The pieces of a target.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pieces {
    /// What tables and folders call it.
    name: Option<TargetName>,
    /// The provider's id.
    provider: String,
    /// Where it is.
    url: Option<String>,
    /// The model.
    model: Option<String>,
    /// The protocol spoken.
    dialect: Option<Dialect>,
    /// Its metrics page.
    metrics: Option<String>,
}

impl<'de> Deserialize<'de> for TargetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherSpelling)
    }
}

struct EitherSpelling;

impl<'de> Visitor<'de> for EitherSpelling {
    type Value = TargetSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a target such as `mine=vllm@http://gpu:8000/v1,model=qwen`, or a mapping of its pieces")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TargetSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TargetSpec, A::Error> {
        let pieces = Pieces::deserialize(MapAccessDeserializer::new(map))?;
        let checked = |url: Option<String>| url.map(|url| checked_address(&url)).transpose().map_err(A::Error::custom);
        let trimmed = |text: String| text.trim().to_owned();
        let spec = TargetSpec {
            name: pieces.name,
            provider: trimmed(pieces.provider),
            address: checked(pieces.url)?,
            model: pieces.model.map(trimmed),
            dialect: pieces.dialect,
            metrics: checked(pieces.metrics)?,
        };
        match spec.to_string().parse::<TargetSpec>() {
            Ok(read) if read == spec => Ok(spec),
            Ok(_) => Err(A::Error::custom(wrong("an option of a target stands within another piece of it"))),
            Err(error) => Err(A::Error::custom(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, name: Option<&str>, provider: &str, url: Option<&str>, model: Option<&str>) {
        let spec: TargetSpec = text.parse().unwrap();
        assert_eq!(spec.name.as_ref().map(TargetName::as_str), name);
        assert_eq!(spec.provider, provider);
        assert_eq!(spec.address.as_deref(), url);
        assert_eq!(spec.model.as_deref(), model);
        assert_eq!(spec.to_string().parse::<TargetSpec>().unwrap(), spec, "it reads back what it prints");
    }

    #[test]
    fn a_target_is_read_piece_by_piece() {
        reads("a=vllm@http://x:8000/v1,model=q", Some("a"), "vllm", Some("http://x:8000/v1"), Some("q"));
        reads("groq", None, "groq", None, None);
        reads("fast=groq,model=openai/gpt-oss-120b", Some("fast"), "groq", None, Some("openai/gpt-oss-120b"));
        reads("vllm@http://x/v1", None, "vllm", Some("http://x/v1"), None);
        reads("a=b@http://x/v1?k=v,w,model=m,1", Some("a"), "b", Some("http://x/v1?k=v,w"), Some("m,1"));
        reads("a=b@http://x/v1,dialect=ollama-chat,model=m", Some("a"), "b", Some("http://x/v1"), Some("m"));
        reads("a=b@http://x/v1,model=acc/m=2", Some("a"), "b", Some("http://x/v1"), Some("acc/m=2"));
    }

    #[track_caller]
    fn refuses(text: &str, piece: &str) {
        let error = text.parse::<TargetSpec>().unwrap_err().to_string();
        assert!(error.contains(piece), "{error}");
    }

    #[test]
    fn a_wrong_target_names_the_piece() {
        refuses("a b=vllm@http://x", "the name `a b`");
        refuses("a=@http://x", "the provider ``");
        refuses("a=vl lm@http://x", "the provider `vl lm`");
        refuses("a=vllm@x:8000", "the URL `x:8000`");
        refuses("a=vllm@ftp://x", "does not begin with `http://`");
        refuses("a=vllm@http://u:p@x", "user name or password");
        refuses("a=vllm@http://x,modle=m", "`modle` is no option of a target, did you mean `model`");
        refuses("a=vllm@http://x,model=", "`model=` has no value");
        refuses("a=vllm@http://x,dialect=grpc", "`grpc` is not a dialect, use one of openai-chat");
        refuses("a=vllm@http://x,model=a,model=b", "`model` is given twice");
    }

    #[test]
    fn pieces_that_cannot_stand_together_are_refused() {
        let read = |pieces| serde_json::from_value::<TargetSpec>(pieces).map_err(|error| error.to_string());
        let refuses = |pieces, piece: &str| assert!(read(pieces).unwrap_err().contains(piece));
        refuses(serde_json::json!({ "provider": "vl lm" }), "the provider `vl lm`");
        refuses(serde_json::json!({ "provider": "vllm", "model": "" }), "`model=` has no value");
        refuses(serde_json::json!({ "provider": "vllm", "model": "a,model=b" }), "`model` is given twice");
        refuses(serde_json::json!({ "provider": "vllm", "model": "a,dialect=tgi" }), "within another piece");
        let spec = read(serde_json::json!({ "provider": "vllm", "model": " a " })).unwrap();
        assert_eq!(spec.model.as_deref(), Some("a"));
    }

    #[test]
    fn a_refused_address_with_a_password_does_not_repeat_it() {
        let error = "a=vllm@http://me:canary@x".parse::<TargetSpec>().unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}
