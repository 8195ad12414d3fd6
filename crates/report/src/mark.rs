//! The mark of what came from simulated engines.

use schema::target::TargetName;

/// The mark of a simulated engine.
pub(crate) const SIMULATED: &str = "SIMULATED";

/// The mark of a whole: `SIMULATED` where all of it is, `partly SIMULATED: a, b` with those that are, nothing where none is.
pub(crate) fn of_all<'a>(targets: impl IntoIterator<Item = (&'a TargetName, bool)>) -> String {
    let (simulated, real): (Vec<_>, Vec<_>) = targets.into_iter().partition(|(_, simulated)| *simulated);
    let names: Vec<&str> = simulated.iter().map(|(name, _)| name.as_str()).collect();
    match (names.is_empty(), real.is_empty()) {
        (true, _) => String::new(),
        (false, true) => SIMULATED.to_owned(),
        (false, false) => format!("partly {SIMULATED}: {}", names.join(", ")),
    }
}

/// `name` with its mark, as headings have it.
pub(crate) fn headed(name: &str, mark: &str) -> String {
    if mark.is_empty() { name.to_owned() } else { format!("{name}  {mark}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_says_which_part_of_it_is_simulated() {
        let names: Vec<TargetName> = ["a", "b", "c"].map(|name| name.parse().unwrap()).into();
        let mark = |simulated: [bool; 3]| headed("run", &of_all(names.iter().zip(simulated)));
        assert_eq!(mark([false; 3]), "run");
        assert_eq!(mark([true; 3]), "run  SIMULATED");
        assert_eq!(mark([true, false, true]), "run  partly SIMULATED: a, c");
    }
}
