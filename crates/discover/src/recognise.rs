//! Which engine gives these answers?

use schema::text::Untrusted;
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// Models listed of one engine at most.
const MODELS: usize = 1_000;

/// Bytes of a model's id at most.
const MODEL_BYTES: usize = 256;

/// Bytes of a version at most.
const VERSION_BYTES: usize = 64;

/// A path that tells engines apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Probe {
    /// `/v1/models`: everyone's; `owned_by` names vLLM, SGLang and llama.cpp.
    Models,
    /// `/version`: vLLM's.
    Version,
    /// `/model_info`: SGLang's.
    ModelInfo,
    /// `/server_info`: SGLang's, with its version.
    ServerInfo,
    /// `/info`: TGI's.
    Info,
    /// `/props`: llama.cpp's.
    Props,
    /// `/api/v0/models`: LM Studio's.
    LmStudioModels,
    /// `/api/version`: Ollama's.
    OllamaVersion,
    /// `/api/tags`: Ollama's models.
    OllamaTags,
    /// `/api/ps`: the models that Ollama holds in memory. Tells engines apart no better than the others: asked only
    /// about a target.
    OllamaLoaded,
}

impl Probe {
    /// Asked of everyone, and first.
    pub const FIRST: Self = Self::Models;

    /// The path asked for.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Models => "/v1/models",
            Self::Version => "/version",
            Self::ModelInfo => "/model_info",
            Self::ServerInfo => "/server_info",
            Self::Info => "/info",
            Self::Props => "/props",
            Self::LmStudioModels => "/api/v0/models",
            Self::OllamaVersion => "/api/version",
            Self::OllamaTags => "/api/tags",
            Self::OllamaLoaded => "/api/ps",
        }
    }

    /// What is worth asking after the answer to [`Probe::FIRST`]: only the version where that already named
    /// the engine.
    pub fn after(first: &Answer) -> &'static [Self] {
        match owner(first.json().as_ref()).as_deref() {
            Some("vllm") => &[Self::Version],
            Some("sglang") => &[Self::ServerInfo],
            Some("llamacpp") => &[Self::Props],
            _ => &[
                Self::Version,
                Self::ModelInfo,
                Self::ServerInfo,
                Self::Info,
                Self::Props,
                Self::LmStudioModels,
                Self::OllamaVersion,
                Self::OllamaTags,
            ],
        }
    }
}

/// What a server said to one probe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Whether it says that it comes from a simulated engine of ours.
    pub simulated: bool,
    /// The body, bounded by whoever read it.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of a good answer, if it is JSON.
    fn json(&self) -> Option<Value> {
        if self.status == 200 { serde_json::from_slice(&self.body).ok() } else { None }
    }

    fn wants_key(&self) -> bool {
        matches!(self.status, 401 | 403)
    }
}

/// An engine that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The provider's id, as in [`providers::find`].
    pub provider: &'static str,
    /// The server's root, to be given to [`providers::resolve`].
    pub base_url: Url,
    /// The models it serves; empty when it wants a key to tell.
    pub models: Vec<Untrusted>,
    /// What it calls its version.
    pub version: Option<Untrusted>,
    /// What gave it away.
    pub evidence: &'static str,
    /// Whether it wants a key.
    pub needs_key: bool,
    /// Whether it is one of our simulated engines.
    pub simulated: bool,
}

