//! How likely choices are under given strengths, and the strengths under which they are most so.

use std::collections::BTreeMap;

use super::Choice;

/// Steps after which a climb ends: Newton's double the digits with each.
const MOST_STEPS: usize = 60;

/// A step this small changes nothing any more.
const STANDING: f64 = 1e-13;

/// Choices by who was shown: how often each was preferred.
#[derive(Debug, Clone)]
pub(super) struct Choices(BTreeMap<Vec<usize>, Vec<f64>>);

impl Choices {
    /// Those of `choices` that make sense.
    pub(super) fn gather(contenders: usize, choices: &[Choice]) -> Self {
        let mut gathered: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
        for Choice { shown, preferred } in choices {
            let mut shown = shown.clone();
            shown.sort_unstable();
            let distinct = shown.windows(2).all(|pair| pair[0] < pair[1]);
            let known = shown.len() >= 2 && shown.iter().all(|who| *who < contenders);
            let place = preferred.map(|who| shown.binary_search(&who));
            if !distinct || !known || place.is_some_and(|place| place.is_err()) {
                continue;
            }
            let parts = shown.len();
            let won = gathered.entry(shown).or_insert_with(|| vec![0.0; parts]);
            match place {
                Some(place) => won[place.expect("it was looked for just before")] += 1.0,
                None => won.iter_mut().for_each(|won| *won += 1.0 / parts as f64),
            }
        }
        Self(gathered)
    }

    /// How many there are.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, rounded")]
    pub(super) fn len(&self) -> usize {
        self.0.values().flatten().sum::<f64>().round() as usize
    }
}

/// The penalised likelihood of choices: concave, with one summit.
#[derive(Debug, Clone)]
pub(super) struct Likelihood {
    contenders: usize,
    choices: Choices,
}

impl Likelihood {
    pub(super) const fn new(contenders: usize, choices: Choices) -> Self {
        Self { contenders, choices }
    }

    /// Its logarithm at `strengths`.
    pub(super) fn log(&self, strengths: &[f64]) -> f64 {
        let prior: f64 = strengths.iter().map(|s| s / 2.0 - soft_plus(*s)).sum();
        let of = |(shown, won): (&Vec<usize>, &Vec<f64>)| {
            let total: f64 = won.iter().sum();
            let own: f64 = shown.iter().zip(won).map(|(who, won)| won * strengths[*who]).sum();
            own - total * log_sum(shown, strengths)
        };
        prior + self.choices.0.iter().map(of).sum::<f64>()
    }

    /// Its slope, and how it bends: the negative second derivatives, row by row.
    pub(super) fn shape(&self, strengths: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let n = self.contenders;
        let (mut slope, mut bend) = (vec![0.0; n], vec![vec![0.0; n]; n]);
        for (who, strength) in strengths.iter().enumerate() {
            let chance = super::chance(*strength);
            slope[who] = 0.5 - chance;
            bend[who][who] = chance * (1.0 - chance);
        }
        for (shown, won) in &self.choices.0 {
            let total: f64 = won.iter().sum();
            let whole = log_sum(shown, strengths);
            let share = |who: usize| (strengths[who] - whole).exp();
            for (who, won) in shown.iter().zip(won) {
                slope[*who] += won - total * share(*who);
                bend[*who][*who] += total * share(*who);
                for other in shown {
                    bend[*who][*other] -= total * share(*who) * share(*other);
                }
            }
        }
        (slope, bend)
    }

    /// Newton's way up from `strengths`; with a contrast, only along what leaves it as it is.
    pub(super) fn climb(&self, mut strengths: Vec<f64>, along: Option<&[f64]>) -> Vec<f64> {
        let mut height = self.log(&strengths);
        for _ in 0..MOST_STEPS {
            let (slope, bend) = self.shape(&strengths);
            let root = Root::of(bend);
            let mut step = root.solve(&slope);
            if let Some(contrast) = along {
                let away = root.solve(contrast);
                let much = dot(contrast, &step) / dot(contrast, &away);
                step.iter_mut().zip(&away).for_each(|(step, away)| *step -= much * away);
            }
            let size = step.iter().fold(0.0, |most: f64, step| most.max(step.abs()));
            // As steep as it is, a whole step may go beyond the summit: half of it, until it leads up.
            let mut part = 1.0;
            let (next, found) = loop {
                let next: Vec<f64> = strengths.iter().zip(&step).map(|(at, step)| at + part * step).collect();
                let found = self.log(&next);
                if found >= height || part * size < STANDING {
                    break (next, found);
                }
                part /= 2.0;
            };
            if found < height {
                break;
            }
            (strengths, height) = (next, found);
            if part * size < STANDING {
                break;
            }
        }
        strengths
    }
}

pub(super) fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// ln(1 + eˣ) without overflow.
fn soft_plus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// ln Σ eˣ over those shown, without overflow.
fn log_sum(shown: &[usize], strengths: &[f64]) -> f64 {
    let most = shown.iter().map(|who| strengths[*who]).fold(f64::NEG_INFINITY, f64::max);
    most + shown.iter().map(|who| (strengths[*who] - most).exp()).sum::<f64>().ln()
}

/// The lower triangular root of a positive definite matrix (Cholesky).
pub(super) struct Root(Vec<Vec<f64>>);

impl Root {
    /// Of a matrix that the prior keeps positive definite.
    pub(super) fn of(mut matrix: Vec<Vec<f64>>) -> Self {
        for i in 0..matrix.len() {
            for j in 0..=i {
                let sum = dot(&matrix[i][..j], &matrix[j][..j]);
                let left = matrix[i][j] - sum;
                matrix[i][j] = if i == j { left.max(f64::MIN_POSITIVE).sqrt() } else { left / matrix[j][j] };
            }
        }
        Self(matrix)
    }

    /// What the matrix makes of which `right` is left.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut x = right.to_vec();
        for i in 0..x.len() {
            x[i] = (x[i] - dot(&self.0[i][..i], &x[..i])) / self.0[i][i];
        }
        for i in (0..x.len()).rev() {
            let below: f64 = (i + 1..x.len()).map(|k| self.0[k][i] * x[k]).sum();
            x[i] = (x[i] - below) / self.0[i][i];
        }
        x
    }
}
