use schema::event::{Event, EventKind, Stamp};
use schema::explain::{Explanation, Figure, Quantity, Reading, Rule, Tool};
use schema::plan::Plan;
use schema::record::{ConnectTimes, Record, TokenCounts, TokenSource, Usage};
use schema::target::Dialect;
use schema::units::{Moment, Nanos};

use super::explain;
use crate::fixture::{event, failed, ms, plan, record, target};
use crate::{Measured, summarise};

/// Requests of one streaming answer each, `edit`ed: every 100 ms one starts, TTFT 40 ms, then a token each 10 ms.
fn requests(n: u64, edit: impl Fn(&mut Record)) -> Vec<Record> {
    let one = |i: u64| {
        let after: Vec<u64> = (0..10).map(|k| 40 + 10 * k).collect();
        let mut record = Record { index: i, ..record(i * 100, &after) };
        edit(&mut record);
        record
    };
    (0..n).map(one).collect()
}

fn asked() -> Plan {
    plan(vec![target("a")])
}

#[track_caller]
fn explained(records: &[Record]) -> Explanation {
    let plan = asked();
    let records: Vec<&Record> = records.iter().collect();
    explain(&plan, &plan.targets[0], &records).unwrap()
}

fn reading(explanation: &Explanation, tool: Tool) -> &Reading {
    explanation.readings.iter().find(|reading| reading.tool == tool).unwrap()
}

fn figure(figures: &[Figure], quantity: Quantity) -> &Figure {
    figures.iter().find(|figure| figure.quantity == quantity).unwrap()
}

/// What `tool` prints, in milliseconds where it is a time.
#[track_caller]
fn check(explanation: &Explanation, tool: Tool, quantity: Quantity, expected: Option<f64>) {
    let value = figure(&reading(explanation, tool).figures, quantity).value;
    let unit = if quantity.key().ends_with("_ns") { 1e6 } else { 1.0 };
    match (value, expected) {
        (Some(value), Some(expected)) => {
            assert!((value / unit - expected).abs() < 1e-6, "{tool:?} {quantity:?}: {} not {expected}", value / unit);
        }
        (value, expected) => assert_eq!(value, expected, "{tool:?} {quantity:?}"),
    }
}

#[track_caller]
fn causes(explanation: &Explanation, tool: Tool, quantity: Quantity, expected: &[Rule]) {
    let causes = &figure(&reading(explanation, tool).figures, quantity).causes;
    assert_eq!(causes.iter().map(|cause| cause.rule).collect::<Vec<_>>(), expected, "{causes:#?}");
}

/// Puts an event that carries nothing before all others, so long after the start.
fn begin_with_a_role(record: &mut Record, after: u64) {
    let start = record.start_ns.unwrap();
    let role = event(start + Nanos::from_millis(after), EventKind::Other);
    record.events = std::iter::once(role).chain(record.events.iter()).collect();
}

fn edit_events(record: &mut Record, edit: impl Fn(usize, &mut Event)) {
    let mut events: Vec<Event> = record.events.iter().collect();
    events.iter_mut().enumerate().for_each(|(i, event)| edit(i, event));
    record.events = events.into();
}

fn append(record: &mut Record, after_the_last: u64, bytes: u32) {
    let last = record.events.last().unwrap().arrival;
    let other = event(last + Nanos::from_millis(after_the_last), EventKind::Other);
    record.events.push(Event { bytes, ..other });
}

#[test]
fn where_nothing_differs_nothing_moves() {
    let plain = requests(10, |record| edit_events(record, |_, event| event.lag_ns = 0));
    let explanation = explained(&plain);
    for tool in [Tool::VllmBench, Tool::InferencePerf, Tool::GenAiBench] {
        for figure in &reading(&explanation, tool).figures {
            assert!(figure.causes.is_empty(), "{tool:?}: {figure:?}");
            assert!(figure.change.is_none_or(|change| change.abs() < 1e-9), "{tool:?}: {figure:?}");
        }
    }
}

#[test]
fn our_figures_are_those_of_the_summary() {
    let mut records = requests(80, |_| {});
    records.push(failed(8_100, schema::record::FailureClass::ServerError));
    let explanation = explained(&records);
    let summary = summarise(&asked(), &Measured::records(&records));
    let target = &summary.targets[0];
    let ttft = &target.metrics[&schema::metric::Metric::Ttft];
    let itl = &target.metrics[&schema::metric::Metric::Itl];
    let tpot = &target.metrics[&schema::metric::Metric::Tpot];
    let pairs = [
        (Quantity::TtftMean, ttft.mean.value),
        (Quantity::TtftP50, ttft.p50.known().unwrap().value),
        (Quantity::TtftP95, ttft.p95.known().unwrap().value),
        (Quantity::ItlMean, itl.mean.value),
        (Quantity::ItlP50, itl.p50.known().unwrap().value),
        (Quantity::TpotMean, tpot.mean.value),
        (Quantity::TpotP50, tpot.p50.known().unwrap().value),
        (Quantity::OutputTokensPerS, target.throughput.output_tokens_per_s.value),
    ];
    for (quantity, expected) in pairs {
        let ours = figure(&explanation.ours, quantity).value.unwrap();
        assert!((ours - expected).abs() < 1e-6 * expected, "{quantity:?}: {ours} not {expected}");
    }
}

