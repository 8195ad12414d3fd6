//! Which runs are meant.

use schema::manifest::Status;

use super::sample::{NOW, manifest};
use crate::{Filter, Pattern, RunDir, list};

#[track_caller]
fn check(pattern: &str, text: &str, expected: bool) {
    assert_eq!(pattern.parse::<Pattern>().unwrap().matches(text), expected, "`{pattern}` and `{text}`");
}

#[test]
fn patterns_are_compared_whole_and_stars_stand_for_anything() {
    check("quick", "quick", true);
    check("quick", "quicker", false);
    check("QUICK", "quick", true);
    check("quick*", "quicker", true);
    check("*ick*", "quicker", true);
    check("*llama*", "meta-llama/Llama-3.1-8B", true);
    check("a*a", "a", false);
    check("a*a", "aa", true);
    check("a*b*a", "aba", true);
    check("a*b*a", "aca", false);
    check("*", "", true);
    check("", "", true);
    check("", "x", false);
    check("**", "anything", true);
}

/// Whether the only run there is, of `vllm` asked for SmolLM2, is meant.
#[track_caller]
fn check_filter(filter: &Filter, expected: bool) {
    let out = tempfile::tempdir().unwrap();
    let mut manifest = manifest("Night shift", &["groq", "vllm-2"]);
    manifest.tags = vec!["nightly".into(), "gpu=h100".into()];
    let _run = RunDir::create(out.path(), &manifest, NOW, &[]).unwrap();
    let entries = list(out.path()).unwrap();
    let head = entries[0].head.as_ref().unwrap();
    assert_eq!(filter.matches(&entries[0].folder, head), expected, "{filter:?}");
}

#[test]
fn every_field_of_a_filter_has_to_fit() {
    let pattern = |text: &str| Some(text.parse::<Pattern>().unwrap());
    let tags = |tags: &[&str]| tags.iter().map(|tag| tag.parse().unwrap()).collect();
    let nothing = Filter::default;
    assert!(nothing().is_empty());
    check_filter(&nothing(), true);
    check_filter(&Filter { name: pattern("night shift"), ..nothing() }, true);
    check_filter(&Filter { name: pattern("test_night-shift*"), ..nothing() }, true);
    check_filter(&Filter { name: pattern("night"), ..nothing() }, false);
    check_filter(&Filter { tags: tags(&["nightly", "gpu=*"]), ..nothing() }, true);
    check_filter(&Filter { tags: tags(&["nightly", "draft"]), ..nothing() }, false);
    check_filter(&Filter { target: pattern("groq"), model: pattern("smol*"), ..nothing() }, true);
    check_filter(&Filter { target: pattern("groq"), model: pattern("gpt*"), ..nothing() }, false);
    check_filter(&Filter { provider: pattern("vllm"), ..nothing() }, true);
    check_filter(&Filter { provider: pattern("tgi"), ..nothing() }, false);
    check_filter(&Filter { machine: Some("A Proc".into()), ..nothing() }, true);
    check_filter(&Filter { machine: Some("another".into()), ..nothing() }, false);
    check_filter(&Filter { status: Some(Status::Running), ..nothing() }, true);
    check_filter(&Filter { status: Some(Status::Complete), ..nothing() }, false);
    let began = "2026-11-22T08:05:09.25Z".parse().unwrap();
    check_filter(&Filter { since: Some(began), ..nothing() }, true);
    check_filter(&Filter { until: Some(began), ..nothing() }, false);
    check_filter(&Filter { since: Some("2026-11-23T00:00:00Z".parse().unwrap()), ..nothing() }, false);
    check_filter(&Filter { until: Some("2026-11-23T00:00:00Z".parse().unwrap()), ..nothing() }, true);
}
