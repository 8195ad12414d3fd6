//! What the names of each engine mean.

use std::borrow::Cow;

use schema::metric::Metric;
use schema::server::Counter;

use super::text::Series;
use super::{llamacpp, sglang, tgi, trtllm, vllm};

/// What a series says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Requests being worked on; replicas add up.
    Running,
    /// Requests waiting; replicas add up.
    Waiting,
    /// Share of the KV cache in use; the fullest replica counts.
    KvUsage,
    /// Something that only grows; replicas add up.
    Count(Counter),
    /// One of a histogram's series, in seconds; replicas add up.
    Seconds(Metric),
}

/// One name of an engine's vocabulary, without the engine's prefix.
#[derive(Debug)]
pub(super) struct Name {
    text: &'static str,
    /// Only the series with such a label.
    only: Option<Only>,
    pub(super) meaning: Meaning,
    /// 0 for the best name of a quantity; a name with a higher rank counts only where no better one is exposed.
    pub(super) rank: u8,
}

/// A label that a series must have.
#[derive(Debug)]
struct Only {
    label: &'static str,
    ends_with: &'static str,
}

pub(super) const fn name(text: &'static str, meaning: Meaning) -> Name {
    Name { text, only: None, meaning, rank: 0 }
}

pub(super) const fn count(counter: &'static str, meaning: Counter) -> Name {
    name(counter, Meaning::Count(meaning))
}

pub(super) const fn seconds(histogram: &'static str, meaning: Metric) -> Name {
    name(histogram, Meaning::Seconds(meaning))
}

impl Name {
    /// The same, counting only where no name of a lower rank is exposed.
    pub(super) const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    /// The same, of those series only whose `label` ends so.
    pub(super) const fn only(self, label: &'static str, ends_with: &'static str) -> Self {
        Self { only: Some(Only { label, ends_with }), ..self }
    }

    /// Whether `series`, called `name` without the engine's prefix, is this.
    fn fits(&self, name: &str, series: &Series<'_>) -> bool {
        let own = match self.meaning {
            Meaning::Seconds(_) => name.rsplit_once('_').is_some_and(|(base, part)| base == self.text && is_part(part)),
            _ => name == self.text,
        };
        let label = |only: &Only| series.labels.get(only.label).unwrap_or(Cow::Borrowed(""));
        own && self.only.as_ref().is_none_or(|only| label(only).ends_with(only.ends_with))
    }
}

/// What a histogram's series are called after the histogram's own name.
fn is_part(part: &str) -> bool {
    matches!(part, "bucket" | "sum" | "count")
}

/// An engine and its vocabulary.
#[derive(Debug)]
pub(super) struct Engine {
    /// As samples name it.
    pub(super) name: &'static str,
    /// What its names begin with; a colon may have become an underscore on the way.
    prefix: &'static str,
    names: &'static [Name],
}

static ENGINES: [Engine; 5] = [
    Engine { name: "vllm", prefix: "vllm:", names: vllm::NAMES },
    Engine { name: "sglang", prefix: "sglang:", names: sglang::NAMES },
    Engine { name: "tgi", prefix: "tgi_", names: tgi::NAMES },
    Engine { name: "llamacpp", prefix: "llamacpp:", names: llamacpp::NAMES },
    Engine { name: "trtllm", prefix: "trtllm_", names: trtllm::NAMES },
];

/// The engine that has a metric of this name, and the name without its prefix.
pub(super) fn engine(name: &str) -> Option<(&'static Engine, &str)> {
    ENGINES.iter().find_map(|engine| Some((engine, engine.without_prefix(name)?)))
}

impl Engine {
    fn without_prefix<'a>(&self, name: &'a str) -> Option<&'a str> {
        let stem = &self.prefix[..self.prefix.len() - 1];
        let rest = name.strip_prefix(stem)?;
        rest.strip_prefix('_').or_else(|| self.prefix.ends_with(':').then(|| rest.strip_prefix(':'))?)
    }

    /// All that `series`, called `name` without the prefix, means.
    pub(super) fn meanings<'a>(&self, name: &'a str, series: &'a Series<'a>) -> impl Iterator<Item = &'static Name> {
        self.names.iter().filter(move |entry| entry.fits(name, series))
    }
}
