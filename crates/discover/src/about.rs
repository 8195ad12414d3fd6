//! What a target's server says of itself: the configuration it really runs with.
//!
//! ```text
//! target ─▶ its list of models ─▶ where it may be an engine: the pages that this suggests ─▶ About
//! ```
//!
//! Nothing is assumed: what no page said is absent, and what one said stands beside that page. Field names as in the
//! engines' own documentation and in the recorded answers of `tests/data`.

mod place;

use futures_util::future::join_all;
use providers::Kind;
use schema::target::Credentialed;
use schema::text::Untrusted;
use serde_json::Value;
use transport::Connector;
use url::Url;

use crate::models::signed;
use crate::probe::get;
use crate::recognise::{Answer, Probe, recognise};
use place::Places;

/// Bytes of a page at most; the longest known, OpenRouter's list of models, has about one MiB.
const PAGE_BYTES: usize = 4 << 20;

/// Bytes of a value at most.
const VALUE_BYTES: usize = 256;

/// What was said, and by what.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<T> {
    /// What was said.
    pub value: T,
    /// The page that said so, by the path at which engines have it, or in words what gave it away.
    pub source: &'static str,
}

/// What a target's server says of itself and of the model that the target names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// The engine, as in [`providers::find`]: known by what it alone says.
    pub software: Option<Told<&'static str>>,
    /// What it calls its version.
    pub version: Option<Told<Untrusted>>,
    /// What was loaded under the model's name: a repository, a file.
    pub weights: Option<Told<Untrusted>>,
    /// Parameters of the model, as they are counted or called: `134515008`, `8.0B`.
    pub parameters: Option<Told<Untrusted>>,
    /// The form of its weights: `Q4_K_M`, `fp8`.
    pub quantization: Option<Told<Untrusted>>,
    /// Tokens that one request may take, prompt and answer together.
    pub context_length: Option<Told<u64>>,
    /// Tokens of a prompt at most.
    pub max_input: Option<Told<u64>>,
    /// Tokens of an answer at most.
    pub max_output: Option<Told<u64>>,
    /// Requests that it takes in at once.
    pub places: Option<Told<u64>>,
    /// Share of the loaded model that is in a GPU's memory, 0 to 1.
    pub on_gpu: Option<Told<f64>>,
    /// The ids of the models it lists.
    pub models: Option<Told<Vec<Untrusted>>>,
    /// Whether it says that it is one of our simulated engines.
    pub simulated: bool,
}

/// One thing that was said, as a person reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is: `context`.
    pub name: &'static str,
    /// What was said: `131072 tokens`.
    pub value: Untrusted,
    /// By which page.
    pub source: &'static str,
}

/// Asks `target` about itself: its list of models and, where it may be an engine, the pages on which engines tell about
/// themselves, with the target's own key. A page that is not answered within two seconds says nothing; with no answer at
/// all nothing is known.
pub async fn about(connector: &Connector, target: &Credentialed) -> About {
    let Credentialed { target, key } = target;
    let headers = signed(target.headers.clone(), target.auth, key.as_ref());
    let models = providers::models_url(&target.url, target.dialect);
    let (root, first) = root(&models);
    let ask = |question: Probe, url: Url| {
        let headers = &headers;
        async move { Some((question, get(connector, &url, headers, PAGE_BYTES).await?)) }
    };
    let Some((_, listed)) = ask(first, models).await else { return About::default() };
    let more = if is_hosted(&target.provider) { Vec::new() } else { pages(&listed) };
    let more = more.into_iter().filter(|question| *question != first).map(|question| {
        let mut url = root.clone();
        url.set_path(&format!("{}{}", root.path().trim_end_matches('/'), question.path()));
        ask(question, url)
    });
    let more = join_all(more).await;
    let answers: Vec<_> = std::iter::once((first, listed)).chain(more.into_iter().flatten()).collect();
    About::read(&root, &target.model, &answers)
}

