//! Where on which page what is said.

use serde_json::Value;

use super::Told;
use crate::recognise::{Answer, Probe, Seen};

/// A page, and a JSON pointer into what it says of the model, or of the server.
type Place = (Probe, &'static str);

pub(super) const VERSION: &[Place] = &[
    (Probe::Version, "/version"),
    (Probe::ServerInfo, "/version"),
    (Probe::Info, "/version"),
    (Probe::Props, "/build_info"),
    (Probe::OllamaVersion, "/version"),
];

pub(super) const WEIGHTS: &[Place] = &[
    (Probe::Info, "/model_id"),
    (Probe::Props, "/model_path"),
    (Probe::ModelInfo, "/model_path"),
    (Probe::ServerInfo, "/model_path"),
    (Probe::Models, "/root"),
];

pub(super) const PARAMETERS: &[Place] = &[
    (Probe::Models, "/meta/n_params"),
    (Probe::OllamaLoaded, "/details/parameter_size"),
    (Probe::OllamaTags, "/details/parameter_size"),
];

pub(super) const QUANTIZATION: &[Place] = &[
    (Probe::Models, "/meta/ftype"),
    (Probe::Props, "/model_ftype"),
    (Probe::ServerInfo, "/quantization"),
    (Probe::OllamaLoaded, "/details/quantization_level"),
    (Probe::OllamaTags, "/details/quantization_level"),
    (Probe::LmStudioModels, "/quantization"),
];

/// What the running server takes, not what the model was trained for. vLLM and SGLang call it `max_model_len`, Groq
/// `context_window`, OpenRouter and others `context_length`.
pub(super) const CONTEXT: &[Place] = &[
    (Probe::Props, "/default_generation_settings/n_ctx"),
    (Probe::Info, "/max_total_tokens"),
    (Probe::OllamaLoaded, "/context_length"),
    (Probe::LmStudioModels, "/loaded_context_length"),
    (Probe::Models, "/max_model_len"),
    (Probe::Models, "/context_window"),
    (Probe::Models, "/context_length"),
];

pub(super) const MAX_INPUT: &[Place] = &[(Probe::Info, "/max_input_tokens")];

pub(super) const MAX_OUTPUT: &[Place] =
    &[(Probe::Models, "/max_completion_tokens"), (Probe::Models, "/top_provider/max_completion_tokens")];

pub(super) const AT_ONCE: &[Place] = &[
    (Probe::Props, "/total_slots"),
    (Probe::Info, "/max_concurrent_requests"),
    (Probe::ServerInfo, "/max_running_requests"),
];

/// All answers, and which model is meant.
pub(super) struct Places<'a> {
    seen: Seen<'a>,
    model: &'a str,
}

impl<'a> Places<'a> {
    pub(super) fn new(answers: &'a [(Probe, Answer)], model: &'a str) -> Self {
        Self { seen: Seen::new(answers), model }
    }

    /// The first of `places` where `read` finds something.
    pub(super) fn first<T>(&self, places: &[Place], read: impl Fn(&Value) -> Option<T>) -> Option<Told<T>> {
        places.iter().find_map(|(page, pointer)| {
            let value = read(self.subject(*page)?.pointer(pointer)?)?;
            Some(Told { value, source: page.path() })
        })
    }

    /// Ollama says how much of a loaded model is in a GPU's memory.
    pub(super) fn on_gpu(&self) -> Option<Told<f64>> {
        let loaded = self.subject(Probe::OllamaLoaded)?;
        let bytes = |field: &str| loaded.get(field)?.as_f64();
        let share = bytes("size_vram")? / bytes("size").filter(|size| *size > 0.0)?;
        (0.0..=1.0).contains(&share).then_some(Told { value: share, source: Probe::OllamaLoaded.path() })
    }

    /// The page on which the models are listed.
    pub(super) fn list(&self) -> &'static str {
        let listed = if self.seen.json(Probe::Models).is_some() { Probe::Models } else { Probe::OllamaTags };
        listed.path()
    }

    /// What a page speaks of: lists of models speak of the one that is meant, other pages of their server.
    fn subject(&self, page: Probe) -> Option<&Value> {
        let json = self.seen.json(page)?;
        match page {
            // Some servers have one model and answer to any name.
            Probe::Models => item(json, self.model).or_else(|| only(json)),
            Probe::OllamaTags | Probe::OllamaLoaded | Probe::LmStudioModels => item(json, self.model),
            _ => Some(json),
        }
    }
}

/// The model of that name in a list.
fn item<'a>(list: &'a Value, model: &str) -> Option<&'a Value> {
    // Ollama's name for the one without a tag.
    let latest = format!("{model}:latest");
    let is_meant = |name: &str| name == model || name == latest;
    let named = |item: &&Value| {
        ["id", "name", "model"].iter().any(|field| item.get(field).and_then(Value::as_str).is_some_and(is_meant))
    };
    items(list)?.iter().find(named)
}

fn only(list: &Value) -> Option<&Value> {
    match items(list)?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn items(list: &Value) -> Option<&Vec<Value>> {
    list.get("data").or_else(|| list.get("models")).unwrap_or(list).as_array()
}
