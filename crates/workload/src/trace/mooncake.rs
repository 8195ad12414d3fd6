//! Mooncake's JSONL: `{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}`,
//! timestamps in milliseconds. Written by other tools too, some of which give block ids as text.

use std::io::BufRead;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Arrival, Arrivals, MAX_TRACE_BYTES, bad_request, nanos};
use crate::error::{Spot, WorkloadError};
use crate::lengths::MAX_LENGTH;
use crate::lines::Lines;

/// A prompt of the greatest length has about twenty thousand blocks.
const MAX_LINE_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
struct Line {
    timestamp: f64,
    input_length: u32,
    output_length: u32,
    #[serde(default)]
    hash_ids: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Block {
    Number(u64),
    Text(String),
}

impl Block {
    fn id(self) -> u64 {
        match self {
            Self::Number(id) => id,
            Self::Text(text) => {
                let digest = Sha256::digest(text);
                let (first, _) = digest.split_first_chunk().expect("a digest is 32 bytes long");
                u64::from_le_bytes(*first)
            }
        }
    }
}

pub(super) fn read(path: &str, reader: impl BufRead, arrivals: &mut Arrivals) -> Result<(), WorkloadError> {
    let mut lines = Lines::new(path, reader, MAX_LINE_BYTES, MAX_TRACE_BYTES);
    while let Some((spot, text)) = lines.next()? {
        arrivals.add(arrival(&spot, &text)?);
        if arrivals.is_full {
            break;
        }
    }
    Ok(())
}

fn arrival(spot: &Spot, text: &str) -> Result<Arrival, WorkloadError> {
    let line: Line = serde_json::from_str(text).map_err(|error| bad_request(spot, error.to_string()))?;
    let at = nanos(line.timestamp / 1e3).ok_or_else(|| bad_request(spot, "`timestamp` is no time"))?;
    if line.input_length.max(line.output_length) > MAX_LENGTH {
        return Err(bad_request(spot, format!("a length is over {MAX_LENGTH} tokens")));
    }
    let blocks = line.hash_ids.into_iter().map(Block::id).collect();
    Ok(Arrival { at, input_tokens: line.input_length, output_tokens: line.output_length, blocks })
}
