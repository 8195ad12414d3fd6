//! Worked out by hand at $1 input, $0.10 cached and $2 output a million tokens.

use schema::record::{FailureClass, Phase, Usage};

use super::*;
use crate::fixture::{failed, price, record};

fn asked(input: u64, cached: u64, output: u64) -> Record {
    let mut record = record(0, &[50]);
    record.tokens = None;
    record.usage = Some(Usage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        cached_input_tokens: Some(cached),
        reasoning_tokens: None,
    });
    record
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

#[test]
fn cached_input_has_its_own_price() {
    assert_eq!(of_record(&price(), &asked(1_000, 0, 500)), usd("$0.002"));
    assert_eq!(of_record(&price(), &asked(1_000, 400, 500)), usd("$0.00164"));
    let without = Price { cached_input_per_mtok_usd: None, ..price() };
    assert_eq!(of_record(&without, &asked(1_000, 400, 500)), usd("$0.002"));
    assert_eq!(of_record(&price(), &asked(10, 4_000, 0)), usd("$0.000001"));
}

#[test]
fn a_target_pays_for_all_and_is_rated_by_what_completed() {
    let (one, two) = (asked(1_000, 0, 500), asked(1_000, 0, 1_500));
    let broken = Record { outcome: failed(0, FailureClass::Truncated).outcome, ..asked(1_000, 0, 0) };
    let warm = Record { phase: Phase::Warmup, ..asked(2_000, 0, 0) };
    let cost = of_target(&price(), &[&one, &two, &broken], &[&warm]);
    assert_eq!(cost.total_usd, usd("$0.007"));
    assert_eq!(cost.warmup_usd, usd("$0.002"));
    assert_eq!(cost.per_1k_requests_usd, usd("$3.5"));
    assert!((cost.output_tokens_per_usd.unwrap() - 2_000.0 / 0.007).abs() < 1e-6);
    assert!((cost.per_request_usd.unwrap().value - 0.003).abs() < 1e-12);
}

#[test]
fn nothing_completed_and_nothing_paid_divide_by_nothing() {
    let cost = of_target(&price(), &[], &[]);
    assert_eq!(cost.per_1k_requests_usd, Usd::ZERO);
    assert_eq!(cost.output_tokens_per_usd, None);
    assert_eq!(cost.per_request_usd, None);
}
