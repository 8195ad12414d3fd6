//! The right name for a wrong one.

/// How far a wrong name may be from the right one: one change in three letters, at least two.
fn within_reach(wrong: &str) -> usize {
    (wrong.chars().count() / 3).max(2)
}

/// The one of `names` that `wrong` was probably meant to be.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase().replace('-', "_");
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase().replace('-', "_")), name))
        .filter(|(distance, _)| *distance <= within_reach(&wrong))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let names = ["requests", "rate", "max_concurrency"];
        assert_eq!(nearest("requets", names), Some("requests"));
        assert_eq!(nearest("max-concurency", names), Some("max_concurrency"));
        assert_eq!(nearest("RATE", names), Some("rate"));
        assert_eq!(nearest("service_host", names), None);
    }
}
