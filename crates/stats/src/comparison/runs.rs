//! Targets of several runs against each other.

use std::collections::BTreeSet;

use schema::comparison::Comparison;
use schema::manifest::Machine;
use schema::plan::{Judging, Plan};
use schema::target::TargetName;

use super::case::Case;
use super::{Entrant, Field, planned};
use crate::alike::{self, Compared};
use crate::autocorrelation::effective_size;
use crate::measured::Measured;
use crate::summary;

/// One run to be compared with others.
#[derive(Debug, Clone, Copy)]
pub struct StoredRun<'a> {
    /// What tells it from the others: its name.
    pub label: &'a str,
    /// Its plan.
    pub plan: &'a Plan,
    /// All that was kept of it.
    pub measured: Measured<'a>,
    /// The machine that measured, where known.
    pub machine: Option<&'a Machine>,
    /// The version of the program that measured, where known.
    pub program_version: Option<&'a str>,
}

/// All targets of several runs against each other; `None` below two targets in all.
///
/// Targets of one run are compared block by block, those of two runs as measured apart, by their blocks or, where a run
/// has only one, by stretches of its requests: what changed between the runs besides the targets is in the difference.
/// A target whose name is in more than one run is called `name.label`, shortened and numbered where it must be. Ties
/// and weights are those of `judging`; its `until_decided` is of no account here, that of each run's plan is. The
/// comparison is named after all labels.
pub fn compare_runs(runs: &[StoredRun<'_>], judging: &Judging) -> Option<Comparison> {
    let judging = Judging { until_decided: Vec::new(), ..judging.clone() };
    let numbers: Vec<_> = runs.iter().map(|run| summary::parts(run.plan, &run.measured)).collect();
    let mut names = Names::of(runs);
    let (mut entrants, mut compared) = (Vec::new(), Vec::new());
    for (session, (run, parts)) in runs.iter().zip(&numbers).enumerate() {
        for (target, part) in run.plan.targets.iter().zip(parts) {
            let cases = Case::all(target, part.steady.iter().copied());
            let label = names.label(&target.name, run.label);
            compared.push(Compared {
                label: label.to_string(),
                plan: run.plan,
                target,
                requests: part.steady.clone(),
                machine: run.machine,
                program_version: run.program_version,
            });
            entrants.push(Entrant {
                label,
                summary: &part.summary,
                session,
                planned: planned(run.plan),
                apart: (runs.len() > 1 && blocks(&cases) < 2).then(|| stretches(&cases)),
                cases,
            });
        }
    }
    let open = runs.iter().any(|run| run.plan.load.is_open());
    let seed = runs.first().map_or(0, |run| run.plan.seed);
    let field = Field { entrants, judging: &judging, open, seed };
    let mut comparison = field.compare()?;
    comparison.name = runs.iter().map(|run| run.label).collect::<Vec<_>>().join(" and ");
    for (run, parts) in runs.iter().zip(&numbers) {
        let of_run = summary::combine(run.plan, parts.iter().map(|part| part.summary.clone()).collect());
        comparison.warnings.extend(of_run.warnings.into_iter().map(|warning| format!("{}: {warning}", run.label)));
    }
    comparison.warnings.extend(field.warnings());
    comparison.unlike = alike::unlike(&compared);
    Some(comparison)
}

fn blocks(cases: &[Case]) -> usize {
    cases.iter().map(|case| case.block).collect::<BTreeSet<_>>().len()
}

/// Independent values that a stretch holds at least, about.
const VALUES_IN_A_STRETCH: f64 = 5.0;

/// Stretches at most: more degrees of freedom hardly make an interval narrower.
const MOST_STRETCHES: f64 = 20.0;

/// The requests of one block as consecutive stretches, so long that one hardly depends on the next (batch means: A. M.
/// Law & J. S. Carson, *Operations Research* 27, 1979, 1011–1025).
fn stretches(cases: &[Case]) -> Vec<Case> {
    let series: Vec<f64> = cases.iter().filter_map(|case| case.ttft.or(case.e2e)).collect();
    let count = (effective_size(&series) / VALUES_IN_A_STRETCH).clamp(1.0, MOST_STRETCHES);
    let place = |i: usize| (i as f64 * count.floor() / cases.len() as f64).floor();
    let mut stretched: Vec<Case> = cases.to_vec();
    for (i, case) in stretched.iter_mut().enumerate() {
        case.block = place(i).to_bits();
    }
    // One goes on until the next begins, though its last answers take longer.
    let starts: Vec<_> = stretched.iter().map(|case| (case.block, case.span.map(|(start, _)| start))).collect();
    for (i, case) in stretched.iter_mut().enumerate() {
        let next = starts[i..].iter().find(|(block, start)| *block != case.block && start.is_some());
        if let (Some((start, end)), Some((_, Some(next)))) = (case.span.as_mut(), next) {
            *end = (*end).min(*next).max(*start);
        }
    }
    stretched
}

/// Names that tell targets of several runs apart.
struct Names {
    /// Names that more than one run has.
    shared: BTreeSet<TargetName>,
    taken: BTreeSet<TargetName>,
}

impl Names {
    fn of(runs: &[StoredRun]) -> Self {
        let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for target in runs.iter().flat_map(|run| &run.plan.targets) {
            if !seen.insert(target.name.clone()) {
                shared.insert(target.name.clone());
            }
        }
        Self { shared, taken: BTreeSet::new() }
    }

    fn label(&mut self, name: &TargetName, run: &str) -> TargetName {
        let wanted = if self.shared.contains(name) { format!("{name}.{}", plain(run)) } else { name.to_string() };
        let numbered = (2_u32..).map(|number| format!("-{number}"));
        let label = std::iter::once(String::new())
            .chain(numbered)
            .filter_map(|suffix| {
                let stem: String = wanted.chars().take(64 - suffix.len()).collect();
                format!("{stem}{suffix}").parse::<TargetName>().ok()
            })
            .find(|label| !self.taken.contains(label))
            .unwrap_or_else(|| name.clone());
        self.taken.insert(label.clone());
        label
    }
}

/// A run's name with nothing in it that a target's may not have.
fn plain(run: &str) -> String {
    run.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect()
}
