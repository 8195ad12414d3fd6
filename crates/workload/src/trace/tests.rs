use proptest::prelude::*;

use super::*;

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n\
    2023-11-16 18:17:03.9799600,4808,10\r\n\
    2023-11-16 18:17:04.0319600,3180,8\r\n";
const AZURE_WITH_ZONE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
    2024-05-10 00:00:00.009930+00:00,2162,5\n\
    2024-05-10 01:00:01.009930+01:00,2399,6\n";
const BURST_GPT: &str = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
    5,ChatGPT,472,18,490,Conversation log\n\
    45.5,GPT-4,1087,230,1317,API log\n";
const BURST_GPT_SESSIONS: &str = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
    5,1,2.5,ChatGPT,472,18,490,Conversation log\n\
    1106,,0,ChatGPT,0,0,0,Conversation log\n\
    1107,,0,ChatGPT,12,0,12,API log\n";
const MOONCAKE: &str = r#"{"timestamp": 0, "input_length": 1000, "output_length": 52, "hash_ids": [46, 47]}
{"timestamp": 3052.5, "input_length": 600, "output_length": 26, "hash_ids": ["a1", "ff"], "more": null}
"#;

type Entry = (u64, u32, u32, usize);

fn entries(trace: &Trace) -> Vec<Entry> {
    let entry = |e: &TraceEntry| (e.at.0, e.input_tokens.unwrap(), e.output_tokens.unwrap(), e.blocks.len());
    trace.entries().iter().map(entry).collect()
}

#[track_caller]
fn check(file: &str, expected: &[Entry], notes: &[&str]) {
    let trace = read_trace("t", file.as_bytes()).unwrap();
    assert_eq!(entries(&trace), expected);
    assert_eq!(trace.notes(), notes);
}

#[test]
fn traces_are_told_apart_by_their_first_line() {
    check(AZURE, &[(0, 4808, 10, 0), (52_000_000, 3180, 8, 0)], &[]);
    check(AZURE_WITH_ZONE, &[(0, 2162, 5, 0), (1_000_000_000, 2399, 6, 0)], &[]);
    check(BURST_GPT, &[(0, 472, 18, 0), (40_500_000_000, 1087, 230, 0)], &[]);
    check(MOONCAKE, &[(0, 1000, 52, 2), (3_052_500_000, 600, 26, 2)], &[]);
    check(&format!("\u{FEFF}{AZURE}"), &[(0, 4808, 10, 0), (52_000_000, 3180, 8, 0)], &[]);
}

#[test]
fn requests_that_failed_are_left_out_and_said_to_be() {
    check(
        BURST_GPT_SESSIONS,
        &[(0, 472, 18, 0)],
        &["requests of the trace `t` left out, because they asked nothing or got no answer: 2"],
    );
}

#[test]
fn requests_are_put_in_the_order_of_their_arrival() {
    check(
        "Timestamp,Request tokens,Response tokens\n9,1,1\n-2,2,2\n5,3,3\n",
        &[(0, 2, 2, 0), (7_000_000_000, 3, 3, 0), (11_000_000_000, 1, 1, 0)],
        &["the requests of the trace `t` were not in the order of their arrival, and now are"],
    );
}

#[test]
fn blocks_of_another_size_are_mentioned() {
    check(
        r#"{"timestamp": 0, "input_length": 64, "output_length": 1, "hash_ids": [1, 2, 3, 4]}"#,
        &[(0, 64, 1, 4)],
        &["requests of the trace `t` not in blocks of 512 tokens: 1; what they share is not reproduced to the token"],
    );
}

#[test]
fn equal_block_ids_stay_equal_in_whatever_form() {
    let trace = read_trace(
        "t",
        br#"{"timestamp": 0, "input_length": 1500, "output_length": 1, "hash_ids": ["x", "y", "x"]}"#.as_slice(),
    );
    let blocks = trace.unwrap().entries()[0].blocks.clone();
    assert!(blocks[0] == blocks[2] && blocks[0] != blocks[1]);
}

