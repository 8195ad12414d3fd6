//! What is drawn from: all of a race at one moment.

use ratatui::style::{Modifier, Style};
use schema::units::{Moment, Nanos};

use super::names::Names;
use super::order::Standing;
use super::{Lane, RaceSetup};
use crate::theme::Theme;

/// A race at one moment.
pub(super) struct Scene<'a> {
    pub(super) setup: &'a RaceSetup,
    pub(super) names: &'a Names,
    pub(super) theme: &'a Theme,
    pub(super) now: Moment,
    /// How the lanes stand, best first.
    pub(super) standings: &'a [Standing],
    /// A round trip to each target, where it is known.
    pub(super) round_trips: &'a [Option<Nanos>],
    /// Each target's output limit.
    pub(super) limits: &'a [u32],
    /// What the strips of all lanes span.
    pub(super) axis: Nanos,
    /// Whether the run is over: nothing more comes.
    pub(super) over: bool,
    /// Whether the heat is one that is not ranked.
    pub(super) warmup: bool,
    /// Whether engines are told about above the lanes.
    pub(super) tells_about: bool,
}

impl Scene<'_> {
    /// How `target` stands.
    pub(super) fn standing(&self, target: usize) -> &Standing {
        let own = self.standings.iter().find(|standing| standing.target == target);
        own.expect("every target of the race stands somewhere")
    }

    /// `target` before the start.
    pub(super) fn lane(&self, target: usize) -> &Lane {
        &self.setup.targets[target]
    }

    /// The output limit of `target`'s request.
    pub(super) fn limit(&self, target: usize) -> u32 {
        self.limits[target]
    }

    /// The colour of `target`'s lane.
    pub(super) fn lane_style(&self, target: usize) -> Style {
        self.theme.lane(self.names.lane(target))
    }

    /// The style of `target`'s name.
    pub(super) fn name_style(&self, target: usize) -> Style {
        self.lane_style(target).add_modifier(Modifier::BOLD)
    }
}
