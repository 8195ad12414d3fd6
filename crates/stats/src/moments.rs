//! Mean and standard deviation.

/// Arithmetic mean; `NaN` without values.
pub(crate) fn mean<V: Copy + Into<f64>>(values: &[V]) -> f64 {
    values.iter().map(|&x| x.into()).sum::<f64>() / values.len() as f64
}

/// Standard deviation with n − 1, by two passes; absent below two values.
pub(crate) fn sd<V: Copy + Into<f64>>(values: &[V]) -> Option<f64> {
    let freedom = values.len().checked_sub(1).filter(|&f| f > 0)?;
    let mean = mean(values);
    let squares: f64 = values.iter().map(|&x| (x.into() - mean).powi(2)).sum();
    Some((squares / freedom as f64).sqrt())
}

/// Mean of what is left when the share `trim` is cut from each end of `sorted`, rounded down to
/// whole values as SciPy's `trim_mean` does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the length")]
pub(crate) fn trimmed_mean(sorted: &[f64], trim: f64) -> f64 {
    let cut = (trim.clamp(0.0, 0.49) * sorted.len() as f64) as usize;
    mean(&sorted[cut..sorted.len() - cut])
}

/// First autocorrelation, −1 to 1; zero when all values are alike.
pub(crate) fn autocorrelation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let products: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}
