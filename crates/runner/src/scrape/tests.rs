use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use schema::plan::{Load, Stop};
use secrecy::SecretString;
use sim::{Config, Engine, Sim};

use super::*;
use crate::turns::tests::plan;

/// A target `name` of `sim`, with its page at `metrics`.
fn target(plan: &mut Plan, index: usize, metrics: &str) -> Credentialed {
    let target = &mut plan.targets[index];
    target.url = "http://127.0.0.1:1/v1/chat/completions".parse().unwrap();
    target.metrics_url = Some(metrics.parse().unwrap());
    Credentialed { target: target.clone(), key: None }
}

fn two() -> Plan {
    let mut plan = plan(&["a", "b"], Load::Closed { concurrency: 1 }, Stop::Requests(1));
    // Longer than any test: only readings that are asked for are taken.
    plan.scrape_ns = Some(Nanos::from_secs(3600));
    plan
}

/// Begins and ends; what the recorder got.
fn run(plan: &Plan, targets: &[Credentialed]) -> Vec<Message> {
    let (sender, receiver): (_, Receiver<Message>) = sync_channel(100);
    let scrape = Scrape::prepare(plan, targets, None, Clock::start()).unwrap().unwrap();
    assert!(scrape.start(sender).unwrap().finish());
    receiver.iter().collect()
}

fn samples<'a>(messages: &'a [Message], target: &str) -> Vec<&'a ServerSample> {
    let of = |message: &'a Message| match message {
        Message::Sample(name, sample) if name.as_str() == target => Some(&**sample),
        _ => None,
    };
    messages.iter().filter_map(of).collect()
}

fn notes(messages: &[Message]) -> Vec<&str> {
    let note = |message: &'_ Message| match message {
        Message::Progress(Progress::Note(note)) => Some(note.as_str().to_owned().leak() as &str),
        _ => None,
    };
    messages.iter().filter_map(note).collect()
}

/// Gives the same answer to every request, and the requests it got.
fn serve(answer: &'static str, times: usize) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let accepted = listener.incoming().take(times);
        let answered = accepted.map(|socket| {
            let mut socket = socket.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap().to_ascii_lowercase()
        });
        answered.collect()
    });
    (url, serving)
}

#[test]
fn a_page_is_read_before_the_first_request_and_after_the_last() {
    let sim = Sim::start(Config::new(Engine::Vllm)).unwrap();
    let mut plan = two();
    let targets = [target(&mut plan, 0, &format!("{}/metrics", sim.url()))];
    let messages = run(&plan, &targets);
    let read = samples(&messages, "a");
    assert_eq!(read.len(), 2, "{messages:?}");
    assert_eq!((read[0].engine.as_str(), read[0].running), ("vllm", Some(0.0)));
    assert!(read[0].at_ns < read[1].at_ns && read[0].took_ns > Nanos::ZERO);
    assert_eq!(notes(&messages), Vec::<&str>::new());
}

#[test]
fn a_page_of_several_targets_is_fetched_once_for_all() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nvllm:prompt_tokens 1";
    let (url, serving) = serve(answer, 2);
    let mut plan = two();
    let targets = [target(&mut plan, 0, &url), target(&mut plan, 1, &url)];
    let messages = run(&plan, &targets);
    assert_eq!((samples(&messages, "a").len(), samples(&messages, "b").len()), (2, 2));
    assert_eq!(serving.join().unwrap().len(), 2);
}

#[test]
fn a_page_about_gpus_is_every_targets() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 35\r\n\r\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\"} 50  \n";
    let (url, _serving) = serve(answer, 2);
    let mut plan = two();
    plan.gpu_metrics = Some(url.parse().unwrap());
    let targets: Vec<_> =
        plan.targets.iter().map(|target| Credentialed { target: target.clone(), key: None }).collect();
    let messages = run(&plan, &targets);
    for name in ["a", "b"] {
        let busy: Vec<_> = samples(&messages, name).iter().map(|sample| sample.gpus[0].busy).collect();
        assert_eq!(busy, [Some(0.5), Some(0.5)]);
    }
}

