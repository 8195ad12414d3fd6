use insta::assert_snapshot;
use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::provider::registry;

const TODAY: Date = date(2026, 11, 22);

fn usd(digits: &str) -> Usd {
    Usd(digits.parse().unwrap())
}

#[test]
fn the_embedded_table_knows_only_providers_of_the_registry_and_hosted_ones_all() {
    let book = PriceBook::embedded();
    let ids: Vec<&str> = registry().iter().map(|p| p.id).collect();
    assert!(book.rows().all(|row| ids.contains(&row.provider.as_str())));
    assert!(book.rows().count() > 1_000);
    for provider in registry().iter().filter(|p| p.kind == crate::Kind::Hosted) {
        assert!(book.rows().any(|row| row.provider == provider.id), "{}", provider.id);
    }
}

#[test]
fn prices_are_exact() {
    let book = PriceBook::embedded();
    let price = book.find("deepseek", "deepseek-flash", TODAY).unwrap();
    assert_eq!(price.input_per_mtok_usd, usd("0.3"));
    assert_eq!(price.output_per_mtok_usd, usd("1.2"));
    assert_eq!(price.cached_input_per_mtok_usd, Some(usd("0.006")));
    let price = book.find("openrouter", "deepseek/deepseek-v4.1-flash", TODAY).unwrap();
    assert_eq!(price.cached_input_per_mtok_usd, Some(usd("0.0042")));
    assert_eq!(book.find("groq", "no-such-model", TODAY), None);
    assert_eq!(book.find("vllm", "openai/gpt-oss-120b", TODAY), None);
}

#[track_caller]
fn check_note(provider: &str, model: &str, today: Date, expected: Option<&str>) {
    let price = PriceBook::embedded().find(provider, model, today).unwrap();
    assert_eq!(price.note.as_deref(), expected);
}

#[test]
fn a_note_says_what_limits_a_price() {
    check_note("groq", "openai/gpt-oss-120b", TODAY, None);
    check_note("groq", "llama-3.1-8b-instant", TODAY, Some("retired on 2026-08-16"));
    check_note("openai", "gpt-5-mini", TODAY, Some("retires on 2026-12-11"));
    check_note("deepseek", "deepseek-flash", TODAY, Some("peak price; off-peak $0.15 in, $0.60 out"));
    check_note("gemini", "gemini-3.8-flash", TODAY, Some("$1.50 in, $7.50 out from 2027-01-01 on"));
    check_note("together", "Qwen/Qwen3.7-Max", TODAY, Some("genai-prices lists 2.5/7.5"));
}

#[test]
fn a_price_is_stale_after_ninety_days() {
    let last_fresh_day = date(2027, 2, 19);
    check_note("groq", "openai/gpt-oss-120b", last_fresh_day, None);
    let stale = "stale: looked up on 2026-11-21, more than 90 days ago";
    check_note("groq", "openai/gpt-oss-120b", date(2027, 2, 20), Some(stale));
    check_note("openai", "gpt-5-mini", date(2027, 2, 20), Some(&format!("{stale}; retired on 2026-12-11")));
}

#[test]
fn an_announced_price_holds_from_its_day_on() {
    let book = PriceBook::embedded();
    let before = book.find("gemini", "gemini-3.8-flash", date(2026, 12, 31)).unwrap();
    assert_eq!(before.input_per_mtok_usd, usd("0.75"));
    assert_eq!(before.cached_input_per_mtok_usd, Some(usd("0.075")));
    let after = book.find("gemini", "gemini-3.8-flash", date(2027, 1, 1)).unwrap();
    assert_eq!((after.input_per_mtok_usd, after.output_per_mtok_usd), (usd("1.5"), usd("7.5")));
    assert_eq!(after.cached_input_per_mtok_usd, None);
    assert_eq!(after.note.as_deref(), Some("the price announced for 2027-01-01"));
}

#[test]
fn a_users_prices_replace_and_add() {
    let text = r#"{"as_of": "2026-11-20", "source": "our contract", "prices": [
        {"provider": "groq", "model": "openai/gpt-oss-120b", "input_per_mtok_usd": 0.1, "output_per_mtok_usd": "0.45"},
        {"provider": "local", "model": "smollm2", "input_per_mtok_usd": 0, "output_per_mtok_usd": 1e-7, "note": "power"}]}"#;
    let book = PriceBook::embedded().with_overrides(text).unwrap();
    let replaced = book.find("groq", "openai/gpt-oss-120b", TODAY).unwrap();
    assert_eq!((replaced.input_per_mtok_usd, replaced.output_per_mtok_usd), (usd("0.1"), usd("0.45")));
    assert_eq!(replaced.cached_input_per_mtok_usd, None);
    assert_eq!((replaced.as_of, replaced.source.as_str()), (date(2026, 11, 20), "our contract"));
    let added = book.find("ollama", "smollm2", TODAY).unwrap();
    assert_eq!(added.output_per_mtok_usd, usd("0.0000001"));
    assert_eq!(added.note.as_deref(), Some("power"));
    assert!(book.find("groq", "openai/gpt-oss-20b", TODAY).is_some(), "the others stay");
}