#[test]
fn what_comes_after_the_bound_is_left_out() {
    let trace = read_within(1, "t", AZURE.as_bytes()).unwrap();
    assert_eq!(entries(&trace), [(0, 4808, 10, 0)]);
    assert_eq!(trace.notes(), ["requests of the trace `t` used: the first 1; the rest is left out"]);
}

#[track_caller]
fn refused(file: impl AsRef<[u8]>, expected: &str) {
    let error = read_trace("t", file.as_ref()).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(miette::Diagnostic::help(&error).is_some());
}

#[test]
fn what_is_no_trace_is_named_by_its_line() {
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    refused("", "the trace `t` holds no request");
    refused("\n \n", "the trace `t` holds no request");
    refused(header, "the trace `t` holds no request");
    refused("a,b\n1,2\n", "the trace `t` is in no form that is known");
    refused(format!("{header}1,2\n"), "line 2 of `t` cannot be read as CSV");
    refused(format!("{header}yesterday,2,3\n"), "line 2 of `t` is no request of a trace: `yesterday` is no time");
    refused(format!("{header}NaN,2,3\n"), "line 2 of `t` is no request of a trace: `NaN` is no time");
    refused(format!("{header}1,-2,3\n"), "line 2 of `t` is no request of a trace: `-2` is no number of tokens");
    refused(
        format!("{header}1,2,10000001\n"),
        "line 2 of `t` is no request of a trace: `10000001` is no number of tokens",
    );
    refused(
        r#"{"timestamp": 0, "input_length": 5}"#,
        "line 1 of `t` is no request of a trace: missing field `output_length` at line 1 column 35",
    );
    refused(
        r#"{"timestamp": 1e300, "input_length": 5, "output_length": 1}"#,
        "line 1 of `t` is no request of a trace: `timestamp` is no time",
    );
    let deep = format!(r#"{{"timestamp": 0, "input_length": 5, "output_length": 1, "x": {}"#, "[".repeat(100_000));
    assert!(read_trace("t", deep.as_bytes()).is_err());
}

#[test]
fn rows_without_end_are_refused() {
    let endless = format!("TIMESTAMP,ContextTokens,GeneratedTokens\n\"{}", "x".repeat(3 << 20));
    refused(endless, "line 2 of `t` is longer than 1024 KiB");
    refused(format!("{{{}", " ".repeat(2 << 20)), "line 1 of `t` is longer than 1024 KiB");
}

#[test]
fn an_earlier_run_is_a_trace_too() {
    let entry = |at, input_tokens| TraceEntry { at: Nanos(at), input_tokens, output_tokens: Some(0), blocks: vec![] };
    let trace =
        Trace::from_arrivals("run", vec![entry(70, Some(5)), entry(20, Some(u32::MAX)), entry(50, Some(0))]).unwrap();
    assert_eq!(*trace.offsets(), [Nanos(0), Nanos(30), Nanos(50)]);
    assert_eq!(trace.entries()[2], TraceEntry { at: Nanos(50), input_tokens: Some(5), ..TraceEntry::default() });
    assert_eq!(trace.entries()[1], TraceEntry { at: Nanos(30), ..TraceEntry::default() });
    assert!(matches!(Trace::from_arrivals("run", vec![]), Err(WorkloadError::EmptyTrace { .. })));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, kind in 0..3_usize) {
        let header = [&b""[..], b"Timestamp,Request tokens,Response tokens\n", b"{\"timestamp\":"][kind];
        let _outcome = read_trace("t", [header, &bytes].concat().as_slice());
    }

    #[test]
    fn whatever_rows_there_are_offsets_never_fall(rows in prop::collection::vec((-1e12..1e12_f64, 1..9_u32), 1..60)) {
        let rows: Vec<_> = rows.iter().map(|(at, tokens)| format!("{},{tokens},{tokens}", at / 1e6)).collect();
        let rows = rows.join("\n");
        let trace = read_trace("t", format!("Timestamp,Request tokens,Response tokens\n{rows}").as_bytes()).unwrap();
        let offsets = trace.offsets();
        prop_assert!(offsets[0] == Nanos::ZERO && offsets.is_sorted());
    }
}
