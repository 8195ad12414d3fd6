//! Dimensions, and all of them together.
//!
//! A target's badness in a dimension is the mean of its criteria's on the logarithmic scale, so its score, 100 · best ÷
//! own, is a geometric mean of ratios: being twice as slow counts alike at 10 ms and at 10 s, and no unit has a say.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use schema::comparison::{Criterion, Dimension, DimensionRanking, Overall, Score, Support, Turning};
use schema::summary::Estimate;

use super::figure::{Figure, MOST_WORSE};
use super::judge::{Rival, judge, verdict};
use super::weighing::{self, normalised};
use super::{Both, Field, rules};
use crate::interval::TAIL;
use crate::quantile::quantile;

/// Resamples behind a score's interval.
const RESAMPLES: usize = 1_000;

/// What each dimension is made of: TTFT would count for more if its mean and p99 were among them.
const CRITERIA: &[(Dimension, &[Criterion])] = &[
    (Dimension::Latency, &[Criterion::TtftP50, Criterion::TtftP95, Criterion::TpotP50, Criterion::E2eP50]),
    (Dimension::Throughput, &[Criterion::OutputTokensPerS]),
    (Dimension::Consistency, &[Criterion::TtftSpread]),
    (Dimension::Reliability, &[Criterion::SuccessRate]),
    (Dimension::Cost, &[Criterion::CostPer1kRequests]),
];

/// The dimensions that all who are scored have data for.
pub(super) struct Dimensions {
    /// Places of those who are scored.
    places: Vec<usize>,
    dimensions: Vec<Column>,
}

/// One dimension.
struct Column {
    dimension: Dimension,
    criteria: Vec<Criterion>,
    /// One figure for each who is scored.
    figures: Vec<Both>,
}

impl Dimensions {
    /// Who has a latency is scored, in every dimension that all of these have.
    pub(super) fn of(field: &Field, figures: &BTreeMap<Criterion, Vec<Option<Both>>>) -> Self {
        let has = |place: usize, criterion: &Criterion| figures.get(criterion).is_some_and(|of| of[place].is_some());
        let answers = |place: &usize| CRITERIA[0].1.iter().any(|criterion| has(*place, criterion));
        let places: Vec<usize> = (0..field.entrants.len()).filter(answers).collect();
        if places.len() < 2 {
            return Self { places, dimensions: Vec::new() };
        }
        let column = |(dimension, of): &(Dimension, &[Criterion])| {
            let criteria: Vec<Criterion> =
                of.iter().copied().filter(|criterion| places.iter().all(|&place| has(place, criterion))).collect();
            let share = 1.0 / criteria.len() as f64;
            let mixed = |of: Vec<&Figure>| Figure::mixed(of.into_iter().map(|figure| (share, figure)));
            let figure = |&place: &usize| {
                let of: Vec<&Both> =
                    criteria.iter().filter_map(|criterion| figures[criterion][place].as_ref()).collect();
                let apart: Option<Vec<&Figure>> = of.iter().map(|both| both.apart.as_ref()).collect();
                let together = mixed(of.iter().map(|both| &both.together).collect());
                Both { together, apart: apart.map(&mixed) }
            };
            let figures = lifted(places.iter().map(figure).collect());
            (!criteria.is_empty()).then_some(Column { dimension: *dimension, criteria, figures })
        };
        let dimensions = CRITERIA.iter().filter_map(column).collect();
        Self { places, dimensions }
    }

    /// The winner of each.
    pub(super) fn rankings(&self, field: &Field) -> Vec<DimensionRanking> {
        let each = self.dimensions.iter().map(|column| {
            let (order, rivals) = self.rivals(field, &column.figures);
            let judged = judge(&rivals, rules(field.judging, None));
            let scores = self.scores(field, &[(1.0, &column.figures)]);
            DimensionRanking {
                dimension: column.dimension,
                criteria: column.criteria.clone(),
                scores: order.iter().map(|&i| scores[i].clone()).collect(),
                verdict: verdict(&rivals, &judged),
            }
        });
        each.collect()
    }

    /// The winner over all.
    pub(super) fn overall(&self, field: &Field) -> Option<Overall> {
        if self.dimensions.is_empty() {
            return None;
        }
        let keys: Vec<Dimension> = self.dimensions.iter().map(|column| column.dimension).collect();
        let weights = normalised(&keys, &field.judging.weights);
        let weighed: Vec<(f64, &Vec<Both>)> =
            weights.iter().copied().zip(self.dimensions.iter().map(|column| &column.figures)).collect();
        let mixed = |i: usize, pick: &dyn Fn(&Both) -> Option<Figure>| {
            let of: Option<Vec<(f64, Figure)>> =
                weighed.iter().map(|(weight, figures)| Some((*weight, pick(&figures[i])?))).collect();
            of.map(|of| Figure::mixed(of.iter().map(|(weight, figure)| (*weight, figure))))
        };
        let both = |i| {
            let together = mixed(i, &|both| Some(both.together.clone()))?;
            Some(Both { together, apart: mixed(i, &|both| both.apart.clone()) })
        };
        let figures: Vec<Both> = (0..self.places.len()).filter_map(both).collect();
        let (order, rivals) = self.rivals(field, &figures);
        let scores = self.scores(field, &weighed);
        let badness = self.badness();
        let name = |i: usize| field.entrants[self.places[i]].label.clone();
        let mut support: Vec<Support> = weighing::support(&badness, keys.len())
            .into_iter()
            .enumerate()
            .filter(|(_, share)| *share > 0.0)
            .map(|(i, share)| Support { target: name(i), share })
            .collect();
        support.sort_by(|a, b| b.share.total_cmp(&a.share));
        let turning = weighing::turning(&badness, &weights, *order.first()?).map(|(rival, weights)| Turning {
            winner: name(rival),
            weights: keys.iter().copied().zip(weights).collect(),
        });
        Some(Overall {
            weights: keys.iter().copied().zip(weights.iter().copied()).collect(),
            scores: order.iter().map(|&i| scores[i].clone()).collect(),
            verdict: verdict(&rivals, &judge(&rivals, rules(field.judging, None))),
            support,
            turning,
        })
    }

