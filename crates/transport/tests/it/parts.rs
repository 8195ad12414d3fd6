//! What is handed out while a request is under way, and what is kept when it is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schema::event::Event;
use schema::plan::TransportPlan;
use schema::record::Outcome;
use sim::{Config, Engine, Fault, Pace, Sim, Stepper};
use tokio::io::AsyncReadExt as _;
use transport::{Clock, Connector};

use crate::stage::{
    VLLM, Witness, client, client_with, content, fast, faulty, order, pass, run, scripted, send, target, until,
};

fn stepped() -> (Sim, Stepper) {
    let stepper = Stepper::new();
    let pace = Pace::Stepped(stepper.clone());
    (Sim::start(Config { pace, ..Config::new(Engine::Vllm) }).unwrap(), stepper)
}

#[test]
fn a_long_stream_is_handed_out_in_parts_that_make_the_whole() {
    run(async || {
        let (sim, stepper) = stepped();
        let client = client(&sim, VLLM, &TransportPlan::default());
        let (mut witness, mut seen) = Witness::new();
        let releases = async {
            for released in 1..=6 {
                assert!(stepper.release_token().await);
                seen.wait_for(|seen| *seen == released).await.unwrap();
                if released % 2 == 0 {
                    pass(Duration::from_secs(1)).await;
                }
            }
        };
        let order = order(&client, 6);
        let (record, ()) = tokio::join!(client.send(&order, &mut witness), releases);
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        let parts = &witness.parts;
        // After the last token the answer may be over before there is another part.
        assert!((2..=3).contains(&parts.len()), "{} parts", parts.len());
        for part in parts {
            assert_eq!((part.index, part.phase, part.block, part.prompt), (7, record.phase, 1, 3));
            assert_eq!((Some(part.start_ns), part.scheduled_ns), (record.start_ns, record.scheduled_ns));
            assert!(!part.events.is_empty());
        }
        let joined: Vec<Event> = parts.iter().flat_map(|part| part.events.iter()).collect();
        assert!(
            joined.iter().copied().eq(record.events.iter().take(joined.len())),
            "parts begin where the one before ended"
        );
        assert!(joined.iter().filter(|event| event.kind.is_content()).count() >= 4);
    });
}

#[test]
fn a_short_stream_is_never_handed_out_in_parts() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        let (mut witness, _) = Witness::new();
        client.send(&order(&client, 6), &mut witness).await;
        assert!(witness.parts.is_empty());
    });
}

#[test]
fn a_cancelled_request_keeps_what_had_come() {
    run(async || {
        let (sim, stepper) = stepped();
        let cancel = Arc::new(AtomicBool::new(false));
        let client = client_with(&sim, VLLM, &TransportPlan::default(), Clock::start(), Arc::clone(&cancel));
        let (mut witness, mut seen) = Witness::new();
        let cancelling = async {
            for released in 1..=2 {
                assert!(stepper.release_token().await);
                seen.wait_for(|seen| *seen == released).await.unwrap();
            }
            cancel.store(true, Ordering::Relaxed);
        };
        let order = order(&client, 6);
        let (record, ()) = tokio::join!(client.send(&order, &mut witness), cancelling);
        assert_eq!((&record.outcome, content(&record)), (&Outcome::Cancelled, 2));
        assert_eq!(record.status, Some(200));
        assert!(client.warm(1).await.unwrap().len() == 1, "its connection is not kept");
        until(|| sim.open_connections() == 1).await;
    });
}

#[test]
fn a_request_cancelled_before_its_answer_ends_too() {
    run(async || {
        let sim = Sim::start(faulty(Engine::Vllm, Fault::SlowHeaders)).unwrap();
        let cancel = Arc::new(AtomicBool::new(false));
        let client = client_with(&sim, VLLM, &TransportPlan::default(), Clock::start(), Arc::clone(&cancel));
        let cancelling = async {
            until(|| sim.requests() == 1).await;
            cancel.store(true, Ordering::Relaxed);
        };
        let (record, ()) = tokio::join!(send(&client, 6), cancelling);
        assert_eq!((record.outcome, record.status), (Outcome::Cancelled, None));
        assert!(record.start_ns.is_some());
    });
}

#[test]
fn connecting_can_be_cancelled() {
    run(async || {
        let addr = scripted(|mut tcp, _| async move {
            tcp.read_to_end(&mut Vec::new()).await.unwrap();
        })
        .await;
        let plan = TransportPlan { insecure: true, ..TransportPlan::default() };
        let connector = Connector::new(&plan, None, Clock::start()).unwrap();
        let who = target(&format!("https://{addr}/"), schema::target::Dialect::OpenaiChat, "m");
        let client = transport::Client::new(connector, &who, Arc::new(AtomicBool::new(true))).unwrap();
        let record = send(&client, 6).await;
        assert_eq!((record.outcome, record.start_ns), (Outcome::Cancelled, None));
    });
}

#[test]
fn an_order_without_a_place_becomes_a_record_too() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        let record = client.not_sent(&order(&client, 6));
        assert_eq!((record.outcome, record.start_ns, record.reads), (Outcome::NotSent, None, 0));
        assert_eq!(sim.requests(), 0);
    });
}
