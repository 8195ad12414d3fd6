//! Targets against each other: who is better by what, how sure that is, and what it comes to over all.
//!
//! ```text
//! cases (a request each) ─▶ figure (value, what each block contributes)
//!    figures ─▶ contrast (two of them) ─▶ judge (all pairs, Holm, looks) ─▶ rankings
//!            └▶ mixed by weight ─▶ judge ─▶ dimensions, overall ─▶ weighing     rankings ─▶ fronts
//! ```
//!
//! Blocks, not requests, are taken as independent: requests of one block share its minutes and whatever troubled them.
//! So errors hold under serial correlation and under luck of whole blocks, and a run of few blocks says so instead of
//! naming a winner. A verdict holds for the conditions of its run.

mod case;
mod contest;
mod contrast;
mod evidence;
mod figure;
mod front;
mod judge;
mod looks;
mod runs;
mod score;
mod weighing;

use std::collections::BTreeMap;

use schema::FORMAT_VERSION;
use schema::comparison::{Comparison, Criterion, PairVerdict, Ranking, Standing};
use schema::metric::Metric;
use schema::plan::{Judging, Plan};
use schema::record::Record;
use schema::summary::{Distribution, Estimate, Summary, TargetSummary, Trust};
use schema::target::TargetName;

use crate::distribution::not_negative;
use crate::inference::tails::t_point;
use crate::interval::{self, TAIL};
use crate::side_by_side::side_by_side;
use case::Case;
use figure::Figure;
use judge::{Judged, Rival, Rules, judge};

pub use contest::{Contest, Open};
pub use runs::{StoredRun, compare_runs};

/// One that takes part, with its numbers and requests.
struct Entrant<'a> {
    /// How it is called here: its target's name, or that and its run's.
    label: TargetName,
    summary: &'a TargetSummary,
    /// Which run it was measured in.
    session: usize,
    /// All blocks of its run, where that ends when all is decided.
    planned: Option<u32>,
    cases: Vec<Case>,
    /// The same by stretches, where one block is compared with another run's.
    apart: Option<Vec<Case>>,
}

/// What a comparison is made by.
struct Field<'a> {
    entrants: Vec<Entrant<'a>>,
    judging: &'a Judging,
    /// Whether each carried what it was offered: then that says nothing of it.
    open: bool,
    seed: u64,
}

/// Ranks the targets of `summary`, each made of the steady requests at its place in `requests`; `None` below two
/// targets. A criterion without a value of any target is left out.
pub(crate) fn compare(plan: &Plan, summary: &Summary, requests: &[Vec<&Record>]) -> Option<Comparison> {
    let targets = plan.targets.iter().zip(&summary.targets).zip(requests).collect();
    let entrants = side_by_side(requests.iter().map(Vec::len).sum(), targets, |((target, summary), steady)| Entrant {
        label: summary.target.clone(),
        summary,
        session: 0,
        planned: planned(plan),
        cases: Case::all(target, steady.iter().copied()),
        apart: None,
    });
    let field = Field { entrants, judging: &plan.judging, open: plan.load.is_open(), seed: plan.seed };
    let mut comparison = field.compare()?;
    comparison.name.clone_from(&summary.name);
    comparison.warnings.clone_from(&summary.warnings);
    comparison.warnings.extend(field.warnings());
    Some(comparison)
}

/// All blocks of a run that ends when all is decided.
fn planned(plan: &Plan) -> Option<u32> {
    (!plan.judging.until_decided.is_empty()).then_some(plan.blocks)
}

/// What counts for a field ranked by `criterion`, or by several mixed.
fn rules(judging: &Judging, criterion: Option<Criterion>) -> Rules {
    let is_among = criterion.is_some_and(|criterion| judging.until_decided.contains(&criterion));
    Rules {
        tie: if criterion.is_some_and(Criterion::is_share) { judging.tie } else { judging.tie.ln_1p() },
        fields: if is_among { judging.until_decided.len() as f64 } else { 1.0 },
    }
}

