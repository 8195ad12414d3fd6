//! `compare`: stored runs against each other.

use crate::command::Desk;

/// A run of simulated engines called `name`.
fn measured(desk: &Desk, name: &str, more: &[&str]) {
    let mut arguments = vec!["benchmark", "--requests=12", "--max-tokens=6", "--warmup=0", "--seed=7", "--quiet"];
    let name = format!("--name={name}");
    arguments.push(&name);
    arguments.extend(more);
    let outcome = desk.run(&arguments);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
}

#[test]
fn the_targets_of_one_run_are_held_against_each_other() {
    let desk = Desk::new();
    measured(&desk, "both", &["--mock=vllm,tgi"]);
    let outcome = desk.run(&["compare", "latest"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    for part in ["SIMULATED", "vllm-sim", "tgi-sim", "TTFT"] {
        assert!(outcome.out.contains(part), "{part}: {}", outcome.out);
    }
    let json = desk.run(&["compare", "both", "--metric=ttft_p50", "--tie=10%", "--output=json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let rankings = json["comparison"]["rankings"].as_array().unwrap();
    assert_eq!(rankings.len(), 1);
    assert_eq!(rankings[0]["criterion"], "ttft_p50_ns");
    assert!(json["comparison"].get("overall").is_none(), "scores are made of other criteria too");
}

#[test]
fn targets_of_two_runs_are_told_apart_and_what_is_unlike_is_told() {
    let desk = Desk::new();
    measured(&desk, "one", &["--mock=vllm"]);
    measured(&desk, "two", &["--mock=vllm,tgi", "--concurrency=3"]);
    let outcome = desk.run(&["compare", "one", "two/vllm-sim", "--output=json"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let json: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let standings = json["comparison"]["rankings"][0]["standings"].as_array().unwrap();
    let names: Vec<&str> = standings.iter().map(|standing| standing["target"].as_str().unwrap()).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name.starts_with("vllm-sim.")), "{names:?}");
    let unlike = json["comparison"]["unlike"].as_array().unwrap();
    assert!(unlike.iter().any(|one| one["what"] == "load" && one["severity"] == "unfair"), "{unlike:#?}");
    for form in ["table", "markdown", "csv"] {
        let outcome = desk.run(&["compare", "one", "two", "--output", form]);
        assert_eq!(outcome.status, Some(0), "{}", outcome.all());
        assert!(outcome.out.contains("tgi-sim"), "{form}: {}", outcome.out);
    }
}

#[test]
fn one_recording_is_read_under_the_definitions_of_other_tools() {
    let desk = Desk::new();
    measured(&desk, "one", &["--mock=vllm"]);
    let outcome = desk.run(&["compare", "one", "--explain"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    for part in ["Explain the difference: vllm-sim", "SIMULATED", "GuideLLM", "llmperf", "TTFT is inside"] {
        assert!(outcome.out.contains(part), "{part}: {}", outcome.out);
    }
    let json = desk.run(&["compare", "one/vllm-sim", "--explain", "--output=json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(json.get("comparison").is_none());
    assert_eq!(json["explanations"][0]["readings"].as_array().unwrap().len(), 6);
    let csv = desk.run(&["compare", "one", "--explain", "--output=csv"]);
    assert!(csv.out.starts_with("run,target,simulated,tool,"), "{}", csv.out);
}

#[test]
fn what_cannot_be_compared_says_why() {
    let desk = Desk::new().with_file("results/test_broken/manifest.json", "{\"format_version\": \"\\u001b[2J\"");
    measured(&desk, "one", &["--mock=vllm"]);
    let check = |arguments: &[&str], status: i32, part: &str| {
        let outcome = desk.run(arguments);
        assert_eq!(outcome.status, Some(status), "{}", outcome.all());
        assert!(outcome.err.contains(part) && outcome.out.is_empty(), "{}", outcome.all());
        assert!(!outcome.err.contains('\u{1b}'), "{}", outcome.all());
    };
    check(&["compare"], 2, "required");
    check(&["compare", "one"], 2, "nothing to compare it with");
    check(&["compare", "one", "one"], 2, "nothing to compare it with");
    check(&["compare", "one/nobody", "one"], 2, "it has `vllm-sim`");
    check(&["compare", "one", "nowhere"], 1, "no run in");
    check(&["compare", "one", "broken"], 1, "cannot be understood");
    check(&["compare", "one", "one", "--metric=beauty"], 2, "nothing that targets are compared by");
    check(&["compare", "one", "one", "--tie=lots"], 2, "write it like `3%`");
    check(&["compare", "one", "one", "--weights=beauty=1"], 2, "no weighing of dimensions");
}
