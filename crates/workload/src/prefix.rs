//! Beginnings that requests share.

use std::borrow::Cow;

use schema::plan::SharedPrefix;

use crate::error::WorkloadError;
use crate::random::{Purpose, Stream};
use crate::words::Words;

/// More tokens in all beginnings together are refused: they are kept in memory.
const MAX_TOKENS: u64 = 32_000_000;

/// The beginnings of all groups.
#[derive(Debug, Clone)]
pub(crate) struct Prefixes {
    groups: Vec<String>,
    tokens: u32,
    share: f64,
}

impl Prefixes {
    pub(crate) fn prepare(wanted: SharedPrefix, seed: u64, words: &Words) -> Result<Self, WorkloadError> {
        let SharedPrefix { groups, tokens, share } = wanted;
        let refused = |what: String| Err(WorkloadError::Prefix { what });
        if groups == 0 || tokens == 0 || !(0.0..=1.0).contains(&share) {
            return refused(format!("{groups} groups of {tokens} tokens with a share of {share}"));
        }
        if u64::from(groups) * u64::from(tokens) > MAX_TOKENS {
            return refused(format!("{groups} groups of {tokens} tokens are more than {MAX_TOKENS} in all"));
        }
        let group = |number| {
            let mut text = String::new();
            words.append(&mut text, tokens, &mut Stream::of(seed, Purpose::GroupPrefix, number));
            text
        };
        Ok(Self { groups: (0..u64::from(groups)).map(group).collect(), tokens, share })
    }

    /// Tokens of each beginning.
    pub(crate) const fn tokens(&self) -> u32 {
        self.tokens
    }

    /// That of request `index`: its group's, or one of its own that is as long.
    pub(crate) fn of(&self, words: &Words, seed: u64, index: u64) -> Cow<'_, str> {
        let mut stream = Stream::of(seed, Purpose::Prefix, index);
        if stream.unit() < self.share {
            let group: &String = stream.one_of(&self.groups);
            return Cow::Borrowed(group);
        }
        let mut text = String::new();
        words.append(&mut text, self.tokens, &mut Stream::of(seed, Purpose::OwnPrefix, index));
        Cow::Owned(text)
    }
}
