//! What is asked, request by request.

use std::borrow::Cow;
use std::sync::Arc;

use schema::plan::Prompt;

use crate::order::choose;
use crate::tokenizer::Tokenizer;

/// What one request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked<'a> {
    /// Which prompt of the set, or of the trace; the request's index where each prompt is made for its request.
    pub number: u32,
    /// What is asked.
    pub prompt: Cow<'a, Prompt>,
    /// How long the answer may be, in tokens.
    pub max_tokens: u32,
}

/// All that a run may ask. Never empty; cheap to clone.
#[derive(Debug, Clone)]
pub struct Prompts {
    pub(crate) set: Arc<[Prompt]>,
    pub(crate) max_tokens: u32,
    pub(crate) tokenizer: Option<Arc<Tokenizer>>,
    pub(crate) notes: Vec<String>,
}

impl Prompts {
    /// What request `index` asks: a pure function of both numbers, whoever calls, in whatever order.
    ///
    /// Prompts of a set come in rounds, each prompt once a round (see [`choose`]).
    pub fn pick(&self, seed: u64, index: u64) -> Picked<'_> {
        self.of_set(choose(self.set.len(), seed, index))
    }

    /// Different requests there are: how many can be encoded before the run. `None`: each is made when it is
    /// [picked](Self::pick).
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> Option<u32> {
        u32::try_from(self.set.len()).ok()
    }

    /// What [`pick`](Self::pick) gives whenever it gives this number; `None` from [`len`](Self::len) on, and where
    /// each request is made when it is picked.
    pub fn at(&self, number: u32) -> Option<Picked<'_>> {
        (number < self.len()?).then(|| self.of_set(number as usize))
    }

    /// Counts tokens as the model does, where there is one.
    pub fn tokenizer(&self) -> Option<&Arc<Tokenizer>> {
        self.tokenizer.as_ref()
    }

    /// What a person should know about these prompts: a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn of_set(&self, number: usize) -> Picked<'_> {
        let prompt = &self.set[number];
        Picked {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            prompt: Cow::Borrowed(prompt),
            max_tokens: prompt.max_tokens.unwrap_or(self.max_tokens),
        }
    }
}
