//! What lanes are called, and in which order they stand.

use super::RaceSetup;

/// The order of the lanes, and whether names are hidden.
#[derive(Debug)]
pub(super) struct Names {
    /// Targets in the order of their lanes.
    order: Vec<usize>,
    blind: bool,
    shown: Vec<String>,
    simulated: Vec<bool>,
}

impl Names {
    pub(super) fn new(setup: &RaceSetup) -> Self {
        let count = setup.targets.len();
        let mut order: Vec<usize> = Vec::with_capacity(count);
        for target in setup.blind.iter().flatten().copied().chain(0..count) {
            if target < count && !order.contains(&target) {
                order.push(target);
            }
        }
        let blind = setup.blind.is_some();
        let name = |target: usize| {
            let lane = order.iter().position(|&other| other == target).unwrap_or(target);
            if blind { letter(lane) } else { setup.targets[target].name.to_string() }
        };
        let shown = (0..count).map(name).collect();
        Self { shown, blind, simulated: setup.targets.iter().map(|lane| lane.simulated).collect(), order }
    }

    /// Targets in the order of their lanes.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The lane that `target` has.
    pub(super) fn lane(&self, target: usize) -> usize {
        self.order.iter().position(|&other| other == target).unwrap_or(target)
    }

    /// What `target` is called.
    pub(super) fn of(&self, target: usize) -> &str {
        &self.shown[target]
    }

    /// Whether names, and what would betray them, are hidden.
    pub(super) const fn are_hidden(&self) -> bool {
        self.blind
    }

    /// Whether `target` is marked as simulated. While names are hidden some marks among lanes without would betray one.
    pub(super) fn marks(&self, target: usize) -> bool {
        self.simulated[target] && !self.hides_marks()
    }

    /// Whether some are simulated and it is not said which.
    pub(super) fn hides_marks(&self) -> bool {
        self.blind && self.simulated.contains(&true) && self.simulated.contains(&false)
    }

    /// Columns of the longest name.
    pub(super) fn width(&self) -> usize {
        self.shown.iter().map(|name| crate::text::width(name)).max().unwrap_or(0)
    }
}

/// A, B, C…
fn letter(lane: usize) -> String {
    let letter = u8::try_from(lane).ok().and_then(|lane| b'A'.checked_add(lane)).filter(u8::is_ascii_uppercase);
    letter.map_or_else(|| format!("#{}", lane + 1), |letter| char::from(letter).to_string())
}
