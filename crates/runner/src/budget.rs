//! Money: nothing is sent that could take the run over its budget. One budget is for all targets; a target whose next
//! request it has no room for is sent nothing more, and cheaper ones go on.

use std::sync::{Mutex, PoisonError};

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use schema::record::{Record, Usage};
use schema::target::{Price, Target};
use schema::units::Usd;
use tokio::sync::Notify;

use crate::retry;

/// Picodollars: every price per token is a whole number of them.
type Pico = u64;

/// What may still be spent. Requests in flight are counted at their worst until they have ended.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: Option<Pico>,
    ledger: Mutex<Ledger>,
    /// Told when a request in flight has ended.
    settled: Notify,
}

#[derive(Debug, Default)]
struct Ledger {
    /// What was spent.
    spent: Pico,
    /// What requests in flight could cost at most.
    set_aside: Pico,
}

/// The most a request can cost, set aside until its true cost is known. Dropped before that, it stays counted.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reserved<'a> {
    /// Absent where nothing is counted.
    budget: Option<&'a Budget>,
    most: Pico,
    cost: Pico,
}

/// No request like this can be paid for any more, whatever those in flight come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsedUp {
    /// What it could cost.
    pub(crate) most: Usd,
    /// What is not spent.
    pub(crate) left: Usd,
}

/// The most that one request can cost.
pub(crate) fn most(price: &Price, input_tokens: u64, output_tokens: u32) -> Usd {
    let usage =
        Usage { input_tokens: Some(input_tokens), output_tokens: Some(u64::from(output_tokens)), ..Usage::default() };
    providers::cost(price, &usage)
}

impl Budget {
    pub(crate) fn new(limit: Option<Usd>) -> Self {
        Self { limit: limit.map(pico), ledger: Mutex::default(), settled: Notify::new() }
    }

    /// Sets the worst cost of a request aside. Where that could take the run over its budget, this waits for others
    /// that are in flight: mostly they cost less than was set aside for them.
    pub(crate) async fn reserve(
        &self,
        price: Option<&Price>,
        input_tokens: u64,
        output_tokens: u32,
    ) -> Result<Reserved<'_>, UsedUp> {
        let (Some(limit), Some(price)) = (self.limit, price) else {
            return Ok(Reserved { budget: None, most: 0, cost: 0 });
        };
        let most = pico(most(price, input_tokens, output_tokens));
        let mut waited = false;
        loop {
            if let Some(decided) = self.try_reserve(limit, most) {
                // There may be room for another of those that wait.
                if waited {
                    self.settled.notify_one();
                }
                return decided;
            }
            waited = true;
            self.settled.notified().await;
        }
    }

    /// `None` while it depends on what is in flight.
    fn try_reserve(&self, limit: Pico, most: Pico) -> Option<Result<Reserved<'_>, UsedUp>> {
        let mut ledger = self.ledger();
        let left = limit.saturating_sub(ledger.spent);
        if most > left {
            return Some(Err(UsedUp { most: usd(most), left: usd(left) }));
        }
        let sum = ledger.set_aside.checked_add(most).filter(|sum| *sum <= left)?;
        ledger.set_aside = sum;
        Some(Ok(Reserved { budget: Some(self), most, cost: most }))
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved<'_> {
    /// Puts the true cost in the place of what was set aside. Without the whole usage nothing can be known, and
    /// the worst stays counted if the server began to answer, or had the request and may be at work on it still.
    pub(crate) fn settle(mut self, target: &Target, record: &Record) {
        let usage = record.usage.map(|usage| match usage.output_tokens {
            // Vectors are no tokens.
            None if target.dialect.embeds() => Usage { output_tokens: Some(0), ..usage },
            _ => usage,
        });
        self.cost = match (&target.price, usage) {
            (Some(price), Some(usage @ Usage { input_tokens: Some(_), output_tokens: Some(_), .. })) => {
                pico(providers::cost(price, &usage))
            }
            _ if record.status == Some(200) || may_be_at_work(record) => self.most,
            _ => 0,
        };
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let Some(budget) = self.budget else { return };
        let mut ledger = budget.ledger();
        ledger.set_aside -= self.most;
        ledger.spent = ledger.spent.saturating_add(self.cost);
        drop(ledger);
        budget.settled.notify_one();
    }
}

/// Whether the request was sent, and we gave up before anything was heard of it: an answer that is not streamed says
/// nothing until all of it is made.
fn may_be_at_work(record: &Record) -> bool {
    record.start_ns.is_some() && record.status.is_none() && retry::may_pass(record).is_none()
}

fn pico(usd: Usd) -> Pico {
    let scaled = usd.0.saturating_mul(Decimal::from(1_000_000_000_000_u64));
    scaled.round_dp_with_strategy(0, RoundingStrategy::AwayFromZero).to_u64().unwrap_or(Pico::MAX)
}

