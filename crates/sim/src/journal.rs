//! The ground truth: when each byte was written.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde::Serialize;

use crate::config::Config;
use crate::error::SimError;

/// One write of one answer. The `bytes` of an answer's entries add up to the answer, head included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The `x-request-id` that went back to the client.
    pub request_id: String,
    /// When the request's last byte had come in, nanoseconds of the monotonic clock: by the kernel's
    /// receive stamp where there is one, else when user space had read it.
    pub received_ns: u64,
    /// Number of this write within its answer, from 0 (the head).
    pub event: u32,
    /// Whether it carried generated text.
    pub content: bool,
    /// Just before the write's system call, nanoseconds of the monotonic clock.
    pub before_ns: u64,
    /// Just after it (after the last, where the socket took the bytes in parts).
    pub after_ns: u64,
    /// Bytes written, framing included.
    pub bytes: u32,
    /// Tokens they carried.
    pub tokens: u32,
}

/// One write, as it is kept until asked for: 24 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) before_ns: u64,
    pub(crate) took_ns: u32,
    pub(crate) bytes: u32,
    pub(crate) tokens: u32,
    pub(crate) content: bool,
}

/// All writes of one answer.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) request_id: String,
    pub(crate) received_ns: u64,
    pub(crate) writes: Vec<Written>,
}

impl Trace {
    fn entries(&self) -> impl Iterator<Item = Entry> {
        (0u32..).zip(&self.writes).map(|(event, write)| Entry {
            request_id: self.request_id.clone(),
            received_ns: self.received_ns,
            event,
            content: write.content,
            before_ns: write.before_ns,
            after_ns: write.before_ns + u64::from(write.took_ns),
            bytes: write.bytes,
            tokens: write.tokens,
        })
    }
}

/// Answers a file log may lag behind before connections wait for it: the ground truth is never dropped.
const FILE_BACKLOG: usize = 65_536;

/// Where finished traces go.
#[derive(Debug)]
pub(crate) struct Journal {
    kept: Option<Mutex<Vec<Trace>>>,
    /// Gone once closed.
    file: Option<Mutex<Option<SyncSender<Trace>>>>,
}

impl Journal {
    /// The journal a configuration asks for, and the thread that writes its file.
    pub(crate) fn open(config: &Config) -> Result<(Self, Option<JoinHandle<()>>), SimError> {
        let kept = config.keep_log.then(|| Mutex::new(Vec::new()));
        let Some(path) = &config.log else { return Ok((Self { kept, file: None }, None)) };
        let file = File::create(path).map_err(|source| SimError::Log { path: path.clone(), source })?;
        let (sender, traces) = sync_channel(FILE_BACKLOG);
        let writer = std::thread::Builder::new()
            .name("sim-log".to_owned())
            .spawn(move || write_file(file, &traces))
            .map_err(|source| SimError::Threads { source })?;
        Ok((Self { kept, file: Some(Mutex::new(Some(sender))) }, Some(writer)))
    }

    /// Whether anyone wants traces.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.kept.is_some() || self.file.is_some()
    }

    /// Takes over a finished answer's trace.
    pub(crate) fn push(&self, trace: Trace) {
        if let Some(kept) = &self.kept {
            let copy = Trace {
                request_id: trace.request_id.clone(),
                received_ns: trace.received_ns,
                writes: trace.writes.clone(),
            };
            lock(kept).push(copy);
        }
        if let Some(file) = self.file.as_ref().and_then(|file| lock(file).clone()) {
            // Fails only when the writer gave up on a full disk; serving goes on.
            drop(file.send(trace));
        }
    }

    /// Lets the file's writer finish.
    pub(crate) fn close(&self) {
        if let Some(file) = &self.file {
            lock(file).take();
        }
    }

    /// What was kept, answer by answer in the order in which they finished.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.with_kept(|kept| kept.iter().flat_map(Trace::entries).collect())
    }

    /// The same, and forgets it.
    pub(crate) fn take(&self) -> Vec<Entry> {
        self.with_kept(|kept| std::mem::take(kept).iter().flat_map(Trace::entries).collect())
    }

    fn with_kept(&self, read: impl FnOnce(&mut Vec<Trace>) -> Vec<Entry>) -> Vec<Entry> {
        let kept = self.kept.as_ref();
        kept.map_or_else(Vec::new, |kept| read(&mut lock(kept)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes traces as JSON lines until the last sender is gone, flushing whenever it has caught up.
fn write_file(file: File, traces: &Receiver<Trace>) {
    let mut out = BufWriter::new(file);
    while let Ok(trace) = traces.recv() {
        let written = std::iter::once(trace).chain(traces.try_iter()).try_for_each(|trace| {
            trace.entries().try_for_each(|entry| {
                serde_json::to_writer(&mut out, &entry)?;
                out.write_all(b"\n")
            })
        });
        if written.and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}