/// What is said about a table with this one row, its help included.
#[track_caller]
fn refused_row(row: &str) -> String {
    refused(&format!(r#"[{{"as_of":"2026-11-20","prices":[]}},{{"as_of":"2026-11-20","prices":[{row}]}}]"#))
}

#[track_caller]
fn refused(text: &str) -> String {
    let error = PriceBook::embedded().with_overrides(text).unwrap_err();
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
    format!("{error}\nhelp: {help}")
}

#[test]
fn a_wrong_row_is_named_with_its_field() {
    assert_snapshot!(refused_row(r#"{"provider":"groq"}"#), @"
    price 1 of sheet 2: `model` is missing
    help: write it in quotes
    ");
    assert_snapshot!(refused_row(r#"{"provider":"gorq","model":"m","input_per_mtok_usd":1,"output_per_mtok_usd":1}"#), @"
    price 1 of sheet 2 (`gorq` `m`): `provider` names no provider we know
    help: did you mean `groq`? `speed-kings list` shows all providers
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok_usd":-1,"output_per_mtok_usd":1}"#), @"
    price 1 of sheet 2 (`groq` `m`): `input_per_mtok_usd` is no price
    help: write US dollars per million tokens, such as 0.15
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok_usd":1,"output_per_mtok_usd":true}"#), @"
    price 1 of sheet 2 (`groq` `m`): `output_per_mtok_usd` is no price
    help: write US dollars per million tokens, such as 0.15
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok":1,"output_per_mtok_usd":1}"#), @"
    price 1 of sheet 2 (`groq` `m`): `input_per_mtok` is no field of a price
    help: did you mean `input_per_mtok_usd`, `cached_input_per_mtok_usd` or `offpeak_input_per_mtok_usd`?
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok_usd":1,"output_per_mtok_usd":1,"retires_on":"soon"}"#), @"
    price 1 of sheet 2 (`groq` `m`): `retires_on` is no date
    help: write it like 2026-11-21, in quotes
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok_usd":1,"output_per_mtok_usd":1,"context_window":1.5}"#), @"
    price 1 of sheet 2 (`groq` `m`): `context_window` is no number of tokens
    help: write a whole number, such as 131072
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok_usd":1,"output_per_mtok_usd":1,"offpeak_input_per_mtok_usd":1}"#), @"
    price 1 of sheet 2 (`groq` `m`): `offpeak_output_per_mtok_usd` is missing
    help: write US dollars per million tokens, such as 0.15
    ");
    assert_snapshot!(refused_row(r#"{"provider":"groq","model":"m","input_per_mtok_usd":1,"output_per_mtok_usd":1,"announced_change":{"on":"2027-01-01","input":1}}"#), @r#"
    price 1 of sheet 2 (`groq` `m`): `announced_change` is no announced change
    help: write `{"on": "2027-01-01", "input": 1.5, "output": 7.5}`
    "#);
}

#[test]
fn a_wrong_table_is_named() {
    assert_snapshot!(refused("prices: []"), @"
    the price table is not JSON
    help: check it with `python3 -m json.tool FILE`
    ");
    assert_snapshot!(refused("[3]"), @r#"
    sheet 1 of the price table: it is no object
    help: a sheet looks like `{"as_of": "2026-11-21", "source": "our contract", "prices": [ … ]}`
    "#);
    assert_snapshot!(refused(r#"{"prices":[]}"#), @r#"
    sheet 1 of the price table: `as_of` is no date like `2026-11-21`
    help: a sheet looks like `{"as_of": "2026-11-21", "source": "our contract", "prices": [ … ]}`
    "#);
    assert_snapshot!(refused(r#"{"as_of":"2026-11-20","price":[]}"#), @r#"
    sheet 1 of the price table: `price` is no field of a sheet
    help: a sheet looks like `{"as_of": "2026-11-21", "source": "our contract", "prices": [ … ]}`
    "#);
    assert_snapshot!(refused(r#"{"as_of":"2026-11-20","prices":[1]}"#), @r#"
    sheet 1 of the price table: price 1 is no object
    help: a sheet looks like `{"as_of": "2026-11-21", "source": "our contract", "prices": [ … ]}`
    "#);
}

fn price(input: &str, cached: Option<&str>, output: &str) -> Price {
    Price {
        input_per_mtok_usd: usd(input),
        output_per_mtok_usd: usd(output),
        cached_input_per_mtok_usd: cached.map(usd),
        as_of: TODAY,
        source: String::new(),
        note: None,
    }
}

fn usage(input: u64, cached: Option<u64>, output: u64) -> Usage {
    Usage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        cached_input_tokens: cached,
        reasoning_tokens: None,
    }
}

#[track_caller]
fn check_cost(price: &Price, usage: &Usage, expected: &str) {
    assert_eq!(cost(price, usage).0.normalize(), expected.parse::<Decimal>().unwrap());
}

#[test]
fn cost_follows_its_formula() {
    check_cost(&price("0.15", None, "0.6"), &usage(1_000, None, 200), "0.00027");
    check_cost(&price("0.15", Some("0.075"), "0.6"), &usage(1_000, Some(400), 200), "0.00024");
    check_cost(&price("0.15", None, "0.6"), &usage(1_000, Some(400), 200), "0.00027");
    check_cost(&price("0.1", None, "0.1"), &usage(1, None, 1), "0.0000002");
    check_cost(&price("3", Some("0"), "15"), &usage(10, Some(25), 0), "0");
    check_cost(&price("3", None, "15"), &Usage::default(), "0");
}

proptest! {
    #[test]
    fn cost_never_panics_and_grows_with_tokens(input in any::<u64>(), cached in any::<u64>(), output in any::<u64>()) {
        let dear = price("1000000", Some("0.5"), "1000000");
        let less = cost(&dear, &usage(input / 2, Some(cached), output / 2));
        let more = cost(&dear, &usage(input, Some(cached), output));
        prop_assert!(less <= more || cached > input / 2);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let empty = PriceBook { rows: BTreeMap::new() };
        prop_assert!(empty.with_overrides(&text).is_ok_and(|book| book.rows().count() == 0) || !text.starts_with("[]"));
    }
}
