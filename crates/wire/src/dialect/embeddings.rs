//! `POST …/embeddings` and Ollama's `POST /api/embed`: one whole answer. Its numbers are counted and passed over.

use super::{Facts, ollama, openai};
use crate::frame::{Frame, Vectors};
use crate::json::{Json, JsonError, document};

/// Reads OpenAI's: `{"data":[{"embedding":[…]}],"usage":{…}}`.
pub(super) fn openai(text: &str) -> Result<Frame<'_>, JsonError> {
    read(text, |json, key, vectors, facts| match key {
        "data" => drop(json.array(|json| item(json, vectors))),
        _ => openai::fact(json, key, facts),
    })
}

/// Reads Ollama's: `{"embeddings":[[…]],"prompt_eval_count":…}`.
pub(super) fn ollama(text: &str) -> Result<Frame<'_>, JsonError> {
    read(text, |json, key, vectors, facts| match key {
        "embeddings" => drop(json.array(|json| vector(json, vectors))),
        _ => ollama::fact(json, key, facts),
    })
}

/// Reads an answer, each of its fields by `field`.
fn read<'a>(
    text: &'a str,
    mut field: impl FnMut(&mut Json<'a>, &str, &mut Vectors, &mut Facts),
) -> Result<Frame<'a>, JsonError> {
    let mut facts = Facts::default();
    let mut vectors = Vectors::default();
    document(text, |json| json.object(|json, key| field(json, key, &mut vectors, &mut facts)))?;
    let mut frame = Frame { vectors, end: vectors.count > 0, ..Frame::default() };
    facts.complete(&mut frame, text);
    Ok(frame)
}

fn item(json: &mut Json<'_>, vectors: &mut Vectors) {
    json.object(|json, key| if key == "embedding" { vector(json, vectors) } else { json.skip() });
}

/// A list of numbers, or base64 of four bytes for each.
fn vector(json: &mut Json<'_>, vectors: &mut Vectors) {
    let mut numbers = 0;
    if json.peek() == b'"' {
        let base64 = json.string().unwrap_or_default();
        numbers = base64.trim_end_matches('=').len() * 3 / 16;
    } else {
        json.array(|json| {
            numbers += 1;
            json.skip();
        });
    }
    if numbers > 0 {
        vectors.add(u32::try_from(numbers).unwrap_or(u32::MAX));
    }
}
