//! Who leads, and whether that is certain: one sentence a criterion.

use schema::comparison::{Comparison, Criterion, PairVerdict, RankVerdict, Ranking, Standing};
use schema::metric::Unit;
use schema::summary::Estimate;
use schema::target::TargetName;

use crate::number;

/// What stands under the table: the typical request, the price, and success where it certainly differs.
pub(crate) fn headlines(comparison: &Comparison) -> Vec<String> {
    let told = comparison.rankings.iter().filter(|ranking| match ranking.criterion {
        Criterion::TtftP50 | Criterion::TpotP50 | Criterion::CostPer1kRequests => true,
        Criterion::SuccessRate => ranking.pairs.iter().any(|pair| pair.is_certain()),
        _ => false,
    });
    told.map(sentence).collect()
}

/// `Fastest TTFT p50: groq, certain (next: cerebras +38 %)`.
fn sentence(ranking: &Ranking) -> String {
    match &ranking.verdict {
        RankVerdict::Leader(target) => {
            let mut best = ranking.criterion.best().to_owned();
            best[..1].make_ascii_uppercase();
            let rest = [next(ranking), unranked(ranking)].into_iter().flatten().collect::<Vec<_>>().join("; ");
            format!("{best}: {}, certain ({rest}){}", name(ranking, target), mixed(ranking, &[target]))
        }
        RankVerdict::Tie(targets) | RankVerdict::TooCloseToCall(targets) => {
            let names: Vec<String> = targets.iter().map(|target| name(ranking, target)).collect();
            let rest = unranked(ranking).map(|rest| format!(" ({rest})")).unwrap_or_default();
            let mixed = mixed(ranking, &targets.iter().collect::<Vec<_>>());
            format!("{}: {} too close to call{rest}{mixed}", ranking.criterion.heading(), listed(&names))
        }
        RankVerdict::NotEnoughData => {
            let counts: Vec<String> = ranking.standings.iter().map(counted).collect();
            format!("{}: not enough data ({})", ranking.criterion.heading(), counts.join(", "))
        }
    }
}

/// `next: cerebras +38 %`; a success rate is shown as it is, a part of a percentage misleads.
fn next(ranking: &Ranking) -> Option<String> {
    let pair = ranking.pairs.first()?;
    let estimate = standing(ranking, &pair.worse)?.estimate?;
    let figure = match ranking.criterion {
        Criterion::SuccessRate => number::percent(estimate.value),
        criterion => relative(pair).unwrap_or_else(|| absolute(&estimate, criterion)),
    };
    Some(format!("next: {} {figure}", name(ranking, &pair.worse)))
}

fn relative(pair: &PairVerdict) -> Option<String> {
    let difference = pair.margin?.value;
    let sign = if difference < 0.0 { "−" } else { "+" };
    let percent = difference.abs() * 100.0;
    let figure =
        if percent < 0.1 { "below 0.1".to_owned() } else { format!("{percent:.*}", usize::from(percent < 9.95)) };
    Some(format!("{sign}{figure} %"))
}

fn absolute(estimate: &Estimate, criterion: Criterion) -> String {
    match criterion {
        Criterion::TtftMean
        | Criterion::TtftP50
        | Criterion::TtftP95
        | Criterion::TtftP99
        | Criterion::TpotP50
        | Criterion::E2eP50 => number::value(estimate.value, Unit::Nanos),
        Criterion::OutputTokensPerS | Criterion::SuccessRate | Criterion::TtftSpread => number::number(estimate.value),
        Criterion::CostPer1kRequests => format!("${}", number::number(estimate.value)),
    }
}

/// `not enough data: tgi (n = 3)`; absent when all could be ranked.
fn unranked(ranking: &Ranking) -> Option<String> {
    let lacking: Vec<String> = ranking.standings.iter().filter(|s| s.estimate.is_none()).map(counted).collect();
    (!lacking.is_empty()).then(|| format!("not enough data: {}", lacking.join(", ")))
}

fn counted(standing: &Standing) -> String {
    format!("{} n = {}", marked(standing), number::count(standing.n))
}

/// A simulated target says so wherever it is named.
fn marked(standing: &Standing) -> String {
    let mark = if standing.simulated { " (SIMULATED)" } else { "" };
    format!("{}{mark}", standing.target)
}

fn name(ranking: &Ranking, target: &TargetName) -> String {
    standing(ranking, target).map_or_else(|| target.to_string(), marked)
}

fn standing<'a>(ranking: &'a Ranking, target: &TargetName) -> Option<&'a Standing> {
    ranking.standings.iter().find(|standing| standing.target == *target)
}

/// Whether one of those spoken of was compared with a target of the other kind.
fn mixed(ranking: &Ranking, told: &[&TargetName]) -> &'static str {
    let is_told = |pair: &&PairVerdict| told.iter().any(|target| pair.better == **target || pair.worse == **target);
    let across = ranking.pairs.iter().filter(is_told).any(|pair| pair.simulated_with_real);
    if across { "; simulated against real" } else { "" }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
