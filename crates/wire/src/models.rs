//! Lists of models.

use crate::decoder::WireError;

/// The ids in a list of models: `OpenAI`'s, a bare array, Ollama's `/api/tags`, LM Studio's.
pub fn decode_models(_body: &[u8]) -> Result<Vec<String>, WireError> {
    todo!()
}
