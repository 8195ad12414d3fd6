//! What is asked, request by request.

use std::borrow::Cow;
use std::sync::Arc;

use schema::plan::{Images, Memory, Prompt};

use crate::images::pictures;
use crate::lengths::Drawn;
use crate::memory;
use crate::order::choose;
use crate::prefix::Prefixes;
use crate::random::{Purpose, Stream};
use crate::tokenizer::Tokenizer;
use crate::trace::{BLOCK_TOKENS, Trace, TraceEntry};
use crate::words::Words;

/// What one request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked<'a> {
    /// Which prompt of the set, or which request of the trace; the request's own index where prompts are made up.
    pub number: u32,
    /// What is asked.
    pub prompt: Cow<'a, Prompt>,
    /// How long the answer may be, in tokens.
    pub max_tokens: u32,
}

/// All that a run may ask. Never empty; cheap to clone.
#[derive(Debug, Clone)]
pub struct Prompts {
    pub(crate) made: Arc<Made>,
    pub(crate) tokenizer: Option<Arc<Tokenizer>>,
    pub(crate) notes: Vec<String>,
}

/// How prompts come about.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) base: Base,
    pub(crate) words: Words,
    pub(crate) prefixes: Option<Prefixes>,
    pub(crate) images: Option<Images>,
    pub(crate) outputs: Option<Drawn>,
    pub(crate) max_tokens: u32,
}

/// What prompts are made of before anything is put before or beside them.
#[derive(Debug)]
pub(crate) enum Base {
    /// Never empty.
    Set(Vec<Prompt>),
    /// Made up; all of `turns` turns are drawn from the same lengths.
    Synthetic { lengths: Drawn, turns: u32 },
    /// Made up, as long as a trace says, or `usual` where it does not; `answers`: those are as long as it says, too.
    Trace { trace: Arc<Trace>, usual: u32, answers: bool },
    /// Facts told and asked for.
    Memory { memory: Memory, turns: u32 },
}

