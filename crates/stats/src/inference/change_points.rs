//! Where values in order of time became others.

/// A moment from which values were others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Index of the first value after it.
    pub index: usize,
    /// Median of the values from the change point before to this one.
    pub before: f64,
    /// Median of those from this one to the next.
    pub after: f64,
    /// p-value, by permutation.
    pub p: f64,
}

/// Change points of `values` in order of time.
pub fn change_points(values: &[f64], seed: u64) -> Vec<ChangePoint> {
    let _ = (values, seed);
    Vec::new()
}