#[test]
fn a_page_that_fails_is_recorded_each_time_and_noted_once() {
    let (url, _serving) = serve("HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n", 2);
    let mut plan = two();
    plan.targets[0].provider = "llamacpp".into();
    let targets = [target(&mut plan, 0, &url)];
    let messages = run(&plan, &targets);
    let failed: Vec<_> = samples(&messages, "a").iter().map(|sample| sample.failed.clone()).collect();
    assert_eq!(failed, vec![Some("it answers with status 501".into()); 2]);
    let expected = format!(
        "the metrics of a cannot be read at {url}: it answers with status 501; llama-server serves them when started \
         with `--metrics`"
    );
    assert_eq!(notes(&messages), [expected]);
}

#[test]
fn a_server_that_is_not_there_holds_nobody_up() {
    let mut plan = two();
    let targets = [target(&mut plan, 0, "http://127.0.0.1:1/metrics")];
    let messages = run(&plan, &targets);
    assert!(samples(&messages, "a").iter().all(|sample| sample.failed.is_some()));
    assert_eq!(notes(&messages).len(), 1);
}

#[test]
fn a_page_of_strangers_is_noted_at_the_end() {
    let (url, _serving) = serve("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nup 1    ", 2);
    let mut plan = two();
    let targets = [target(&mut plan, 0, &url)];
    let messages = run(&plan, &targets);
    let expected = format!("the metrics page of a at {url} has no name that is known here");
    assert_eq!(notes(&messages), [expected]);
}

#[test]
fn a_reading_that_is_asked_for_is_in_the_queue_when_the_asking_is_over() {
    let sim = Sim::start(Config::new(Engine::Tgi)).unwrap();
    let mut plan = two();
    let targets = [target(&mut plan, 0, &format!("{}/metrics", sim.url()))];
    let (sender, receiver) = sync_channel(100);
    let scraper = Scrape::prepare(&plan, &targets, None, Clock::start()).unwrap().unwrap().start(sender).unwrap();
    assert_eq!(receiver.try_iter().count(), 1);
    scraper.asker().reading(LIMIT);
    assert_eq!(receiver.try_iter().count(), 1);
    assert!(scraper.finish());
    assert_eq!(receiver.iter().count(), 1);
}

#[test]
fn pages_are_read_at_the_plans_interval() {
    let sim = Sim::start(Config::new(Engine::Vllm)).unwrap();
    let mut plan = two();
    plan.scrape_ns = Some(Nanos::from_millis(20));
    let targets = [target(&mut plan, 0, &format!("{}/metrics", sim.url()))];
    let (sender, receiver) = sync_channel(100);
    let scraper = Scrape::prepare(&plan, &targets, None, Clock::start()).unwrap().unwrap().start(sender).unwrap();
    // Nobody asks for these.
    assert_eq!(receiver.iter().take(5).count(), 5);
    assert!(scraper.finish());
}

#[test]
fn a_key_goes_to_its_own_origin_only() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (own, own_serving) = serve(ok, 2);
    let (other, other_serving) = serve(ok, 2);
    let mut plan = two();
    let signed = |plan: &mut Plan, index, metrics: &str, origin: &str| {
        let mut signed = target(plan, index, metrics);
        signed.target.url = origin.parse().unwrap();
        signed.target.auth = AuthScheme::Bearer;
        Credentialed { key: Some(SecretString::from("canary-key")), ..signed }
    };
    let targets = [signed(&mut plan, 0, &own, &own), signed(&mut plan, 1, &other, &own)];
    run(&plan, &targets);
    assert!(own_serving.join().unwrap().iter().all(|head| head.contains("authorization: bearer canary-key")));
    assert!(other_serving.join().unwrap().iter().all(|head| !head.contains("canary")));
}

#[test]
fn nothing_is_read_where_nothing_is_wanted() {
    let mut plan = two();
    let targets = [target(&mut plan, 0, "http://127.0.0.1:1/metrics")];
    plan.scrape_ns = None;
    assert!(Scrape::prepare(&plan, &targets, None, Clock::start()).unwrap().is_none());
    let mut plan = two();
    plan.targets[0].metrics_url = None;
    assert!(Scrape::prepare(&plan, &[], None, Clock::start()).unwrap().is_none());
}