#[test]
fn an_empty_first_event_stops_the_clock_of_vllm_bench_alone() {
    let explanation = explained(&requests(10, |record| {
        begin_with_a_role(record, 15);
        edit_events(record, |_, event| event.lag_ns = 0);
    }));
    check(&explanation, Tool::VllmBench, Quantity::TtftP50, Some(15.0));
    check(&explanation, Tool::VllmBench, Quantity::ItlMean, Some(115.0 / 10.0));
    check(&explanation, Tool::VllmBench, Quantity::TpotMean, Some(115.0 / 9.0));
    causes(&explanation, Tool::VllmBench, Quantity::TtftP50, &[Rule::Events]);
    check(&explanation, Tool::AiPerf, Quantity::TtftP50, Some(40.0));
    let why = &figure(&reading(&explanation, Tool::VllmBench).figures, Quantity::TtftP50).causes[0];
    assert_eq!(why.why, "any event is a first token, be it empty or a role: 10 of 10 answers begin with such");
    assert!((why.change.unwrap() - (15.0 / 40.0 - 1.0)).abs() < 1e-9);
}

#[test]
fn neither_the_end_marker_nor_the_event_of_token_counts_is_a_token_to_vllm_bench() {
    let mut plan = asked();
    plan.targets[0].encoding.stream_options = true;
    let records = requests(10, |record| {
        append(record, 5, 120);
        append(record, 3, 400);
        append(record, 1, 14);
        record.usage = Some(Usage { output_tokens: Some(10), ..Usage::default() });
        edit_events(record, |_, event| event.lag_ns = 0);
    });
    let records: Vec<&Record> = records.iter().collect();
    let explanation = explain(&plan, &plan.targets[0], &records).unwrap();
    // Ten tokens in 90 ms, then a finish reason 5 ms later.
    check(&explanation, Tool::VllmBench, Quantity::ItlMean, Some(9.5));
    // genai-bench waits for the end of the stream.
    check(&explanation, Tool::GenAiBench, Quantity::TpotMean, Some(99.0 / 9.0));
    causes(&explanation, Tool::GenAiBench, Quantity::TpotMean, &[Rule::End]);
}

#[test]
fn reasoning_is_no_token_to_inference_perf_and_llmperf() {
    let explanation = explained(&requests(10, |record| {
        edit_events(record, |i, event| {
            event.lag_ns = 0;
            event.kind = if i < 4 { EventKind::Reasoning } else { EventKind::Text };
        });
    }));
    for tool in [Tool::InferencePerf, Tool::LlmPerf] {
        check(&explanation, tool, Quantity::TtftMean, Some(80.0));
        check(&explanation, tool, Quantity::OutputTokens, Some(6.0));
        causes(&explanation, tool, Quantity::TtftMean, &[Rule::Events]);
        causes(&explanation, tool, Quantity::OutputTokens, &[Rule::Tokens]);
    }
    // 50 ms for the five tokens after the first of the answer.
    check(&explanation, Tool::InferencePerf, Quantity::TpotMean, Some(10.0));
    check(&explanation, Tool::LlmPerf, Quantity::ItlMean, Some(130.0 / 6.0));
    check(&explanation, Tool::GuideLlm, Quantity::TtftMean, Some(40.0));
    let notes = &reading(&explanation, Tool::InferencePerf).notes;
    assert!(notes.iter().any(|note| note.contains("shared out by events")), "{notes:?}");
}

#[test]
fn the_servers_word_on_reasoning_goes_before_a_share_of_events() {
    let explanation = explained(&requests(10, |record| {
        edit_events(record, |i, event| {
            event.kind = if i < 4 { EventKind::Reasoning } else { EventKind::Text };
        });
        record.usage = Some(Usage { reasoning_tokens: Some(7), ..Usage::default() });
    }));
    check(&explanation, Tool::LlmPerf, Quantity::OutputTokens, Some(3.0));
}

#[test]
fn an_answer_that_is_all_reasoning_has_no_first_token_to_who_does_not_count_it() {
    let explanation = explained(&requests(10, |record| {
        edit_events(record, |_, event| event.kind = EventKind::Reasoning);
    }));
    check(&explanation, Tool::LlmPerf, Quantity::TtftMean, None);
    check(&explanation, Tool::LlmPerf, Quantity::OutputTokens, None);
}