impl Field<'_> {
    fn compare(&self) -> Option<Comparison> {
        if self.entrants.len() < 2 {
            return None;
        }
        let meant = |criterion: &Criterion| *criterion != Criterion::OutputTokensPerS || !self.open;
        let criteria = Criterion::ALL.iter().copied().filter(meant).collect();
        let ranked = side_by_side(self.cases(), criteria, |criterion| {
            let figures = self.figures(criterion);
            (self.ranking(criterion, &figures), (criterion, figures))
        });
        let (rankings, figures): (Vec<Ranking>, BTreeMap<Criterion, Vec<Option<Both>>>) = ranked.into_iter().unzip();
        let rankings: Vec<Ranking> =
            rankings.into_iter().filter(|ranking| ranking.standings.iter().any(|s| s.n > 0)).collect();
        let dimensions = score::Dimensions::of(self, &figures);
        Some(Comparison {
            format_version: FORMAT_VERSION,
            name: String::new(),
            simulated: self.entrants.iter().any(|entrant| entrant.summary.simulated),
            dimensions: dimensions.rankings(self),
            overall: dimensions.overall(self),
            fronts: front::fronts(&rankings),
            rankings,
            warnings: Vec::new(),
            unlike: Vec::new(),
        })
    }

    fn cases(&self) -> usize {
        self.entrants.iter().map(|entrant| entrant.cases.len()).sum()
    }

    /// What a reader must know of those that take part.
    fn warnings(&self) -> Vec<String> {
        let limited = self.entrants.iter().filter(|entrant| entrant.summary.quality.trust == Trust::ClientLimited);
        limited
            .map(|entrant| format!("`{}` was client-limited: its rank is partly our own doing", entrant.label))
            .collect()
    }

    fn figures(&self, criterion: Criterion) -> Vec<Option<Both>> {
        let both = |entrant: &Entrant| {
            let together = Figure::of(criterion, &entrant.cases)?;
            Some(Both { together, apart: entrant.apart.as_ref().and_then(|cases| Figure::of(criterion, cases)) })
        };
        self.entrants.iter().map(both).collect()
    }

    /// Those that have a figure, best first.
    fn rivals<'a>(&'a self, figures: &[Option<Both>]) -> Vec<(usize, Rival<'a>)> {
        let rival = |(place, figure): (usize, &Option<Both>)| {
            let (entrant, figure) = (&self.entrants[place], figure.clone()?);
            Some((place, entrant.rival(figure)))
        };
        let mut rivals: Vec<_> = figures.iter().enumerate().filter_map(rival).collect();
        // Equals stay in the plan's order.
        rivals.sort_by(|(_, a), (_, b)| a.figure.badness().total_cmp(&b.figure.badness()));
        rivals
    }

    fn ranking(&self, criterion: Criterion, figures: &[Option<Both>]) -> Ranking {
        let ranked = self.rivals(figures);
        let (places, rivals): (Vec<usize>, Vec<Rival>) = ranked.into_iter().unzip();
        let judged = judge(&rivals, rules(self.judging, Some(criterion)));
        let verdict = judge::verdict(&rivals, &judged);
        let pairs = judged.iter().map(|judged| {
            let (better, worse) = judged.places;
            let pair = (&self.entrants[places[better]], &self.entrants[places[worse]]);
            let evidence = evidence::of(criterion, pair, judged, self.seed);
            PairVerdict { evidence, ..pair_verdict(&rivals, judged, criterion, self.judging.tie) }
        });
        let first = places.iter().map(|&place| self.standing(criterion, place, figures[place].as_ref()));
        let unranked = (0..self.entrants.len()).filter(|&place| figures[place].is_none());
        let last = unranked.map(|place| self.standing(criterion, place, None));
        let mut last: Vec<Standing> = last.collect();
        last.sort_by_key(|standing| std::cmp::Reverse(standing.n));
        let standings = first.chain(last).collect();
        Ranking { criterion, standings, pairs: pairs.collect(), verdict }
    }

    fn standing(&self, criterion: Criterion, place: usize, figure: Option<&Both>) -> Standing {
        let entrant = &self.entrants[place];
        let n = figure.map_or_else(|| count(criterion, &entrant.cases), |figure| figure.together.n);
        Standing {
            target: entrant.label.clone(),
            simulated: entrant.summary.simulated,
            n,
            estimate: figure.map(|figure| {
                entrant.estimate(criterion).unwrap_or_else(|| scattered(&figure.together, criterion.higher_is_better()))
            }),
        }
    }
}

/// A figure for comparing within a run and, where that takes another, across runs.
#[derive(Debug, Clone)]
struct Both {
    together: Figure,
    apart: Option<Figure>,
}

