//! Pace, queue, disconnects and the ground truth.

use std::sync::Arc;
use std::time::Duration;

use schema::units::Nanos;
use sim::{Config, Engine, EngineModel, Pace, Sim, Stepper, serve_connection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{Client, End, PATIENCE, decode, fast, routes};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it should not take so long") })
}

/// An engine of one place that takes an age for every step.
fn slow(places: usize, queue_limit: usize) -> EngineModel {
    EngineModel {
        overhead: Nanos::ZERO,
        decode_base: Nanos::from_secs(3_600),
        max_batch: places,
        queue_limit,
        jitter: 0.0,
        ..EngineModel::of(Engine::Vllm)
    }
}

/// Looks again and again until `done`, as there is no event to wait for on this side of the socket.
#[track_caller]
fn eventually(done: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < deadline, "it never came to be");
        std::thread::yield_now();
    }
}

#[test]
fn a_stepped_engine_writes_a_token_when_it_is_released_and_not_before() {
    let stepper = Stepper::new();
    let sim = Sim::start(Config { pace: Pace::Stepped(stepper.clone()), ..fast(Engine::Tgi) }).unwrap();
    let mut client = Client::new(&sim);
    let (path, _, body) = routes(Engine::Tgi, 3).remove(2);
    client.send("POST", path, "", &body);
    client.head().unwrap();
    for index in 1..=3 {
        assert!(client.is_silent());
        assert!(block_on(stepper.release_token()));
        let event = String::from_utf8(client.chunk().unwrap()).unwrap();
        assert!(event.contains(&format!("\"index\":{index},")), "{event}");
    }
    assert_eq!(client.chunk(), Ok(Vec::new()));
}

#[test]
fn streams_that_wait_take_released_tokens_in_turn() {
    let stepper = Stepper::new();
    let sim = Sim::start(Config { pace: Pace::Stepped(stepper.clone()), ..fast(Engine::Tgi) }).unwrap();
    let (path, _, body) = routes(Engine::Tgi, 2).remove(2);
    let mut clients: Vec<_> = (0..2).map(|_| Client::new(&sim)).collect();
    for client in &mut clients {
        client.send("POST", path, "", &body);
        client.head().unwrap();
    }
    for _ in 0..4 {
        assert!(block_on(stepper.release_token()));
    }
    for client in &mut clients {
        assert!(!client.chunk().unwrap().is_empty());
        assert!(!client.chunk().unwrap().is_empty());
        assert_eq!(client.chunk(), Ok(Vec::new()));
    }
}

#[test]
fn with_everything_released_a_stepped_engine_runs_freely() {
    let stepper = Stepper::new();
    let sim = Sim::start(Config { pace: Pace::Stepped(stepper.clone()), ..fast(Engine::Vllm) }).unwrap();
    stepper.release_all();
    let (path, dialect, body) = routes(Engine::Vllm, 50).remove(0);
    assert_eq!(decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap().content_events, 50);
}