#[test]
fn the_time_to_the_first_token_is_inside_what_guidellm_and_llmperf_divide_by_tokens() {
    let explanation = explained(&requests(10, |record| edit_events(record, |_, event| event.lag_ns = 0)));
    check(&explanation, Tool::GuideLlm, Quantity::TpotMean, Some(13.0));
    causes(&explanation, Tool::GuideLlm, Quantity::TpotMean, &[Rule::Tpot]);
    check(&explanation, Tool::LlmPerf, Quantity::ItlP50, Some(13.0));
    causes(&explanation, Tool::LlmPerf, Quantity::ItlP50, &[Rule::Itl]);
    check(&explanation, Tool::GuideLlm, Quantity::ItlMean, Some(10.0));
}

/// Two tokens an event, by the server's count of the whole.
fn two_an_event(record: &mut Record) {
    record.tokens = Some(TokenCounts { input: Some(10), output: 20, source: TokenSource::ServerUsage });
    edit_events(record, |_, event| event.lag_ns = 0);
}

#[test]
fn several_tokens_an_event_are_gaps_averages_or_zeros() {
    let explanation = explained(&requests(10, two_an_event));
    let ours = figure(&explanation.ours, Quantity::ItlMean).value.unwrap();
    assert!((ours - 10e6).abs() < 1.0);
    check(&explanation, Tool::VllmBench, Quantity::ItlMean, Some(10.0));
    check(&explanation, Tool::AiPerf, Quantity::ItlMean, Some(90.0 / 19.0));
    // Ten zeros and nine gaps of 10 ms.
    check(&explanation, Tool::InferencePerf, Quantity::ItlMean, Some(90.0 / 19.0));
    check(&explanation, Tool::InferencePerf, Quantity::ItlP50, Some(0.0));
    causes(&explanation, Tool::InferencePerf, Quantity::ItlP50, &[Rule::Itl]);
    let notes = &reading(&explanation, Tool::InferencePerf).notes;
    assert!(notes.iter().any(|note| note.contains("spread evenly")), "{notes:?}");
}

#[test]
fn what_a_server_says_of_each_event_goes_before_an_even_spread() {
    let explanation = explained(&requests(10, |record| {
        two_an_event(record);
        edit_events(record, |i, event| event.tokens = if i == 0 { 11 } else { 1 });
    }));
    // All but the first event hold one token: ten zeros still, all of the first.
    check(&explanation, Tool::InferencePerf, Quantity::ItlMean, Some(90.0 / 19.0));
    let notes = &reading(&explanation, Tool::InferencePerf).notes;
    assert!(!notes.iter().any(|note| note.contains("spread evenly")), "{notes:?}");
}

#[test]
fn a_count_of_any_size_takes_no_room() {
    let explanation = explained(&requests(10, |record| {
        record.tokens = Some(TokenCounts { input: None, output: u64::MAX, source: TokenSource::ServerUsage });
    }));
    check(&explanation, Tool::InferencePerf, Quantity::ItlP50, Some(0.0));
}

#[test]
fn what_the_program_takes_to_read_is_in_every_other_tools_figure() {
    let explanation = explained(&requests(10, |record| {
        edit_events(record, |i, event| event.lag_ns = if i == 0 { 8_000_000 } else { 0 });
    }));
    for &tool in Tool::ALL {
        check(&explanation, tool, Quantity::TtftP50, Some(48.0));
        causes(&explanation, tool, Quantity::TtftP50, &[Rule::Clock]);
    }
    let why = &figure(&reading(&explanation, Tool::AiPerf).figures, Quantity::TtftP50).causes[0].why;
    assert_eq!(
        why,
        "arrivals are stamped when the program has read them, not when the kernel had them: of first tokens \
         8.00 ms later (median), 8.00 ms at most"
    );
}

#[test]
fn a_recording_without_kernel_stamps_says_so() {
    let explanation = explained(&requests(10, |record| {
        edit_events(record, |_, event| (event.stamp, event.lag_ns) = (Stamp::User, 0));
    }));
    let notes = &reading(&explanation, Tool::AiPerf).notes;
    assert!(notes.iter().any(|note| note.contains("no stamps of the kernel")), "{notes:?}");
}

#[test]
fn connecting_is_inside_every_other_tools_time_to_the_first_token() {
    let explanation = explained(&requests(10, |record| {
        record.connect =
            Some(ConnectTimes { dns_ns: None, tcp_ns: Nanos::from_millis(3), tls_ns: Some(Nanos::from_millis(7)) });
        record.start_ns = record.start_ns.map(|start| start + Nanos::from_millis(10));
        edit_events(record, |_, event| event.lag_ns = 0);
    }));
    let ours = figure(&explanation.ours, Quantity::TtftP50).value.unwrap();
    assert!((ours - 30e6).abs() < 1.0);
    for &tool in Tool::ALL {
        check(&explanation, tool, Quantity::TtftP50, Some(40.0));
        causes(&explanation, tool, Quantity::TtftP50, &[Rule::Start]);
    }
}

