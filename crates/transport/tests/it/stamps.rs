//! Instants: their order, where they come from, and which read brought which bytes.

use std::sync::Arc;

use schema::event::{Events, Stamp};
use schema::plan::TransportPlan;
use schema::record::Record;
use schema::units::{Moment, Nanos};
use sim::{Config, Engine, Entry, Pace, Sim, Stepper};
use tokio::io::AsyncWriteExt as _;
use transport::Clock;

use crate::stage::{
    PATIENCE, VLLM, Witness, body_event, client, client_of, client_with, content, event_stream_head, fast, order,
    read_request, run, scripted, send, stamping, until, whole_order,
};

/// How far the two machines' clocks may be apart when a kernel stamp is placed on the run's clock: the
/// wall clock and the monotonic clock are read one after the other, and a thread may be put aside between.
const PLACING: Nanos = Nanos::from_millis(5);

#[track_caller]
fn in_order(moments: &[(&str, Moment)]) {
    for pair in moments.windows(2) {
        assert!(pair[0].1 <= pair[1].1, "{} comes after {}: {moments:?}", pair[0].0, pair[1].0);
    }
}

/// All instants of a complete record, in the order in which they must stand.
#[track_caller]
fn check_order(record: &Record) {
    let events: Vec<_> = record.events.iter().collect();
    let contents: Vec<_> = record.events.content().collect();
    in_order(&[
        ("start", record.start_ns.unwrap()),
        ("first byte", record.first_byte_ns.unwrap()),
        ("headers", record.headers_ns.unwrap()),
        ("first content", contents[0].arrival),
        ("last content", contents[contents.len() - 1].arrival),
        ("end", record.end_ns.unwrap()),
    ]);
    let arrivals: Vec<_> = events.iter().map(|event| ("an event", event.arrival)).collect();
    in_order(&arrivals);
    if let Some(sent) = record.sent_ns {
        in_order(&[("start", record.start_ns.unwrap()), ("sent", sent)]);
    }
}

/// One request to a stepped engine, every token released only after the one before has been seen.
async fn stepped(plan: &TransportPlan) -> (Record, Vec<Entry>, Moment) {
    let stepper = Stepper::new();
    let pace = Pace::Stepped(stepper.clone());
    let sim = Sim::start(Config { pace, keep_log: true, ..Config::new(Engine::Vllm) }).unwrap();
    let clock = Clock::start();
    let client = client_with(&sim, VLLM, plan, clock, Arc::default());
    let (mut witness, mut seen) = Witness::new();
    let releases = async {
        for released in 1..=6 {
            assert!(stepper.release_token().await);
            seen.wait_for(|seen| *seen == released).await.unwrap();
        }
    };
    let order = order(&client, 6);
    let (record, ()) = tokio::join!(client.send(&order, &mut witness), releases);
    assert!(sim.wait_idle(PATIENCE));
    (*record, sim.take_log(), Moment(clock.epoch().monotonic_ns))
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_released_one_by_one_arrives_one_by_one_after_it_was_written() {
    run(async || {
        let _stamps = stamping().await;
        let (record, log, epoch) = stepped(&TransportPlan::default()).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        check_order(&record);
        assert_eq!(content(&record), 6);
        assert!(record.events.iter().all(|event| event.stamp == Stamp::Kernel), "{:?}", record.events);
        assert!(record.sent_ns.is_some(), "the kernel says when the request left");

        let id = record.request_id.as_ref().unwrap().raw();
        let written: Vec<_> = log.iter().filter(|entry| entry.request_id == id && entry.content).collect();
        assert_eq!(written.len(), 6);
        for (entry, event) in written.iter().zip(record.events.content()) {
            let arrival = event.arrival.0 + epoch.0;
            assert!(arrival + PLACING.0 >= entry.before_ns, "it arrived before it was written");
        }
        // The first may have come with the engine's opening event; the others were alone in their reads.
        assert!(record.events.content().skip(1).all(|event| !event.shared_read), "{:?}", record.events);
        // What a later release brought arrived after the earlier one had been read.
        let contents: Vec<_> = record.events.content().collect();
        for pair in contents.windows(2) {
            let read = pair[0].arrival + Nanos(u64::from(pair[0].lag_ns));
            assert!(read <= pair[1].arrival + PLACING, "{pair:?}");
        }
        let received = written[0].received_ns;
        assert!(record.start_ns.unwrap().0 + epoch.0 <= received + PLACING.0, "it was received before it was sent");
    });
}

#[test]
fn without_kernel_stamps_every_instant_is_user_space_and_none_lags() {
    run(async || {
        let plan = TransportPlan { user_space_stamps: true, ..TransportPlan::default() };
        let (record, ..) = stepped(&plan).await;
        check_order(&record);
        assert!(record.events.iter().all(|event| event.stamp == Stamp::User && event.lag_ns == 0));
        assert_eq!(record.sent_ns, None);
    });
}

#[test]
fn a_whole_answer_is_one_event_at_its_last_byte() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        let record = client.send(&whole_order(&client, 9), &mut ()).await;
        check_order(&record);
        assert_eq!(record.events.len(), 1);
        assert_eq!(record.tokens.unwrap().output, 9);
        assert_eq!(record.reads, 1);
    });
}

