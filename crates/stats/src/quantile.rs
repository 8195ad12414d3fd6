//! Quantiles of recorded values.

/// The quantile `q` (0 to 1) of values sorted in ascending order, by linear interpolation between
/// the two nearest ranks: numpy's default, type 7 of Hyndman & Fan (1996). `NaN` without values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ position < len")]
pub fn quantile<V: Copy + Into<f64>>(sorted: &[V], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let (low, high): (f64, f64) = (sorted[below].into(), sorted[above].into());
    low + (high - low) * (position - below as f64)
}

#[cfg(test)]
mod tests;
