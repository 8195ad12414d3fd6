//! Where the start-up of a measurement ends.

/// How many of the first values are not like the rest; `None` where that is not certain.
pub fn startup(values: &[f64]) -> Option<usize> {
    let _ = values;
    None
}
