//! Mean and standard deviation.

/// Arithmetic mean; `NaN` without values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation with n − 1, by two passes; absent below two values.
pub(crate) fn sd(values: &[f64]) -> Option<f64> {
    let freedom = values.len().checked_sub(1).filter(|&f| f > 0)?;
    let mean = mean(values);
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    Some((squares / freedom as f64).sqrt())
}
