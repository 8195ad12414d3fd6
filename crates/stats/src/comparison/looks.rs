//! What looking again and again costs.
//!
//! A run that ends as soon as something is certain looks after every block, and each look is a chance to be wrong. Its
//! error is spent in two halves, each of which holds however often one looks:
//!
//! - For what takes about as long as the run may last: at the share t of all blocks a difference is certain where
//!   |Z| · √t ≥ c, with P(max |W| ≥ c) ≤ 4 · (1 − Φ(c)) for a Brownian motion W on 0..1, by the reflection principle
//!   (P. C. O'Brien & T. R. Fleming, *Biometrics* 35, 1979, 549–556; as an error spent by and by K. K. G. Lan & D. L.
//!   `DeMets`, *Biometrika* 70, 1983, 659–663).
//! - For what shows long before: |Z| ≥ √((1 + 1/u) · ln((1 + u)/α²)), u growing with the blocks, by Robbins' mixture of
//!   likelihood ratios and Ville's inequality (H. Robbins, *Annals of Mathematical Statistics* 41, 1970, 1397–1409; for
//!   means of any kind I. Waudby-Smith & al., *Annals of Statistics* 52, 2024, 2613–2640).
//!
//! Few blocks have Student's tails, not the normal ones: their p-value stands for Z (significance levels instead of
//! critical values: C. Jennison & B. W. Turnbull, *Group Sequential Methods*, 2000, 11.4). Intervals at these levels hold
//! at all looks at once (the same, *Journal of the Royal Statistical Society* B 51, 1989, 305–361).

use crate::inference::tails::{both_tails, normal_point};

/// Blocks for which u is one: the second half is spent best at some twenty to a hundred.
const BLOCKS: f64 = 4.0;

/// When a run is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Looks {
    /// Once, at its end.
    Once,
    /// After every block.
    Many {
        /// Blocks so far.
        blocks: f64,
        /// All blocks there may be.
        of: f64,
    },
}

impl Looks {
    /// After so many of all blocks.
    pub(crate) fn after(blocks: usize, of: u32) -> Self {
        let of = f64::from(of.max(1));
        Self::Many { blocks: (blocks as f64).clamp(1.0, of), of }
    }

    /// The last of them.
    pub(crate) const fn last(self) -> Self {
        match self {
            Self::Once => Self::Once,
            Self::Many { of, .. } => Self::Many { blocks: of, of },
        }
    }

    /// What a p-value of this look is worth: the error of all looks together at which it would be certain.
    pub(crate) fn over_all(self, p: f64) -> f64 {
        let Self::Many { blocks, of } = self else { return p };
        let (z, u) = (deviate(p), blocks / BLOCKS);
        let late = 2.0 * both_tails(z * (blocks / of).sqrt());
        let early = (1.0 + u).sqrt() * (-z * z * u / (2.0 * (1.0 + u))).exp();
        (2.0 * late.min(early)).min(1.0)
    }

    /// The level of this look that is worth `all` over all looks.
    pub(crate) fn level(self, all: f64) -> f64 {
        let Self::Many { blocks, of } = self else { return all };
        let (half, u) = (all / 2.0, blocks / BLOCKS);
        let late = deviate(half / 2.0) / (blocks / of).sqrt();
        let early = ((1.0 + 1.0 / u) * ((1.0 + u) / (half * half)).ln()).sqrt();
        both_tails(late.min(early))
    }
}

/// The normal deviate with this two-sided p-value.
fn deviate(p: f64) -> f64 {
    -normal_point(p / 2.0)
}
