//! A sample in pieces that are resampled whole.

use std::f64::consts::PI;

use super::{MOST_CELLS, Side, Statistic};
use crate::inference::tails::normal_point;
use crate::quantile::quantile;
use crate::radix;

/// A sample, its statistic, and what each of its cells adds to that.
pub(super) struct Cells {
    /// Of the sample as it is.
    pub(super) estimate: f64,
    /// How many values.
    values: usize,
    /// By how much each cell moves the statistic: the sum of its values' influence functions ÷ n.
    pub(super) influence: Vec<f64>,
    /// Values in each cell.
    sizes: Vec<u32>,
    made_of: MadeOf,
}

enum MadeOf {
    /// The sum of each cell.
    Sums(Vec<f64>),
    Order(Order),
}

/// All values by size.
struct Order {
    q: f64,
    sorted: Vec<f64>,
    /// The cell of each.
    cell: Vec<u32>,
    /// Values at which looking for the quantile begins: few resamples have it below.
    begin: usize,
    /// Of each cell, how many of its values are before that.
    before: Vec<u32>,
}

impl Cells {
    /// One cell a value, or for equally many neighbours where there are more than 250. `None` without values, or
    /// with one that is no number.
    pub(super) fn of_values(values: &[f64], statistic: Statistic) -> Option<Self> {
        let together = values.len().div_ceil(MOST_CELLS).max(1);
        Self::new(values, |i| i / together, values.len().div_ceil(together), statistic)
    }

    /// One cell for each of `blocks`, ascending, or for equally many neighbours.
    pub(super) fn of_blocks(side: &Side<'_>, blocks: &[u32], statistic: Statistic) -> Option<Self> {
        let together = blocks.len().div_ceil(MOST_CELLS).max(1);
        let place = |i: usize| blocks.partition_point(|block| *block < side.blocks[i]) / together;
        Self::new(side.values, place, blocks.len().div_ceil(together), statistic)
    }

    fn new(values: &[f64], cell: impl Fn(usize) -> usize, cells: usize, statistic: Statistic) -> Option<Self> {
        if values.len() < 2 || values.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let mut sizes = vec![0; cells];
        (0..values.len()).for_each(|i| sizes[cell(i)] += 1);
        let mut sample = Self {
            estimate: 0.0,
            values: values.len(),
            influence: vec![0.0; cells],
            sizes,
            made_of: MadeOf::Sums(Vec::new()),
        };
        match statistic {
            Statistic::Mean => sample.take_mean(values, cell),
            Statistic::Quantile(q) => sample.take_quantile(values, cell, q.clamp(0.0, 1.0)),
        }
        Some(sample)
    }

    fn take_mean(&mut self, values: &[f64], cell: impl Fn(usize) -> usize) {
        self.estimate = crate::moments::mean(values);
        let mut sums = vec![0.0; self.count()];
        values.iter().enumerate().for_each(|(i, x)| sums[cell(i)] += x);
        self.made_of = MadeOf::Sums(sums);
        let centre = self.estimate;
        self.take_influence(values.iter().enumerate().map(|(i, x)| (cell(i), x - centre)));
    }

    /// The influence function of a quantile is (q − 1{x ≤ quantile}) ÷ the density there. Its jackknife is no guide, as
    /// that of a quantile is inconsistent (B. Efron, *The Jackknife, the Bootstrap and Other Resampling Plans*, 1982, 3.4).
    fn take_quantile(&mut self, values: &[f64], cell: impl Fn(usize) -> usize, q: f64) {
        let (sorted, order): (Vec<f64>, Vec<u32>) = radix::with_places(values.iter().copied()).into_iter().unzip();
        self.estimate = quantile(&sorted, q);
        let (sparsity, centre) = (sparsity(&sorted, q), self.estimate);
        let share = sorted.partition_point(|x| *x <= centre) as f64 / sorted.len() as f64;
        let influence = |x: f64| sparsity * (share - f64::from(u8::from(x <= centre)));
        self.take_influence(values.iter().enumerate().map(|(i, x)| (cell(i), influence(*x))));
        let error = self.influence.iter().map(|x| x * x).sum::<f64>().sqrt() / sparsity;
        self.made_of = MadeOf::Order(Order::of(q, sorted, &order, cell, error, &self.sizes));
    }

    fn take_influence(&mut self, of_values: impl Iterator<Item = (usize, f64)>) {
        let n = self.values as f64;
        for (cell, influence) in of_values {
            self.influence[cell] += influence / n;
        }
    }

    /// How many cells.
    pub(super) const fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The statistic of the sample that has each cell so many times; `NaN` where that has no values.
    pub(super) fn value(&self, weights: &[u32]) -> f64 {
        let n = weighed(weights, &self.sizes);
        match &self.made_of {
            MadeOf::Sums(sums) => {
                sums.iter().zip(weights).map(|(sum, weight)| sum * f64::from(*weight)).sum::<f64>() / n as f64
            }
            MadeOf::Order(order) if n > 0 => order.quantile(weights, n),
            MadeOf::Order(_) => f64::NAN,
        }
    }
}

fn weighed(weights: &[u32], counts: &[u32]) -> u64 {
    weights.iter().zip(counts).map(|(weight, count)| u64::from(*weight) * u64::from(*count)).sum()
}

impl Order {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the length")]
    fn of(
        q: f64,
        sorted: Vec<f64>,
        order: &[u32],
        cell_of: impl Fn(usize) -> usize,
        error: f64,
        sizes: &[u32],
    ) -> Self {
        let cell: Vec<u32> = order.iter().map(|&i| cell_of(i as usize) as u32).collect();
        let n = sorted.len() as f64;
        let begin = (n * (q - 4.0 * error)).max(0.0) as usize;
        let mut before = vec![0; sizes.len()];
        cell[..begin].iter().for_each(|&cell| before[cell as usize] += 1);
        Self { q, sorted, cell, begin, before }
    }

    /// Of `n` weighed values, linear between the two nearest ranks.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ position < n")]
    fn quantile(&self, weights: &[u32], n: u64) -> f64 {
        let position = self.q * (n - 1) as f64;
        let rank = position as u64;
        let before = weighed(weights, &self.before);
        let (mut at, mut passed) = if before <= rank { (self.begin, before) } else { (0, 0) };
        let mut value_at = |rank: u64| {
            while passed + u64::from(weights[self.cell[at] as usize]) <= rank {
                passed += u64::from(weights[self.cell[at] as usize]);
                at += 1;
            }
            self.sorted[at]
        };
        let low = value_at(rank);
        let between = position - rank as f64;
        if between > 0.0 { low + (value_at(rank + 1) - low) * between } else { low }
    }
}

/// 1 ÷ the density at the quantile, by the difference of the quantiles around it (M. M. Siddiqui, 1960), as far from it as
/// P. Hall & S. J. Sheather say (*Journal of the Royal Statistical Society B* 50, 1988, 381–391). Positive.
fn sparsity(sorted: &[f64], q: f64) -> f64 {
    let z = normal_point(q.clamp(1e-6, 1.0 - 1e-6));
    let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
    let ideal = (1.5 * (normal_point(0.975) * density).powi(2) / (2.0 * z * z + 1.0) / sorted.len() as f64).cbrt();
    let (low, high) = ((q - ideal).max(0.0), (q + ideal).min(1.0));
    let slope = (quantile(sorted, high) - quantile(sorted, low)) / (high - low);
    let least = (sorted[sorted.len() - 1] - sorted[0]) * 1e-9;
    if slope > least { slope } else { least.max(f64::MIN_POSITIVE.sqrt()) }
}
