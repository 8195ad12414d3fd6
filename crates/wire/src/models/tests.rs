use super::*;

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    assert_eq!(decode_models(body.as_bytes()).unwrap(), expected, "{body}");
}

#[test]
fn ids_are_found_in_every_servers_list() {
    check(r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b"}]}"#, &["a", "b"]);
    check(r#"[{"id":"meta/a","type":"chat"},{"id":"b"}]"#, &["meta/a", "b"]);
    check(r#"{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":1}]}"#, &["llama3.2:latest"]);
    check(r#"{"models":[{"type":"llm","key":"google/gemma-3","display_name":"Gemma"}]}"#, &["google/gemma-3"]);
    check(r#"{"models":[{"name":"other"}],"data":[{"id":"a"}]}"#, &["a"]);
    check(r#"{"data":["a","b","a"]}"#, &["a", "b"]);
    check(r#"{"data":[]}"#, &[]);
}

#[test]
fn items_without_a_usable_id_are_left_out() {
    let long = "x".repeat(513);
    check(&format!(r#"{{"data":[{{"id":""}},{{"id":7}},null,[],{{}},{{"id":"{long}"}},{{"id":"a"}}]}}"#), &["a"]);
}

#[test]
fn a_list_is_bounded() {
    let items: Vec<String> = (0..10_500).map(|n| format!("\"m{n}\"")).collect();
    assert_eq!(decode_models(format!("[{}]", items.join(",")).as_bytes()).unwrap().len(), 10_000);
}

#[test]
fn what_is_no_list_is_an_error() {
    for body in ["{}", "null", r#"{"data":{}}"#, r#"{"error":"x"}"#] {
        assert_eq!(decode_models(body.as_bytes()), Err(WireError::NotModels { source: None }), "{body}");
    }
    let error = decode_models(b"<html>").unwrap_err();
    assert_eq!(error, WireError::NotModels { source: Some(JsonError::at(0, Wanted::Value)) });
    assert!(decode_models(b"[\"\xff\"]").is_err());
}
