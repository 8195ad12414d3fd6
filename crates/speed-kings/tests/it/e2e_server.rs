//! A server of the test's own, which says what it likes: for what simulated engines never do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

/// What was asked.
pub(crate) struct Asked {
    /// Whether it asks for the list of models.
    pub(crate) is_listing: bool,
    /// The key it was asked with.
    pub(crate) key: String,
}

/// What is said to it.
pub(crate) struct Said {
    pub(crate) status: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Said {
    pub(crate) fn json(status: &'static str, value: &Value) -> Self {
        Self { status, content_type: "application/json", body: value.to_string() }
    }

    /// A list of one model.
    pub(crate) fn model(id: &str) -> Self {
        Self::json("200 OK", &json!({ "data": [{ "id": id }] }))
    }

    /// A stream of these events.
    pub(crate) fn stream(events: &[Value]) -> Self {
        let body = events.iter().map(|event| format!("data: {event}\n\n")).chain(["data: [DONE]\n\n".to_owned()]);
        Self { status: "200 OK", content_type: "text/event-stream", body: body.collect() }
    }
}

/// Starts a server that lives as long as the test's process, and returns its address.
pub(crate) fn serve(say: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let say = Arc::new(say);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, say) = (stream.unwrap(), Arc::clone(&say));
            std::thread::spawn(move || std::iter::from_fn(|| answer(&stream, &*say)).for_each(drop));
        }
    });
    url
}

/// Reads one request and answers it; `None` when the client is gone. The key comes back as the request's id.
fn answer(mut stream: &TcpStream, say: &dyn Fn(&Asked) -> Said) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut key, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" | "x-api-key" => {
                value.trim_start_matches("Bearer ").clone_into(&mut key);
            }
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let asked = Asked { is_listing: first.starts_with("GET"), key };
    let Said { status, content_type, body } = say(&asked);
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nx-request-id: {}\r\ncontent-length: {}\r\n\r\n",
        asked.key,
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}
