//! Whether all is decided, while a run goes on.

use schema::comparison::{Criterion, PairVerdict};
use schema::plan::{Judging, Plan};
use schema::record::Record;
use schema::target::{Target, TargetName};

use super::case::Case;
use super::figure::Figure;
use super::judge::{Rival, judge};
use super::{count, pair_verdict, planned, rules};
use crate::requests::Requests;

/// Blocks after which a criterion that a target has no values for at all is given up.
const PATIENCE: usize = 3;

/// The measured requests of a run so far, as far as verdicts are made of them.
#[derive(Debug)]
pub struct Contest {
    targets: Vec<Target>,
    judging: Judging,
    planned: Option<u32>,
    cases: Vec<Vec<Case>>,
    turns: Vec<usize>,
}

/// What is not decided yet by one criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// By what.
    pub criterion: Criterion,
    /// Which pairs; none where there is not enough data for any.
    pub pairs: Vec<PairVerdict>,
}

impl Contest {
    /// Before anything was measured.
    pub fn new(plan: &Plan) -> Self {
        let nothing = plan.targets.iter().map(|_| Vec::new()).collect();
        Self {
            targets: plan.targets.clone(),
            judging: plan.judging.clone(),
            planned: planned(plan),
            cases: nothing,
            turns: vec![0; plan.targets.len()],
        }
    }

    /// The same of a run that is looked at after every block, whatever ends it: what is certain at one look is so at an
    /// error rate that holds for all of them.
    pub(crate) fn watched(plan: &Plan) -> Self {
        Self { planned: Some(plan.blocks), ..Self::new(plan) }
    }

    /// Adds the records of one measured block of the target at that place.
    pub fn take_in(&mut self, plan: &Plan, target: usize, records: &[&Record]) {
        // The start-up is in the first block, if anywhere.
        let steady = if self.turns[target] == 0 { Requests::of(plan, records).steady } else { records.to_vec() };
        self.add(target, Case::all(&self.targets[target], steady));
    }

    /// Adds one measured record of the target at that place, be it of its start-up, without ending a block.
    pub fn add_one(&mut self, target: usize, record: &Record) {
        self.cases[target].push(Case::of(&self.targets[target], record));
    }

    /// Adds the cases of one block.
    pub(super) fn add(&mut self, target: usize, cases: Vec<Case>) {
        self.cases[target].extend(cases);
        self.turns[target] += 1;
    }

    /// What is still open among the targets that are `wanted`, by what the plan wants decided; empty when all of it is.
    /// A criterion that one of them has no value of after three blocks is left out.
    pub fn open(&self, wanted: impl Fn(usize) -> bool) -> Vec<Open> {
        let places: Vec<usize> = (0..self.targets.len()).filter(|&target| wanted(target)).collect();
        let open = self.judging.until_decided.iter().filter_map(|&criterion| {
            if places.iter().any(|&place| self.will_never_have(criterion, place)) {
                return None;
            }
            let Some(pairs) = self.verdicts(criterion, &places) else {
                return Some(Open { criterion, pairs: Vec::new() });
            };
            let pairs: Vec<PairVerdict> = pairs.into_iter().filter(|pair| !pair.is_decided()).collect();
            (!pairs.is_empty()).then_some(Open { criterion, pairs })
        });
        open.collect()
    }

    fn will_never_have(&self, criterion: Criterion, place: usize) -> bool {
        self.turns[place] >= PATIENCE
            && criterion != Criterion::OutputTokensPerS
            && count(criterion, &self.cases[place]) == 0
    }

    /// Criteria that are left out, with a target that has no value of each.
    pub fn left_out(&self) -> Vec<(Criterion, TargetName)> {
        let lacking = self.judging.until_decided.iter().filter_map(|&criterion| {
            let place = (0..self.targets.len()).find(|&place| self.will_never_have(criterion, place))?;
            Some((criterion, self.targets[place].name.clone()))
        });
        lacking.collect()
    }

    /// Every pair of the targets at these `places`, judged as the run's comparison will be, without further evidence;
    /// `None` where one of them has too little data.
    pub fn verdicts(&self, criterion: Criterion, places: &[usize]) -> Option<Vec<PairVerdict>> {
        self.verdicts_before(u64::MAX, criterion, places)
    }

    /// The same by the blocks before that one: records came in their order.
    pub(crate) fn verdicts_before(
        &self,
        before: u64,
        criterion: Criterion,
        places: &[usize],
    ) -> Option<Vec<PairVerdict>> {
        let cases = |place: usize| {
            let all = &self.cases[place];
            &all[..all.partition_point(|case| case.block < before)]
        };
        let figures: Option<Vec<Figure>> = places.iter().map(|&place| Figure::of(criterion, cases(place))).collect();
        let rival = |(&place, figure): (&usize, Figure)| Rival {
            target: &self.targets[place].name,
            simulated: self.targets[place].simulated,
            session: 0,
            planned: self.planned,
            requests: cases(place).len() as u64,
            figure,
            apart: None,
        };
        let mut rivals: Vec<Rival> = places.iter().zip(figures?).map(rival).collect();
        rivals.sort_by(|a, b| a.figure.badness().total_cmp(&b.figure.badness()));
        let judged = judge(&rivals, rules(&self.judging, Some(criterion)));
        Some(judged.iter().map(|pair| pair_verdict(&rivals, pair, criterion, self.judging.tie)).collect())
    }
}
