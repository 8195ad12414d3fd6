//! Counting tokens as a model does.

use std::fmt;
use std::ops::Range;

use crate::WorkloadError;

/// A model's own tokenizer.
pub struct Tokenizer(tokenizers::Tokenizer);

impl Tokenizer {
    /// A larger `tokenizer.json` is refused: those of today's models have at most about 40 MB.
    pub const MAX_BYTES: u64 = 256 << 20;

    /// Reads the bytes of a `tokenizer.json` as Hugging Face's libraries write it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, WorkloadError> {
        if bytes.len() as u64 > Self::MAX_BYTES {
            return Err(WorkloadError::TokenizerTooLarge);
        }
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(bytes).map_err(WorkloadError::NoTokenizer)?;
        // Either would make the counts of some texts wrong.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(WorkloadError::NoTokenizer)?;
        Ok(Self(tokenizer))
    }

    /// Tokens of `text`, without those that begin or end a sequence or belong to a chat template. Zero for text that
    /// the tokenizer refuses, which only one without a token for the unknown does.
    pub fn count(&self, text: &str) -> usize {
        self.0.encode_fast(text, false).map_or(0, |encoding| encoding.len())
    }

    /// [`count`](Self::count) of each of many texts, on all cores.
    pub(crate) fn count_all(&self, texts: Vec<&str>) -> Vec<usize> {
        let texts_count = texts.len();
        self.0
            .encode_batch_fast(texts, false)
            .map_or_else(|_| vec![0; texts_count], |all| all.iter().map(tokenizers::Encoding::len).collect())
    }

    /// Which bytes of `text` each of its tokens covers.
    pub(crate) fn pieces(&self, text: &str) -> Vec<Range<usize>> {
        let encoded = self.0.encode(text, false);
        encoded.map_or_else(|_| Vec::new(), |encoding| encoding.get_offsets().iter().map(|&(a, b)| a..b).collect())
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("vocabulary", &self.0.get_vocab_size(true)).finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
