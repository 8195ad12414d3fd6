//! Tails of the normal and of Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::erf::{erfc, erfc_inv};

/// Degrees of freedom beyond which Student's t is taken through its normal deviate.
const MANY_FREEDOMS: f64 = 1_000.0;

/// Two-sided p-value of a normal deviate.
pub(crate) fn both_tails(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2).min(1.0)
}

/// Two-sided p-value of Student's t; beyond a thousand degrees of freedom through the normal deviate of
/// Wallace (Abramowitz & Stegun 26.7.8), where the exact continued fraction no longer settles.
pub(crate) fn student_both_tails(t: f64, freedom: f64) -> f64 {
    if freedom > MANY_FREEDOMS {
        let z = t * (1.0 - 1.0 / (4.0 * freedom)) / (1.0 + t * t / (2.0 * freedom)).sqrt();
        return both_tails(z);
    }
    let student = StudentsT::new(0.0, 1.0, freedom.max(1.0)).expect("one degree of freedom at least");
    (2.0 * student.sf(t)).min(1.0)
}

/// The point of the normal distribution below which the share `p` lies.
pub(crate) fn normal_point(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// The share of the normal distribution below `z`.
pub(crate) fn normal_share(z: f64) -> f64 {
    erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

/// The point of Student's t with `freedom` degrees of freedom (at least one) below which the share `p` lies. Beyond
/// a thousand by the Cornish–Fisher expansion (Abramowitz & Stegun 26.7.5), where the exact continued fraction no longer
/// settles.
pub(crate) fn t_point(p: f64, freedom: f64) -> f64 {
    if freedom <= MANY_FREEDOMS {
        return StudentsT::new(0.0, 1.0, freedom.max(1.0)).expect("one degree of freedom at least").inverse_cdf(p);
    }
    let z = normal_point(p);
    let z2 = z * z;
    let g1 = (z2 + 1.0) * z / 4.0;
    let g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) * z / 96.0;
    let g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) * z / 384.0;
    z + g1 / freedom + g2 / freedom.powi(2) + g3 / freedom.powi(3)
}
