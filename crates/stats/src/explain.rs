//! Explain the difference: one recording read under the definitions of several tools.
//!
//! ```text
//! records ─▶ material (what all definitions read) ─▶ figures(definition) ─▶ value, change against ours
//!                                                └─▶ figures(ours with one rule of theirs) ─▶ causes, why
//! ```
//!
//! A tool is a row of [`definition::of`]: ten rules, each a choice of its enum. Why a figure moves is not written
//! down but worked out: each rule of the tool is put alone into our definitions, and those that move the figure are
//! its causes.

mod definition;
mod material;
mod notes;
mod reading;
mod weighted;
mod why;

use schema::explain::{Explanation, Figure, Quantity, Reading, Tool};
use schema::plan::Plan;
use schema::record::{Phase, Record};
use schema::target::Target;

use definition::{Definition, OURS};
use material::Material;
use reading::Values;

/// Below this share of our figure nothing has moved: three digits would print the same.
const UNMOVED: f64 = 0.001;

/// The recording of `target` under our definitions and those of each [`Tool`], as they were read in the tools'
/// sources in autumn 2026. Records of other targets are ignored. `None` when nothing completed, and for embeddings,
/// whose answers come in one piece.
pub fn explain(plan: &Plan, target: &Target, records: &[&Record]) -> Option<Explanation> {
    let own = records.iter().copied().filter(|r| r.phase == Phase::Measured && r.target == target.name);
    let own: Vec<&Record> = own.collect();
    let material = Material::of(plan, target, &own);
    if target.dialect.embeds() || material.all.is_empty() {
        return None;
    }
    let mut known = Known { material: &material, figures: Vec::new() };
    let ours = known.figures(&OURS);
    let readings = Tool::ALL.iter().map(|&tool| reading_of(tool, &mut known, &ours)).collect();
    Some(Explanation {
        target: target.name.clone(),
        run: plan.name.clone(),
        simulated: target.simulated,
        requests: material.all.len() as u64,
        ours: Quantity::ALL.iter().map(|&quantity| plain(quantity, &ours)).collect(),
        readings,
    })
}

fn plain(quantity: Quantity, values: &Values) -> Figure {
    Figure { quantity, value: values.get(&quantity).copied(), change: None, causes: Vec::new() }
}

/// Figures that were worked out already: tools have most of their rules in common.
struct Known<'m, 'a> {
    material: &'m Material<'a>,
    figures: Vec<(Definition, Values)>,
}

impl Known<'_, '_> {
    fn figures(&mut self, definition: &Definition) -> Values {
        if let Some((_, values)) = self.figures.iter().find(|(known, _)| known == definition) {
            return values.clone();
        }
        let values = reading::figures(self.material, definition);
        self.figures.push((*definition, values.clone()));
        values
    }
}

fn reading_of(tool: Tool, known: &mut Known<'_, '_>, ours: &Values) -> Reading {
    let theirs = definition::of(tool);
    let values = known.figures(&theirs);
    let alone: Vec<_> = theirs.alone().into_iter().map(|(rule, one)| (rule, one, known.figures(&one))).collect();
    let material = known.material;
    let figure = |&quantity: &Quantity| {
        let change = change(values.get(&quantity), ours.get(&quantity));
        let mut figure = Figure { change, ..plain(quantity, &values) };
        if figure.value.is_some() && moved(&values, ours, quantity) {
            let moving = alone
                .iter()
                .filter(|(rule, _, alone)| definition::concerns(*rule, quantity) && moved(alone, ours, quantity));
            figure.causes =
                moving.map(|(rule, one, alone)| why::cause(*rule, one, quantity, alone, ours, material)).collect();
            let size = |change: Option<f64>| change.map_or(f64::INFINITY, f64::abs);
            figure.causes.sort_by(|a, b| size(b.change).total_cmp(&size(a.change)));
        }
        figure
    };
    Reading { tool, figures: Quantity::ALL.iter().map(figure).collect(), notes: notes::of(tool, &theirs, material) }
}

/// Theirs ÷ ours − 1.
fn change(theirs: Option<&f64>, ours: Option<&f64>) -> Option<f64> {
    Some(theirs? / ours? - 1.0).filter(|change| change.is_finite())
}

/// Whether a figure is another one than ours: there or not, or larger or smaller by what is visible.
fn moved(theirs: &Values, ours: &Values, quantity: Quantity) -> bool {
    match (theirs.get(&quantity), ours.get(&quantity)) {
        (Some(theirs), Some(ours)) => (theirs - ours).abs() > UNMOVED * ours.abs(),
        (theirs, ours) => theirs.is_some() != ours.is_some(),
    }
}

#[cfg(test)]
mod tests;
