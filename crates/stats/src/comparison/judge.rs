//! Every pair of a field, and what that makes of its first.

use schema::comparison::{RankVerdict, Test, Verdict};
use schema::summary::Estimate;
use schema::target::TargetName;

use super::contrast::Contrast;
use super::figure::Figure;
use super::looks::Looks;
use crate::inference::holm;

/// How often a field may be called certain, for any of its pairs, where nothing differs.
const ERROR_RATE: f64 = 0.05;

/// How much further an interval has to shrink for it to exclude, four times in five, what it barely does on average:
/// (1.96 + 0.84) ÷ 1.96.
const FOUR_IN_FIVE: f64 = 1.43;

/// Beyond so many times the blocks nobody wants to know how many more it would take.
const MOST_TIMES: f64 = 10_000.0;

/// One of a field.
#[derive(Debug, Clone)]
pub(crate) struct Rival<'a> {
    pub(crate) target: &'a TargetName,
    pub(crate) simulated: bool,
    /// Which run it was measured in: those of one run share its blocks.
    pub(crate) session: usize,
    /// All blocks of its run, where that ends when all is decided.
    pub(crate) planned: Option<u32>,
    /// Its requests.
    pub(crate) requests: u64,
    /// Its value by the blocks of its run.
    pub(crate) figure: Figure,
    /// Its value by stretches of its requests, where there is only one block: against one of another run.
    pub(crate) apart: Option<Figure>,
}

/// What counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Differences up to here count as none, on the scale of badness.
    pub(crate) tie: f64,
    /// Fields that are judged together.
    pub(crate) fields: f64,
}

/// What became of two of a field.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// Places in the field, the better first.
    pub(crate) places: (usize, usize),
    pub(crate) test: Test,
    pub(crate) blocks: u32,
    /// By how much the second is worse, on the scale of badness.
    pub(crate) difference: Estimate,
    pub(crate) p: Option<f64>,
    pub(crate) p_adjusted: Option<f64>,
    pub(crate) verdict: Verdict,
    /// The blocks' differences, of a paired test.
    pub(crate) differences: Vec<f64>,
}

/// Judges a `field` in order, best first: the first with each below it, then the second…
pub(crate) fn judge(field: &[Rival], rules: Rules) -> Vec<Judged> {
    let places = || (0..field.len()).flat_map(|i| (i + 1..field.len()).map(move |j| (i, j)));
    let contrasts: Vec<Contrast> = places().map(|(i, j)| contrast(&field[i], &field[j])).collect();
    let looks: Vec<Looks> =
        places().zip(&contrasts).map(|((i, j), contrast)| looks(&field[i], &field[j], contrast.blocks())).collect();
    let worth = |(contrast, looks): (&Contrast, &Looks)| Some((looks.over_all(contrast.p()?) * rules.fields).min(1.0));
    let worths: Vec<Option<f64>> = contrasts.iter().zip(&looks).map(worth).collect();
    let tested: Vec<f64> = worths.iter().flatten().copied().collect();
    let mut adjusted = holm(&tested).into_iter();
    let simultaneous = ERROR_RATE / rules.fields / places().count().max(1) as f64;
    let each = places().zip(contrasts).zip(looks).zip(worths);
    each.map(|(((places, contrast), looks), worth)| {
        let p_adjusted = worth.and_then(|_| adjusted.next());
        let better = p_adjusted.is_some_and(|p| p <= ERROR_RATE);
        // Holm's correction is a smaller one for those that come later.
        let own = worth.zip(p_adjusted).map(|(p, adjusted)| ERROR_RATE / rules.fields * p / adjusted);
        let level = own.filter(|own| better && own.is_finite()).unwrap_or(simultaneous);
        let ends = contrast.errors(looks.level(level)).map(|errors| contrast.reach(errors));
        let requests = field[places.0].requests.min(field[places.1].requests);
        let verdict = match ends {
            _ if better => Verdict::Better,
            Some((low, high)) if low >= -rules.tie && high <= rules.tie => Verdict::Tie { within: rules.tie },
            _ => {
                let last = looks.last().level(simultaneous);
                Verdict::MoreNeeded { requests: more(&contrast, last, rules.tie, requests) }
            }
        };
        let end = |x: f64| x.is_finite().then_some(x);
        Judged {
            places,
            test: contrast.test(),
            blocks: u32::try_from(contrast.blocks()).unwrap_or(u32::MAX),
            difference: Estimate {
                value: contrast.difference(),
                low: ends.and_then(|(low, _)| end(low)),
                high: ends.and_then(|(_, high)| end(high)),
            },
            p: contrast.p(),
            p_adjusted,
            verdict,
            differences: if contrast.test() == Test::PairedBlocks { contrast.differences() } else { Vec::new() },
        }
    })
    .collect()
}

fn contrast<'a>(better: &'a Rival, worse: &'a Rival) -> Contrast<'a> {
    if better.session == worse.session {
        return Contrast::of(&better.figure, &worse.figure, Test::PairedBlocks);
    }
    let apart = |rival: &'a Rival| rival.apart.as_ref().unwrap_or(&rival.figure);
    Contrast::of(apart(better), apart(worse), Test::IndependentBlocks)
}

/// How often these two are looked at.
fn looks(better: &Rival, worse: &Rival, blocks: usize) -> Looks {
    match better.planned.filter(|_| better.session == worse.session) {
        Some(planned) => Looks::after(blocks, planned),
        None => Looks::Once,
    }
}

/// How many more requests of each would likely tell, at `level`, if all goes on as it did.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
fn more(contrast: &Contrast, level: f64, tie: f64, requests: u64) -> Option<u64> {
    let tells = |times: f64| {
        let (low, high) = contrast.reach(contrast.errors_after(level, times)? * FOUR_IN_FIVE);
        Some(low > 0.0 || high < 0.0 || (low >= -tie && high <= tie))
    };
    if !tells(MOST_TIMES)? {
        return None;
    }
    let (mut few, mut many) = (0.0, MOST_TIMES.ln());
    for _ in 0..12 {
        let middle = f64::midpoint(few, many);
        if tells(middle.exp())? { many = middle } else { few = middle }
    }
    Some((requests as f64 * many.exp_m1()).ceil().max(1.0) as u64)
}

/// What the pairs of a field come to.
pub(crate) fn verdict(field: &[Rival], pairs: &[Judged]) -> RankVerdict {
    let Some(first) = field.first().filter(|_| field.len() > 1) else { return RankVerdict::NotEnoughData };
    let close: Vec<&Judged> =
        pairs.iter().filter(|pair| pair.places.0 == 0 && pair.verdict != Verdict::Better).collect();
    let rivals = close.iter().map(|pair| field[pair.places.1].target);
    let named: Vec<TargetName> = std::iter::once(first.target).chain(rivals).cloned().collect();
    if close.is_empty() {
        RankVerdict::Leader(first.target.clone())
    } else if close.iter().all(|pair| matches!(pair.verdict, Verdict::Tie { .. })) {
        RankVerdict::Tie(named)
    } else {
        RankVerdict::TooCloseToCall(named)
    }
}
