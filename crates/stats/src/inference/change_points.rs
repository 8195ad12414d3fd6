//! Where values in order of time became others.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha12Rng;

use super::order::{median, ranks};
use super::theil_sen::merged;
use crate::autocorrelation::effective_size;

/// Values beyond which the medians of neighbours stand for them.
const MOST: usize = 200;

/// Values at least on either side of a change.
const LEAST: usize = 3;

/// Orders that a change is held against.
const ORDERS: u32 = 499;

/// What p may be at most, for all stretches together.
const SIGNIFICANCE: f64 = 0.05;

/// Changes at most.
const MOST_CHANGES: usize = 10;

/// A place from which values were others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Index of the first value after it.
    pub index: usize,
    /// Median of the values from the change before to this one.
    pub before: f64,
    /// Median of those from this one to the next.
    pub after: f64,
    /// How often chance alone, within the stretch it was found in, makes as clear a change: 1/500 to 0.05.
    pub p: f64,
}

/// Change points of `values` in order of time, first to last: the divisive search of D. S. Matteson & N. A. James (*JASA*
/// 109, 2014, 334–345; as MongoDB and Apache Otava find regressions), each stretch cut where its sides are furthest from
/// each other for as long as the cut is significant by permutation, at 5 % ÷ the number of stretches. The distance is the energy distance of ranks,
/// which is the two-sample Cramér–von Mises statistic and which outliers do not move.
///
/// Permuted are runs of neighbours, twice as long as the serial correlation about the two medians asks for
/// ([`crate::effective_size`]), so that a wandering series is not a changed one. At least three values lie on either
/// side, at most ten changes are told. Of more than 200 values the medians of neighbours stand for them, and an index
/// is that of the first of its neighbours.
pub fn change_points(values: &[f64], seed: u64) -> Vec<ChangePoint> {
    let together = values.len().div_ceil(MOST).max(1);
    let cells = merged(values, MOST);
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut stretches = vec![(0, cells.len())];
    let mut found: Vec<(usize, f64)> = Vec::new();
    while let Some((from, to)) = stretches.pop() {
        let significant = SIGNIFICANCE / (found.len() + 1) as f64;
        let Some((cut, p)) = cut(&cells[from..to], significant, &mut random) else { continue };
        found.push((from + cut, p));
        stretches.extend([(from, from + cut), (from + cut, to)]);
        if found.len() == MOST_CHANGES {
            break;
        }
    }
    found.sort_unstable_by_key(|(cut, _)| *cut);
    told(values, &found.iter().map(|(cut, p)| (cut * together, *p)).collect::<Vec<_>>())
}

/// Each change with the medians about it.
fn told(values: &[f64], found: &[(usize, f64)]) -> Vec<ChangePoint> {
    let begins: Vec<usize> = std::iter::once(0).chain(found.iter().map(|(cut, _)| *cut)).collect();
    let ends = found.iter().map(|(cut, _)| *cut).chain([values.len()]);
    let medians: Vec<f64> = begins.iter().zip(ends).map(|(from, to)| median(&values[*from..to])).collect();
    let points = found.iter().zip(medians.windows(2));
    points.map(|(&(index, p), sides)| ChangePoint { index, before: sides[0], after: sides[1], p }).collect()
}

/// The clearest significant cut of a stretch, with its p-value.
fn cut(stretch: &[f64], significant: f64, random: &mut ChaCha12Rng) -> Option<(usize, f64)> {
    if stretch.len() < 2 * LEAST {
        return None;
    }
    let mut ranks = ranks(stretch);
    let (cut, clearest) = clearest(&ranks);
    let run = run(stretch, cut);
    let mut runs: Vec<Vec<f64>> = ranks.chunks(run).map(<[f64]>::to_vec).collect();
    let mut as_clear = 1_u32;
    for _ in 0..ORDERS {
        runs.shuffle(random);
        ranks.clear();
        ranks.extend(runs.iter().flatten());
        as_clear += u32::from(self::clearest(&ranks).1 >= clearest * (1.0 - 1e-9));
        if share(as_clear) > significant {
            return None;
        }
    }
    Some((cut, share(as_clear)))
}

fn share(orders: u32) -> f64 {
    f64::from(orders) / f64::from(ORDERS + 1)
}

/// How many neighbours are permuted together.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, at most the length")]
fn run(stretch: &[f64], cut: usize) -> usize {
    let (before, after) = (median(&stretch[..cut]), median(&stretch[cut..]));
    let centre = |i: usize| if i < cut { before } else { after };
    let left: Vec<f64> = stretch.iter().enumerate().map(|(i, x)| x - centre(i)).collect();
    let memory = stretch.len() as f64 / effective_size(&ranks(&left));
    if memory < 1.3 { 1 } else { (2.0 * memory).ceil() as usize }
}

/// Where the two sides are furthest from each other, and how far.
///
/// nm/(n + m) · (2 Ē|X − Y| − Ē|X − X'| − Ē|Y − Y'|), of sums that are kept while one value after the other changes sides.
fn clearest(ranks: &[f64]) -> (usize, f64) {
    let all = ranks.len();
    let (mut within_left, mut across, mut within_right) = (0.0, 0.0, 0.0);
    let apart = |of: &[f64], from: f64| of.iter().map(|x| (x - from).abs()).sum::<f64>();
    for (i, rank) in ranks.iter().enumerate() {
        within_right += apart(&ranks[i + 1..], *rank);
    }
    let mut best = (LEAST, f64::NEG_INFINITY);
    for (i, rank) in ranks.iter().enumerate().take(all - LEAST) {
        let (to_left, to_right) = (apart(&ranks[..i], *rank), apart(&ranks[i + 1..], *rank));
        within_left += to_left;
        within_right -= to_right;
        across += to_right - to_left;
        let (n, m) = ((i + 1) as f64, (all - i - 1) as f64);
        let energy = 2.0 * across / (n * m) - 2.0 * within_left / (n * n) - 2.0 * within_right / (m * m);
        let distance = n * m / (n + m) * energy;
        if i + 1 >= LEAST && distance > best.1 {
            best = (i + 1, distance);
        }
    }
    best
}

#[cfg(test)]
mod tests;
