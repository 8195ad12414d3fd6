//! Keeps account of the assumptions a projection takes, so that each is printed with where it comes from.

use schema::projection::{Assumed, Assumption, Assumptions, ProjectedUnit, Projection};
use schema::summary::Estimate;

use crate::range::Range;

/// Where a number comes from that was given without a source.
const GIVEN: &str = "given by you";

/// What is assumed, and what of it was used.
pub(crate) struct Ledger<'a> {
    given: &'a Assumptions,
    used: Vec<Assumption>,
}

impl<'a> Ledger<'a> {
    pub(crate) const fn new(given: &'a Assumptions) -> Self {
        Self { given, used: Vec::new() }
    }

    /// The assumption `name`, where it was given.
    pub(crate) fn take(&mut self, name: &str) -> Option<Range> {
        let (name, unit, given) = self.given.numbers().into_iter().find(|(known, ..)| *known == name)?;
        let given = given?;
        self.enter(name, given, unit, given.source.as_deref().unwrap_or(GIVEN));
        Some(Range::from(given))
    }

    /// The assumption `name`; `usual` with its source where none was given.
    pub(crate) fn take_or(&mut self, name: &str, usual: f64, source: &str) -> Range {
        self.take(name).unwrap_or_else(|| {
            let unit =
                self.given.numbers().into_iter().find(|(known, ..)| *known == name).map_or("", |(_, unit, _)| unit);
            self.enter(name, &Assumed::given(usual), unit, source);
            Range::exactly(usual)
        })
    }

    fn enter(&mut self, name: &str, assumed: &Assumed, unit: &str, source: &str) {
        if self.used.iter().all(|used| used.name != name) {
            let estimate = Estimate::from(Range::from(assumed));
            self.used.push(Assumption {
                name: name.to_owned(),
                estimate,
                unit: unit.to_owned(),
                source: source.to_owned(),
            });
        }
    }

    /// All that were used, in the order they were first.
    pub(crate) fn close(self) -> Vec<Assumption> {
        self.used
    }
}

/// One projected figure.
pub(crate) fn projection(
    figure: impl Into<String>,
    unit: ProjectedUnit,
    range: Range,
    how: impl Into<String>,
) -> Projection {
    Projection { figure: figure.into(), unit, estimate: range.into(), how: how.into() }
}
