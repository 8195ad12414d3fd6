//! Counting tokens as a model does.

use std::fmt;

use crate::WorkloadError;

/// A model's own tokenizer.
pub struct Tokenizer(tokenizers::Tokenizer);

impl Tokenizer {
    /// A larger `tokenizer.json` is refused: those of today's models have at most about 40 MB.
    pub const MAX_BYTES: u64 = 256 << 20;

    /// Reads the bytes of a `tokenizer.json` as Hugging Face's libraries write it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, WorkloadError> {
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(bytes).map_err(WorkloadError::NoTokenizer)?;
        // Both would make counts of long texts wrong.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(WorkloadError::NoTokenizer)?;
        Ok(Self(tokenizer))
    }

    /// Tokens of `text`, without those that begin or end a sequence or belong to a chat template.
    pub fn count(&self, text: &str) -> usize {
        // No tokenizer refuses text that is a string; one that did would count nothing.
        self.0.encode_fast(text, false).map_or(0, |encoding| encoding.len())
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("vocabulary", &self.0.get_vocab_size(true)).finish()
    }
}