/// What gives an engine away, and where its version is.
struct Tell {
    provider: &'static str,
    evidence: &'static str,
    shows: fn(&Seen) -> bool,
    version: Option<(Probe, &'static str)>,
}

/// Surest first. SGLang stands before Ollama, whose paths it imitates.
const TELLS: &[Tell] = &[
    Tell {
        provider: "vllm",
        evidence: "`/v1/models` says it is owned by `vllm`",
        shows: |seen| seen.owner().as_deref() == Some("vllm"),
        version: Some((Probe::Version, "version")),
    },
    Tell {
        provider: "sglang",
        evidence: "`/v1/models` says it is owned by `sglang`",
        shows: |seen| seen.owner().as_deref() == Some("sglang"),
        version: Some((Probe::ServerInfo, "version")),
    },
    Tell {
        provider: "sglang",
        evidence: "`/model_info` names a model's path",
        shows: |seen| seen.has(Probe::ModelInfo, "model_path") && seen.has(Probe::ModelInfo, "is_generation"),
        version: Some((Probe::ServerInfo, "version")),
    },
    Tell {
        provider: "llamacpp",
        evidence: "`/v1/models` says it is owned by `llamacpp`",
        shows: |seen| seen.owner().as_deref() == Some("llamacpp"),
        version: Some((Probe::Props, "build_info")),
    },
    Tell {
        provider: "llamacpp",
        evidence: "`/props` counts slots",
        shows: |seen| seen.has(Probe::Props, "total_slots"),
        version: Some((Probe::Props, "build_info")),
    },
    Tell {
        provider: "tgi",
        evidence: "`/info` names a token limit and a router",
        shows: |seen| seen.has(Probe::Info, "max_total_tokens") && seen.has(Probe::Info, "router"),
        version: Some((Probe::Info, "version")),
    },
    Tell {
        provider: "lmstudio",
        evidence: "`/api/v0/models` names compatibility types",
        shows: |seen| seen.first_item(Probe::LmStudioModels, "compatibility_type").is_some(),
        version: None,
    },
    Tell {
        provider: "ollama",
        evidence: "`/api/version` answers",
        shows: |seen| seen.has(Probe::OllamaVersion, "version"),
        version: Some((Probe::OllamaVersion, "version")),
    },
    Tell {
        provider: "vllm",
        evidence: "`/version` answers, and `/v1/models` wants a key",
        shows: |seen| seen.wants_key() && seen.has(Probe::Version, "version"),
        version: Some((Probe::Version, "version")),
    },
    Tell {
        provider: "openai-compatible",
        evidence: "`/v1/models` lists models",
        shows: |seen| seen.first_item(Probe::Models, "id").is_some(),
        version: None,
    },
    Tell {
        provider: "openai-compatible",
        evidence: "`/v1/models` wants a key, as OpenAI's does",
        shows: |seen| seen.wants_key_as_openai(),
        version: None,
    },
];

/// The engine at `base_url` that gave `answers`, if they give one away.
pub fn recognise(base_url: &Url, answers: &[(Probe, Answer)]) -> Option<Found> {
    let seen = Seen::new(answers);
    let tell = TELLS.iter().find(|tell| (tell.shows)(&seen))?;
    Some(Found {
        provider: tell.provider,
        base_url: base_url.clone(),
        models: models(answers),
        version: tell.version.and_then(|(probe, field)| seen.version(probe, field)),
        evidence: tell.evidence,
        needs_key: seen.wants_key(),
        simulated: answers.iter().any(|(_, answer)| answer.simulated),
    })
}

/// Ids of the models listed, by the OpenAI list where it can be read, else by Ollama's.
fn models(answers: &[(Probe, Answer)]) -> Vec<Untrusted> {
    let listed = |wanted: Probe| {
        let (_, answer) = answers.iter().find(|(probe, answer)| *probe == wanted && answer.status == 200)?;
        wire::decode_models(&answer.body).ok()
    };
    let ids = listed(Probe::Models).or_else(|| listed(Probe::OllamaTags)).unwrap_or_default();
    let fits = |id: &String| id.len() <= MODEL_BYTES;
    ids.into_iter().filter(fits).take(MODELS).map(|id| Untrusted::bounded(id, MODEL_BYTES)).collect()
}

/// Who owns the first model of an OpenAI list, in lower case.
fn owner(models: Option<&Value>) -> Option<String> {
    Some(models?.get("data")?.get(0)?.get("owned_by")?.as_str()?.to_ascii_lowercase())
}

/// All answers, their JSON read once.
pub(crate) struct Seen<'a> {
    answers: &'a [(Probe, Answer)],
    read: Vec<(Probe, Value)>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(answers: &'a [(Probe, Answer)]) -> Self {
        let read = answers.iter().filter_map(|(probe, answer)| Some((*probe, answer.json()?))).collect();
        Self { answers, read }
    }

    pub(crate) fn json(&self, wanted: Probe) -> Option<&Value> {
        self.read.iter().find(|(probe, _)| *probe == wanted).map(|(_, value)| value)
    }

    fn owner(&self) -> Option<String> {
        owner(self.json(Probe::Models))
    }

    fn has(&self, probe: Probe, field: &str) -> bool {
        self.json(probe).is_some_and(|value| value.get(field).is_some_and(|field| !field.is_null()))
    }

    /// A field of the first item of a list: `{"data": [{…}]}`, or a bare array.
    fn first_item(&self, probe: Probe, field: &str) -> Option<&Value> {
        let list = self.json(probe)?;
        list.get("data").unwrap_or(list).get(0)?.get(field)
    }

    fn version(&self, probe: Probe, field: &str) -> Option<Untrusted> {
        Some(Untrusted::bounded(self.json(probe)?.get(field)?.as_str()?, VERSION_BYTES))
    }

    fn first_answer(&self) -> Option<&Answer> {
        self.answers.iter().find(|(probe, _)| *probe == Probe::FIRST).map(|(_, answer)| answer)
    }

    fn wants_key(&self) -> bool {
        self.first_answer().is_some_and(Answer::wants_key)
    }

    /// A refusal in OpenAI's words, `{"error": {"message": …}}`: any web service may say 401.
    fn wants_key_as_openai(&self) -> bool {
        let refused = self.first_answer().filter(|answer| answer.wants_key());
        let body: Option<Value> = refused.and_then(|answer| serde_json::from_slice(&answer.body).ok());
        body.is_some_and(|body| body.pointer("/error/message").is_some_and(Value::is_string))
    }
}

#[cfg(test)]
pub(crate) mod tests;