impl Entrant<'_> {
    fn rival(&self, figure: Both) -> Rival<'_> {
        Rival {
            target: &self.label,
            simulated: self.summary.simulated,
            session: self.session,
            planned: self.planned,
            requests: self.cases.len() as u64,
            figure: figure.together,
            apart: figure.apart,
        }
    }

    /// What its summary says, where that holds it.
    fn estimate(&self, criterion: Criterion) -> Option<Estimate> {
        let metric = |metric| self.summary.metrics.get(&metric);
        let of = |metric_of: Metric, pick: fn(&Distribution) -> &schema::summary::Percentile| {
            metric(metric_of).and_then(|distribution| pick(distribution).known().copied())
        };
        match criterion {
            Criterion::TtftMean => metric(Metric::Ttft).map(|distribution| distribution.mean),
            Criterion::TtftP50 => of(Metric::Ttft, |d| &d.p50),
            Criterion::TtftP95 => of(Metric::Ttft, |d| &d.p95),
            Criterion::TtftP99 => of(Metric::Ttft, |d| &d.p99),
            Criterion::TpotP50 => of(Metric::Tpot, |d| &d.p50),
            Criterion::E2eP50 => of(Metric::E2e, |d| &d.p50),
            Criterion::OutputTokensPerS => Some(self.summary.throughput.output_tokens_per_s),
            Criterion::CostPer1kRequests => self.summary.cost.as_ref()?.per_request_usd.map(|each| {
                let thousand = |x: f64| x * 1000.0;
                not_negative(Estimate {
                    value: thousand(each.value),
                    low: each.low.map(thousand),
                    high: each.high.map(thousand),
                })
            }),
            Criterion::SuccessRate => {
                let counted = self.cases.iter().filter(|case| !case.throttled);
                let (low, high) = interval::wilson(
                    counted.clone().filter(|case| case.completed).count() as u64,
                    counted.count() as u64,
                );
                Some(Estimate { value: self.summary.success_rate, low: Some(low), high: Some(high) })
            }
            Criterion::TtftSpread => None,
        }
    }
}

/// A figure with its own 95 % interval, by how its blocks scatter.
fn scattered(figure: &Figure, higher_is_better: bool) -> Estimate {
    let freedom = figure.block_count() as f64 - 1.0;
    let offset = if freedom >= 1.0 { figure.error() * t_point(1.0 - TAIL, freedom) } else { f64::INFINITY };
    let shown = |badness: f64| {
        let value = if higher_is_better { (-badness).exp() } else { badness.exp() };
        Some(value).filter(|value| value.is_finite() && *value > 0.0)
    };
    let (best, worst) = (shown(figure.moved(-offset)), shown(figure.moved(offset)));
    let (low, high) = if higher_is_better { (worst, best) } else { (best, worst) };
    Estimate { value: figure.shown, low, high }
}

/// How many values there are for a criterion that are too few to rank by it.
fn count(criterion: Criterion, cases: &[Case]) -> u64 {
    let values = |has: fn(&Case) -> bool| cases.iter().filter(|case| has(case)).count() as u64;
    match criterion {
        Criterion::TtftMean | Criterion::TtftP50 | Criterion::TtftP95 | Criterion::TtftP99 | Criterion::TtftSpread => {
            values(|case| case.ttft.is_some())
        }
        Criterion::TpotP50 => values(|case| case.tpot.is_some()),
        Criterion::E2eP50 => values(|case| case.e2e.is_some()),
        Criterion::CostPer1kRequests => values(|case| case.cost.is_some()),
        Criterion::SuccessRate => values(|case| !case.throttled),
        Criterion::OutputTokensPerS => 0,
    }
}

/// What is told of a pair; without further evidence.
fn pair_verdict(rivals: &[Rival], judged: &Judged, criterion: Criterion, tie: f64) -> PairVerdict {
    let (better, worse) = (&rivals[judged.places.0], &rivals[judged.places.1]);
    PairVerdict {
        better: better.target.clone(),
        worse: worse.target.clone(),
        simulated_with_real: better.simulated != worse.simulated,
        margin: margin(judged.difference, criterion.is_share()),
        test: judged.test,
        p: judged.p,
        p_adjusted: judged.p_adjusted,
        verdict: match judged.verdict {
            schema::comparison::Verdict::Tie { .. } => schema::comparison::Verdict::Tie { within: tie },
            other => other,
        },
        evidence: schema::comparison::Evidence { blocks: judged.blocks, ..Default::default() },
    }
}

/// A difference of badness as it is told: of shares itself, of all else the larger value ÷ the smaller − 1.
fn margin(difference: Estimate, is_share: bool) -> Option<Estimate> {
    let told = |x: f64| if is_share { x } else { x.exp_m1() };
    difference.value.is_finite().then(|| Estimate {
        value: told(difference.value),
        low: difference.low.map(told),
        high: difference.high.map(told),
    })
}

#[cfg(test)]
mod tests;
