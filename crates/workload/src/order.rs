//! Which prompt a request gets.

use crate::random::mix;

/// Which of `prompts` prompts request `index` gets. Requests come in rounds as long as the set; in each
/// round every prompt is used once, in an order drawn from `seed` and the round's number. So every
/// target meets the same prompts in the same order, and none meets an unshuffled file.
///
/// Costs the same however many prompts there are and keeps nothing between calls: the order is a
/// keyed permutation (a four-round Feistel network that walks until it is back within the set).
///
/// # Panics
/// When `prompts` is zero.
pub fn choose(prompts: usize, seed: u64, index: u64) -> usize {
    let count = prompts as u64;
    let key = mix(seed ^ mix(index / count));
    let mut position = index % count;
    loop {
        position = permute(position, count, key);
        if position < count {
            return usize::try_from(position).expect("it is below a usize");
        }
    }
}

/// A permutation of the numbers below the smallest power of four that is no less than `count`.
fn permute(position: u64, count: u64, key: u64) -> u64 {
    let half_bits = (u64::BITS - count.saturating_sub(1).leading_zeros()).div_ceil(2);
    let mask = (1 << half_bits) - 1;
    let (mut left, mut right) = (position >> half_bits, position & mask);
    for round in 0..4 {
        (left, right) = (right, left ^ (mix(key.wrapping_add(round) ^ right.rotate_left(32)) & mask));
    }
    left << half_bits | right
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_round_uses_each_prompt_once(prompts in 1_usize..400, seed: u64, round in 0_u64..1_000) {
            let first = round * prompts as u64;
            let mut chosen: Vec<usize> = (first..first + prompts as u64).map(|i| choose(prompts, seed, i)).collect();
            chosen.sort_unstable();
            prop_assert_eq!(chosen, (0..prompts).collect::<Vec<_>>());
        }

        #[test]
        fn any_index_has_a_prompt(prompts in 1_usize..5_000_000, seed: u64, index: u64) {
            prop_assert!(choose(prompts, seed, index) < prompts);
        }
    }

    #[test]
    fn rounds_and_seeds_have_orders_of_their_own() {
        let order = |seed, round: u64| (round * 12..round * 12 + 12).map(|i| choose(12, seed, i)).collect::<Vec<_>>();
        assert_ne!(order(1, 0), order(1, 1));
        assert_ne!(order(1, 0), order(2, 0));
        assert_ne!(order(1, 0), (0..12).collect::<Vec<_>>());
    }

    /// Expected 1,000 times each; four standard deviations are 120.
    #[test]
    fn each_place_of_a_round_holds_each_prompt_equally_often() {
        for place in [0, 7, 15] {
            let mut counts = [0_i32; 16];
            for round in 0..16_000 {
                counts[choose(16, 42, round * 16 + place)] += 1;
            }
            assert!(counts.iter().all(|count| (count - 1_000).abs() < 160), "{counts:?}");
        }
    }
}
