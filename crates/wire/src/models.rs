//! Lists of models.

use std::collections::HashSet;

use crate::decoder::WireError;
use crate::json::{Json, JsonError, Wanted, document};

/// As many models as are taken from one list.
const MODELS_MAX: usize = 10_000;

/// As long as an id may be, in bytes.
const ID_MAX: usize = 512;

/// The ids in a list of models, each once, in the server's order: OpenAI's, a bare array, Ollama's
/// `/api/tags`, LM Studio's. At most 10,000; an id of more than 512 bytes is none. They come from
/// the server: clean them before showing them.
pub fn decode_models(body: &[u8]) -> Result<Vec<String>, WireError> {
    let not_models = |source| WireError::NotModels { source };
    let text = std::str::from_utf8(body)
        .map_err(|error| not_models(Some(JsonError::at(error.valid_up_to(), Wanted::Utf8))))?;
    document(text, lists).map_err(|source| not_models(Some(source)))?.ok_or_else(|| not_models(None))
}

/// The ids of a bare array, of `data`, or else of `models` (llama.cpp sends both).
fn lists(json: &mut Json<'_>) -> Option<Vec<String>> {
    if json.peek() == b'[' {
        return ids(json);
    }
    let (mut data, mut models) = (None, None);
    json.object(|json, key| match key {
        "data" => data = ids(json),
        "models" => models = ids(json),
        _ => json.skip(),
    });
    data.or(models)
}

fn ids(json: &mut Json<'_>) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    let mut seen = HashSet::new();
    let is_list = json.array(|json| {
        let id = id(json).filter(|id| !id.is_empty() && id.len() <= ID_MAX);
        if let Some(id) = id.filter(|_| ids.len() < MODELS_MAX)
            && seen.insert(id.clone())
        {
            ids.push(id);
        }
    });
    is_list.then_some(ids)
}

/// An item is the id itself or has one: `id` almost everywhere, `key` in LM Studio's own API,
/// `name` in Ollama's.
fn id(json: &mut Json<'_>) -> Option<String> {
    if json.peek() == b'"' {
        return json.string().map(String::from);
    }
    let mut best: Option<(usize, String)> = None;
    json.object(|json, key| {
        let Some(rank) = ["id", "key", "name", "model"].iter().position(|name| *name == key) else {
            return json.skip();
        };
        if let Some(id) = json.string()
            && best.as_ref().is_none_or(|(before, _)| rank < *before)
        {
            best = Some((rank, id.into_owned()));
        }
    });
    best.map(|(_, id)| id)
}

#[cfg(test)]
mod tests;
