//! The correction for making many tests.

/// Holm's step-down correction (S. Holm, *Scandinavian Journal of Statistics* 6, 1979, 65–70): p-values
/// that may be read as if each were the only one, in the order given.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, &place) in order.iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[place] * left).min(1.0));
        adjusted[place] = largest;
    }
    adjusted
}
