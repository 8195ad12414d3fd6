//! Which engine is played, and the numbers it is played with.

use std::fmt;
use std::str::FromStr;

use schema::units::Nanos;

use crate::error::{NameError, SimError};

/// An engine whose wire formats and manners are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// vLLM 0.32: OpenAI routes, Prometheus metrics, `/tokenize`.
    Vllm,
    /// Text Generation Inference 3.3: its own `/generate_stream` and an OpenAI route.
    Tgi,
    /// Ollama: NDJSON routes and an OpenAI route.
    Ollama,
    /// A plain hosted API: OpenAI routes, and Anthropic's `/v1/messages`.
    OpenAi,
}

impl Engine {
    /// Every engine, in the order help texts list them.
    pub const ALL: [Self; 4] = [Self::Vllm, Self::Tgi, Self::Ollama, Self::OpenAi];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Tgi => "tgi",
            Self::Ollama => "ollama",
            Self::OpenAi => "openai",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Engine {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wanted = text.trim();
        Self::ALL
            .into_iter()
            .find(|engine| engine.name() == wanted)
            .ok_or_else(|| NameError::new(text, "simulated engine", Self::ALL.iter().map(|e| e.name())))
    }
}

/// A small model of an engine: what each step costs and how much fits. One step gives one token to
/// each running sequence; its length is
///
/// ```text
/// (decode_base + decode_per_sequence × running
///    [+ prefill_base + prefill_per_token × prompt tokens read in this step]) × e^(jitter × N(0,1))
/// ```
///
/// The numbers of [`EngineModel::of`] are plausible for an 8-billion-parameter model and chosen to
/// differ visibly; they are no measurement of the engine they are named after.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineModel {
    /// From the request's arrival until it may be scheduled: parsing, tokenising, a gateway.
    pub overhead: Nanos,
    /// Added to a step that reads any prompt at all.
    pub prefill_base: Nanos,
    /// Added for each prompt token a step reads.
    pub prefill_per_token: Nanos,
    /// Prompt tokens one step may read, over all sequences; the rest waits for the next step.
    /// `u32::MAX`: a whole prompt at once, while everyone else waits.
    pub prefill_chunk: u32,
    /// The length of a step however few sequences run.
    pub decode_base: Nanos,
    /// Added for each running sequence.
    pub decode_per_sequence: Nanos,
    /// Sequences that may run at once, at least 1.
    pub max_batch: usize,
    /// Requests that may wait beyond those; the next is refused.
    pub queue_limit: usize,
    /// Tokens (prompt and generated) the KV cache holds over all running sequences. When it is full
    /// requests wait, and the sequence admitted last is put back and later read anew.
    pub kv_tokens: u64,
    /// Prompt and generated tokens one request may have, at most `kv_tokens`.
    pub context: u32,
    /// Sigma of the lognormal factor on each step's length; 0 = none.
    pub jitter: f64,
    /// Tokens sent in one event after the first (vLLM's `--stream-interval`), at least 1.
    pub tokens_per_event: u32,
}

impl EngineModel {
    /// The numbers a profile is played with unless told otherwise.
    #[must_use]
    pub const fn of(engine: Engine) -> Self {
        const fn micros(micros: u64) -> Nanos {
            Nanos(micros * 1_000)
        }
        match engine {
            Engine::Vllm => Self {
                overhead: micros(4_000),
                prefill_base: micros(6_000),
                prefill_per_token: micros(40),
                prefill_chunk: 2_048,
                decode_base: micros(7_000),
                decode_per_sequence: micros(60),
                max_batch: 256,
                queue_limit: 1_024,
                kv_tokens: 160_000,
                context: 32_768,
                jitter: 0.05,
                tokens_per_event: 1,
            },
            Engine::Tgi => Self {
                overhead: micros(6_000),
                prefill_base: micros(9_000),
                prefill_per_token: micros(60),
                prefill_chunk: u32::MAX,
                decode_base: micros(9_000),
                decode_per_sequence: micros(150),
                max_batch: 64,
                queue_limit: 64,
                kv_tokens: 80_000,
                context: 16_384,
                jitter: 0.08,
                tokens_per_event: 1,
            },
            Engine::Ollama => Self {
                overhead: micros(15_000),
                prefill_base: micros(12_000),
                prefill_per_token: micros(300),
                prefill_chunk: 512,
                decode_base: micros(16_000),
                decode_per_sequence: micros(5_000),
                max_batch: 4,
                queue_limit: 512,
                kv_tokens: 32_768,
                context: 8_192,
                jitter: 0.10,
                tokens_per_event: 1,
            },
            Engine::OpenAi => Self {
                overhead: micros(60_000),
                prefill_base: micros(10_000),
                prefill_per_token: micros(15),
                prefill_chunk: 8_192,
                decode_base: micros(5_000),
                decode_per_sequence: micros(10),
                max_batch: 1_024,
                queue_limit: 4_096,
                kv_tokens: 4_000_000,
                context: 131_072,
                jitter: 0.20,
                tokens_per_event: 1,
            },
        }
    }

    pub(crate) fn check(&self) -> Result<(), SimError> {
        let problem = |field, value: String, help| Err(SimError::Model { field, value, help });
        if self.max_batch == 0 {
            return problem("max_batch", "0".to_owned(), "at least one sequence must run");
        }
        if self.tokens_per_event == 0 {
            return problem("tokens_per_event", "0".to_owned(), "an event carries at least one token");
        }
        if self.prefill_chunk == 0 {
            return problem("prefill_chunk", "0".to_owned(), "a step reads at least one prompt token");
        }
        if self.context < 2 || u64::from(self.context) > self.kv_tokens {
            return problem("context", self.context.to_string(), "from 2 tokens up to `kv_tokens`");
        }
        if !(0.0..=2.0).contains(&self.jitter) {
            return problem("jitter", self.jitter.to_string(), "a lognormal sigma from 0 to 2");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_engine() {
        for engine in Engine::ALL {
            assert_eq!(engine.to_string().parse(), Ok(engine));
        }
    }

    #[test]
    fn an_unknown_engine_is_answered_with_the_known_ones() {
        let error = "vlm".parse::<Engine>().unwrap_err();
        assert_eq!(error.to_string(), "`vlm` is no simulated engine");
        assert_eq!(error.choices, "`vllm`, `tgi`, `ollama`, `openai`");
    }

    #[test]
    fn the_profiles_are_possible_engines() {
        for engine in Engine::ALL {
            EngineModel::of(engine).check().unwrap();
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let good = EngineModel::of(Engine::Vllm);
        for bad in [
            EngineModel { max_batch: 0, ..good.clone() },
            EngineModel { context: 200_000, ..good.clone() },
            EngineModel { jitter: f64::NAN, ..good.clone() },
            EngineModel { tokens_per_event: 0, ..good.clone() },
            EngineModel { prefill_chunk: 0, ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
