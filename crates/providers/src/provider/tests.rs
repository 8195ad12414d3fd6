use std::collections::BTreeSet;

use schema::target::TargetName;
use url::Url;

use super::*;
use crate::price::PriceBook;

#[test]
fn ids_and_aliases_are_unique_safe_and_found() {
    let mut seen = BTreeSet::new();
    for provider in registry() {
        assert!(provider.id.parse::<TargetName>().is_ok(), "{}", provider.id);
        for name in std::iter::once(&provider.id).chain(provider.aliases) {
            assert!(seen.insert(*name), "`{name}` is taken twice");
            assert_eq!(*name, name.to_ascii_lowercase());
            assert_eq!(find(&name.to_uppercase()).unwrap().id, provider.id);
        }
    }
    assert_eq!(registry().len(), 18);
}

#[test]
fn every_provider_can_be_reached_or_says_where_to_put_its_url() {
    for provider in registry() {
        let base = Url::parse(provider.base_url);
        assert!(base.is_ok() || provider.kind == Kind::Generic, "{}", provider.id);
        assert!(!provider.url_variables.is_empty() && !provider.key_variables.is_empty(), "{}", provider.id);
        let port = base.ok().and_then(|base| base.port());
        assert_eq!(port, provider.default_ports.first().copied(), "{}", provider.id);
    }
}

#[test]
fn hosted_providers_are_encrypted_need_a_key_and_have_a_priced_default_model() {
    let prices = PriceBook::embedded();
    for provider in registry().iter().filter(|p| p.kind == Kind::Hosted) {
        assert!(provider.base_url.starts_with("https://"), "{}", provider.id);
        assert!(provider.key_required && provider.key_page.starts_with("https://"), "{}", provider.id);
        let model = provider.default_model.expect("hosted providers have a default model");
        let row = prices.row(provider.id, model);
        assert!(row.is_some_and(|row| row.retires_on.is_none()), "{} {model}", provider.id);
    }
}

#[test]
fn every_provider_speaks_its_own_dialect_and_each_once() {
    for provider in registry() {
        assert!(provider.dialects.contains(&provider.dialect), "{}", provider.id);
        let ids: BTreeSet<_> = provider.dialects.iter().map(|dialect| dialect.id()).collect();
        assert_eq!(ids.len(), provider.dialects.len(), "{}", provider.id);
        assert!(provider.metrics_path.is_empty() || provider.kind == Kind::Engine, "{}", provider.id);
    }
}

#[test]
fn families_are_named_once_a_provider_in_lower_case() {
    for provider in registry() {
        let names: BTreeSet<_> = provider.families.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), provider.families.len(), "{}", provider.id);
        assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()), "{}", provider.id);
    }
}

#[track_caller]
fn check_unknown(id: &str, expected: &str) {
    let error = find(id).unwrap_err();
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
    assert_eq!(format!("{error}\n{help}"), expected);
}

#[test]
fn an_unknown_provider_is_answered_with_the_nearest_names() {
    check_unknown("gorq", "`gorq` is no provider we know\ndid you mean `groq`? `speed-kings list` shows all providers");
    check_unknown(
        "cerebra",
        "`cerebra` is no provider we know\ndid you mean `cerebras`? `speed-kings list` shows all providers",
    );
    check_unknown(
        "\u{1b}zzz",
        "`zzz` is no provider we know\n`speed-kings list` shows all providers; for any other endpoint use `--url URL --model ID`",
    );
}
