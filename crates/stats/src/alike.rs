//! Is it the same thing? In what targets that are compared are not like with like.
//!
//! ```text
//! Compared (plan, target, steady requests) ─┬▶ asked    what differs in what was asked, and by whom
//!                                           ├▶ came     how answers came: lengths, ends, caches, pieces, lags
//!                                           ├▶ groups   TTFT in two groups
//!                                           └▶ answers  the same text or not
//! ```
//!
//! What is written in plans is compared as it is. What was measured has to differ by so much that it matters, as each
//! file says, and by more than chance would have it: the tests of all aspects and pairs together err in at most one
//! of twenty comparisons in which nothing differs (Bonferroni). Of several pairs the most unlike is told.

mod answers;
mod asked;
mod came;
mod groups;
mod model;

use schema::alike::{Aspect, Severity, Unlike};
use schema::manifest::Machine;
use schema::plan::Plan;
use schema::record::Record;
use schema::target::Target;

/// Aspects that are tested against chance, each once a pair of targets.
const TESTED: usize = 7;

/// How often anything may be told of a comparison in which nothing differs.
const ERROR_RATE: f64 = 0.05;

/// So many requests of each are looked at, evenly over all: what matters shows in them.
const MOST: usize = 20_000;

/// One of those that are compared.
#[derive(Debug, Clone)]
pub struct Compared<'a> {
    /// What the comparison calls it.
    pub label: String,
    /// Its run's plan.
    pub plan: &'a Plan,
    /// It.
    pub target: &'a Target,
    /// Its requests: measured, last attempts, without the start-up.
    pub requests: Vec<&'a Record>,
    /// The machine that measured, where known.
    pub machine: Option<&'a Machine>,
    /// The version of the program that measured, where known.
    pub program_version: Option<&'a str>,
}

impl<'a> Compared<'a> {
    /// Its completed requests.
    fn completed(&self) -> impl Iterator<Item = &'a Record> + '_ {
        self.requests.iter().copied().filter(|record| record.outcome.is_complete())
    }

    /// A value of each completed request that has one.
    fn values(&self, value: impl Fn(&Record) -> Option<f64>) -> Vec<f64> {
        self.completed().filter_map(value).collect()
    }
}

/// In what the targets of one run are not like with like, each of its steady requests at its place in `requests`.
pub(crate) fn within(plan: &Plan, requests: &[Vec<&Record>]) -> Vec<Unlike> {
    let targets = plan.targets.iter().zip(requests);
    let compared = targets.map(|(target, requests)| Compared {
        label: target.name.to_string(),
        plan,
        target,
        requests: thinned(requests),
        machine: None,
        program_version: None,
    });
    unlike(&compared.collect::<Vec<_>>())
}

/// In what `compared` are not like with like, the worst first; nothing below two.
pub fn unlike(compared: &[Compared<'_>]) -> Vec<Unlike> {
    if compared.len() < 2 {
        return Vec::new();
    }
    let thin = |one: &Compared<'_>| one.requests.len() > MOST;
    if compared.iter().any(thin) {
        let fewer = compared.iter().map(|one| Compared { requests: thinned(&one.requests), ..one.clone() });
        return unlike(&fewer.collect::<Vec<_>>());
    }
    let mut found = asked::unlike(compared);
    found.extend(came::unlike(compared));
    found.extend(groups::unlike(compared));
    found.extend(answers::unlike(compared));
    found.sort_by_key(|unlike| (std::cmp::Reverse(unlike.severity), unlike.what));
    found
}

/// At most [`MOST`] of the requests.
fn thinned<'a>(requests: &[&'a Record]) -> Vec<&'a Record> {
    let step = requests.len().div_ceil(MOST).max(1);
    requests.iter().copied().step_by(step).collect()
}

/// What one test of one pair may err by.
fn error_rate(compared: &[Compared<'_>]) -> f64 {
    let pairs = compared.len() * (compared.len() - 1) / 2;
    ERROR_RATE / (TESTED * pairs.max(1)) as f64
}

/// Two that differ.
struct Pair<'c, T> {
    one: &'c T,
    other: &'c T,
    /// How many pairs differ besides.
    more: usize,
}

impl<T> Pair<'_, T> {
    /// `; so do 2 other pairs`, where there are some.
    fn besides(&self) -> String {
        match self.more {
            0 => String::new(),
            1 => "; so does another pair".to_owned(),
            more => format!("; so do {more} other pairs"),
        }
    }
}

/// The pair with the largest difference, of those in which `difference` finds one.
fn most_unlike<'c, T, D>(
    compared: &'c [T],
    difference: impl Fn(&'c T, &'c T) -> Option<(f64, D)>,
) -> Option<(Pair<'c, T>, D)> {
    let pairs =
        compared.iter().enumerate().flat_map(|(i, one)| compared[i + 1..].iter().map(move |other| (one, other)));
    let mut found: Vec<_> =
        pairs.filter_map(|(one, other)| difference(one, other).map(|(size, what)| (size, one, other, what))).collect();
    let more = found.len().saturating_sub(1);
    let largest = (0..found.len()).max_by(|&a, &b| found[a].0.total_cmp(&found[b].0))?;
    let (_, one, other, what) = found.swap_remove(largest);
    Some((Pair { one, other, more }, what))
}

/// Those compared, by what they have: `a and b: 8; c: 16`. `None` when all have the same.
fn grouped<'a>(compared: &[Compared<'a>], of: impl Fn(&Compared<'a>) -> String) -> Option<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for one in compared {
        let has = of(one);
        match groups.iter_mut().find(|(value, _)| *value == has) {
            Some((_, names)) => names.push(&one.label),
            None => groups.push((has, vec![&one.label])),
        }
    }
    let told = groups.iter().map(|(value, names)| format!("{} {value}", listed(names)));
    (groups.len() > 1).then(|| told.collect::<Vec<_>>().join("; "))
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.join(", "),
    }
}

fn told(severity: Severity, what: Aspect, detail: String) -> Unlike {
    Unlike { severity, what, detail }
}

/// A share as a percentage without decimals.
fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests;
