//! How answers came, and whether that differs by so much that it matters and by more than chance would have it.
//!
//! | aspect | matters from | told from chance by |
//! | --- | --- | --- |
//! | why answers ended | 5 points of one reason | Fisher's exact test of that reason |
//! | how long answers were | Kolmogorov–Smirnov D 0.1, and means 5 % apart or D 0.3 | its p |
//! | share of the prompt from a cache | means 10 points apart; from 50 on figures are not of the same thing | Mann–Whitney |
//! | tokens an event | medians a quarter apart | Mann–Whitney |
//! | arrivals stamped by the kernel | 20 points | Fisher, of requests whose first token was |
//! | how late requests left | p95 apart by 5 % of the smaller median TTFT | Mann–Whitney |
//! | tokens of prompts, as counted here | Kolmogorov–Smirnov D 0.1 | its p |

use std::collections::BTreeSet;

use schema::alike::{Aspect, Severity, Unlike};
use schema::event::Stamp;
use schema::metric::Metric;
use schema::record::{FinishReason, Outcome, Record, TokenSource};
use schema::units::Nanos;

use super::{Compared, Pair, error_rate, grouped, most_unlike, percent, told};
use crate::inference::{Share, fisher, kolmogorov_smirnov, mann_whitney};
use crate::moments::mean;
use crate::quantile::quantile;
use crate::{metric_values, values};

/// Below so many values nothing is said of how they are spread.
const FEWEST: usize = 10;

/// All differences in how answers came.
pub(super) fn unlike(compared: &[Compared<'_>]) -> Vec<Unlike> {
    let error_rate = error_rate(compared);
    let found = [
        finish_reasons(compared, error_rate),
        output_lengths(compared, error_rate),
        token_sources(compared),
        cached(compared, error_rate),
        cached_unsaid(compared),
        tokens_an_event(compared, error_rate),
        stamps(compared, error_rate),
        schedule_lag(compared, error_rate),
        prompt_lengths(compared, error_rate),
    ];
    found.into_iter().flatten().collect()
}

fn finish(record: &Record) -> Option<FinishReason> {
    match record.outcome {
        Outcome::Complete { finish } => Some(finish),
        _ => None,
    }
}

const fn in_words(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop => "stopped by themselves",
        FinishReason::Length => "reached their limit",
        FinishReason::ToolCalls => "called a tool",
        FinishReason::ContentFilter => "were withheld by a filter",
        FinishReason::Error => "failed by the server's word",
        FinishReason::Other => "ended for a reason we have no word for",
        FinishReason::Unsaid => "ended without saying why",
    }
}

fn finish_reasons(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let reasons: BTreeSet<FinishReason> =
        compared.iter().flat_map(|one| one.completed().filter_map(finish).collect::<Vec<_>>()).collect();
    let error_rate = error_rate / reasons.len().max(1) as f64;
    let of = |one: &Compared<'_>, reason| share(one, |record| finish(record).map(|finish| finish == reason));
    let (pair, (reason, here, there)) = most_unlike(compared, |one, other| {
        let differing = reasons.iter().filter_map(|&reason| {
            let (here, there) = (of(one, reason), of(other, reason));
            let apart = (fraction(here) - fraction(there)).abs();
            (apart >= 0.05 && fisher(here, there) <= error_rate).then_some((apart, (reason, here, there)))
        });
        differing.max_by(|a, b| a.0.total_cmp(&b.0))
    })?;
    let detail = format!(
        "answers end for unlike reasons: {} of {}'s and {} of {}'s {}{}: compare TTFT and TPOT, not E2E, rates or cost",
        percent(fraction(here)),
        pair.one.label,
        percent(fraction(there)),
        pair.other.label,
        in_words(reason),
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::FinishReasons, detail))
}

/// How many of the completed requests of which that is known.
fn share(one: &Compared<'_>, hit: impl Fn(&Record) -> Option<bool>) -> Share {
    let known = one.completed().filter_map(hit);
    known.fold(Share { hits: 0, of: 0 }, |share, hit| Share { hits: share.hits + u64::from(hit), of: share.of + 1 })
}

