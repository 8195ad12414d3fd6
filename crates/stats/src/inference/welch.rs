//! Two means.

use super::tails::student_both_tails;

/// A mean, or a ratio of sums, with what is known of its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom behind the standard error.
    pub freedom: f64,
}

/// Two-sided p-value of Welch's t of two means (B. L. Welch, *Biometrika* 34, 1947, 28–35), its degrees of
/// freedom after Satterthwaite. Without any error, means either are equal (1) or differ (0).
pub fn welch(first: Mean, second: Mean) -> f64 {
    let (v1, v2) = (first.error.powi(2), second.error.powi(2));
    let difference = (first.value - second.value).abs();
    if v1 + v2 == 0.0 {
        return if difference == 0.0 { 1.0 } else { 0.0 };
    }
    let freedom = (v1 + v2).powi(2) / (v1.powi(2) / first.freedom + v2.powi(2) / second.freedom);
    student_both_tails(difference / (v1 + v2).sqrt(), freedom)
}
