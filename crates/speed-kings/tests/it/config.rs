//! Layers of configuration: which wins, and that each value knows where it came from.

use jsonschema::is_valid;
use serde_json::{Value, json};

use crate::command::Desk;

/// The value and origin of a setting, as `config show` tells them.
#[track_caller]
fn shown(desk: &Desk, arguments: &[&str], key: &str) -> (Value, String) {
    let outcome = desk.run(&[&["config", "show", "--output", "json"], arguments].concat());
    let rows: Vec<Value> = serde_json::from_str(&outcome.out).unwrap_or_else(|_| panic!("{}", outcome.all()));
    let row = rows.iter().find(|row| row["setting"] == key).unwrap();
    (row["value"].clone(), row["origin"].as_str().unwrap().to_owned())
}

#[test]
fn each_layer_wins_over_those_below_it_and_says_where_its_value_came_from() {
    let desk = Desk::new();
    assert_eq!(shown(&desk, &[], "max_tokens"), (json!("32"), "default".to_owned()));

    let desk = desk.with_file("user-config/speed-kings/config.yaml", "# mine\nmax_tokens: 1\n");
    let (value, origin) = shown(&desk, &[], "max_tokens");
    assert_eq!((value, origin.as_str()), (json!("1"), "[FOLDER]/user-config/speed-kings/config.yaml:2"));

    let desk = desk.with_file("speed-kings.yaml", "max_tokens: 2\n");
    assert_eq!(shown(&desk, &[], "max_tokens"), (json!("2"), "speed-kings.yaml:1".to_owned()));

    let chosen = &["--config", "standard"];
    assert_eq!(shown(&desk, chosen, "max_tokens"), (json!("256"), "preset standard".to_owned()));

    let desk = desk.with("SPEED_KINGS_MAX_TOKENS", "3");
    assert_eq!(shown(&desk, chosen, "max_tokens"), (json!("3"), "$SPEED_KINGS_MAX_TOKENS".to_owned()));

    let flags = &["--config", "standard", "--max-tokens", "4"];
    assert_eq!(shown(&desk, flags, "max_tokens"), (json!("4"), "--max-tokens".to_owned()));
}

#[test]
fn a_setting_silences_its_rivals_below() {
    let desk = Desk::new().with_file("speed-kings.yaml", "providers: groq\nrequests: 7\n");
    assert_eq!(shown(&desk, &["--duration", "5s"], "requests").1, "not set");
    assert_eq!(shown(&desk, &["--duration", "5s"], "duration"), (json!("5s"), "--duration".to_owned()));
    assert_eq!(shown(&desk, &["--mock"], "providers").1, "not set");
    assert_eq!(shown(&desk, &["--mock"], "mock"), (json!("vllm, tgi, ollama"), "--mock".to_owned()));
    assert_eq!(shown(&desk, &["--rate", "5/s"], "concurrency").1, "not set");
}

#[test]
fn several_configurations_are_laid_over_each_other() {
    let desk = Desk::new().with_file("mine.yaml", "concurrency: 9\n");
    let both = &["--config", "stress,mine.yaml"];
    assert_eq!(shown(&desk, both, "concurrency"), (json!("9"), "mine.yaml:1".to_owned()));
    assert_eq!(shown(&desk, both, "requests"), (json!("1000"), "preset stress".to_owned()));
    let desk = desk.with("SPEED_KINGS_CONFIG", "stress");
    assert_eq!(shown(&desk, &[], "requests").1, "preset stress");
}

#[test]
fn a_no_flag_is_its_setting_turned_off() {
    let desk = Desk::new();
    assert_eq!(shown(&desk, &["--no-stream"], "stream"), (json!("false"), "--stream".to_owned()));
    assert_eq!(shown(&desk, &["--force-length=false"], "force_length").0, json!("false"));
}

/// The plan a dry run prints.
#[track_caller]
fn plan(desk: &Desk, arguments: &[&str]) -> Value {
    let outcome = desk.run(&[&["benchmark", "--dry-run", "--output", "json"], arguments].concat());
    serde_json::from_str(&outcome.out).unwrap_or_else(|_| panic!("{}", outcome.all()))
}

