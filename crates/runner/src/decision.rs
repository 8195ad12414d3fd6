//! Going on until it is decided which target is better, or that none is.

use std::collections::VecDeque;
use std::sync::Arc;

use schema::comparison::{PairVerdict, Verdict};
use schema::counted;
use schema::plan::Plan;
use schema::record::{Phase, Record};
use schema::units::Nanos;
use stats::{Contest, Open};

use crate::recorder::Seen;
use crate::turns::{Turn, turns};

/// The plan's blocks, which end when every pair of targets has a verdict.
#[derive(Debug)]
pub(crate) struct UntilDecided {
    plan: Arc<Plan>,
    turns: VecDeque<Turn>,
    contest: Contest,
    /// Blocks that all targets have behind them.
    blocks: u32,
    /// Blocks after which it is looked at next.
    look: u32,
    /// What was open at the last look; nothing before the first.
    open: Option<Vec<Open>>,
    /// What is worth a line, until it was told.
    news: Option<String>,
}

impl UntilDecided {
    pub(crate) fn new(plan: &Arc<Plan>, offsets: &Arc<[Nanos]>) -> Self {
        let turns = turns(plan, offsets).into();
        Self { contest: Contest::new(plan), plan: Arc::clone(plan), turns, blocks: 0, look: 1, open: None, news: None }
    }

    /// The next turn, unless all is decided. Looked at is what all targets have behind them, between blocks: after each
    /// of the first twenty, then after every twentieth part more, which costs no time to speak of.
    pub(crate) fn next(&mut self, wanted: impl Fn(usize) -> bool) -> Option<Turn> {
        let turns = &mut self.turns;
        let turn = std::iter::from_fn(|| turns.pop_front()).find(|turn| wanted(turn.target));
        let blocks = turn.as_ref().map_or(self.plan.blocks, |turn| turn.block);
        let is_due = blocks >= self.look || turn.is_none();
        if blocks > self.blocks && is_due && self.is_decided(blocks, wanted) {
            self.turns.clear();
            return None;
        }
        turn
    }

    fn is_decided(&mut self, blocks: u32, wanted: impl Fn(usize) -> bool) -> bool {
        let open = self.contest.open(wanted);
        let changed = self.open.as_ref().is_none_or(|before| pairs(before) != pairs(&open));
        if changed || blocks.is_power_of_two() {
            self.news = Some(format!("after {blocks} of {} blocks: {}", self.plan.blocks, in_words(&open)));
        }
        (self.blocks, self.look) = (blocks, blocks + 1 + blocks / 20);
        let is_decided = open.is_empty();
        self.open = Some(open);
        is_decided
    }

    pub(crate) fn take_in(&mut self, turn: &Turn, seen: &Seen) {
        if turn.phase == Phase::Measured {
            let records: Vec<&Record> = seen.records.iter().map(AsRef::as_ref).collect();
            self.contest.take_in(&self.plan, turn.target, &records);
        }
    }

    /// What is worth a line, once.
    pub(crate) fn news(&mut self) -> Option<String> {
        self.news.take()
    }

    /// How it ended.
    pub(crate) fn notes(&self) -> Vec<String> {
        let ended = |open: &Vec<Open>| {
            let blocks = self.blocks;
            if open.is_empty() {
                format!("all was decided after {blocks} of {} blocks", self.plan.blocks)
            } else {
                format!("not all was decided after {}: {}", counted(blocks, "block"), in_words(open))
            }
        };
        let left_out = self.contest.left_out().into_iter().map(|(criterion, target)| {
            format!("`{target}` has no value for {}: that was left undecided", criterion.heading())
        });
        self.open.as_ref().map(ended).into_iter().chain(left_out).collect()
    }
}

/// How much is open.
fn pairs(open: &[Open]) -> usize {
    open.iter().map(|open| open.pairs.len().max(1)).sum()
}

/// Pairs that are named, at most.
const MOST_NAMED: usize = 3;

fn in_words(open: &[Open]) -> String {
    if open.is_empty() {
        return "all is decided".to_owned();
    }
    let told = open.iter().flat_map(|open| {
        let heading = open.criterion.heading();
        let lacking = open.pairs.is_empty().then(|| format!("{heading} (not enough data yet)"));
        lacking.into_iter().chain(open.pairs.iter().map(move |pair| pair_in_words(heading, pair)))
    });
    let told: Vec<String> = told.take(MOST_NAMED).collect();
    let more = pairs(open) - told.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("open: {}{more}", told.join(", "))
}

fn pair_in_words(heading: &str, pair: &PairVerdict) -> String {
    let margin = pair.margin.map(|margin| format!(" {:+.1} %", margin.value * 100.0)).unwrap_or_default();
    let requests = match pair.verdict {
        Verdict::MoreNeeded { requests: Some(requests) } => {
            format!(", about {} would tell", counted(requests, "more request"))
        }
        _ => String::new(),
    };
    format!("`{}` against `{}` by {heading} ({}{requests})", pair.better, pair.worse, margin.trim_start())
}
