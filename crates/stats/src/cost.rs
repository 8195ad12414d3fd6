//! What requests cost, in decimal.

use rust_decimal::prelude::ToPrimitive;
use schema::record::Record;
use schema::summary::Cost;
use schema::target::Price;
use schema::units::Usd;

use crate::distribution::not_negative;
use crate::interval;

/// Billable tokens, summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Billed {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
}

impl Billed {
    /// What a record reports; nothing where it reports nothing. Cached tokens never exceed the input.
    pub(crate) fn of(record: &Record) -> Self {
        let usage = record.usage.unwrap_or_default();
        let input = record.tokens.and_then(|t| t.input).or(usage.input_tokens).unwrap_or(0);
        let output = record.tokens.map(|t| t.output).or(usage.output_tokens).unwrap_or(0);
        Self { input, cached: usage.cached_input_tokens.unwrap_or(0).min(input), output }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            output: self.output.saturating_add(other.output),
        }
    }

    pub(crate) fn price(self, price: &Price) -> Usd {
        price.of_tokens(self.input, self.cached, self.output)
    }
}

/// What one request cost, however it ended, by the tokens it reported. US dollars.
pub fn of_record(price: &Price, record: &Record) -> Usd {
    Billed::of(record).price(price)
}

/// What a target's requests cost: measured ones of any outcome, warm-up apart.
pub(crate) fn of_target(price: &Price, measured: &[&Record], warmup: &[&Record]) -> Cost {
    let sum = |records: &[&Record]| records.iter().map(|r| Billed::of(r)).fold(Billed::default(), Billed::plus);
    let billed = sum(measured);
    let total = billed.price(price);
    let completed = measured.iter().filter(|r| r.outcome.is_complete());
    let each: Vec<f64> = completed.map(|r| dollars(of_record(price, r))).collect();
    Cost {
        total_usd: total,
        warmup_usd: sum(warmup).price(price),
        per_1k_requests_usd: total * 1000 / each.len() as u64,
        output_tokens_per_usd: per_dollar(billed.output, total),
        per_request_usd: (!each.is_empty()).then(|| not_negative(interval::mean(&each))),
    }
}

/// Tokens that one dollar pays for; `None` where they cost nothing.
pub(crate) fn per_dollar(tokens: u64, cost: Usd) -> Option<f64> {
    (!cost.0.is_zero()).then(|| tokens as f64 / dollars(cost))
}

fn dollars(amount: Usd) -> f64 {
    amount.0.to_f64().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