#[test]
fn yaml_flags_and_variables_make_the_same_plan() {
    let text = "target: {name: a, provider: vllm, url: 'http://gpu:8000', model: m}\nrate: 5/s\nduration: 1m\n\
                slo: [ttft_p95<200ms, tpot_p99<30ms]\nbudget: 2usd\nseed: 7\nstream: false\nconnect_timeout: 3s\n";
    let by_file = plan(&Desk::new().with_file("speed-kings.yaml", text), &[]);
    let by_flags = plan(
        &Desk::new(),
        &[
            "--target",
            "a=vllm@http://gpu:8000,model=m",
            "--rate",
            "5/s",
            "--duration",
            "1m",
            "--slo",
            "ttft_p95<200ms,tpot_p99<30ms",
            "--budget",
            "2usd",
            "--seed",
            "7",
            "--no-stream",
            "--connect-timeout",
            "3s",
        ],
    );
    let desk = Desk::new()
        .with("SPEED_KINGS_TARGET", "a=vllm@http://gpu:8000,model=m")
        .with("SPEED_KINGS_RATE", "5/s")
        .with("SPEED_KINGS_DURATION", "1m")
        .with("SPEED_KINGS_SLO", "ttft_p95<200ms,tpot_p99<30ms")
        .with("SPEED_KINGS_BUDGET", "2usd")
        .with("SPEED_KINGS_SEED", "7")
        .with("SPEED_KINGS_STREAM", "false")
        .with("SPEED_KINGS_CONNECT_TIMEOUT", "3s");
    assert_eq!(by_file, by_flags);
    assert_eq!(by_file, plan(&desk, &[]));
    assert_eq!(by_file["stop"], json!({"duration_ns": 60_000_000_000_u64}));
    assert_eq!(by_file["load"]["open"]["rate_per_s"], json!(5.0));
    assert_eq!(by_file["transport"]["limits"]["connect_ns"], json!(3_000_000_000_u64));
}

#[test]
fn two_targets_of_one_name_are_told_apart() {
    let plan =
        plan(&Desk::new(), &["--target", "vllm@http://a:8000,model=m", "--target", "vllm@http://b:8000,model=m"]);
    let names: Vec<&Value> = plan["targets"].as_array().unwrap().iter().map(|target| &target["name"]).collect();
    assert_eq!(names, [&json!("vllm"), &json!("vllm-2")]);
}

#[test]
fn a_seed_that_is_not_given_is_made_and_recorded() {
    assert!(plan(&Desk::new(), &["--url", "http://a:8000", "--model", "m"])["seed"].is_u64());
}

#[test]
fn init_writes_a_file_that_is_fine_and_will_not_replace_one() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.run(&["init"]).all(), @r"
    status: 0
    --- stdout ---
    --- stderr ---
    wrote `speed-kings.yaml`; `speed-kings config check` checks it, `speed-kings benchmark` uses it
    ");
    insta::assert_snapshot!(desk.run(&["config", "check", "speed-kings.yaml"]).all(), @r"
    status: 0
    --- stdout ---
    speed-kings.yaml: 1 setting, all fine
    --- stderr ---
    ");
    insta::assert_snapshot!(desk.run(&["init"]).all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × `speed-kings.yaml` is there already
      help: name another file, or replace it with `--force`
    ");
    assert_eq!(desk.run(&["init", "--force"]).status, Some(0));
    insta::assert_snapshot!("init", std::fs::read_to_string(desk.path().join("speed-kings.yaml")).unwrap());
}

#[test]
fn the_schema_accepts_what_the_program_accepts_and_nothing_else() {
    let schema: Value = serde_json::from_str(&Desk::new().run(&["config", "schema"]).out).unwrap();
    for good in [
        json!({"providers": ["groq"], "requests": 5, "duration": "30s", "rate": "5/s", "budget": "2usd"}),
        json!({"slo": "ttft_p95<200ms,e2e<1s", "mock": ["vllm"], "size": "short", "http": "http2", "arrival": "poisson"}),
        json!({"target": ["a=vllm@http://x:1"], "stream": false, "temperature": 0.5}),
        json!({"target": [{"provider": "vllm", "url": "http://x:1", "model": "m", "name": "a"}]}),
    ] {
        assert!(is_valid(&schema, &good), "{good}");
    }
    for bad in [
        json!({"requets": 5}),
        json!({"requests": 0}),
        json!({"duration": "30"}),
        json!({"rate": 5}),
        json!({"size": "tiny"}),
        json!({"target": [{"provider": "vllm", "modle": "m"}]}),
    ] {
        assert!(!is_valid(&schema, &bad), "{bad}");
    }
}