#[test]
fn a_client_that_leaves_gives_its_place_back_at_once() {
    let sim = Sim::start(Config { pace: Pace::Model(slow(1, 10)), ..fast(Engine::Vllm) }).unwrap();
    let (path, _, body) = routes(Engine::Vllm, 50).remove(0);
    let mut clients: Vec<_> = (0..3).map(|_| Client::new(&sim)).collect();
    for client in &mut clients {
        client.send("POST", path, "", &body);
        client.head().unwrap();
    }
    eventually(|| (sim.running(), sim.waiting()) == (1, 2));
    // Whoever left, running or waiting, one fewer is there.
    drop(clients.pop());
    eventually(|| sim.running() + sim.waiting() == 2);
    drop(clients);
    eventually(|| (sim.running(), sim.waiting(), sim.open_connections()) == (0, 0, 0));
    assert!(sim.wait_idle(PATIENCE));
    let aborted =
        Client::new(&sim).get("/metrics").text().contains(r#"finished_reason="abort",model_name="sim-vllm"} 3.0"#);
    assert!(aborted);
}

#[track_caller]
fn check_overload(engine: Engine, route: usize, status: u16, says: &str) {
    let sim = Sim::start(Config { pace: Pace::Model(slow(1, 1)), ..fast(engine) }).unwrap();
    let (path, _, body) = routes(engine, 50).remove(route);
    let mut filling: Vec<_> = (0..2).map(|_| Client::new(&sim)).collect();
    for client in &mut filling {
        client.send("POST", path, "", &body);
    }
    eventually(|| sim.running() + sim.waiting() == 2);
    let refused = Client::new(&sim).post(path, &body);
    assert_eq!(refused.status, status, "{engine} {path}");
    assert!(refused.text().contains(says), "{engine} {path}: {}", refused.text());
}

#[test]
fn a_full_queue_is_refused_in_each_engines_own_way() {
    check_overload(Engine::Vllm, 0, 503, "Service Unavailable");
    check_overload(Engine::Ollama, 2, 503, r#"{"error":"server busy"#);
    check_overload(Engine::OpenAi, 0, 503, "overloaded");
    check_overload(Engine::OpenAi, 2, 529, "overloaded_error");
    // A TGI that has promised a stream says it there (3.3.6, `error-overloaded-stream`).
    check_overload(Engine::Tgi, 0, 200, r#"data: {"error":{"message":"Model is overloaded","http_status_code":422}}"#);
    check_overload(Engine::Tgi, 2, 200, r#"data: {"error":"Model is overloaded","error_type":"overloaded"}"#);
}

#[test]
fn a_rush_waits_its_turn_and_all_are_served() {
    let model = EngineModel {
        max_batch: 4,
        overhead: Nanos::ZERO,
        decode_base: Nanos::from_millis(1),
        ..EngineModel::of(Engine::Vllm)
    };
    let sim = Sim::start(Config { pace: Pace::Model(model), threads: 2, ..fast(Engine::Vllm) }).unwrap();
    let (path, dialect, body) = routes(Engine::Vllm, 5).remove(0);
    let mut clients: Vec<_> = (0..40).map(|_| Client::new(&sim)).collect();
    for client in &mut clients {
        client.send("POST", path, "", &body);
    }
    for client in &mut clients {
        assert_eq!(decode(dialect, &client.response().body).unwrap().output_tokens, Some(5));
    }
    assert_eq!(sim.requests(), 40);
}

#[test]
fn the_log_accounts_for_every_byte_and_its_times_go_forward() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        let mut client = Client::new(&sim);
        let before = sim.bytes_written();
        for (path, dialect, body) in routes(engine, 20) {
            let response = client.post(path, &body);
            let content = decode(dialect, &response.body).unwrap().content_events;
            assert!(sim.wait_idle(PATIENCE));
            let log = sim.take_log();
            let sum: u64 = log.iter().map(|entry| u64::from(entry.bytes)).sum();
            assert_eq!(sum, response.bytes, "{engine} {path}");
            assert_eq!(log.iter().filter(|entry| entry.content).count(), content, "{engine} {path}");
            assert_eq!(log.iter().map(|entry| entry.tokens).sum::<u32>(), 20, "{engine} {path}");
            let mut last = log[0].received_ns;
            for (index, entry) in (0..).zip(&log) {
                assert_eq!(entry.event, index);
                assert_eq!(Some(entry.request_id.as_str()), response.header("x-request-id"));
                assert!(last <= entry.before_ns && entry.before_ns <= entry.after_ns, "{engine} {path}: {log:?}");
                last = entry.after_ns;
            }
        }
        assert!(sim.bytes_written() > before);
        assert!(sim.log().is_empty());
    }
}

#[test]
fn a_request_is_received_between_its_sending_and_its_answer() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let mut client = Client::new(&sim);
    let (path, _, body) = routes(Engine::Vllm, 1).remove(0);
    let mut last = 0;
    for _ in 0..20 {
        client.post(path, &body);
        assert!(sim.wait_idle(PATIENCE));
        let log = sim.take_log();
        assert!(last <= log[0].received_ns && log[0].received_ns <= log[0].before_ns);
        last = log[0].before_ns;
    }
}

#[test]
fn the_file_log_holds_what_the_memory_log_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truth.jsonl");
    let sim = Sim::start(Config { log: Some(path.clone()), ..fast(Engine::Ollama) }).unwrap();
    let (route, _, body) = routes(Engine::Ollama, 5).remove(2);
    Client::new(&sim).post(route, &body);
    assert!(sim.wait_idle(PATIENCE));
    let entries = sim.log();
    sim.shutdown();
    let lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines, entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect::<Vec<_>>());
    assert!(!lines.is_empty());
}

#[test]
fn shutting_down_closes_streams_and_frees_the_port() {
    let stepper = Stepper::new();
    let sim = Sim::start(Config { pace: Pace::Stepped(stepper), ..fast(Engine::Vllm) }).unwrap();
    let addr = sim.addr();
    let mut client = Client::new(&sim);
    let (path, _, body) = routes(Engine::Vllm, 5).remove(0);
    client.send("POST", path, "", &body);
    client.head().unwrap();
    sim.shutdown();
    assert!(matches!(client.chunk(), Err(End::Closed | End::Reset)));
    let again = Sim::start(Config { listen: addr, ..fast(Engine::Vllm) }).unwrap();
    assert_eq!(again.url(), format!("http://{addr}"));
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let error = Sim::start(Config { listen: sim.addr(), ..fast(Engine::Vllm) }).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on `{}`", sim.addr()));
}

#[test]
fn any_stream_can_be_served() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let (path, _, body) = routes(Engine::Vllm, 3).remove(0);
    let request = format!("POST {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = block_on(async {
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let serving = serve_connection(server, Arc::clone(&sim.state()));
        let ((), read) = tokio::join!(serving, client.read_to_string(&mut answer));
        read.unwrap();
        answer
    });
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"), "{answer}");
}

#[test]
fn an_idle_wait_gives_up_in_time() {
    let stepper = Stepper::new();
    let sim = Sim::start(Config { pace: Pace::Stepped(stepper), ..fast(Engine::Vllm) }).unwrap();
    let mut client = Client::new(&sim);
    let (path, _, body) = routes(Engine::Vllm, 5).remove(0);
    client.send("POST", path, "", &body);
    client.head().unwrap();
    assert!(!sim.wait_idle(Duration::from_millis(1)));
}