fn usd(pico: Pico) -> Usd {
    Usd(Decimal::from(pico) / Decimal::from(1_000_000_000_000_u64))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use schema::record::{Failure, FailureClass, Outcome};
    use schema::units::Moment;

    use super::*;

    fn price() -> Price {
        serde_json::from_value(serde_json::json!({
            "input_per_mtok_usd": 1.0, "output_per_mtok_usd": 2.0, "as_of": "2026-11-21", "source": "test"
        }))
        .unwrap()
    }

    fn target() -> Target {
        let plan = crate::turns::tests::plan(&["a"], schema::plan::Load::Closed { concurrency: 1 }, STOP);
        Target { price: Some(price()), ..plan.targets[0].clone() }
    }

    const STOP: schema::plan::Stop = schema::plan::Stop::Requests(1);

    fn budget(usd: &str) -> Budget {
        Budget::new(Some(usd.parse().unwrap()))
    }

    /// 1,000 × 1 µ$ + 100 × 2 µ$ = 1,200 µ$ at worst. `None` while it waits for others.
    fn reserve(budget: &Budget) -> Option<Result<Reserved<'_>, UsedUp>> {
        reserve_with(budget, 1000)
    }

    fn reserve_with(budget: &Budget, input_tokens: u64) -> Option<Result<Reserved<'_>, UsedUp>> {
        let price = price();
        let mut reserving = std::pin::pin!(budget.reserve(Some(&price), input_tokens, 100));
        match reserving.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(decided) => Some(decided),
            Poll::Pending => None,
        }
    }

    fn used(input: Option<u64>, output: Option<u64>) -> Record {
        let usage = Usage { input_tokens: input, output_tokens: output, ..Usage::default() };
        Record { usage: Some(usage), ..crate::turns::tests::record() }
    }

    #[test]
    fn nothing_is_let_through_that_could_exceed_the_budget() {
        let budget = budget("0.0025usd");
        let first = reserve(&budget).unwrap().unwrap();
        let second = reserve(&budget).unwrap().unwrap();
        assert!(reserve(&budget).is_none(), "waits for the two in flight");
        first.settle(&target(), &used(Some(1000), Some(100)));
        assert!(reserve(&budget).is_none(), "waits for the other");
        second.settle(&target(), &used(Some(1000), Some(100)));
        let (most, left) = ("0.0012usd".parse().unwrap(), "0.0001usd".parse().unwrap());
        assert_eq!(reserve(&budget).unwrap().err(), Some(UsedUp { most, left }));
    }

    #[test]
    fn what_cannot_fit_whatever_those_in_flight_come_to_waits_for_none_of_them() {
        let budget = budget("0.0025usd");
        let in_flight = reserve(&budget).unwrap().unwrap();
        reserve(&budget).unwrap().unwrap().settle(&target(), &used(Some(1000), Some(100)));
        assert!(reserve(&budget).is_none(), "waits for the one in flight");
        assert!(reserve_with(&budget, 1200).unwrap().is_err());
        drop(in_flight);
    }

    #[test]
    fn what_a_request_did_not_use_is_free_again() {
        let budget = budget("0.0013usd");
        let first = reserve(&budget).unwrap().unwrap();
        assert!(reserve(&budget).is_none());
        first.settle(&target(), &used(Some(10), Some(10)));
        assert!(reserve(&budget).unwrap().is_ok());
    }

    #[test]
    fn an_answer_that_broke_off_before_its_output_was_counted_stays_at_its_worst() {
        let budget = budget("0.0013usd");
        reserve(&budget).unwrap().unwrap().settle(&target(), &used(Some(10), None));
        assert!(reserve(&budget).unwrap().is_err());
    }

    /// Whether the worst stays counted after a request that nothing was heard of, by how it ended.
    #[track_caller]
    fn check_silent(start_ns: Option<Moment>, outcome: Outcome, expected: bool) {
        let budget = budget("0.0013usd");
        let silent = Record { start_ns, status: None, usage: None, outcome, ..crate::turns::tests::record() };
        reserve(&budget).unwrap().unwrap().settle(&target(), &silent);
        assert_eq!(reserve(&budget).unwrap().is_err(), expected);
    }

    #[test]
    fn a_request_that_was_given_up_unheard_stays_at_its_worst_unless_it_was_never_served() {
        let failed = |class| Outcome::Failed(Failure { class, message: "x".into(), retry_after_ns: None });
        check_silent(Some(Moment(1)), failed(FailureClass::TotalTimeout), true);
        check_silent(Some(Moment(1)), Outcome::Cancelled, true);
        check_silent(Some(Moment(1)), failed(FailureClass::ClosedEarly), false);
        check_silent(None, failed(FailureClass::ConnectTimeout), false);
        check_silent(None, Outcome::Cancelled, false);
    }

    #[test]
    fn vectors_have_no_output_to_be_counted() {
        let budget = budget("0.0013usd");
        let target = Target { dialect: schema::target::Dialect::OpenaiEmbeddings, ..target() };
        reserve(&budget).unwrap().unwrap().settle(&target, &used(Some(10), None));
        assert!(reserve(&budget).unwrap().is_ok());
    }

    #[test]
    fn what_was_set_aside_and_forgotten_counts_as_spent() {
        let budget = budget("0.0013usd");
        drop(reserve(&budget).unwrap().unwrap());
        assert!(reserve(&budget).unwrap().is_err());
    }

    #[test]
    fn many_at_once_spend_no_more_than_the_budget_and_nearly_all_of_it() {
        let budget = Rc::new(budget("0.05usd"));
        let target = Rc::new(target());
        let sent = Rc::new(Cell::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stream = |budget: Rc<Budget>, target: Rc<Target>, sent: Rc<Cell<u32>>| async move {
            while let Ok(reserved) = budget.reserve(target.price.as_ref(), 1000, 100).await {
                tokio::task::yield_now().await;
                // 100 × 1 µ$ + 50 × 2 µ$ = 200 µ$ in truth.
                reserved.settle(&target, &used(Some(100), Some(50)));
                sent.set(sent.get() + 1);
            }
        };
        let local = tokio::task::LocalSet::new();
        for _ in 0..100 {
            local.spawn_local(stream(Rc::clone(&budget), Rc::clone(&target), Rc::clone(&sent)));
        }
        runtime.block_on(local);
        // 245 × 200 µ$ = 49,000 µ$: another could cost 1,200.
        assert_eq!(sent.get(), 245);
    }

    #[test]
    fn without_a_budget_everything_goes() {
        let budget = Budget::new(None);
        let reserving = std::pin::pin!(budget.reserve(None, u64::MAX, u32::MAX));
        assert!(matches!(reserving.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
    }
}
