//! Paired differences by the signs they might have had.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;

/// Differences up to which every way to sign them is tried: 2¹⁴ ways.
const EXACT: usize = 14;

/// Ways that are drawn beyond.
const DRAWN: u32 = 19_999;

/// Room for rounding between sums that are equal, as a share, as SciPy allows.
const ROUNDING: f64 = 1e-14;

/// Two-sided p-value of paired `differences` having a mean other than zero: the share of all ways to flip their signs
/// in which their sum is as far from zero (R. A. Fisher, *The Design of Experiments*, 1935, 21; SciPy's
/// `permutation_test(permutation_type="samples")` of a mean). All ways are tried for up to 14 differences; beyond,
/// 19,999 are drawn and the one that was seen is counted among them (B. Phipson & G. K. Smyth, *Statistical
/// Applications in Genetics and Molecular Biology* 9, 2010, 39). 1 without differences.
pub fn permutation(differences: &[f64], seed: u64) -> f64 {
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).filter(|d| *d > 0.0).collect();
    let total = differences.iter().sum::<f64>().abs();
    let bound = total - ROUNDING * sizes.iter().sum::<f64>();
    if sizes.len() <= EXACT { exact(&sizes, bound) } else { drawn(&sizes, bound, seed) }
}

fn exact(sizes: &[f64], bound: f64) -> f64 {
    let ways = 1_u32 << sizes.len();
    let sum = |way: u32| -> f64 {
        sizes.iter().enumerate().map(|(i, size)| if way >> i & 1 == 1 { *size } else { -*size }).sum()
    };
    let extreme = (0..ways).filter(|&way| sum(way).abs() >= bound).count();
    extreme as f64 / f64::from(ways)
}

fn drawn(sizes: &[f64], bound: f64, seed: u64) -> f64 {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut sum = || -> f64 {
        let signed = sizes.chunks(64).map(|some| {
            let signs: u64 = random.random();
            some.iter().enumerate().map(|(i, size)| if signs >> i & 1 == 1 { *size } else { -*size }).sum::<f64>()
        });
        signed.sum()
    };
    let extreme = (0..DRAWN).filter(|_| sum().abs() >= bound).count();
    (extreme + 1) as f64 / f64::from(DRAWN + 1)
}
