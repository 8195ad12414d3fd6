//! How long texts are, drawn.

use std::io::BufRead;

use schema::plan::{Lengths, Spread};

use crate::error::WorkloadError;
use crate::lines::Lines;
use crate::random::Stream;

/// The most tokens that a length may be.
pub const MAX_LENGTH: u32 = 10_000_000;

/// A larger file of lengths is refused: it has room for ten million.
const MAX_BYTES: u64 = 64 << 20;

/// [`Lengths`], read.
#[derive(Debug, Clone)]
pub(crate) enum Drawn {
    Spread(Spread),
    /// Never empty.
    Empirical(Vec<u32>),
}

impl Drawn {
    /// `file` is read when the lengths are in one.
    pub(crate) fn prepare(lengths: &Lengths, file: Option<Box<dyn BufRead + '_>>) -> Result<Self, WorkloadError> {
        match lengths {
            Lengths::Spread(spread) => Ok(Self::Spread(*spread)),
            Lengths::Empirical(path) => {
                let path = path.display().to_string();
                let Some(reader) = file else { return Err(WorkloadError::NoReader { path }) };
                read(&path, reader).map(Self::Empirical)
            }
        }
    }

    /// A whole number of tokens from 1 to [`MAX_LENGTH`].
    pub(crate) fn draw(&self, stream: &mut Stream) -> u32 {
        match self {
            Self::Spread(spread) => whole(spread.draw(stream.unit(), stream.unit())),
            Self::Empirical(lengths) => *stream.one_of(lengths),
        }
    }

    /// The length, where there is but one.
    pub(crate) fn fixed(&self) -> Option<u32> {
        match self {
            Self::Spread(Spread::Fixed(tokens)) => Some(whole(*tokens)),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped, and no number becomes zero")]
fn whole(tokens: f64) -> u32 {
    (tokens.round().min(f64::from(MAX_LENGTH)) as u32).max(1)
}

/// One length a line; blank lines are skipped.
fn read(path: &str, reader: impl BufRead) -> Result<Vec<u32>, WorkloadError> {
    let mut lengths = Vec::new();
    let mut lines = Lines::new(path, reader, 4096, MAX_BYTES);
    while let Some((spot, text)) = lines.next()? {
        let length = text.parse().ok().filter(|length| (1..=MAX_LENGTH).contains(length));
        lengths.push(length.ok_or_else(|| WorkloadError::NotALength { spot, text: text.chars().take(40).collect() })?);
    }
    if lengths.is_empty() { Err(WorkloadError::NoLengths { path: path.to_owned() }) } else { Ok(lengths) }
}

#[cfg(test)]
mod tests;
