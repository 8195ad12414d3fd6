//! The Parquet table, read back.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use schema::record::{InConversation, Limit, Outcome, RateLimits, Record};
use schema::units::Moment;

use super::sample::{begin, ended, failed, manifest, record, target, write};
use crate::table::{GroupLimits, Table};

type Rows = Vec<Vec<(String, Field)>>;

/// All rows of a Parquet file, and how many row groups they stand in.
fn read_parquet(path: &Path) -> (Rows, usize) {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect();
    (rows, reader.num_row_groups())
}

fn table_of(records: &[Record]) -> (Rows, usize) {
    let out = tempfile::tempdir().unwrap();
    let mut run = begin(out.path());
    write(&mut run.writer(), records, &[]);
    run.seal(ended()).unwrap();
    read_parquet(&run.path().join("groq/requests.parquet"))
}

fn shown(row: &[(String, Field)]) -> String {
    let cell = |field: &Field| match field {
        Field::ListInternal(list) => {
            format!("[{}]", list.elements().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    };
    row.iter().map(|(name, field)| format!("{name}: {}", cell(field))).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_completed_request_is_a_row() {
    insta::assert_snapshot!(shown(&table_of(&[record("groq", 0)]).0[0]), @r#"
    run_id: "0192f1a0-0000-7000-8000-000000000001"
    target: "groq"
    provider: "vllm"
    model: "SmolLM2-135M"
    simulated: true
    phase: "measured"
    index: 0
    block: 0
    step: 0
    attempt: 0
    prompt: 1
    prompt_tokens: null
    conversation: null
    turn: null
    max_tokens: 64
    forced_length: true
    outcome: "complete"
    finish_reason: "length"
    failure_class: null
    failure_message: null
    retry_after_ns: null
    status: 200
    http: "http/1.1"
    request_id: "req-1"
    scheduled_ns: 999500
    connect_dns_ns: null
    connect_tcp_ns: 300
    connect_tls_ns: 150
    start_ns: 1000000
    sent_ns: 1000010
    first_byte_ns: 1004000
    headers_ns: 1004000
    end_ns: 1009000
    request_bytes: 321
    response_bytes: 750
    reads: 2
    input_tokens: 40
    output_tokens: 2
    output_tokens_source: "server_usage"
    usage_input_tokens: 40
    usage_output_tokens: 2
    usage_cached_input_tokens: null
    usage_reasoning_tokens: null
    server_queue_ns: 100
    server_load_ns: null
    server_prefill_ns: null
    server_decode_ns: null
    server_ttft_ns: null
    server_total_ns: null
    limit_requests_remaining: null
    limit_tokens_remaining: null
    output_hash: "cbf29ce484222325"
    event_arrival_ns: [1004000, 1005000, 1005000]
    event_client_lag_ns: [900, 900, 900]
    event_bytes: [250, 250, 250]
    event_tokens: [1, 1, 1]
    event_kind: ["other", "reasoning", "text"]
    event_stamp: ["kernel", "kernel", "kernel"]
    event_shared_read: [false, false, true]
    output: ["", "hm", "one, "two"
    "]
    "#);
}

#[test]
fn steps_attempts_turns_and_limits_have_columns() {
    let limit = |remaining| Some(Limit { remaining: Some(remaining), ..Limit::default() });
    let asked = Record {
        step: 3,
        attempt: 1,
        prompt_tokens: Some(41),
        conversation: Some(InConversation { conversation: 7, turn: 2 }),
        limits: Some(RateLimits { requests: limit(99), tokens: limit(u64::MAX) }),
        ..record("groq", 0)
    };
    let rows = table_of(&[asked]).0;
    let column = |name: &str| rows[0].iter().find(|(n, _)| n == name).unwrap().1.to_string();
    let names = ["step", "attempt", "prompt_tokens", "conversation", "turn", "limit_requests_remaining"];
    assert_eq!(names.map(column), ["3", "1", "41", "7", "2", "99"]);
    assert_eq!(column("limit_tokens_remaining"), i64::MAX.to_string());
}

#[test]
fn a_failed_request_is_a_row_with_gaps() {
    insta::assert_snapshot!(shown(&table_of(&[failed("groq", 0, "bad \"key\"")]).0[0]), @r#"
    run_id: "0192f1a0-0000-7000-8000-000000000001"
    target: "groq"
    provider: "vllm"
    model: "SmolLM2-135M"
    simulated: true
    phase: "measured"
    index: 0
    block: 0
    step: 0
    attempt: 0
    prompt: 1
    prompt_tokens: null
    conversation: null
    turn: null
    max_tokens: 64
    forced_length: true
    outcome: "failed"
    finish_reason: null
    failure_class: "unauthorized"
    failure_message: "bad "key""
    retry_after_ns: 2000000000
    status: 401
    http: null
    request_id: null
    scheduled_ns: 999500
    connect_dns_ns: null
    connect_tcp_ns: null
    connect_tls_ns: null
    start_ns: 1000000
    sent_ns: 1000010
    first_byte_ns: null
    headers_ns: null
    end_ns: 1009000
    request_bytes: 321
    response_bytes: 750
    reads: 2
    input_tokens: null
    output_tokens: null
    output_tokens_source: null
    usage_input_tokens: null
    usage_output_tokens: null
    usage_cached_input_tokens: null
    usage_reasoning_tokens: null
    server_queue_ns: null
    server_load_ns: null
    server_prefill_ns: null
    server_decode_ns: null
    server_ttft_ns: null
    server_total_ns: null
    limit_requests_remaining: null
    limit_tokens_remaining: null
    output_hash: null
    event_arrival_ns: []
    event_client_lag_ns: []
    event_bytes: []
    event_tokens: []
    event_kind: []
    event_stamp: []
    event_shared_read: []
    output: null
    "#);
}

#[test]
fn rows_keep_their_order_and_their_lists_whatever_is_empty_between() {
    let records: Vec<Record> = (0..50)
        .map(|i| match i % 3 {
            0 => record("groq", i),
            1 => failed("groq", i, ""),
            _ => Record { output: Some(vec![]), outcome: Outcome::NotSent, ..failed("groq", i, "") },
        })
        .collect();
    let (rows, _) = table_of(&records);
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(&records) {
        let column = |name: &str| &row.iter().find(|(n, _)| n == name).unwrap().1;
        assert_eq!(*column("index"), Field::Long(i64::try_from(record.index).unwrap()));
        let Field::ListInternal(arrivals) = column("event_arrival_ns") else { panic!("it is a list") };
        let expected: Vec<_> = record.events.iter().map(|e| Field::Long(i64::try_from(e.arrival.0).unwrap())).collect();
        assert_eq!(arrivals.elements(), expected);
        assert_eq!(*column("output") == Field::Null, record.output.is_none());
    }
}

#[test]
fn long_tables_are_cut_into_groups_of_rows_and_of_bytes() {
    #[track_caller]
    fn check(rows: usize, bytes: usize, groups: usize) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let (manifest, target) = (manifest("x", &["groq"]), target("groq"));
        let mut table = Table::new(file.as_file_mut(), &path, &manifest, &target, GroupLimits { rows, bytes }).unwrap();
        (0..7).for_each(|i| table.push(record("groq", i)).unwrap());
        table.close().unwrap();
        let (read, found) = read_parquet(&path);
        assert_eq!((read.len(), found), (7, groups));
    }
    check(100, 10_000, 1);
    check(7, 10_000, 1);
    check(3, 10_000, 3);
    // Each record has three events and thirteen bytes of text, 205 bytes by our count.
    check(100, 206, 4);
    check(100, 205, 7);
}

#[test]
fn instants_beyond_what_a_signed_number_holds_stay_at_its_end() {
    let far = Record { scheduled_ns: Moment(u64::MAX), ..record("groq", 0) };
    let row = &table_of(&[far]).0[0];
    assert!(row.contains(&("scheduled_ns".to_owned(), Field::Long(i64::MAX))));
}