/// A server that writes these pieces of a body, each in a segment of its own, and waits after the
/// pieces marked until the test has seen so many events.
async fn pieces(pieces: &'static [&'static str]) -> std::net::SocketAddr {
    scripted(move |mut tcp, _| async move {
        read_request(&mut tcp).await;
        tcp.write_all(event_stream_head("connection: close").as_bytes()).await.unwrap();
        for piece in pieces {
            tcp.write_all(piece.as_bytes()).await.unwrap();
        }
    })
    .await
}

fn shares(events: &Events) -> Vec<bool> {
    events.iter().map(|event| event.shared_read).collect()
}

#[test]
fn events_that_waited_together_share_a_read_and_say_so() {
    run(async || {
        // All is written before the client is polled again: the kernel hands it over in one read.
        const PIECES: &[&str] = &[body_event!("a"), body_event!("b"), body_event!("c"), "data: [DONE]\n\n"];
        let addr = pieces(PIECES).await;
        let record =
            send(&client_of(&format!("http://{addr}/v1/chat/completions"), &TransportPlan::default()), 4).await;
        let events: Vec<_> = record.events.iter().collect();
        assert_eq!(content(&record), 3, "{:?}", record.outcome);
        assert_eq!(shares(&record.events), [false, true, true, true]);
        assert!(events.iter().all(|event| event.arrival == events[0].arrival), "one read, one stamp");
    });
}

#[test]
fn bytes_are_stamped_by_the_read_that_completed_their_event() {
    run(async || {
        let (mut witness, seen) = Witness::new();
        let gate = seen.clone();
        // The second segment ends the first event and brings half of the second.
        let addr = scripted(move |mut tcp, _| {
            let mut gate = gate.clone();
            async move {
                read_request(&mut tcp).await;
                let (a, b) = (body_event!("a"), body_event!("b"));
                let (a1, a2) = a.split_at(20);
                let (b1, b2) = b.split_at(20);
                tcp.write_all(format!("{}{a1}", event_stream_head("connection: close")).as_bytes()).await.unwrap();
                tcp.write_all(format!("{a2}{b1}").as_bytes()).await.unwrap();
                gate.wait_for(|seen| *seen == 1).await.unwrap();
                tcp.write_all(b2.as_bytes()).await.unwrap();
                gate.wait_for(|seen| *seen == 2).await.unwrap();
                tcp.write_all(b"data: [DONE]\n\n").await.unwrap();
            }
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1/chat/completions"), &TransportPlan::default());
        let record = client.send(&order(&client, 2), &mut witness).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert_eq!(shares(&record.events), [false, false, false]);
        let [a, b, done] = record.events.iter().collect::<Vec<_>>()[..] else { panic!("{:?}", record.events) };
        assert!(a.arrival < b.arrival && b.arrival < done.arrival, "{:?}", record.events);
        assert!(record.headers_ns.unwrap() <= a.arrival);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_busy_client_reads_late_and_the_kernel_knows() {
    run(async || {
        let _stamps = stamping().await;
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        let (mut witness, _) = Witness::new();
        // The thread does nothing else until the engine has written everything.
        let busy = async {
            until(|| sim.requests() == 1).await;
            assert!(sim.wait_idle(PATIENCE));
        };
        let order = order(&client, 5);
        let (record, ()) = tokio::join!(client.send(&order, &mut witness), busy);
        check_order(&record);
        assert_eq!(content(&record), 5);
        let last = record.events.content().next_back().unwrap();
        assert!(last.lag_ns > 0 && last.stamp == Stamp::Kernel, "{last:?}");
        assert!(record.reads <= 2, "{} reads", record.reads);
    });
}
