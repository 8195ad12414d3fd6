//! One request, worked out by hand.

use schema::record::{ConnectTimes, FailureClass, TokenCounts, TokenSource};

use super::*;
use crate::fixture::{edit, event, failed, ms, record};

/// Scheduled at 1,000 ms, connected for 30 ms, started at 1,040 ms. A role at 1,090, reasoning at
/// 1,140, text at 1,160, 1,170 and 1,210 ms: five tokens.
fn worked() -> Record {
    let mut record = record(1_040, &[]);
    record.scheduled_ns = ms(1_000);
    record.connect = Some(ConnectTimes {
        dns_ns: Some(Nanos::from_millis(5)),
        tcp_ns: Nanos::from_millis(10),
        tls_ns: Some(Nanos::from_millis(15)),
    });
    record.sent_ns = Some(ms(1_042));
    record.end_ns = Some(ms(1_220));
    record.events = vec![
        event(ms(1_090), EventKind::Other),
        event(ms(1_140), EventKind::Reasoning),
        event(ms(1_160), EventKind::Text),
        event(ms(1_170), EventKind::Text),
        event(ms(1_210), EventKind::Text),
        event(ms(1_211), EventKind::Other),
    ]
    .into();
    record.tokens = Some(TokenCounts { input: Some(12), output: 5, source: TokenSource::ServerUsage });
    record
}

#[track_caller]
fn check(record: &Record, metric: Metric, expected: &[f64]) {
    let got: Vec<f64> = metric_values(record, metric).collect();
    assert_eq!(got.len(), expected.len(), "{metric}: {got:?}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-9 * expected.abs(), "{metric}: {got} is not {expected}");
    }
}

#[test]
fn every_metric_is_what_the_design_says() {
    let record = worked();
    check(&record, Metric::Ttft, &[100e6]);
    check(&record, Metric::TtftFromSchedule, &[140e6]);
    check(&record, Metric::TtftVisible, &[120e6]);
    check(&record, Metric::E2e, &[170e6]);
    check(&record, Metric::Itl, &[20e6, 10e6, 40e6]);
    check(&record, Metric::Tpot, &[70e6 / 4.0]);
    check(&record, Metric::OutputSpeed, &[4.0 / 0.070]);
    // Of 20, 10 and 40 ms about their mean of 23.33 ms, with n − 1.
    check(&record, Metric::Jitter, &[15.275_252_316_519_467e6]);
    check(&record, Metric::Stall, &[40e6]);
    check(&record, Metric::OutputTokens, &[5.0]);
    check(&record, Metric::InputTokens, &[12.0]);
    check(&record, Metric::Connect, &[30e6]);
    check(&record, Metric::ScheduleLag, &[10e6]);
    check(&record, Metric::SendLag, &[2e6]);
    check(&record, Metric::ClientLag, &[20e3; 4]);
    check(&record, Metric::ServerTtft, &[]);
}

/// Of an open loop at 250 ms, which found no place until 700 ms; no new connection. A call of a tool in three pieces at 900, 930 and
/// 990 ms, of eight tokens in all, and the finish reason at 1,000 ms, in which the stream ends.
#[test]
fn a_request_that_waited_for_a_place_is_late_from_its_schedule_alone() {
    let mut record = record(700, &[]);
    record.scheduled_ns = ms(250);
    record.end_ns = Some(ms(1_000));
    let piece = |at, tokens| Event { tokens, ..event(ms(at), EventKind::ToolCall) };
    record.events = vec![piece(900, 1), piece(930, 2), piece(990, 5), event(ms(1_000), EventKind::Other)].into();
    record.tokens = Some(TokenCounts { input: Some(12), output: 8, source: TokenSource::ServerUsage });
    check(&record, Metric::ScheduleLag, &[450e6]);
    check(&record, Metric::Ttft, &[200e6]);
    check(&record, Metric::TtftFromSchedule, &[650e6]);
    check(&record, Metric::TtftVisible, &[]);
    check(&record, Metric::E2e, &[290e6]);
    // An event counts once however many tokens it carries.
    check(&record, Metric::Itl, &[30e6, 60e6]);
    check(&record, Metric::Tpot, &[90e6 / 7.0]);
    check(&record, Metric::OutputSpeed, &[7.0 / 0.090]);
    check(&record, Metric::Connect, &[]);
    // Set up after it was due, a connection is no lag of ours, and in no latency but that from the schedule.
    record.connect = Some(ConnectTimes { dns_ns: None, tcp_ns: Nanos::from_millis(400), tls_ns: None });
    check(&record, Metric::ScheduleLag, &[50e6]);
    check(&record, Metric::Ttft, &[200e6]);
    check(&record, Metric::TtftFromSchedule, &[650e6]);
}

#[test]
fn latency_of_a_failed_request_is_no_latency_but_our_own_lateness_is() {
    let record = Record { outcome: failed(0, FailureClass::Truncated).outcome, ..worked() };
    for metric in [Metric::Ttft, Metric::TtftFromSchedule, Metric::E2e, Metric::Itl, Metric::Tpot, Metric::OutputTokens]
    {
        check(&record, metric, &[]);
    }
    check(&record, Metric::ScheduleLag, &[10e6]);
}

#[test]
fn one_token_or_one_instant_has_no_pace() {
    let one = record(0, &[50]);
    for metric in [Metric::Tpot, Metric::OutputSpeed, Metric::Itl, Metric::Jitter, Metric::Stall] {
        check(&one, metric, &[]);
    }
    check(&one, Metric::E2e, &[50e6]);
    let at_once = Record { tokens: worked().tokens, ..one };
    check(&at_once, Metric::Tpot, &[]);
    let two = record(0, &[50, 60]);
    check(&two, Metric::Jitter, &[]);
    check(&two, Metric::Stall, &[10e6]);
}

#[test]
fn client_lag_is_known_only_where_the_kernel_stamped() {
    let mut record = worked();
    edit(&mut record, |events| events[2].stamp = Stamp::User);
    check(&record, Metric::ClientLag, &[20e3; 3]);
}

#[test]
fn the_servers_ttft_is_its_own_or_the_sum_of_its_parts() {
    let mut record = worked();
    let parts = ServerTiming {
        queue_ns: Some(Nanos::from_millis(3)),
        load_ns: Some(Nanos::from_millis(4)),
        prefill_ns: Some(Nanos::from_millis(50)),
        ..ServerTiming::default()
    };
    record.server = Some(parts);
    check(&record, Metric::ServerTtft, &[57e6]);
    record.server = Some(ServerTiming { ttft_ns: Some(Nanos::from_millis(90)), ..parts });
    check(&record, Metric::ServerTtft, &[90e6]);
    record.server = Some(ServerTiming { prefill_ns: None, ..parts });
    check(&record, Metric::ServerTtft, &[]);
}

#[test]
fn a_request_that_was_never_sent_has_no_values() {
    let record = Record { start_ns: None, outcome: schema::record::Outcome::NotSent, ..record(0, &[]) };
    for &metric in Metric::ALL {
        if metric != Metric::OutputTokens && metric != Metric::InputTokens {
            check(&record, metric, &[]);
        }
    }
}
