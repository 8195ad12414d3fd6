//! What somebody who watches closely is told: heads and pieces as they came, and what goes out.

use schema::event::Event;
use schema::plan::{HttpChoice, TransportPlan};
use schema::record::{FailureClass, Record};
use schema::target::{AuthScheme, Dialect};
use schema::units::Moment;
use secrecy::SecretString;
use tokio::io::AsyncWriteExt as _;
use transport::{Client, Clock, Connector, Head, Read, Watch};
use wire::Frame;

use crate::stage::{SHORT_BODY, body_event, client_of, failure, order, read_request, run, scripted, target};

/// Writes down all that it is told.
#[derive(Default)]
struct Scribe {
    heads: Vec<(u16, Option<String>)>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    reads: Vec<(Read, u32)>,
    /// Which of its calls came: `h`ead, `a`nswering, `p`iece, `f`rame.
    order: String,
}

impl Watch for Scribe {
    fn head(&mut self, head: Head<'_>) {
        self.headers.extend(head.headers().map(|(name, value)| (name.to_owned(), value.to_vec())));
        self.heads.push((head.status, head.reason.map(str::to_owned)));
        self.order.push('h');
    }

    fn answering(&mut self, _: Moment, _: u16) {
        self.order.push('a');
    }

    fn piece(&mut self, bytes: &[u8], read: Read, number: u32) {
        self.body.extend_from_slice(bytes);
        self.reads.push((read, number));
        self.order.push('p');
    }

    fn frame(&mut self, event: &Event, _: &Frame<'_>) {
        // A frame is told with the read of the piece that completed it.
        assert_eq!(self.reads.last().map(|(read, _)| read.arrival), Some(event.arrival));
        self.order.push('f');
    }
}

impl Scribe {
    fn header(&self, wanted: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_slice())
    }
}

async fn watched(client: &Client) -> (Record, Scribe) {
    let mut scribe = Scribe::default();
    let record = *client.send(&order(client, 3), &mut scribe).await;
    assert_eq!(scribe.body.len() as u64, record.response_bytes);
    assert!(scribe.reads.is_sorted_by_key(|(read, number)| (*number, read.arrival)));
    (record, scribe)
}

#[test]
fn a_head_and_all_pieces_are_told_as_they_came() {
    run(async || {
        let addr = scripted(|mut tcp, _| async move {
            read_request(&mut tcp).await;
            // Chunks that have nothing to do with events, and a header that is no text.
            let head = b"HTTP/1.1 200 Fine so far\r\nX-Odd: \xff\tb\r\ntransfer-encoding: chunked\r\n\r\n";
            tcp.write_all(head).await.unwrap();
            for part in SHORT_BODY.as_bytes().chunks(37) {
                let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
                tcp.write_all(&chunk).await.unwrap();
            }
            tcp.write_all(b"0\r\n\r\n").await.unwrap();
            read_request(&mut tcp).await;
        })
        .await;
        let (record, scribe) = watched(&client_of(&format!("http://{addr}/v1"), &TransportPlan::default())).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert_eq!(String::from_utf8(scribe.body.clone()).unwrap(), SHORT_BODY);
        assert_eq!(scribe.heads, [(200, Some("Fine so far".to_owned()))]);
        assert_eq!(scribe.header("x-odd"), Some(&b"\xff\tb"[..]));
        assert!(scribe.order.starts_with("hap") && scribe.order.matches('f').count() == 3, "{}", scribe.order);
    });
}

#[test]
fn a_refusal_and_what_broke_off_are_told_too() {
    run(async || {
        let addr = scripted(|mut tcp, number| async move {
            read_request(&mut tcp).await;
            let answer = match number {
                0 => "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno".to_owned(),
                _ => format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{}", body_event!("so")),
            };
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        let (record, scribe) = watched(&client).await;
        assert_eq!((failure(&record).class, scribe.body.as_slice()), (FailureClass::BadRequest, &b"no"[..]));
        assert_eq!(scribe.order, "hap");
        let (record, scribe) = watched(&client).await;
        assert_eq!(failure(&record).class, FailureClass::Truncated);
        assert_eq!(scribe.order, "hapf");
    });
}

fn keyed(auth: AuthScheme, http: HttpChoice) -> Client {
    let mut who = target("http://127.0.0.1:1/v1/chat?x=1", Dialect::OpenaiChat, "m");
    who.target.auth = auth;
    who.target.headers = vec![("x-team".to_owned(), "red".to_owned())];
    who.key = Some(SecretString::from("sk-canary"));
    let plan = TransportPlan { http, ..TransportPlan::default() };
    Client::new(Connector::new(&plan, None, Clock::start()).unwrap(), &who, std::sync::Arc::default()).unwrap()
}

#[test]
fn what_goes_out_can_be_shown_without_its_key() {
    run(async || {
        for (auth, name) in [(AuthScheme::Bearer, "authorization"), (AuthScheme::XApiKey, "x-api-key")] {
            let client = keyed(auth, HttpChoice::Http1);
            let order = order(&client, 3);
            let letterhead = client.letterhead(&order);
            assert_eq!((letterhead.method.as_str(), letterhead.target.as_str()), ("POST", "/v1/chat?x=1"));
            assert!(!format!("{letterhead:?}").contains("canary"));
            let value =
                |wanted: &str| letterhead.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
            assert_eq!(value(name), Some(&None));
            assert_eq!(value("x-team"), Some(&Some("red".to_owned())));
            assert_eq!(value("content-length"), Some(&Some(order.body.len().to_string())));
        }
        let client = keyed(AuthScheme::None, HttpChoice::Http2);
        let letterhead = client.letterhead(&order(&client, 3));
        assert_eq!(letterhead.target, "http://127.0.0.1:1/v1/chat?x=1");
        assert!(letterhead.headers.iter().all(|(name, _)| name != "host"));
    });
}

#[test]
fn a_client_can_be_made_to_ask_by_get() {
    run(async || {
        let addr = scripted(|mut tcp, _| async move {
            let head = read_request(&mut tcp).await;
            let status = if head.starts_with("get /v1 http/1.1\r\n") { "405 Method Not Allowed" } else { "200 OK" };
            tcp.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default()).by_get();
        let order = transport::Order { body: bytes::Bytes::new(), ..order(&client, 3) };
        assert_eq!(client.letterhead(&order).method, "GET");
        assert_eq!(client.send(&order, &mut ()).await.status, Some(405));
    });
}