    /// Of each who is scored, its badness by dimension.
    fn badness(&self) -> Vec<Vec<f64>> {
        let of = |i: usize| self.dimensions.iter().map(|column| column.figures[i].together.badness()).collect();
        (0..self.places.len()).map(of).collect()
    }

    /// Best first, with places among those who are scored.
    fn rivals<'a>(&self, field: &'a Field, figures: &[Both]) -> (Vec<usize>, Vec<Rival<'a>>) {
        let rival = |(i, figure): (usize, &Both)| (i, field.entrants[self.places[i]].rival(figure.clone()));
        let mut rivals: Vec<_> = figures.iter().enumerate().map(rival).collect();
        rivals.sort_by(|(_, a), (_, b)| a.figure.badness().total_cmp(&b.figure.badness()));
        rivals.into_iter().unzip()
    }

    /// Each one's score over weighed columns: 100 for whoever is best in all of them. The interval is a percentile
    /// bootstrap of blocks, in common where targets share them, by what each block contributes; none below two blocks.
    fn scores(&self, field: &Field, weighed: &[(f64, &Vec<Both>)]) -> Vec<Score> {
        let score = |moved: &dyn Fn(&Figure, usize) -> f64| -> Vec<f64> {
            let mut behind = vec![0.0; self.places.len()];
            for (weight, figures) in weighed {
                let column: Vec<f64> = figures.iter().enumerate().map(|(i, both)| moved(&both.together, i)).collect();
                let best = column.iter().copied().fold(f64::INFINITY, f64::min);
                for (sum, badness) in behind.iter_mut().zip(column) {
                    *sum += weight * (badness - best);
                }
            }
            behind.into_iter().map(|behind| 100.0 * (-behind).exp()).collect()
        };
        let values = score(&|figure, _| figure.badness());
        let blocks = self.blocks_by_session(field, weighed);
        let mut random = ChaCha12Rng::seed_from_u64(field.seed);
        let mut resampled = vec![Vec::with_capacity(RESAMPLES); self.places.len()];
        for _ in 0..RESAMPLES {
            let drawn: BTreeMap<usize, Vec<u64>> = blocks
                .iter()
                .map(|(&session, own)| {
                    (session, (0..own.len()).map(|_| own[random.random_range(0..own.len())]).collect())
                })
                .collect();
            let moved = |figure: &Figure, i: usize| {
                let drawn = &drawn[&field.entrants[self.places[i]].session];
                // So many blocks scatter a little less around their own mean than around the true one.
                let few = (drawn.len() as f64 / (drawn.len() as f64 - 1.0)).sqrt();
                figure.moved(few * drawn.iter().map(|block| figure.part(*block)).sum::<f64>())
            };
            for (values, value) in resampled.iter_mut().zip(score(&moved)) {
                values.push(value);
            }
        }
        let enough = blocks.values().all(|own| own.len() > 1);
        let each = values.into_iter().zip(&mut resampled).zip(&self.places).map(|((value, resampled), &place)| {
            resampled.sort_unstable_by(f64::total_cmp);
            let end = |q: f64| enough.then(|| quantile(resampled, q));
            let entrant = &field.entrants[place];
            Score {
                target: entrant.label.clone(),
                simulated: entrant.summary.simulated,
                score: Estimate { value, low: end(TAIL), high: end(1.0 - TAIL) },
            }
        });
        each.collect()
    }

    fn blocks_by_session(&self, field: &Field, weighed: &[(f64, &Vec<Both>)]) -> BTreeMap<usize, Vec<u64>> {
        let mut blocks: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        for (_, figures) in weighed {
            for (both, &place) in figures.iter().zip(&self.places) {
                blocks.entry(field.entrants[place].session).or_default().extend(both.together.blocks());
            }
        }
        blocks.into_iter().map(|(session, blocks)| (session, blocks.into_iter().collect())).collect()
    }
}

/// What costs nothing counts as a hundredth of the cheapest that costs anything: a ratio to nothing is none.
fn lifted(figures: Vec<Both>) -> Vec<Both> {
    let finite = figures.iter().map(|both| both.together.badness()).filter(|badness| badness.is_finite());
    let floor = finite.reduce(f64::min).map_or(0.0, |least| least - MOST_WORSE.ln());
    let lift = |figure: Figure| figure.at_least(floor);
    figures.into_iter().map(|both| Both { together: lift(both.together), apart: both.apart.map(lift) }).collect()
}
