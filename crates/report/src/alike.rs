//! In what those compared are not like with like: label and text of each line, not yet clean.

use schema::comparison::Comparison;

/// Warnings, and after them in what the targets of `comparison` are unlike, the worst first.
pub(crate) fn with_warnings(warnings: &[String], comparison: Option<&Comparison>) -> Vec<(String, String)> {
    let warnings = warnings.iter().map(|warning| ("warning".to_owned(), warning.clone()));
    let unlike = comparison.into_iter().flat_map(|comparison| &comparison.unlike);
    warnings.chain(unlike.map(|one| (one.severity.in_words().to_owned(), one.detail.clone()))).collect()
}
