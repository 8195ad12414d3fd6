//! Patience: what happens when nothing comes, and what of the connection's making fails.

use std::io::Write as _;
use std::time::Duration;

use schema::plan::{TimeLimits, TransportPlan};
use schema::record::{FailureClass, Record};
use schema::units::Nanos;
use sim::{Config, Engine, Fault, Pace, Sim, Stepper};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::stage::{
    VLLM, Witness, alone, body_event, client, client_of, content, event_stream_head, failure, faulty, order, pass,
    read_request, run, scripted, send,
};

#[track_caller]
fn check(record: &Record, class: FailureClass) {
    assert_eq!(failure(record).class, class, "{:?}", record.outcome);
}

async fn failing_at(url: &str) -> Record {
    let record = send(&client_of(url, &TransportPlan::default()), 4).await;
    assert_eq!((record.start_ns, record.connect, record.http), (None, None, None), "nothing was sent");
    record
}

#[test]
fn a_port_where_nobody_listens_refuses() {
    run(async || {
        // Bound, so that nobody else takes it, and not listening.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}/v1/chat/completions", socket.local_addr().unwrap());
        check(&failing_at(&url).await, FailureClass::ConnectRefused);
    });
}

#[test]
fn a_name_that_does_not_exist_is_not_found() {
    run(async || {
        let record = failing_at("http://nonexistent.invalid/v1/chat/completions").await;
        check(&record, FailureClass::Dns);
        let message = failure(&record).message.raw();
        assert!(message.starts_with("`nonexistent.invalid` could not be looked up: "), "{message}");
    });
}

#[test]
fn a_name_server_that_does_not_answer_in_time_is_told_apart_from_a_target_that_does_not() {
    run(async || {
        let limits = TimeLimits { connect_ns: Nanos(1), ..TimeLimits::default() };
        let plan = TransportPlan { limits, ..TransportPlan::default() };
        let record = send(&client_of("http://nonexistent.invalid/v1/chat/completions", &plan), 4).await;
        check(&record, FailureClass::Dns);
        let message = failure(&record).message.raw();
        assert!(message.starts_with("`nonexistent.invalid` was not found within 1 ns"), "{message}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_file_descriptor_left_a_connection_fails_and_says_what_to_do() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let test = "limits::without_a_file_descriptor_left_a_connection_fails_and_says_what_to_do";
    if !alone(test, &[("FEW_DESCRIPTORS", "1")]) {
        return;
    }
    run(async || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 40, hard).unwrap();
        let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
        let failure = client_of(&url, &TransportPlan::default()).warm(60).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::ConnectFailed);
        assert_eq!(
            failure.message.raw(),
            "this process cannot open more files than the 40 allowed: raise `ulimit -n`, or lower the concurrency"
        );
    });
}

