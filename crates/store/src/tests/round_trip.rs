//! Whatever is appended comes back.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use schema::event::{Event, EventKind, Events, Stamp};
use schema::record::{
    ConnectTimes, Failure, FailureClass, FinishReason, HttpVersion, Outcome, Phase, Record, ServerTiming, TokenCounts,
    TokenSource, Usage,
};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use super::sample::{begin, ended, name, read, record, write};
use crate::{Run, verify};

fn text() -> impl Strategy<Value = Untrusted> {
    any::<String>().prop_map(|text| Untrusted::bounded(text, 200))
}

fn moment() -> impl Strategy<Value = Option<Moment>> {
    option::of(any::<u64>().prop_map(Moment))
}

fn nanos() -> impl Strategy<Value = Option<Nanos>> {
    option::of(any::<u64>().prop_map(Nanos))
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(EventKind::Text),
        Just(EventKind::Reasoning),
        Just(EventKind::ToolCall),
        Just(EventKind::Other)
    ];
    let stamp = prop_oneof![Just(Stamp::Kernel), Just(Stamp::User)];
    (any::<u64>(), any::<u32>(), any::<u32>(), any::<u16>(), kind, stamp, any::<bool>()).prop_map(
        |(arrival, lag_ns, bytes, tokens, kind, stamp, shared_read)| Event {
            arrival: Moment(arrival),
            lag_ns,
            bytes,
            tokens,
            kind,
            stamp,
            shared_read,
        },
    )
}

/// Events in order of arrival, as a stream brings them.
fn events() -> impl Strategy<Value = Events> {
    vec(event(), 0..8).prop_map(|mut events| {
        events.sort_by_key(|e| e.arrival);
        Events::from(events)
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Complete { finish: FinishReason::ToolCalls }),
        (text(), nanos()).prop_map(|(message, retry_after_ns)| {
            Outcome::Failed(Failure { class: FailureClass::RateLimited, message, retry_after_ns })
        }),
        Just(Outcome::NotSent),
        Just(Outcome::Cancelled),
        Just(Outcome::Interrupted),
    ]
}

prop_compose! {
    pub(super) fn any_record()(
        index in any::<u64>(),
        warmup in any::<bool>(),
        numbers in any::<(u32, u32, u32, u32, bool)>(),
        scheduled in any::<u64>(),
        connect in option::of((nanos(), any::<u64>(), nanos())),
        http in option::of(prop_oneof![Just(HttpVersion::Http1), Just(HttpVersion::Http2)]),
        instants in (moment(), moment(), moment(), moment(), moment()),
        status in any::<Option<u16>>(),
        request_id in option::of(text()),
        bytes in any::<(u64, u64)>(),
        events in events(),
        usage in option::of(any::<(Option<u64>, Option<u64>, Option<u64>, Option<u64>)>()),
        tokens in option::of(any::<(Option<u64>, u64)>()),
        queue in option::of(nanos()),
        output_hash in option::of("[0-9a-f]{16}"),
        output in option::of(vec(text(), 0..5)),
        outcome in outcome(),
    ) -> Record {
        Record {
            index,
            target: name("groq"),
            phase: if warmup { Phase::Warmup } else { Phase::Measured },
            block: numbers.0,
            step: numbers.2 % 3,
            attempt: numbers.1 % 2,
            prompt_tokens: numbers.4.then_some(numbers.1),
            conversation: None,
            limits: None,
            prompt: numbers.1,
            max_tokens: numbers.2,
            forced_length: numbers.4,
            scheduled_ns: Moment(scheduled),
            connect: connect.map(|(dns_ns, tcp, tls_ns)| ConnectTimes { dns_ns, tcp_ns: Nanos(tcp), tls_ns }),
            http,
            start_ns: instants.0,
            sent_ns: instants.1,
            first_byte_ns: instants.2,
            headers_ns: instants.3,
            end_ns: instants.4,
            status,
            request_id,
            request_bytes: bytes.0,
            response_bytes: bytes.1,
            reads: numbers.3,
            events,
            usage: usage.map(|(input_tokens, output_tokens, cached_input_tokens, reasoning_tokens)| Usage {
                input_tokens,
                output_tokens,
                cached_input_tokens,
                reasoning_tokens,
            }),
            tokens: tokens.map(|(input, output)| TokenCounts { input, output, source: TokenSource::ContentEvents }),
            server: queue.map(|queue_ns| ServerTiming { queue_ns, ..ServerTiming::default() }),
            output_hash,
            output,
            outcome,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_records_come_back_before_and_after_the_seal(records in vec(any_record(), 0..6)) {
        let out = tempfile::tempdir().unwrap();
        let mut run = begin(out.path());
        write(&mut run.writer(), &records, &[]);
        prop_assert_eq!(&read(&Run::open(run.path()).unwrap(), "groq").0, &records);
        run.seal(ended()).unwrap();
        let sealed = Run::open(run.path()).unwrap();
        prop_assert_eq!(&read(&sealed, "groq").0, &records);
        prop_assert_eq!(sealed.manifest.requests, Some(records.len() as u64));
        prop_assert!(verify(&sealed).is_empty());
    }
}

#[test]
fn records_of_each_target_come_back_in_the_order_they_were_written() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let records: Vec<_> = (0..600).rev().map(|i| record(if i % 3 == 0 { "vllm-2" } else { "groq" }, i)).collect();
    write(&mut run.writer(), &records, &[]);
    let opened = Run::open(run.path()).unwrap();
    for target in ["groq", "vllm-2"] {
        let expected: Vec<_> = records.iter().filter(|r| r.target == name(target)).cloned().collect();
        assert_eq!(read(&opened, target).0, expected);
    }
}

#[test]
fn texts_that_no_number_is_made_of_may_be_left_out() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    write(&mut run.writer(), &[record("groq", 1)], &[]);
    let lean: Vec<_> = run.run().records(&name("groq")).unwrap().without_texts().map(Result::unwrap).collect();
    let mut at_once = Vec::new();
    run.run().records(&name("groq")).unwrap().without_texts().read_into(&mut at_once).unwrap();
    assert_eq!(at_once, lean);
    assert_eq!(lean, [Record { output: None, request_id: None, ..record("groq", 1) }]);
}
