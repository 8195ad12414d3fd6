//! Reads the captured responses in `tests/data`.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schema::target::Dialect;

/// One captured response.
pub(crate) struct Capture {
    /// Folder and file, `vllm-0.32.0/chat.raw`.
    pub(crate) name: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The body without its chunked framing.
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its proper end.
    pub(crate) complete: bool,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// All captured responses, sorted by name.
pub(crate) fn all() -> Vec<Capture> {
    let mut names: Vec<String> = std::fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path().strip_prefix(data()).unwrap().to_str().unwrap().to_owned())
        .filter(|name| ["raw", "http", "tsv"].contains(&ending(name)))
        .collect();
    names.sort();
    names.iter().map(|name| load(name)).collect()
}

fn ending(name: &str) -> &str {
    name.rsplit('.').next().unwrap()
}

/// The captured response in `tests/data/{name}`.
#[track_caller]
pub(crate) fn load(name: &str) -> Capture {
    let file = std::fs::read(data().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let response = if ending(name) == "tsv" { socket_reads(&file).concat() } else { file };
    let end = memchr::memmem::find(&response, b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&response[..end]).unwrap();
    let body = &response[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, Vec<u8>)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.trim().as_bytes().to_vec()))
        .collect();
    let chunked = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    let (body, complete) = if chunked && ending(name) != "http" { dechunk(body) } else { (body.to_vec(), true) };
    Capture { name: name.to_owned(), status, headers, body, complete }
}

/// The bytes of each socket read.
fn socket_reads(file: &[u8]) -> Vec<Vec<u8>> {
    std::str::from_utf8(file)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| BASE64_STANDARD.decode(line.split_once('\t').unwrap().1).unwrap())
        .collect()
}

/// What the chunks of `body` hold, and whether the last one was there.
fn dechunk(mut body: &[u8]) -> (Vec<u8>, bool) {
    let mut whole = Vec::new();
    while let Some(line) = memchr::memmem::find(body, b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (whole, true);
        }
        let chunk = &body[line + 2..];
        whole.extend_from_slice(&chunk[..size.min(chunk.len())]);
        body = chunk.get(size + 2..).unwrap_or_default();
    }
    (whole, false)
}

impl Capture {
    /// The file's name without folder and ending.
    pub(crate) fn stem(&self) -> &str {
        self.name.split(['/', '.']).rev().find(|part| !["raw", "http", "timed", "tsv"].contains(part)).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| std::str::from_utf8(value).unwrap())
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type").starts_with("text/event-stream")
    }

    /// The protocol it speaks, where it is one of ours: llama.cpp's own `/completion` is not.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        let stem = self.stem();
        if stem.starts_with("native-") {
            None
        } else if stem.contains("generate") || stem.starts_with("root-") {
            Some(Dialect::Tgi)
        } else if stem.starts_with("messages") {
            Some(Dialect::Anthropic)
        } else if stem.contains("embeddings") {
            Some(Dialect::OpenaiEmbeddings)
        } else if stem.contains("completion") {
            Some(Dialect::OpenaiCompletions)
        } else {
            Some(Dialect::OpenaiChat)
        }
    }
}