impl Prompts {
    /// What request `index` asks: a pure function of both numbers, whoever calls, in whatever order. `seed` is the one
    /// that the prompts were prepared with.
    ///
    /// Prompts of a set come in rounds, each prompt once a round (see [`choose`]); those of a trace in its order, and
    /// from its beginning again after its end. Nothing is tokenised here; pictures are what takes the most
    /// time.
    pub fn pick(&self, seed: u64, index: u64) -> Picked<'_> {
        let made = &*self.made;
        let Picked { number, mut prompt, .. } = made.base_of(seed, index);
        if let Some(prefixes) = &made.prefixes {
            let is_made_up = !matches!(made.base, Base::Set(_) | Base::Memory { .. });
            put_before(prompt.to_mut(), &prefixes.of(&made.words, seed, index), is_made_up);
            let tokens = &mut prompt.to_mut().tokens;
            *tokens = tokens.filter(|_| made.words.is_exact()).map(|tokens| tokens.saturating_add(prefixes.tokens()));
        }
        if let Some(images) = made.images {
            prompt.to_mut().images.extend(pictures(images, seed, index));
        }
        let drawn = || made.outputs.as_ref().map(|outputs| outputs.draw(&mut of(seed, Purpose::OutputLength, index)));
        let max_tokens = prompt.max_tokens.or_else(drawn).unwrap_or(made.max_tokens);
        Picked { number, prompt, max_tokens }
    }

    /// Different requests there are: how many can be encoded before the run. `None`: each is made when it is
    /// [picked](Self::pick).
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> Option<u32> {
        let set = self.made.whole_requests()?;
        u32::try_from(set.len()).ok()
    }

    /// What [`pick`](Self::pick) gives whenever it gives this number; `None` from [`len`](Self::len) on, and where
    /// each request is made when it is picked.
    pub fn at(&self, number: u32) -> Option<Picked<'_>> {
        let prompt = self.made.whole_requests()?.get(number as usize)?;
        let max_tokens = prompt.max_tokens.unwrap_or(self.made.max_tokens);
        Some(Picked { number, prompt: Cow::Borrowed(prompt), max_tokens })
    }

    /// Counts tokens as the model does, where there is one.
    pub fn tokenizer(&self) -> Option<&Arc<Tokenizer>> {
        self.tokenizer.as_ref()
    }

    /// What a person should know about these prompts: a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Made {
    /// The set, where nothing differs between two requests that have the same prompt of it.
    fn whole_requests(&self) -> Option<&[Prompt]> {
        match &self.base {
            Base::Set(set) if self.prefixes.is_none() && self.images.is_none() && self.outputs.is_none() => Some(set),
            _ => None,
        }
    }

    fn base_of(&self, seed: u64, index: u64) -> Picked<'_> {
        let (number, prompt) = match &self.base {
            Base::Set(set) => {
                let number = choose(set.len(), seed, index);
                (number as u64, Cow::Borrowed(&set[number]))
            }
            Base::Synthetic { lengths, turns } => (index, Cow::Owned(self.synthetic(lengths, *turns, seed, index))),
            Base::Memory { memory, turns } => {
                (index, Cow::Owned(memory::prompt(memory::script(*memory, *turns, seed, index))))
            }
            Base::Trace { trace, usual, answers } => {
                let number = index % trace.entries().len() as u64;
                let entry = &trace.entries()[usize::try_from(number).expect("it is below a length")];
                let prompt = self.as_traced(entry, *usual, seed, index);
                (number, Cow::Owned(Prompt { max_tokens: prompt.max_tokens.filter(|_| *answers), ..prompt }))
            }
        };
        Picked { number: u32::try_from(number).unwrap_or(u32::MAX), prompt, max_tokens: self.max_tokens }
    }

    fn synthetic(&self, lengths: &Drawn, turns: u32, seed: u64, index: u64) -> Prompt {
        let tokens = lengths.draw(&mut of(seed, Purpose::InputLength, index));
        let mut later = of(seed, Purpose::FollowUps, index);
        let follow_up = |_| {
            let tokens = lengths.draw(&mut later);
            self.words.prompt(tokens, &mut later)
        };
        Prompt {
            user: self.words.prompt(tokens, &mut of(seed, Purpose::Text, index)),
            followups: (1..turns).map(follow_up).collect(),
            tokens: self.words.is_exact().then_some(tokens),
            ..Prompt::default()
        }
    }

    /// Equal blocks become equal text, so that prompts which began alike do so again. Text made of blocks has no task
    /// at its end: it would stand where another prompt's block goes on.
    fn as_traced(&self, entry: &TraceEntry, usual: u32, seed: u64, index: u64) -> Prompt {
        let tokens = entry.input_tokens.unwrap_or(usual).max(1);
        let mut own = of(seed, Purpose::Text, index);
        let user = if entry.blocks.is_empty() {
            self.words.prompt(tokens, &mut own)
        } else {
            let (mut text, mut left) = (String::new(), tokens);
            for block in &entry.blocks {
                let part = left.min(BLOCK_TOKENS);
                if part > 0 {
                    self.words.append(&mut text, part, &mut of(seed, Purpose::Block, *block));
                }
                left -= part;
            }
            if left > 0 {
                self.words.append(&mut text, left, &mut own);
            }
            text
        };
        Prompt {
            user,
            max_tokens: entry.output_tokens,
            tokens: self.words.is_exact().then_some(tokens),
            ..Prompt::default()
        }
    }
}

const fn of(seed: u64, purpose: Purpose, index: u64) -> Stream {
    Stream::of(seed, purpose, index)
}

/// What stands between a made-up beginning and a text that is not made up.
pub(crate) const BREAK: &str = "\n\n";

/// Puts `prefix` where the model meets it first.
fn put_before(prompt: &mut Prompt, prefix: &str, is_made_up: bool) {
    let text = prompt.system.as_mut().unwrap_or(&mut prompt.user);
    *text = [prefix, if is_made_up { " " } else { BREAK }, text].concat();
}
