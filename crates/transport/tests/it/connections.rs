//! Connections kept, warmed, grown old and given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use schema::plan::{HttpChoice, TransportPlan};
use schema::record::FailureClass;
use sim::{Engine, Fault, Sim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use transport::Client;

use crate::encrypted::{encrypted, insecure, scripted_encrypted};
use crate::stage::{
    SHORT_BODY, VLLM, alone, client, client_of, failure, fast, faulty, pass, read_request, run, scripted, send,
    short_answer, until,
};

#[test]
fn a_connection_serves_one_request_after_another() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        let first = send(&client, 4).await;
        assert!(first.connect.is_some_and(|took| took.dns_ns.is_none() && took.tls_ns.is_none()));
        for _ in 0..3 {
            let record = send(&client, 4).await;
            assert!(record.outcome.is_complete(), "{:?}", record.outcome);
            assert_eq!(record.connect, None);
            assert!(record.start_ns > first.end_ns, "its instants are its own");
        }
        assert_eq!((sim.open_connections(), client.stale_connections()), (1, 0));
    });
}

#[test]
fn warmed_connections_spare_requests_the_wait() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        assert_eq!(client.warm(3).await.unwrap().len(), 3);
        assert_eq!(client.warm(2).await.unwrap().len(), 0, "three are there");
        let records = tokio::join!(send(&client, 4), send(&client, 4), send(&client, 4), send(&client, 4));
        let connects = [&records.0, &records.1, &records.2, &records.3].map(|record| record.connect.is_some());
        assert_eq!(connects.iter().filter(|new| **new).count(), 1, "the fourth found none left");
        assert_eq!(client.warm(4).await.unwrap().len(), 0, "all four are kept");
    });
}

#[test]
fn a_host_that_refuses_cannot_be_warmed() {
    run(async || {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = client_of(&format!("http://{}/", socket.local_addr().unwrap()), &TransportPlan::default());
        assert_eq!(client.warm(2).await.unwrap_err().class, FailureClass::ConnectRefused);
    });
}

#[test]
fn a_failed_request_takes_its_connection_with_it() {
    run(async || {
        let sim = Sim::start(faulty(Engine::Vllm, Fault::TruncateClean)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        for _ in 0..2 {
            assert!(send(&client, 4).await.connect.is_some());
        }
    });
}

#[test]
fn an_old_connection_is_given_up_before_the_server_does() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let client = client(&sim, VLLM, &TransportPlan::default());
        send(&client, 4).await;
        pass(Duration::from_secs(5)).await;
        assert!(send(&client, 4).await.connect.is_some());
        assert_eq!(client.stale_connections(), 0);
    });
}

/// A server that closes each connection after `answers` answers, announcing nothing, and the number of its connections.
async fn closing_after(answers: usize) -> (Client, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let addr = scripted(move |mut tcp, _| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            for _ in 0..answers {
                read_request(&mut tcp).await;
                tcp.write_all(short_answer("").as_bytes()).await.unwrap();
            }
            // Only now, so that the client cannot see it coming.
            tcp.read_u8().await.ok();
        }
    })
    .await;
    (client_of(&format!("http://{addr}/v1"), &TransportPlan::default()), connections)
}

#[test]
fn a_request_that_met_a_closed_connection_is_sent_again_and_the_lesson_is_kept() {
    run(async || {
        // As llama.cpp does (b11434): one answer a connection.
        let (client, connections) = closing_after(1).await;
        let first = send(&client, 1).await;
        assert!(first.outcome.is_complete(), "{:?}", first.outcome);
        let again = send(&client, 1).await;
        assert!(again.outcome.is_complete(), "{:?}", again.outcome);
        assert!(again.connect.is_some(), "it went over a new connection");
        assert!(again.start_ns > first.end_ns);
        assert_eq!((client.stale_connections(), connections.load(Ordering::SeqCst)), (1, 2));
        for _ in 0..2 {
            assert!(send(&client, 1).await.connect.is_some(), "none is kept any more");
        }
        assert_eq!((client.stale_connections(), connections.load(Ordering::SeqCst)), (1, 4));
    });
}

#[test]
fn a_farewell_beneath_the_encryption_is_no_answer() {
    run(async || {
        let url = scripted_encrypted(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(short_answer("").as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            // The next request is met with TLS's own goodbye.
            read_request(&mut stream).await;
            stream.shutdown().await.ok();
        })
        .await;
        let client = client_of(&url, &insecure());
        assert!(send(&client, 1).await.outcome.is_complete());
        let again = send(&client, 1).await;
        assert!(again.outcome.is_complete() && again.connect.is_some(), "{:?}", again.outcome);
        assert_eq!(client.stale_connections(), 1);
    });
}

#[test]
fn a_connection_closed_long_after_its_answer_teaches_nothing() {
    run(async || {
        let (client, _) = closing_after(1).await;
        send(&client, 1).await;
        pass(Duration::from_secs(2)).await;
        assert!(send(&client, 1).await.outcome.is_complete());
        assert_eq!(client.stale_connections(), 1);
        send(&client, 1).await;
        assert_eq!(client.stale_connections(), 2, "connections are still kept");
    });
}