#[test]
fn a_connection_for_every_request_is_what_a_recording_of_kept_ones_does_not_hold() {
    let explanation = explained(&requests(10, |_| {}));
    for (tool, opens) in [(Tool::GenAiBench, true), (Tool::LlmPerf, true), (Tool::AiPerf, false)] {
        let notes = &reading(&explanation, tool).notes;
        assert_eq!(notes.iter().any(|note| note.contains("0 of 10")), opens, "{tool:?}: {notes:?}");
    }
}

#[test]
fn without_a_count_by_the_server_guidellm_counts_pieces() {
    let explanation = explained(&requests(10, |record| {
        record.tokens = Some(TokenCounts { input: None, output: 25, source: TokenSource::LocalTokenizer });
    }));
    check(&explanation, Tool::GuideLlm, Quantity::OutputTokens, Some(10.0));
    causes(&explanation, Tool::GuideLlm, Quantity::OutputTokens, &[Rule::Tokens]);
    check(&explanation, Tool::VllmBench, Quantity::OutputTokens, Some(25.0));
}

#[test]
fn answers_within_a_millisecond_have_no_pace_to_genai_bench() {
    let explanation = explained(&requests(10, |record| {
        if record.index < 4 {
            let first = record.events.first().unwrap().arrival;
            edit_events(record, |i, event| event.arrival = first + Nanos(50_000 * i as u64));
        }
        edit_events(record, |_, event| event.lag_ns = 0);
    }));
    check(&explanation, Tool::GenAiBench, Quantity::TpotMean, Some(10.0));
    causes(&explanation, Tool::GenAiBench, Quantity::TpotMean, &[Rule::Drops]);
    check(&explanation, Tool::VllmBench, Quantity::TpotMean, Some((4.0 * 0.05 + 6.0 * 10.0) / 10.0));
    let notes = &reading(&explanation, Tool::GenAiBench).notes;
    assert!(notes.iter().any(|note| note.ends_with("4 of 10 here")), "{notes:?}");
}

#[test]
fn a_start_up_counts_with_who_does_not_know_of_one() {
    let slow = |record: &mut Record| {
        if record.index < 10 {
            edit_events(record, |_, event| event.arrival = event.arrival + Nanos::from_millis(400));
        }
        // A little scatter, without which nothing is told from anything.
        let scatter = Nanos(record.index * 618_034 % 1_000_000);
        edit_events(record, |_, event| event.arrival = event.arrival + scatter);
    };
    let records = requests(200, slow);
    let explanation = explained(&records);
    let causes = &figure(&reading(&explanation, Tool::VllmBench).figures, Quantity::TtftMean).causes;
    let first = causes.first().unwrap();
    assert_eq!(first.rule, Rule::Requests, "{causes:#?}");
    assert!(first.why.contains("we keep 10 answers apart"), "{}", first.why);
    assert!(first.change.unwrap() > 0.4);
}

#[test]
fn percentiles_are_withheld_from_all_alike_where_requests_do_not_carry_them() {
    let explanation = explained(&requests(5, |_| {}));
    assert_eq!(figure(&explanation.ours, Quantity::TtftP50).value, None);
    for &tool in Tool::ALL {
        check(&explanation, tool, Quantity::TtftP50, None);
    }
    assert!(figure(&explanation.ours, Quantity::TtftMean).value.is_some());
}

#[test]
fn there_is_nothing_to_explain_of_failures_and_vectors() {
    let mut plan = asked();
    let failures = [failed(0, schema::record::FailureClass::ServerError)];
    let failures: Vec<&Record> = failures.iter().collect();
    assert_eq!(explain(&plan, &plan.targets[0], &failures), None);
    plan.targets[0].dialect = Dialect::OpenaiEmbeddings;
    let records = requests(3, |_| {});
    assert_eq!(explain(&plan, &plan.targets[0], &records.iter().collect::<Vec<_>>()), None);
}

#[test]
fn records_without_instants_or_counts_are_borne() {
    let explanation = explained(&requests(8, |record| match record.index {
        0 => record.start_ns = None,
        1 => record.tokens = None,
        2 => record.events = Vec::new().into(),
        3 => edit_events(record, |_, event| event.arrival = Moment(0)),
        _ => {}
    }));
    assert_eq!(explanation.requests, 8);
    assert_eq!(explanation.readings.len(), Tool::ALL.len());
    assert!(ms(0) == Moment(0));
}
