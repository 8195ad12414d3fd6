use std::cell::RefCell;
use std::future::{Ready, ready};

use super::*;

/// A machine where only some ports answer, and the questions it was asked.
struct Machine {
    open: Vec<(u16, &'static str)>,
    asked: RefCell<Vec<String>>,
}

impl Machine {
    fn new(open: &[(u16, &'static str)]) -> Self {
        Self { open: open.to_vec(), asked: RefCell::default() }
    }

    /// Every open port lists one model of its owner, and nothing else.
    fn answer(&self, url: &Url) -> Ready<Option<Answer>> {
        let port = url.port_or_known_default().unwrap_or_default();
        self.asked.borrow_mut().push(format!("{port}{}", url.path()));
        let open = self.open.iter().find(|(open, _)| *open == port);
        ready(open.map(|(_, owner)| Answer {
            status: if url.path() == "/v1/models" { 200 } else { 404 },
            simulated: false,
            body: format!(r#"{{"data":[{{"id":"m","owned_by":"{owner}"}}]}}"#).into_bytes(),
        }))
    }

    fn asked_of(&self, port: u16) -> usize {
        self.asked.borrow().iter().filter(|asked| asked.starts_with(&format!("{port}/"))).count()
    }
}

#[tokio::test]
async fn engines_are_found_in_the_order_of_their_ports() {
    let machine = Machine::new(&[(30000, "sglang"), (8000, "vllm"), (80, "somebody"), (9000, "llamacpp")]);
    let found = search(loopback(&[9000]), |url| machine.answer(&url)).await;
    let seen: Vec<(&str, &str)> = found.iter().map(|f| (f.provider, f.base_url.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("openai-compatible", "http://127.0.0.1/"),
            ("vllm", "http://127.0.0.1:8000/"),
            ("llamacpp", "http://127.0.0.1:9000/"),
            ("sglang", "http://127.0.0.1:30000/"),
        ]
    );
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_asked_once() {
    let machine = Machine::new(&[(8000, "vllm"), (1234, "somebody")]);
    search(loopback(&[]), |url| machine.answer(&url)).await;
    assert_eq!(machine.asked_of(11434), 1);
    assert_eq!(machine.asked_of(8000), 2, "the list and the version");
    assert_eq!(machine.asked_of(1234), 9, "every question there is");
}

#[test]
fn every_engines_port_is_tried_and_each_only_once() {
    let ports: Vec<u16> = loopback(&[8000, 7, 0, 7]).iter().filter_map(Url::port_or_known_default).collect();
    let mut sorted = ports.clone();
    sorted.dedup();
    assert_eq!(ports, sorted);
    assert!(!ports.contains(&0));
    for port in [7, 80, 1234, 3000, 8000, 8080, 9931, 11434, 18000, 18080, 30000] {
        assert!(ports.contains(&port), "{port}");
    }
}
