//! Every help text, as it is read.

use crate::command::Desk;

#[track_caller]
fn check(name: &str, arguments: &[&str]) {
    let outcome = Desk::new().run(arguments);
    assert_eq!(outcome.status, Some(0), "{}", outcome.err);
    assert_eq!(outcome.err, "");
    assert!(outcome.out.contains("Examples:"), "help without examples");
    insta::assert_snapshot!(name, outcome.out);
}

#[test]
fn every_command_explains_itself_with_examples() {
    check("speed-kings", &["--help"]);
    for command in
        ["benchmark", "list", "pricing", "discover", "test", "sim", "results", "config", "init", "completions"]
    {
        check(command, &[command, "--help"]);
    }
    check("results-list", &["results", "list", "--help"]);
    check("results-show", &["results", "show", "--help"]);
    for job in ["tag", "rm", "export", "merge"] {
        check(&format!("results-{job}"), &["results", job, "--help"]);
    }
    for command in ["cleanup", "migrate", "reprocess", "compare"] {
        check(command, &[command, "--help"]);
    }
    for command in ["trend", "baseline", "gate"] {
        check(command, &[command, "--help"]);
    }
    check("conversation", &["conversation", "--help"]);
    check("inspect", &["inspect", "--help"]);
    check("race", &["race", "--help"]);
    check("rush", &["rush", "--help"]);
    check("config-show", &["config", "show", "--help"]);
    check("config-check", &["config", "check", "--help"]);
    check("config-schema", &["config", "schema", "--help"]);
}

#[test]
fn every_setting_is_a_flag_of_benchmark() {
    let desk = Desk::new();
    let help = desk.run(&["benchmark", "--help"]).out;
    let schema: serde_json::Value = serde_json::from_str(&desk.run(&["config", "schema"]).out).unwrap();
    let settings = schema["properties"].as_object().unwrap();
    assert!(settings.len() > 30);
    for key in settings.keys() {
        let flag = format!("--{}", key.replace('_', "-"));
        assert!(help.contains(&flag), "`{flag}` is not in the help");
    }
}

#[test]
fn a_wrong_flag_is_wrong_usage_and_names_the_right_one() {
    let outcome = Desk::new().run(&["benchmark", "--concurency", "4"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
    error: unexpected argument '--concurency' found

      tip: a similar argument exists: '--concurrency'

    Usage: speed-kings benchmark --concurrency <N>

    For more information, try '--help'.
    ");
}

#[test]
fn nothing_at_all_shows_the_help_and_is_wrong_usage() {
    let outcome = Desk::new().run(&[]);
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.err.contains("Usage: speed-kings"), "{}", outcome.err);
}
