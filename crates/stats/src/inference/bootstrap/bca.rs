//! Efron's bias-corrected and accelerated percentiles.

use crate::inference::tails::{normal_point, normal_share};
use crate::quantile::quantile;

/// The two ends of the interval that `reach` normal deviations make around `estimate`, out of the values that
/// resampling gave, ascending: their percentiles at Φ(z₀ + (z₀ ± reach)/(1 − a(z₀ ± reach))), with z₀ the normal point of
/// the share of them below the estimate (B. Efron, *JASA* 82, 1987, 171–185, 3.8 and 4.1). With a reach of 1.96 those of
/// SciPy's `bootstrap(method="BCa")`.
pub(super) fn ends(drawn: &[f64], estimate: f64, acceleration: f64, reach: f64) -> (f64, f64) {
    let bias = bias(drawn, estimate);
    let end = |deviations: f64| quantile(drawn, level(bias, acceleration, deviations));
    (end(-reach), end(reach))
}

/// z₀: values equal to the estimate count half.
fn bias(drawn: &[f64], estimate: f64) -> f64 {
    let below = drawn.partition_point(|x| *x < estimate);
    let not_above = drawn.partition_point(|x| *x <= estimate);
    let n = drawn.len() as f64;
    // One of them at least is taken to lie on either side.
    normal_point((f64::midpoint(below as f64, not_above as f64) / n).clamp(0.5 / n, 1.0 - 0.5 / n))
}

/// The level of one end; beyond the pole of the formula, the last there is.
fn level(bias: f64, acceleration: f64, deviations: f64) -> f64 {
    let moved = bias + deviations;
    let below = 1.0 - acceleration * moved;
    if below > 0.0 { normal_share(bias + moved / below) } else { f64::from(u8::from(moved > 0.0)) }
}