fn fraction(share: Share) -> f64 {
    share.hits as f64 / share.of.max(1) as f64
}

/// Values of two that have enough of them.
fn both(one: &Compared<'_>, other: &Compared<'_>, value: impl Fn(&Record) -> Option<f64>) -> Option<[Vec<f64>; 2]> {
    let mut both = [one, other].map(|side| side.values(&value));
    for values in &mut both {
        values.sort_unstable_by(f64::total_cmp);
    }
    both.iter().all(|values| values.len() >= FEWEST).then_some(both)
}

fn output_tokens(record: &Record) -> Option<f64> {
    record.tokens.map(|tokens| tokens.output as f64).filter(|&tokens| tokens > 0.0)
}

fn output_lengths(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let (pair, (means, d)) = most_unlike(compared, |one, other| {
        let [here, there] = both(one, other, output_tokens)?;
        let (d, p) = kolmogorov_smirnov(&here, &there);
        let means = [mean(&here), mean(&there)];
        let apart = means[0].max(means[1]) / means[0].min(means[1]) - 1.0;
        (p <= error_rate && d >= 0.1 && (apart >= 0.05 || d >= 0.3)).then_some((d, (means, d)))
    })?;
    let Pair { one, other, .. } = &pair;
    let detail = format!(
        "answers are of unlike lengths: {:.0} tokens of {} on average, {:.0} of {} (D = {d:.2}){}: compare TTFT and \
         TPOT, not E2E, rates or cost",
        means[0],
        one.label,
        means[1],
        other.label,
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::OutputLengths, detail))
}

fn token_sources(compared: &[Compared<'_>]) -> Option<Unlike> {
    let sources = |one: &Compared<'_>| -> BTreeSet<TokenSource> {
        one.completed().filter_map(|record| record.tokens).map(|tokens| tokens.source).collect()
    };
    let counted: Vec<Compared<'_>> = compared.iter().filter(|one| !sources(one).is_empty()).cloned().collect();
    let groups = grouped(&counted, |one| {
        let names: Vec<String> = sources(one).iter().map(ToString::to_string).collect();
        format!("by {}", names.join(" and "))
    })?;
    let detail = format!("token counts come from unlike sources ({groups}): speeds, rates and costs compare loosely");
    Some(told(Severity::Caution, Aspect::TokenSources, detail))
}

/// Share of the prompt that a cache answered, by the server's word.
pub(super) fn cached_share(record: &Record) -> Option<f64> {
    let usage = record.usage?;
    let input = usage.input_tokens.filter(|&input| input > 0)?;
    Some((usage.cached_input_tokens? as f64 / input as f64).min(1.0))
}

fn cached(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let (pair, means) = most_unlike(compared, |one, other| {
        let [here, there] = both(one, other, cached_share)?;
        let means = [mean(&here), mean(&there)];
        let apart = (means[0] - means[1]).abs();
        (apart >= 0.1 && mann_whitney(&here, &there).p <= error_rate).then_some((apart, means))
    })?;
    let severity = if (means[0] - means[1]).abs() >= 0.5 { Severity::Unfair } else { Severity::Caution };
    let detail = format!(
        "a prompt cache answered {} of the input of {} and {} of that of {}{}: TTFT and input cost are those of unlike \
         caches",
        percent(means[0]),
        pair.one.label,
        percent(means[1]),
        pair.other.label,
        pair.besides()
    );
    Some(told(severity, Aspect::CachedTokens, detail))
}

/// One tells of much that its cache answered, another tells nothing.
fn cached_unsaid(compared: &[Compared<'_>]) -> Option<Unlike> {
    let much = |one: &&Compared<'_>| {
        let shares = one.values(cached_share);
        shares.len() >= FEWEST && mean(&shares) >= 0.1
    };
    let silent = |one: &&Compared<'_>| one.completed().next().is_some() && one.values(cached_share).is_empty();
    let (one, other) = (compared.iter().find(much)?, compared.iter().find(silent)?);
    let detail = format!(
        "a prompt cache answered {} of the input of {}; {} does not tell: whether its cache was warm is not known",
        percent(mean(&one.values(cached_share))),
        one.label,
        other.label
    );
    Some(told(Severity::Note, Aspect::CachedTokens, detail))
}

