//! What people see when what they asked for makes no sense: the reason, the place, the way out, status 2.

use crate::command::Desk;

#[test]
fn an_unknown_provider_is_answered_with_the_nearest_name() {
    let outcome = Desk::new().run(&["benchmark", "--providers", "cerebas", "--dry-run"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × `cerebas` is no provider we know
      help: did you mean `cerebras`? `speed-kings list` shows all providers
    ");
}

#[test]
fn a_missing_key_names_its_variable_and_where_to_get_one() {
    let outcome = Desk::new().run(&["benchmark", "--providers", "groq", "--dry-run"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × `groq` needs a key, and `GROQ_API_KEY` is not set
      help: get one at https://console.groq.com/keys, then `export GROQ_API_KEY=…`
    ");
}

#[test]
fn nothing_to_measure_tells_how_to_name_something() {
    let outcome = Desk::new().run(&["benchmark", "--dry-run"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × nothing was named to measure
      help: `--mock` measures simulated engines with nothing installed; `--providers groq,cerebras` and `--url URL --model
            MODEL` measure real ones; `speed-kings list` shows what is ready
    ");
}

#[test]
fn everything_wrong_in_a_file_is_shown_at_once_each_at_its_place() {
    let text = "\
requets: 10
max_tokens: 0
duration: 30
slo: ttft_p95<200
target:
  - name: a
    provider: vllm
    modle: x
http: http3
stream: maybe
concurrency: -4
rate: 5
mock: [vllm, llama]
";
    let outcome = Desk::new().with_file("bad.yaml", text).run(&["config", "check", "bad.yaml"]);
    assert_eq!(outcome.status, Some(2));
    insta::assert_snapshot!(outcome.err);
}

#[test]
fn a_file_that_is_no_mapping_is_refused_where_it_begins_to_be_none() {
    let desk = Desk::new()
        .with_file("list.yaml", "- requests: 1\n")
        .with_file("torn.yaml", "providers: [groq\n")
        .with_file("twice.yaml", "rate: 5/s\nrate: 6/s\n")
        .with_file("empty.yaml", "# nothing\n");
    let check = |file| desk.run(&["config", "check", file]).all();
    insta::assert_snapshot!([check("list.yaml"), check("torn.yaml"), check("twice.yaml"), check("empty.yaml")].join("\n"), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × settings are written `key: value`, one a line
       ╭─[list.yaml:1:1]
     1 │ - requests: 1
       · ▲
       · ╰── here
       ╰────


    status: 2
    --- stdout ---
    --- stderr ---
      × unclosed bracket '['
       ╭─[torn.yaml:1:12]
     1 │ providers: [groq
       ·            ┬
       ·            ╰── here
       ╰────


    status: 2
    --- stdout ---
    --- stderr ---
      × `rate` is set twice
       ╭─[twice.yaml:2:1]
     1 │ rate: 5/s
     2 │ rate: 6/s
       · ──┬─
       ·   ╰── here
       ╰────
      help: keep one of them


    status: 0
    --- stdout ---
    empty.yaml: 0 settings, all fine
    --- stderr ---
    ");
}

#[test]
fn a_wrong_unit_on_the_command_line_is_answered_with_right_ones() {
    let outcome = Desk::new().run(&["benchmark", "--mock", "--duration", "30"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
    error: invalid value '30' for '--duration <30s>': `30` is not a time with its unit; write it like `30s`, `200ms`, `5m` or `1h`

    For more information, try '--help'.
    ");
}

#[test]
fn wrong_variables_are_told_at_once_and_misspelt_ones_noted() {
    let desk = Desk::new()
        .with("SPEED_KINGS_RATE", "4")
        .with("SPEED_KINGS_MAX_TOKENS", "0")
        .with("SPEED_KINGS_MOCK", "vllm,llama");
    insta::assert_snapshot!(desk.run(&["config", "check"]).all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × 3 things are wrong with what was asked for

    Error:
      × `SPEED_KINGS_MAX_TOKENS`: lower than 1; use 1 or more

    Error:
      × `SPEED_KINGS_MOCK`: `llama` is not one of vllm, tgi, ollama, openai

    Error:
      × `SPEED_KINGS_RATE`: `4` is not a request rate; write it like `5/s`, `90/min` or `1000/h`
    ");
    let desk = Desk::new().with("SPEED_KINGS_REQUEST", "4").with("SPEED_KINGS_SERVICE_HOST", "10.0.0.1");
    insta::assert_snapshot!(desk.run(&["config", "check"]).all(), @r"
    status: 0
    --- stdout ---
    all fine (no file is there to be read)
    --- stderr ---
    `SPEED_KINGS_REQUEST` is not a setting and counts for nothing; did you mean `SPEED_KINGS_REQUESTS`?
    ");
}

#[test]
fn rivals_in_one_layer_are_refused() {
    let outcome = Desk::new().run(&["benchmark", "--mock", "--rate", "5/s", "--concurrency", "4", "--dry-run"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × `concurrency` and `rate` exclude each other (--concurrency, --rate)
      help: keep one of them
    ");
}

#[test]
fn a_wrong_target_names_the_piece_that_is_wrong() {
    let outcome = Desk::new().run(&["benchmark", "--target", "a=vllm@gpu:8000", "--dry-run"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
    error: invalid value 'a=vllm@gpu:8000' for '--target <NAME=PROVIDER@URL,model=M>': the URL `gpu:8000` does not begin with `http://` or `https://`; write a target like `mine=vllm@http://gpu:8000/v1,model=qwen`

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_preset_is_answered_with_the_nearest() {
    let outcome = Desk::new().run(&["benchmark", "--mock", "--config", "standrad"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × `standrad` is neither a preset nor a file
      help: did you mean `standard`?
    ");
}

#[test]
fn keys_never_show() {
    let desk =
        Desk::new().with("GROQ_API_KEY", "gsk-canary-key").with("HTTPS_PROXY", "http://me:canary-proxy@proxy:3128");
    for arguments in [
        &["benchmark", "--providers", "groq", "--dry-run"][..],
        &["benchmark", "--providers", "groq", "--dry-run", "--output", "json", "-vvv"],
        &["config", "show", "--output", "json"],
        &["list", "--output", "json"],
        &["benchmark", "--target", "a=vllm@http://me:canary-password@gpu:8000", "--dry-run"],
        &["config", "show", "--url", "http://me:canary-password@gpu:8000"],
    ] {
        let outcome = desk.run(arguments).all();
        assert!(!outcome.contains("canary"), "{outcome}");
    }
}

#[test]
fn settings_that_count_for_nothing_are_noted() {
    let desk = Desk::new().with("SPEED_KINGS_REQUETS", "5");
    let outcome =
        desk.run(&["benchmark", "--mock=openai", "--dry-run", "--arrival", "constant", "--output", "markdown"]);
    insta::assert_snapshot!(outcome.err, @r"
    `SPEED_KINGS_REQUETS` is not a setting and counts for nothing; did you mean `SPEED_KINGS_REQUESTS`?
    `arrival` counts for nothing in a closed loop
    ");
}

#[test]
fn a_budget_says_whom_it_does_not_watch() {
    let arguments = ["benchmark", "--url", "http://127.0.0.1:9", "--model", "m", "--budget", "1usd", "--dry-run"];
    let outcome = Desk::new().run(&[&arguments[..], &["--output", "markdown"]].concat());
    insta::assert_snapshot!(outcome.err, @"no price is known of `openai-compatible`: the budget does not count what they cost; `prices` gives one");
}

#[test]
fn a_loop_by_time_costs_what_it_costs() {
    let desk = Desk::new().with("GROQ_API_KEY", "gsk-canary-key");
    let outcome = desk.run(&["benchmark", "--providers", "groq", "--duration", "1s", "--dry-run", "--output", "csv"]);
    assert!(outcome.out.contains("as much as it answers in time"), "{}", outcome.out);
}

#[test]
fn a_temperature_is_a_number() {
    let outcome = Desk::new().run(&["benchmark", "--mock", "--temperature", "nan"]);
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.err.contains("use a number, such as 0.7"), "{}", outcome.err);
}