#[test]
fn a_fresh_connection_closed_before_the_answer_is_closed_early() {
    run(async || {
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let addr = scripted(move |mut tcp: TcpStream, _| {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                read_request(&mut tcp).await;
            }
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        let record = send(&client, 1).await;
        assert_eq!(failure(&record).class, FailureClass::ClosedEarly, "{:?}", record.outcome);
        assert_eq!((client.stale_connections(), connections.load(Ordering::SeqCst)), (0, 1));
    });
}

#[test]
fn a_connection_that_the_server_takes_leave_of_is_closed_at_once() {
    run(async || {
        let closed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&closed);
        let addr = scripted(move |mut tcp, _| {
            let count = Arc::clone(&count);
            async move {
                read_request(&mut tcp).await;
                tcp.write_all(short_answer("\r\nconnection: close").as_bytes()).await.unwrap();
                // It leaves the closing to the client.
                tcp.read_to_end(&mut Vec::new()).await.ok();
                count.fetch_add(1, Ordering::SeqCst);
            }
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        for sent in 1..=3 {
            assert!(send(&client, 1).await.outcome.is_complete());
            // Not only when the next request looks for one.
            until(|| closed.load(Ordering::SeqCst) == sent).await;
        }
        assert_eq!(client.stale_connections(), 0);
    });
}

#[test]
fn what_follows_an_answer_unasked_is_not_the_next_ones() {
    run(async || {
        let addr = scripted(|mut tcp, _| async move {
            read_request(&mut tcp).await;
            tcp.write_all(short_answer("").repeat(2).as_bytes()).await.unwrap();
            tcp.read_to_end(&mut Vec::new()).await.ok();
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        for _ in 0..2 {
            let record = send(&client, 1).await;
            assert!(record.outcome.is_complete() && record.connect.is_some(), "{:?}", record.outcome);
        }
        assert_eq!(client.stale_connections(), 0);
    });
}

#[test]
fn a_connection_broken_after_the_end_marker_spoils_nothing() {
    run(async || {
        let addr = scripted(|mut tcp, number| async move {
            read_request(&mut tcp).await;
            let answer = short_answer("0");
            assert!(answer.contains(&format!("content-length: {}0\r\n", SHORT_BODY.len())));
            tcp.write_all(answer.as_bytes()).await.unwrap();
            if number > 0 {
                // It neither says more nor closes.
                tcp.read_to_end(&mut Vec::new()).await.unwrap();
            }
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        for _ in 0..2 {
            let record = send(&client, 1).await;
            assert!(record.outcome.is_complete(), "{:?}", record.outcome);
            assert!(record.connect.is_some(), "such a connection is not used again");
        }
    });
}

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_dropped_gives_its_descriptors_back() {
    // Other tests of this process open and close theirs.
    if !alone("connections::what_is_dropped_gives_its_descriptors_back", &[("COUNTING_DESCRIPTORS", "yes")]) {
        return;
    }
    run(async || {
        let (sim, url) = encrypted(&["http/1.1"]).await;
        let plain = format!("{}/v1/chat/completions", sim.url());
        let http2 = TransportPlan { http: HttpChoice::Http2, ..TransportPlan::default() };
        // The servers are of this process too: theirs close when ours do.
        let before = descriptors();
        for (url, plan) in [(&url, insecure()), (&plain, TransportPlan::default()), (&plain, http2)] {
            let client = client_of(url, &plan);
            client.warm(8).await.unwrap();
            send(&client, 4).await;
            assert!(descriptors() >= before + 8);
            drop(client);
            until(|| descriptors() == before).await;
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_server_closed_without_a_word_does_not_pile_up() {
    if !alone("connections::what_the_server_closed_without_a_word_does_not_pile_up", &[("COUNTING_CLOSED", "yes")]) {
        return;
    }
    run(async || {
        let answered = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&answered);
        let addr = scripted(move |mut tcp, _| {
            let count = Arc::clone(&count);
            async move {
                read_request(&mut tcp).await;
                tcp.write_all(short_answer("").as_bytes()).await.unwrap();
                drop(tcp);
                count.fetch_add(1, Ordering::SeqCst);
            }
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        let before = descriptors();
        for round in 1..=20 {
            let records = tokio::join!(send(&client, 1), send(&client, 1), send(&client, 1));
            assert!([&records.0, &records.1, &records.2].iter().all(|record| record.outcome.is_complete()));
            until(|| answered.load(Ordering::SeqCst) >= 3 * round).await;
            assert!(descriptors() <= before + 3, "no more than were in flight at once");
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn the_limit_of_descriptors_is_raised_and_never_lowered() {
    use transport::raise_descriptor_limit;
    let before = raise_descriptor_limit(16).unwrap();
    assert!(before >= 16);
    assert!(raise_descriptor_limit(before + 1).unwrap() >= before);
    assert_eq!(raise_descriptor_limit(16), raise_descriptor_limit(17), "asking for less changes nothing");
}
