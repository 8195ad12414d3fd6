//! Money: nothing is sent that could take the run over its budget.

use std::sync::atomic::{AtomicU64, Ordering};

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use schema::record::{Record, Usage};
use schema::target::Price;
use schema::units::Usd;

/// Picodollars: every price per token is a whole number of them.
type Pico = u64;

/// What may still be spent. Requests in flight are counted at their worst.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: Option<Pico>,
    committed: AtomicU64,
}

/// The most a request can cost, set aside until its true cost is known.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reserved(Pico);

impl Budget {
    pub(crate) fn new(limit: Option<Usd>) -> Self {
        Self { limit: limit.map(pico), committed: AtomicU64::new(0) }
    }

    /// Sets the worst cost of a request aside; `None` when that could take the run over its budget.
    pub(crate) fn reserve(&self, price: Option<&Price>, input_tokens: u64, max_tokens: u32) -> Option<Reserved> {
        let Some(limit) = self.limit else { return Some(Reserved(0)) };
        let Some(price) = price else { return Some(Reserved(0)) };
        let most =
            Usage { input_tokens: Some(input_tokens), output_tokens: Some(u64::from(max_tokens)), ..Usage::default() };
        let most = pico(providers::cost(price, &most));
        let fits = |committed: Pico| committed.checked_add(most).filter(|sum| *sum <= limit);
        self.committed.try_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok().map(|_| Reserved(most))
    }

    /// Puts the true cost in the place of what was set aside. Without the whole usage nothing can be known, and
    /// the worst stays counted if the server began to answer.
    pub(crate) fn settle(&self, Reserved(most): Reserved, price: Option<&Price>, record: &Record) {
        if self.limit.is_none() {
            return;
        }
        let cost = match (price, &record.usage) {
            (Some(price), Some(usage @ Usage { input_tokens: Some(_), output_tokens: Some(_), .. })) => {
                pico(providers::cost(price, usage))
            }
            _ if record.status == Some(200) => most,
            _ => 0,
        };
        self.committed.fetch_add(cost, Ordering::Relaxed);
        self.committed.fetch_sub(most, Ordering::Relaxed);
    }
}

fn pico(usd: Usd) -> Pico {
    let scaled = usd.0.saturating_mul(Decimal::from(1_000_000_000_000_u64));
    scaled.round_dp_with_strategy(0, RoundingStrategy::AwayFromZero).to_u64().unwrap_or(Pico::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        serde_json::from_value(serde_json::json!({
            "input_per_mtok_usd": 1.0, "output_per_mtok_usd": 2.0, "as_of": "2026-11-21", "source": "test"
        }))
        .unwrap()
    }

    #[test]
    fn nothing_is_let_through_that_could_exceed_the_budget() {
        // 1,000 × 1 µ$ + 100 × 2 µ$ = 1,200 µ$ at worst.
        let budget = Budget::new(Some("0.0025usd".parse().unwrap()));
        assert!(budget.reserve(Some(&price()), 1000, 100).is_some());
        assert!(budget.reserve(Some(&price()), 1000, 100).is_some());
        assert!(budget.reserve(Some(&price()), 1000, 100).is_none());
    }

    #[test]
    fn what_a_request_did_not_use_is_free_again() {
        let budget = Budget::new(Some("0.0013usd".parse().unwrap()));
        let reserved = budget.reserve(Some(&price()), 1000, 100).unwrap();
        let mut record = crate::turns::tests::record();
        record.usage = Some(Usage { input_tokens: Some(10), output_tokens: Some(10), ..Usage::default() });
        budget.settle(reserved, Some(&price()), &record);
        assert!(budget.reserve(Some(&price()), 1000, 100).is_some());
    }

    #[test]
    fn an_answer_that_broke_off_before_its_output_was_counted_stays_at_its_worst() {
        let budget = Budget::new(Some("0.0013usd".parse().unwrap()));
        let reserved = budget.reserve(Some(&price()), 1000, 100).unwrap();
        let mut record = crate::turns::tests::record();
        record.usage = Some(Usage { input_tokens: Some(10), ..Usage::default() });
        budget.settle(reserved, Some(&price()), &record);
        assert!(budget.reserve(Some(&price()), 1000, 100).is_none());
    }

    #[test]
    fn without_a_budget_everything_goes() {
        assert!(Budget::new(None).reserve(Some(&price()), u64::MAX, u32::MAX).is_some());
    }
}
