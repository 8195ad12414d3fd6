//! What looking again and again costs.
//!
//! A run that ends as soon as something is certain looks after every block, and each look is a chance to be wrong. Seen
//! at the share t of all its blocks, a difference is called certain where |Z| · √t ≥ c, with P(max |W| ≥ c) ≤
//! 4 · (1 − Φ(c)) = α for a Brownian motion W on 0..1, by the reflection principle (P. C. O'Brien & T. R. Fleming,
//! *Biometrics* 35, 1979, 549–556; as an error spent by and by K. K. G. Lan & D. L. DeMets, *Biometrika* 70, 1983,
//! 659–663). It holds however often one looks. Few blocks have Student's tails, not the normal ones: their p-value stands
//! for Z (significance levels instead of critical values: C. Jennison & B. W. Turnbull, *Group Sequential Methods*, 2000,
//! 11.4). The intervals at these levels hold at all looks at once (the same, *JRSS B* 51, 1989, 305–361).

use crate::inference::tails::{both_tails, normal_point};

/// When a run is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Looks {
    /// Once, at its end.
    Once,
    /// After every block; now at this share of all of them, above 0 and at most 1.
    AfterEachBlock(f64),
}

impl Looks {
    /// After so many of all blocks.
    pub(crate) fn after(blocks: usize, of: u32) -> Self {
        Self::AfterEachBlock((blocks as f64 / f64::from(of.max(1))).clamp(f64::MIN_POSITIVE, 1.0))
    }

    /// The last of them.
    pub(crate) const fn last(self) -> Self {
        match self {
            Self::Once => Self::Once,
            Self::AfterEachBlock(_) => Self::AfterEachBlock(1.0),
        }
    }

    /// What a p-value of this look is worth: the error of all looks together at which it would be certain.
    pub(crate) fn over_all(self, p: f64) -> f64 {
        match self {
            Self::Once => p,
            Self::AfterEachBlock(share) => (2.0 * both_tails(deviate(p) * share.sqrt())).min(1.0),
        }
    }

    /// The level of this look that is worth `all` over all looks.
    pub(crate) fn level(self, all: f64) -> f64 {
        match self {
            Self::Once => all,
            Self::AfterEachBlock(share) => both_tails(deviate(all / 2.0) / share.sqrt()),
        }
    }
}

/// The normal deviate with this two-sided p-value.
fn deviate(p: f64) -> f64 {
    -normal_point(p / 2.0)
}
