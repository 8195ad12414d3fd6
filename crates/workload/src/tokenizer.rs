//! Counting tokens as a model does.

use std::fmt;
use std::ops::Range;

use tokenizers::Encoding;

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
    pub(crate) fn count_all(&self, texts: &[&str]) -> Vec<usize> {
        // What the library makes of a text takes a hundred times its room.
        const BYTES_AT_ONCE: usize = 1 << 20;
        let mut counts = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |text: &&&str| {
                let fits = bytes < BYTES_AT_ONCE;
                bytes += text.len();
                fits
            };
            let (now, later) = rest.split_at(rest.iter().take_while(fits).count());
            let counted = self.0.encode_batch_fast(now.to_vec(), false);
            let counted = counted.map_or_else(|_| vec![0; now.len()], |all| all.iter().map(Encoding::len).collect());
            counts.extend(counted);
            rest = later;
        }
        counts
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
