//! Targets taking turns.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

/// One target's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Turn {
    /// Which target, by its position in the plan.
    pub target: usize,
    /// In which block.
    pub block: u32,
}

/// The order in which targets take their turns: block by block, and inside each block all targets
/// once, in an order drawn from `seed`. So no target owns the good minute, and each is measured close
/// in time to all others (a randomised complete block design).
pub fn interleave(targets: usize, blocks: u32, seed: u64) -> Vec<Turn> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    // Arrivals count their streams of the same seed from zero.
    random.set_stream(u64::MAX);
    let mut order: Vec<usize> = (0..targets).collect();
    let mut turns = Vec::new();
    for block in 0..blocks {
        order.shuffle(&mut random);
        turns.extend(order.iter().map(|&target| Turn { target, block }));
    }
    turns
}

/// `total` divided into `parts` that differ by one at most, larger ones first. Empty when `parts` is zero.
pub fn split(total: u64, parts: u32) -> Vec<u64> {
    crate::Segment::all(parts).map(|segment| segment.share(total)).collect()
}

#[cfg(test)]
mod tests;
