use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn every_block_holds_every_target_once(targets in 0_usize..12, blocks in 0_u32..20, seed: u64) {
        let turns = interleave(targets, blocks, seed);
        prop_assert!(turns.is_sorted_by_key(|turn| turn.block));
        for block in 0..blocks {
            let mut present: Vec<usize> = turns.iter().filter(|t| t.block == block).map(|t| t.target).collect();
            present.sort_unstable();
            prop_assert_eq!(present, (0..targets).collect::<Vec<_>>());
        }
    }

    #[test]
    fn shares_add_up_and_differ_by_one_at_most(total: u64, parts in 1_u32..50) {
        let shares = split(total, parts);
        prop_assert_eq!(shares.len(), parts as usize);
        prop_assert_eq!(shares.iter().sum::<u64>(), total);
        prop_assert!(shares[0] - shares[shares.len() - 1] <= 1);
    }
}

/// Expected 1,000 times each; four standard deviations are 110.
#[test]
fn no_target_owns_a_place() {
    let mut counts = [[0_i32; 4]; 4];
    for (i, turn) in interleave(4, 4_000, 42).iter().enumerate() {
        counts[i % 4][turn.target] += 1;
    }
    assert!(counts.as_flattened().iter().all(|count| (count - 1_000).abs() < 140), "{counts:?}");
}

#[test]
fn the_order_is_the_seeds() {
    assert_eq!(interleave(5, 10, 1), interleave(5, 10, 1));
    assert_ne!(interleave(5, 10, 1), interleave(5, 10, 2));
    let orders: HashSet<Vec<usize>> =
        interleave(5, 10, 1).chunks(5).map(|block| block.iter().map(|t| t.target).collect()).collect();
    assert!(orders.len() > 5, "blocks repeat one order: {orders:?}");
}

#[test]
fn nothing_divides_into_nothing() {
    assert!(split(10, 0).is_empty());
    assert_eq!(split(0, 2), [0, 0]);
    assert_eq!(split(7, 3), [3, 2, 2]);
}