fn an_event(record: &Record) -> Option<f64> {
    let events = record.events.content().count();
    Some(output_tokens(record)? / Some(events as f64).filter(|&events| events > 0.0)?)
}

fn tokens_an_event(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let (pair, medians) = most_unlike(compared, |one, other| {
        let [here, there] = both(one, other, an_event)?;
        let medians = [quantile(&here, 0.5), quantile(&there, 0.5)];
        let apart = medians[0].max(medians[1]) / medians[0].min(medians[1]);
        (apart >= 1.25 && mann_whitney(&here, &there).p <= error_rate).then_some((apart, medians))
    })?;
    let detail = format!(
        "{} sends {:.2} tokens an event, {} {:.2}{}: compare TPOT, not ITL, jitter or stalls",
        pair.one.label,
        medians[0],
        pair.other.label,
        medians[1],
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::Streaming, detail))
}

fn stamps(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let by_kernel = |record: &Record| record.events.content().next().map(|event| event.stamp == Stamp::Kernel);
    let (pair, (here, there)) = most_unlike(compared, |one, other| {
        let (here, there) = (share(one, by_kernel), share(other, by_kernel));
        let apart = (fraction(here) - fraction(there)).abs();
        let enough = here.of.min(there.of) >= FEWEST as u64;
        (enough && apart >= 0.2 && fisher(here, there) <= error_rate).then_some((apart, (here, there)))
    })?;
    let detail = format!(
        "the kernel stamped the first token of {} of {}'s answers and of {} of {}'s{}: the client's own lateness is in \
         the others",
        percent(fraction(here)),
        pair.one.label,
        percent(fraction(there)),
        pair.other.label,
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::Stamps, detail))
}

fn lag(record: &Record) -> Option<f64> {
    values::schedule_lag(record).map(|lag| lag.0 as f64)
}

fn schedule_lag(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let ttft = |one: &Compared<'_>| {
        let mut ttfts = one.values(|record| metric_values(record, Metric::Ttft).next());
        ttfts.sort_unstable_by(f64::total_cmp);
        quantile(&ttfts, 0.5)
    };
    let (pair, late) = most_unlike(compared, |one, other| {
        let [here, there] = both(one, other, lag)?;
        let late = [quantile(&here, 0.95), quantile(&there, 0.95)];
        let apart = (late[0] - late[1]).abs();
        let matters = apart >= 0.05 * ttft(one).min(ttft(other));
        (matters && mann_whitney(&here, &there).p <= error_rate).then_some((apart, late))
    })?;
    let [here, there] = late.map(|late| Nanos::from_secs_f64(late / 1e9));
    let detail = format!(
        "requests left late by unlike amounts: p95 {here} to {}, {there} to {}{}: the client shaped one more than the other",
        pair.one.label,
        pair.other.label,
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::ScheduleLag, detail))
}

/// Files of one name may hold other prompts.
fn prompt_lengths(compared: &[Compared<'_>], error_rate: f64) -> Option<Unlike> {
    let counted = |record: &Record| record.prompt_tokens.map(f64::from);
    let (pair, means) = most_unlike(compared, |one, other| {
        let [here, there] = both(one, other, counted)?;
        let (d, p) = kolmogorov_smirnov(&here, &there);
        (p <= error_rate && d >= 0.1).then_some((d, [mean(&here), mean(&there)]))
    })?;
    let detail = format!(
        "prompts were of unlike lengths: {:.0} tokens on average for {}, {:.0} for {}{}: no figure compares",
        means[0],
        pair.one.label,
        means[1],
        pair.other.label,
        pair.besides()
    );
    Some(told(Severity::Unfair, Aspect::Prompts, detail))
}
