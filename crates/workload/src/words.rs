//! Text made up of ordinary words, so many tokens long.
//!
//! Tokenizers have tokens of their own for common words with the space before them. So a text of `n` such words is
//! `n` tokens, and one need not tokenise to write it; that a tokenizer really counts so is tried out beforehand.

use crate::random::{Purpose, Stream};
use crate::tokenizer::Tokenizer;

/// Words that the tokenizers of SmolLM2, Mistral 7B and Tekken (later Mistral models) each know as one token.
const WORDS: &str = include_str!("../data/words.txt");

/// Ends a prompt, so that a model has something to do.
const TASK: &str = "\n\nTell a long story in which these words occur.";

/// Tokens of [`TASK`] where they cannot be counted; those of the tokenizers above say 11 to 12.
const TASK_TOKENS: u32 = 11;

/// Fewer words than these make texts too much alike.
const FEWEST_WORDS: usize = 100;

/// What texts are made of.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    /// Each one token after another word.
    following: Vec<&'static str>,
    /// Those that are one token also where a text begins.
    opening: Vec<&'static str>,
    /// Tokens of [`TASK`] after a word; `None` where that depends on the word.
    task_tokens: Option<u32>,
    /// Tokens a word: 1 but for tokenizers that know too few.
    tokens_per_word: f64,
    /// Whether a tokenizer found texts to be exactly as long as they were meant to be.
    is_exact: bool,
}

impl Words {
    /// Where there is no tokenizer: each word counts as a token.
    pub(crate) fn uncounted() -> Self {
        let words: Vec<_> = WORDS.split_whitespace().collect();
        Self {
            opening: words.clone(),
            following: words,
            task_tokens: Some(TASK_TOKENS),
            tokens_per_word: 1.0,
            is_exact: false,
        }
    }

    /// Those of which `tokenizer` makes one token each. Where it knows too few of them, or counts otherwise once they
    /// stand in a row, texts are only about as long as they are meant to be, by its tokens per word.
    pub(crate) fn counted_by(tokenizer: &Tokenizer) -> Self {
        let all = Self::uncounted();
        let words = whole(&all.following, tokenizer);
        let opening: Vec<_> = words.iter().copied().filter(|word| tokenizer.count(word) == 1).take(300).collect();
        let enough = words.len() >= FEWEST_WORDS && !opening.is_empty();
        let task_tokens = enough.then(|| task_tokens(&words, tokenizer)).flatten();
        let words = Self { following: words, opening, task_tokens, tokens_per_word: 1.0, is_exact: true };
        if enough && words.are_counted_so_by(tokenizer) { words } else { all.weighed_by(tokenizer) }
    }

    /// Whether texts are exactly as long as they are meant to be.
    pub(crate) const fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Takes back that they are.
    pub(crate) const fn mistrust(&mut self) {
        self.is_exact = false;
    }

    /// Puts `tokens` tokens behind what is there, which ends with a word or is empty.
    pub(crate) fn append(&self, text: &mut String, tokens: u32, stream: &mut Stream) {
        let words = self.words_for(tokens);
        text.reserve(words as usize * 8);
        for _ in 0..words {
            let choice = if text.is_empty() {
                &self.opening
            } else {
                text.push(' ');
                &self.following
            };
            let word: &&str = stream.one_of(choice);
            text.push_str(word);
        }
    }

    /// A prompt of `tokens` tokens; it ends with a task when there is room for one.
    pub(crate) fn prompt(&self, tokens: u32, stream: &mut Stream) -> String {
        let mut text = String::new();
        match self.task_tokens {
            Some(task) if tokens >= task.saturating_mul(2) => {
                self.append(&mut text, tokens - task, stream);
                text.push_str(TASK);
            }
            _ => self.append(&mut text, tokens, stream),
        }
        text
    }

    /// Any of them.
    pub(crate) fn any(&self) -> &'static str {
        self.opening[0]
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    fn words_for(&self, tokens: u32) -> u32 {
        (f64::from(tokens) / self.tokens_per_word).round().max(1.0) as u32
    }

    fn are_counted_so_by(&self, tokenizer: &Tokenizer) -> bool {
        [1, 2, 3, 5, 17, 40, 333, 1500].into_iter().all(|tokens| {
            let text = self.prompt(tokens, &mut Stream::of(0, Purpose::Sample, u64::from(tokens)));
            tokenizer.count(&text) == tokens as usize
        })
    }

    /// With the tokens per word that `tokenizer` says.
    fn weighed_by(self, tokenizer: &Tokenizer) -> Self {
        let tokens = tokenizer.count(&self.following.join(" "));
        let tokens_per_word = tokens as f64 / self.following.len() as f64;
        // None of today's counts several words as one; what says so must not make texts endless.
        let tokens_per_word = tokens_per_word.max(0.5);
        let task_tokens = u32::try_from(tokenizer.count(TASK)).ok().filter(|tokens| *tokens > 0);
        Self { task_tokens, tokens_per_word, ..self }
    }
}

/// Those that are one token with the space before them, in the middle of a text.
fn whole(words: &[&'static str], tokenizer: &Tokenizer) -> Vec<&'static str> {
    let mut pieces = tokenizer.pieces(&words.join(" ")).into_iter().peekable();
    let mut end = 0;
    let is_whole = |word: &&&str| {
        end += word.len();
        let ends: Vec<_> =
            std::iter::from_fn(|| pieces.next_if(|piece| piece.start < end)).map(|piece| piece.end).collect();
        let is_whole = ends == [end];
        // The space.
        end += 1;
        is_whole
    };
    words.iter().filter(is_whole).copied().collect()
}

/// Tokens of [`TASK`], when they are as many after each of some words.
fn task_tokens(words: &[&str], tokenizer: &Tokenizer) -> Option<u32> {
    let after = |word: &&str| tokenizer.count(&format!("{word}{TASK}")).checked_sub(tokenizer.count(word));
    let mut counts = words.iter().step_by(words.len().div_ceil(16).max(1)).map(after);
    let first = counts.next()??;
    counts.all(|count| count == Some(first)).then_some(())?;
    u32::try_from(first).ok().filter(|tokens| *tokens > 0)
}

#[cfg(test)]
pub(crate) mod tests;
