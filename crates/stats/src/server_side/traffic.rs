//! Whether anybody else used the server: its token counters against the tokens of our own requests.

use schema::plan::Plan;
use schema::record::{Record, TokenSource};
use schema::server::{Counter, ServerSample};
use schema::target::{Target, TargetName};
use schema::units::Moment;
use url::{Host, Url};

use super::bracket::Bracket;
use super::growth::Growth;
use crate::values;

/// Where counts of ours are estimates, the server's may differ from them by this share.
const ESTIMATES_DIFFER: f64 = 0.1;

/// The target's requests that began and ended within the bracket, whatever their phase.
pub(super) fn requests_in<'a>(target: &Target, records: &'a [Record], bracket: &Bracket<'_>) -> Vec<&'a Record> {
    let inside = |record: &&Record| values::span(record).is_some_and(|(begin, end)| bracket.holds(begin, end));
    records.iter().filter(|record| record.target == target.name).filter(inside).collect()
}

/// Tokens of one kind by our own count, with what they may be off by.
#[derive(Debug, Default)]
struct Ours {
    tokens: f64,
    /// At most as many more may be ours, too: of requests that did not come to their end.
    more: f64,
    /// At most as many less: of what a cache held.
    less: f64,
}

impl Ours {
    /// With those that may be ours, too; how many is not known where there is no count.
    fn with(self, perhaps: Option<Self>) -> Self {
        let perhaps = perhaps.map_or(f64::INFINITY, |perhaps| perhaps.tokens + perhaps.more);
        Self { more: self.more + perhaps, ..self }
    }
}

/// Warnings about the server's token counters, over the longest time that holds all our requests to its page; none
/// where no readings do.
pub(super) fn strangers(plan: &Plan, target: &Target, records: &[Record], read: &[&ServerSample]) -> Vec<String> {
    let ours = requests_to_the_same(plan, target, records);
    let spans = || ours.iter().filter_map(|record| values::span(record));
    let (Some(begin), Some(end)) = (spans().map(|s| s.0).min(), spans().map(|s| s.1).max()) else { return Vec::new() };
    let Some(bracket) = whole(read, begin, end) else { return Vec::new() };
    let Ok(growth) = Growth::over(&bracket) else { return Vec::new() };
    let perhaps = requests_of(plan, records, |other| may_share(other, target));
    let others = if plan.targets.len() > 1 { ", or a target of this run under another address," } else { "" };
    let judge = |counter, what, ours: Option<Ours>| verdict(what, *growth.counters.get(&counter)?, &ours?, others);
    let output = judge(Counter::GeneratedTokens, "output", Some(output(&ours).with(Some(output(&perhaps)))));
    let input = judge(Counter::PromptTokens, "prompt", input(&ours).map(|ours| ours.with(input(&perhaps))));
    output.into_iter().chain(input).collect()
}

/// From the first reading to the last, where all our requests lie between.
fn whole<'a>(read: &'a [&'a ServerSample], begin: Moment, end: Moment) -> Option<Bracket<'a>> {
    let bracket = (read.len() > 1).then_some(Bracket { readings: read })?;
    bracket.holds(begin, end).then_some(bracket)
}

/// Everything we sent to the server behind this target's page, in the name of other targets, too.
fn requests_to_the_same<'a>(plan: &Plan, target: &Target, records: &'a [Record]) -> Vec<&'a Record> {
    requests_of(plan, records, |other| other.name == target.name || shares_page(other, target))
}

/// The requests of those targets.
fn requests_of<'a>(plan: &Plan, records: &'a [Record], wanted: impl Fn(&Target) -> bool) -> Vec<&'a Record> {
    let names: Vec<&TargetName> =
        plan.targets.iter().filter(|target| wanted(target)).map(|target| &target.name).collect();
    records.iter().filter(|record| names.contains(&&record.target)).collect()
}

fn shares_page(other: &Target, target: &Target) -> bool {
    other.metrics_url.is_some() && other.metrics_url == target.metrics_url
}

/// Whether another target may be the same server, though not by the same page: it has none, or names it otherwise.
fn may_share(other: &Target, target: &Target) -> bool {
    let same_place = match (&other.metrics_url, &target.metrics_url) {
        (Some(other), Some(own)) => is_same_place(other, own),
        _ => is_same_place(&other.url, &target.url),
    };
    other.name != target.name && !shares_page(other, target) && same_place
}

/// Whether both are one port of one host; this machine has many names.
fn is_same_place(one: &Url, other: &Url) -> bool {
    let is_own = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let same_host = one.host() == other.host() || (is_own(one) && is_own(other));
    same_host && one.port_or_known_default() == other.port_or_known_default()
}

/// Output tokens.
fn output(records: &[&Record]) -> Ours {
    let mut ours = Ours::default();
    for record in records.iter().filter(|record| record.start_ns.is_some()) {
        let tokens = record.tokens.map_or(0.0, |tokens| tokens.output as f64);
        ours.tokens += tokens;
        if !record.outcome.is_complete() {
            // It may have gone on to its limit without us.
            ours.more += (f64::from(record.max_tokens) - tokens).max(0.0);
        } else if record.tokens.is_none_or(|tokens| tokens.source != TokenSource::ServerUsage) {
            ours.more += (tokens * ESTIMATES_DIFFER).max(1.0);
            ours.less += (tokens * ESTIMATES_DIFFER).max(1.0);
        }
    }
    ours
}

/// Prompt tokens; `None` where a request of ours does not know its own.
fn input(records: &[&Record]) -> Option<Ours> {
    let mut ours = Ours::default();
    for record in records.iter().filter(|record| record.start_ns.is_some()) {
        let input = record.tokens.and_then(|tokens| tokens.input).map(|tokens| tokens as f64);
        if record.outcome.is_complete() {
            ours.tokens += input?;
            // Some engines leave out what they did not have to read.
            ours.less += record.usage.and_then(|usage| usage.cached_input_tokens).map_or(0.0, |tokens| tokens as f64);
        } else {
            // Read or not: about as many as the longest of the others.
            ours.more += input.unwrap_or_else(|| longest_prompt(records));
        }
    }
    Some(ours)
}

fn longest_prompt(records: &[&Record]) -> f64 {
    let inputs = records.iter().filter_map(|record| record.tokens?.input);
    inputs.max().map_or(f64::INFINITY, |tokens| tokens as f64)
}

/// What a difference that our own requests do not explain means.
fn verdict(what: &str, server: f64, ours: &Ours, others: &str) -> Option<String> {
    let Ours { tokens, more, less } = ours;
    if server > tokens + more {
        let surplus = server - tokens;
        return Some(format!(
            "it counted {server:.0} {what} tokens and we {tokens:.0}: somebody else{others} had {surplus:.0} of them, and its figures are theirs, too"
        ));
    }
    (server < tokens - less).then(|| {
        format!(
            "it counted {server:.0} {what} tokens and we {tokens:.0}: its page may speak of one of several servers behind the address"
        )
    })
}
