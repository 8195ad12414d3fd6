//! Who is preferred, from choices among few.

mod likelihood;
mod profile;

use schema::summary::Estimate;

use self::likelihood::{Choices, Likelihood};
use super::tails::both_tails;

/// Contenders that are told apart at most.
pub const MOST_CONTENDERS: usize = 32;

/// Deviate of a two-sided test at 5 %.
const Z: f64 = 1.959_963_984_540_054;

/// Fewer choices say nothing of how further ones will fall.
const FEWEST_CHOICES: usize = 5;

/// Below this a difference is so small that no number of further choices can be named.
const FAINT: f64 = 0.2;

/// What one person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Contenders that were shown: two or more, each once, by number.
    pub shown: Vec<usize>,
    /// The one that was preferred; `None`: all alike.
    pub preferred: Option<usize>,
}

/// How much each contender is preferred, fitted to choices.
#[derive(Debug, Clone)]
pub struct Strengths {
    likelihood: Likelihood,
    fitted: Vec<f64>,
    choices: usize,
}

/// Whether the first of the field is the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leader {
    /// Whose number.
    pub contender: usize,
    /// How likely such a lead over each other would be by chance at most, corrected for having been picked out.
    pub p: f64,
    /// About how many more choices would tell, if they fall as before; `None`: it is told, or the lead is too small, or
    /// the choices too few, to say.
    pub needs_more: Option<u64>,
}

/// Fits the strengths of `contenders` to `choices`: with two shown, R. A. Bradley and M. E. Terry's model (*Biometrika*
/// 39, 1952, 324–345); with more, R. D. Luce's choice among them (*Individual Choice Behavior*, 1959), which is the same
/// with two. Where all were alike, each has an equal part of the choice.
///
/// So that few choices give no infinite strengths, each has a log-F(1, 1) prior: as if it had once half won and half
/// lost against one of no strength (S. Greenland and M. A. Mansournia, *Statistics in Medicine* 34, 2015, 3133–3143).
/// Intervals are those of the profile of that likelihood, which need not be symmetric.
///
/// Choices with a contender that does not exist, shown twice, or preferred without being shown count for nothing. `None`
/// below two contenders, above [`MOST_CONTENDERS`], or without a choice that counts.
pub fn bradley_terry(contenders: usize, choices: &[Choice]) -> Option<Strengths> {
    if !(2..=MOST_CONTENDERS).contains(&contenders) {
        return None;
    }
    let gathered = Choices::gather(contenders, choices);
    let choices = gathered.len();
    let likelihood = Likelihood::new(contenders, gathered);
    (choices > 0).then(|| Strengths { fitted: likelihood.climb(vec![0.0; contenders], None), likelihood, choices })
}

impl Strengths {
    /// Log-odds that `contender` is preferred to a typical other: its own strength less the mean of the others'.
    pub fn of(&self, contender: usize) -> Estimate {
        self.estimate(&self.against_others(contender))
    }

    /// Log-odds that `one` is preferred to `other`.
    pub fn difference(&self, one: usize, other: usize) -> Estimate {
        self.estimate(&self.between(one, other))
    }

    /// How likely a difference as large would be, were `one` and `other` alike: by the likelihood ratio.
    pub fn p(&self, one: usize, other: usize) -> f64 {
        both_tails(self.deviate(&self.between(one, other), 0.0))
    }

    /// The one preferred most, and whether that can be told. Picking the first of n out and holding it against each of
    /// the n − 1 others is n − 1 chances to be wrong: the largest p-value is multiplied by that (Bonferroni).
    pub fn leader(&self) -> Leader {
        let stronger = |best: usize, one: usize| if self.fitted[one] > self.fitted[best] { one } else { best };
        let contender = (1..self.fitted.len()).fold(0, stronger);
        let others = (0..self.fitted.len()).filter(|other| *other != contender);
        let least =
            others.map(|other| self.deviate(&self.between(contender, other), 0.0)).fold(f64::INFINITY, f64::min);
        let times = (self.fitted.len() - 1) as f64;
        let p = (both_tails(least) * times).min(1.0);
        Leader { contender, p, needs_more: self.needs_more(least, p) }
    }

    /// A likelihood ratio grows with the number of choices, and so its root with the square root of it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ratio of small numbers, rounded up")]
    fn needs_more(&self, least: f64, p: f64) -> Option<u64> {
        if p <= 0.05 || least < FAINT || self.choices < FEWEST_CHOICES {
            return None;
        }
        let times = (self.fitted.len() - 1) as f64;
        let wanted = -super::tails::normal_point(0.025 / times);
        Some((self.choices as f64 * ((wanted / least).powi(2) - 1.0)).ceil().max(1.0) as u64)
    }

    /// Choices that counted.
    pub fn choices(&self) -> usize {
        self.choices
    }

    fn between(&self, one: usize, other: usize) -> Vec<f64> {
        let mut contrast = vec![0.0; self.fitted.len()];
        contrast[one] += 1.0;
        contrast[other] -= 1.0;
        contrast
    }

    fn against_others(&self, contender: usize) -> Vec<f64> {
        let mut contrast = vec![-1.0 / (self.fitted.len() - 1) as f64; self.fitted.len()];
        contrast[contender] = 1.0;
        contrast
    }
}

/// The chance of being preferred to one that is weaker by so many log-odds.
pub fn chance(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests;