/// The root of the server whose list of models is there, and which list that is.
fn root(models: &Url) -> (Url, Probe) {
    let lists = [("/api/tags", Probe::OllamaTags), ("/v1/models", Probe::Models), ("/models", Probe::Models)];
    let mut root = models.clone();
    for (path, list) in lists {
        if let Some(rest) = models.path().strip_suffix(path) {
            root.set_path(rest);
            return (root, list);
        }
    }
    (root, Probe::Models)
}

/// A service on the internet has none of an engine's pages.
fn is_hosted(provider: &str) -> bool {
    providers::find(provider).is_ok_and(|provider| provider.kind == Kind::Hosted)
}

/// Pages worth asking after that list of models.
fn pages(listed: &Answer) -> Vec<Probe> {
    match Probe::after(listed) {
        [one] => vec![*one],
        // It did not say who it is.
        several => several.iter().copied().chain([Probe::Models, Probe::OllamaLoaded]).collect(),
    }
}

impl About {
    /// Reads what the server at `root` said; `model` is the one that is asked for.
    fn read(root: &Url, model: &str, answers: &[(Probe, Answer)]) -> Self {
        let found = recognise(root, answers);
        let places = Places::new(answers, model);
        let engine = found.as_ref().filter(|found| found.provider != "openai-compatible");
        let listed = found.as_ref().map(|found| found.models.clone()).filter(|models| !models.is_empty());
        Self {
            software: engine.map(|found| Told { value: found.provider, source: found.evidence }),
            version: places.first(place::VERSION, text).filter(|_| engine.is_some()),
            weights: places.first(place::WEIGHTS, text),
            parameters: places.first(place::PARAMETERS, text_or_number),
            quantization: places.first(place::QUANTIZATION, text),
            context_length: places.first(place::CONTEXT, above_zero),
            max_input: places.first(place::MAX_INPUT, above_zero),
            max_output: places.first(place::MAX_OUTPUT, above_zero),
            places: places.first(place::AT_ONCE, above_zero),
            on_gpu: places.on_gpu(),
            models: listed.map(|value| Told { value, source: places.list() }),
            simulated: answers.iter().any(|(_, answer)| answer.simulated),
        }
    }

    /// What is known, in the order in which a person asks for it. The list of models is left out.
    pub fn lines(&self) -> Vec<Line> {
        let tokens = |n: &u64| format!("{n} tokens");
        let lines = [
            self.engine(),
            line("weights", self.weights.as_ref(), |text| text.raw().to_owned()),
            line("parameters", self.parameters.as_ref(), |text| text.raw().to_owned()),
            line("quantization", self.quantization.as_ref(), |text| text.raw().to_owned()),
            line("context", self.context_length.as_ref(), tokens),
            line("longest prompt", self.max_input.as_ref(), tokens),
            line("longest answer", self.max_output.as_ref(), tokens),
            line("requests at once", self.places.as_ref(), u64::to_string),
            line("on GPU", self.on_gpu.as_ref(), |share| format!("{:.0} %", share * 100.0)),
        ];
        lines.into_iter().flatten().collect()
    }

    fn engine(&self) -> Option<Line> {
        let software = self.software.as_ref()?;
        let name = providers::find(software.value).map_or(software.value, |provider| provider.name);
        let version = self.version.as_ref().map(|version| format!(" {}", version.value.raw())).unwrap_or_default();
        let value = Untrusted::bounded(format!("{name}{version}"), VALUE_BYTES);
        Some(Line { name: "engine", value, source: self.version.as_ref().map_or(software.source, |told| told.source) })
    }
}

fn line<T>(name: &'static str, told: Option<&Told<T>>, in_words: impl FnOnce(&T) -> String) -> Option<Line> {
    let Told { value, source } = told?;
    Some(Line { name, value: Untrusted::bounded(in_words(value), VALUE_BYTES), source })
}

fn text(value: &Value) -> Option<Untrusted> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(|text| Untrusted::bounded(text, VALUE_BYTES))
}

fn text_or_number(value: &Value) -> Option<Untrusted> {
    text(value).or_else(|| above_zero(value).map(|number| Untrusted::from(number.to_string().as_str())))
}

/// Zero and less stand for no limit, or for nothing known.
fn above_zero(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests;
