//! Engines of known capacity, engines that stand still, and what they tell of their limits.

use std::thread;
use std::time::{Duration, Instant};

use schema::units::Nanos;
use sim::{Config, Engine, Limits, Pace, Sim};

use crate::client::{Client, PATIENCE, decode, fast, not_streamed, routes};

fn engine(pace: &str) -> Sim {
    Sim::start(Config { pace: pace.parse().unwrap(), ..fast(Engine::Vllm) }).unwrap()
}

/// Keeps so many streams busy until each has had its answers; seconds it took.
fn closed_loop(sim: &Sim, streams: usize, answers: usize) -> f64 {
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..streams {
            scope.spawn(|| {
                let mut client = Client::new(sim);
                let (path, dialect, body) = routes(Engine::Vllm, 4).remove(0);
                for _ in 0..answers {
                    assert_eq!(decode(dialect, &client.post(path, &body).body).unwrap().output_tokens, Some(4));
                }
            });
        }
    });
    begun.elapsed().as_secs_f64()
}

#[test]
fn so_many_servers_never_complete_more_than_their_capacity() {
    // 4 ÷ 20 ms: 200 a second.
    let sim = engine("servers:4,20ms");
    let seconds = closed_loop(&sim, 8, 10);
    assert!(seconds >= 80.0 / 200.0, "{seconds}");
    assert!(sim.wait_idle(PATIENCE));
    // Between first and last token of an answer lie three quarters of its service time.
    for answer in sim.log().chunk_by(|a, b| a.request_id == b.request_id) {
        let content: Vec<_> = answer.iter().filter(|entry| entry.content).collect();
        assert_eq!(content.len(), 4);
        assert!(content[0].before_ns - answer[0].received_ns >= 5_000_000);
    }
}

#[test]
fn a_lawful_engine_gains_less_than_its_streams() {
    // One stream: 100 a second. Four: 4 × 100 ÷ (1 + 3 + 12) = 25 a second, less than one alone.
    let sim = engine("law:100,1,1");
    assert!(closed_loop(&sim, 1, 4) >= 0.04);
    let seconds = closed_loop(&sim, 4, 2);
    assert!(seconds >= 0.9 * 8.0 / 25.0, "{seconds}");
}

#[test]
fn whoever_leaves_a_server_makes_room_for_the_next() {
    let sim = engine("servers:1,1h");
    let (path, _, body) = routes(Engine::Vllm, 4).remove(0);
    let mut first = Client::new(&sim);
    first.send("POST", path, "", &body);
    first.head().unwrap();
    let mut second = Client::new(&sim);
    second.send("POST", path, "", &body);
    second.head().unwrap();
    let eventually = |running, waiting| {
        let deadline = Instant::now() + PATIENCE;
        while (sim.running(), sim.waiting()) != (running, waiting) {
            assert!(Instant::now() < deadline, "{} running, {} waiting", sim.running(), sim.waiting());
            thread::yield_now();
        }
    };
    eventually(1, 1);
    drop(first);
    eventually(1, 0);
}

#[test]
fn while_it_stands_still_an_engine_neither_reads_nor_writes() {
    let stall = "300ms@30ms".parse().unwrap();
    for threads in [1, 2] {
        let pace = "fixed:0ms,1ms".parse().unwrap();
        let sim = Sim::start(Config { pace, stall: Some(stall), threads, ..fast(Engine::Vllm) }).unwrap();
        let mut clients: Vec<_> = (0..4).map(|_| Client::new(&sim)).collect();
        let (path, _, body) = routes(Engine::Vllm, 100).remove(0);
        for client in &mut clients {
            client.send("POST", path, "", &body);
        }
        for client in &mut clients {
            assert_eq!(client.response().status, 200);
        }
        assert!(sim.wait_idle(PATIENCE));
        let log = sim.log();
        let begun = log.iter().map(|entry| entry.received_ns).min().unwrap();
        let quiet = begun + 60_000_000..begun + 300_000_000;
        let during = log.iter().filter(|entry| quiet.contains(&entry.before_ns)).count();
        assert_eq!(during, 0, "with {threads} threads");
        assert!(log.iter().any(|entry| entry.before_ns > quiet.end));
    }
}

#[test]
fn an_engine_that_stands_still_stops_when_told() {
    let stall = "1h@0ms".parse().unwrap();
    let sim = Sim::start(Config { stall: Some(stall), ..fast(Engine::Vllm) }).unwrap();
    let (path, _, body) = routes(Engine::Vllm, 4).remove(0);
    let mut client = Client::new(&sim);
    client.send("POST", path, "", &body);
    client.head().ok();
    sim.shutdown();
}

#[test]
fn limits_are_told_with_every_answer_and_kept() {
    for engine in Engine::ALL {
        let limits = Limits { requests: "3/h".parse().ok(), tokens: "1000/h".parse().ok() };
        let sim = Sim::start(Config { limits, ..fast(engine) }).unwrap();
        let mut client = Client::new(&sim);
        let (path, _, body) = routes(engine, 7).remove(0);
        let (path, whole) = not_streamed(path, &body);
        for (left, request) in [("2", &body), ("1", &whole), ("0", &body)] {
            let answer = client.post(path, request);
            assert_eq!((answer.status, answer.header("x-ratelimit-limit-requests")), (200, Some("3")), "{engine}");
            assert_eq!(answer.header("x-ratelimit-remaining-requests"), Some(left), "{engine}");
            assert_eq!(answer.header("x-ratelimit-limit-tokens"), Some("1000"), "{engine}");
            assert!(answer.header("x-ratelimit-reset-tokens").is_some(), "{engine}");
        }
        let refused = client.post(path, &body);
        assert_eq!(refused.status, 429, "{engine}: {}", refused.text());
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=1_200).contains(&seconds), "{seconds}");
        assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("0"));
    }
}

#[test]
fn tokens_of_prompt_and_answer_count_against_their_limit() {
    let limits = Limits { requests: None, tokens: "100/h".parse().ok() };
    let sim = Sim::start(Config { limits, ..fast(Engine::Vllm) }).unwrap();
    let body = r#"{"prompt":"one two three four","max_tokens":56}"#;
    let answer = Client::new(&sim).post("/v1/completions", body);
    assert_eq!((answer.status, answer.header("x-ratelimit-remaining-tokens")), (200, Some("40")));
    assert_eq!(Client::new(&sim).post("/v1/completions", body).status, 429);
}

#[test]
fn impossible_paces_are_refused() {
    let servers = Pace::Servers { servers: 0, service: Nanos::from_secs(1), spread: 0.0 };
    let law = Pace::Law { lambda: 1.0, contention: -0.1, coherency: 0.0 };
    for (pace, field) in [(servers, "servers"), (law, "contention")] {
        let error = Sim::start(Config { pace, ..fast(Engine::Vllm) }).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn at_once_means_without_waiting() {
    let sim = engine("at-once");
    let (path, _, body) = routes(Engine::Vllm, 256).remove(0);
    let begun = Instant::now();
    assert_eq!(Client::new(&sim).post(path, &body).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(10));
}