#[test]
fn a_tls_handshake_that_never_ends_is_a_connect_timeout() {
    run(async || {
        let addr = scripted(|mut tcp, _| async move {
            tcp.read_to_end(&mut Vec::new()).await.unwrap();
        })
        .await;
        let limits = TimeLimits { connect_ns: Nanos::from_millis(50), ..TimeLimits::default() };
        let plan = TransportPlan { limits, bundled_roots: true, ..TransportPlan::default() };
        let record = send(&client_of(&format!("https://{addr}/v1"), &plan), 4).await;
        check(&record, FailureClass::ConnectTimeout);
        assert!(failure(&record).message.raw().contains("within 50"), "{:?}", record.outcome);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_listener_that_takes_nobody_is_a_connect_timeout() {
    run(async || {
        // The queue of connections is full, so the kernel drops the SYN of the next.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let addr = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(Ok(tcp)) =
            tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(addr)).await
        {
            queued.push(tcp);
        }
        let limits = TimeLimits { connect_ns: Nanos::from_millis(200), ..TimeLimits::default() };
        let plan = TransportPlan { limits, ..TransportPlan::default() };
        let record = send(&client_of(&format!("http://{addr}/v1"), &plan), 4).await;
        check(&record, FailureClass::ConnectTimeout);
    });
}

#[test]
fn the_first_token_has_its_own_limit() {
    run(async || {
        let sim = Sim::start(faulty(Engine::Vllm, Fault::NoFirstToken)).unwrap();
        let limits = TimeLimits { first_token_ns: Nanos::from_millis(300), ..TimeLimits::default() };
        let client = client(&sim, VLLM, &TransportPlan { limits, ..TransportPlan::default() });
        let record = send(&client, 4).await;
        check(&record, FailureClass::FirstTokenTimeout);
        let waited = record.end_ns.unwrap() - record.start_ns.unwrap();
        assert!(waited >= limits.first_token_ns && waited < limits.gap_ns, "{waited}");
    });
}

/// Three tokens of a stepped engine, then `silence`.
async fn three_then(limits: TimeLimits, silence: Duration) -> Record {
    let stepper = Stepper::new();
    let pace = Pace::Stepped(stepper.clone());
    let sim = Sim::start(Config { pace, ..Config::new(Engine::Vllm) }).unwrap();
    let client = client(&sim, VLLM, &TransportPlan { limits, ..TransportPlan::default() });
    let (mut witness, mut seen) = Witness::new();
    let releases = async {
        for released in 1..=3 {
            assert!(stepper.release_token().await);
            seen.wait_for(|seen| *seen == released).await.unwrap();
        }
        pass(silence).await;
    };
    let order = order(&client, 6);
    let (record, ()) = tokio::join!(client.send(&order, &mut witness), releases);
    assert_eq!(content(&record), 3);
    *record
}

#[test]
fn a_gap_beyond_its_limit_is_a_stall() {
    run(async || {
        let limits = TimeLimits::default();
        check(&three_then(limits, Duration::from(limits.gap_ns)).await, FailureClass::Stalled);
    });
}

#[test]
fn a_request_longer_than_its_total_limit_took_too_long() {
    run(async || {
        let limits = TimeLimits { gap_ns: Nanos::from_secs(900), ..TimeLimits::default() };
        check(&three_then(limits, Duration::from(limits.total_ns)).await, FailureClass::TotalTimeout);
    });
}

/// A server on a thread of its own that writes `piece` without end, faster than anyone reads.
fn flood(piece: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let bytes = piece.repeat(4096);
        let mut written = tcp.write_all(event_stream_head("connection: close").as_bytes());
        while written.is_ok() {
            written = tcp.write_all(bytes.as_bytes());
        }
    });
    url
}

#[test]
fn a_stream_that_never_lets_up_still_ends_at_its_total_limit() {
    run(async || {
        let url = flood(body_event!("and on"));
        let limits = TimeLimits { total_ns: Nanos::from_millis(300), ..TimeLimits::default() };
        let mut plan = TransportPlan { limits, ..TransportPlan::default() };
        plan.sizes.body_bytes = u64::MAX;
        check(&send(&client_of(&url, &plan), 4).await, FailureClass::TotalTimeout);
    });
}

#[test]
fn keep_alives_are_no_first_token() {
    run(async || {
        let url = flood(": ping\n\n");
        let limits = TimeLimits { first_token_ns: Nanos::from_millis(300), ..TimeLimits::default() };
        let mut plan = TransportPlan { limits, ..TransportPlan::default() };
        plan.sizes.body_bytes = u64::MAX;
        check(&send(&client_of(&url, &plan), 4).await, FailureClass::FirstTokenTimeout);
    });
}

#[test]
fn a_refusal_whose_reason_never_ends_keeps_its_class() {
    run(async || {
        let addr = scripted(|mut tcp, _| async move {
            read_request(&mut tcp).await;
            let head = "HTTP/1.1 429 Too Many\r\nretry-after: 3\r\ncontent-length: 500\r\n\r\nslow down";
            tcp.write_all(head.as_bytes()).await.unwrap();
            tcp.read_to_end(&mut Vec::new()).await.unwrap();
        })
        .await;
        let limits = TimeLimits { first_token_ns: Nanos::from_millis(300), ..TimeLimits::default() };
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan { limits, ..TransportPlan::default() });
        let record = send(&client, 4).await;
        check(&record, FailureClass::RateLimited);
        assert_eq!(failure(&record).retry_after_ns, Some(Nanos::from_secs(3)));
        assert_eq!(failure(&record).message.raw(), "slow down");
    });
}
