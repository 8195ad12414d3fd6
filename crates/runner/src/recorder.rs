//! The one thread that writes: records and parts come in through a bounded queue, and go to the disk
//! at least once a second.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use schema::progress::Progress;
use schema::record::{Partial, Record};
use store::{Log, StoreError, Writer};

/// What load threads have to say.
#[derive(Debug)]
pub(crate) enum Message {
    /// A finished request.
    Record(Box<Record>),
    /// A part of one in flight.
    Partial(Box<Partial>),
    /// Something else that happened.
    Progress(Progress),
}

/// What became of the recording.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) error: Option<StoreError>,
    pub(crate) notes: Vec<String>,
}

/// With the half second after which parts are handed out and the quarter of a second between looks, a
/// crash costs less than the last second.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// Starts the recorder; it ends when every sender is gone.
pub(crate) fn start(
    writer: Writer,
    log: Log,
    messages: Receiver<Message>,
    watch: impl FnMut(Progress) + Send + 'static,
) -> JoinHandle<Kept> {
    let body = move || record(writer, log, &messages, watch);
    std::thread::Builder::new().name("recorder".into()).spawn(body).expect("the system lets us start a thread")
}

fn record(mut writer: Writer, mut log: Log, messages: &Receiver<Message>, mut watch: impl FnMut(Progress)) -> Kept {
    let mut kept = Kept { error: None, notes: Vec::new() };
    let mut flush_at = Instant::now() + FLUSH_EVERY;
    loop {
        let written = match messages.recv_timeout(flush_at.saturating_duration_since(Instant::now())) {
            Ok(Message::Record(record)) => {
                let written = writer.append(&record);
                watch(Progress::Recorded(Arc::from(record)));
                written
            }
            Ok(Message::Partial(part)) => writer.append_partial(&part),
            Ok(Message::Progress(progress)) => {
                if let Progress::Note(note) = &progress {
                    // The note is kept in the manifest too, once however often it is said.
                    drop(writeln!(log, "{} {note}", jiff::Timestamp::now()));
                    if !kept.notes.contains(note) {
                        kept.notes.push(note.clone());
                    }
                }
                watch(progress);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let now = Instant::now();
        let flushed = if now >= flush_at {
            flush_at = now + FLUSH_EVERY;
            writer.flush()
        } else {
            Ok(())
        };
        // The first trouble is the one to report; later records are still tried.
        kept.error = kept.error.or(written.err()).or(flushed.err());
    }
    kept.error = kept.error.or(writer.flush().err());
    kept
}
