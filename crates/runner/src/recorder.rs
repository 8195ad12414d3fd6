//! The one thread that writes: records and parts come in through a bounded queue, and go to the disk
//! at least once a second.

mod lookout;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use schema::curve::Step;
use schema::progress::Progress;
use schema::record::{ConnectTimes, Partial, Record, TokenSource};
use schema::server::ServerSample;
use schema::target::TargetName;
use schema::text::Untrusted;
use schema::units::Nanos;
use store::{Log, StoreError, Writer};
use transport::Clock;
use workload::Tokenizer;

use crate::error::RunError;
use crate::standing::Standing;
use crate::stop::Stop;
use lookout::Lookout;
pub(crate) use lookout::{Cut, Seen};

/// What the other threads have to say.
#[derive(Debug)]
pub(crate) enum Message {
    /// A finished request.
    Record(Box<Record>),
    /// A part of one in flight.
    Partial(Box<Partial>),
    /// A step of a search that is over.
    Step(Box<Step>),
    /// A reading of a target's own metrics.
    Sample(TargetName, Arc<ServerSample>),
    /// A turn begins, of which somebody wants to know what was seen; this ends it when its target cannot keep up.
    Watch(Option<Cut>),
    /// That turn is over, and all its records are in the queue before this: says what was seen.
    Report(SyncSender<Seen>),
    /// Something else that happened.
    Progress(Progress),
}

/// What became of the recording.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) error: Option<StoreError>,
    pub(crate) notes: Vec<String>,
    /// Of each target the shortest TCP handshake of connections opened ahead.
    pub(crate) round_trips: BTreeMap<TargetName, Nanos>,
}

/// What the recorder needs beside the queue and those who watch.
pub(crate) struct Desk {
    pub(crate) writer: Writer,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    /// Stopped when nothing more can be kept.
    pub(crate) stop: Stop,
    pub(crate) standings: Arc<[Standing]>,
    /// Counts the tokens of answers whose server does not.
    pub(crate) tokenizer: Option<Arc<Tokenizer>>,
    /// Whether generated text stays in the records.
    pub(crate) keep_text: bool,
}

/// How often what was written goes to the disk, and those who watch are told how many requests are in flight. With the
/// half second after which parts are handed out and the quarter of a second between looks, a
/// crash costs less than the last second.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// How long the recorder sleeps when nothing is there. It is never woken: that would be a system call of the load
/// threads for every record.
const NAP: Duration = Duration::from_millis(2);

/// Messages at most between two looks at the clock.
const BATCH: u32 = 64;

/// Starts the recorder; it ends when every sender is gone.
pub(crate) fn start(
    desk: Desk,
    messages: Receiver<Message>,
    watch: impl FnMut(Progress) + Send + 'static,
) -> Result<JoinHandle<Kept>, RunError> {
    let body = move || {
        let kept = Kept { error: None, notes: Vec::new(), round_trips: BTreeMap::new() };
        Recorder { desk, watch: Some(watch), kept, lookout: None }.record(&messages)
    };
    let thread = "recorder";
    std::thread::Builder::new().name(thread.into()).spawn(body).map_err(|source| RunError::Thread { thread, source })
}

struct Recorder<W> {
    desk: Desk,
    watch: Option<W>,
    kept: Kept,
    lookout: Option<Lookout>,
}

impl<W: FnMut(Progress)> Recorder<W> {
    fn record(mut self, messages: &Receiver<Message>) -> Kept {
        let mut flush_at = Instant::now() + FLUSH_EVERY;
        while self.take_some(messages) {
            let now = Instant::now();
            if now >= flush_at {
                flush_at = now + FLUSH_EVERY;
                let flushed = self.desk.writer.flush();
                self.note_trouble(flushed);
                self.tell_pulse();
                if let Some(lookout) = &mut self.lookout {
                    lookout.look(self.desk.clock.now(), &self.desk.standings);
                }
            }
        }
        let flushed = self.desk.writer.flush();
        self.note_trouble(flushed);
        self.kept
    }

    /// Takes what is there, up to a batch, and naps where there is no more. `false` once every sender is gone.
    fn take_some(&mut self, messages: &Receiver<Message>) -> bool {
        for _ in 0..BATCH {
            match messages.try_recv() {
                Ok(message) => {
                    let written = self.take(message);
                    self.note_trouble(written);
                }
                Err(TryRecvError::Empty) => {
                    std::thread::sleep(NAP);
                    break;
                }
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    /// Tells whoever watches. A viewer that panics is told nothing more, and no record is lost by it.
    fn tell(&mut self, progress: Progress) {
        let Some(watch) = &mut self.watch else { return };
        if catch_unwind(AssertUnwindSafe(|| watch(progress))).is_err() {
            self.watch = None;
            self.note("who watched the run has panicked; it went on unwatched");
        }
    }

    fn tell_pulse(&mut self) {
        let in_flight = self.desk.standings.iter().map(Standing::in_flight).collect();
        self.tell(Progress::Pulse { at: self.desk.clock.now(), in_flight });
    }

    fn take(&mut self, message: Message) -> Result<(), StoreError> {
        match message {
            Message::Record(record) => self.take_record(record),
            Message::Partial(part) => self.desk.writer.append_partial(&part),
            Message::Step(step) => self.desk.writer.append_step(&step),
            Message::Sample(target, sample) => {
                let written = self.desk.writer.append_sample(&target, &sample);
                self.tell(Progress::Sampled(target, sample));
                written
            }
            Message::Watch(cut) => {
                self.lookout = Some(Lookout::new(cut));
                Ok(())
            }
            Message::Report(answer) => {
                // Whoever asked and is gone has panicked, and the run ends.
                drop(answer.send(self.lookout.take().map(Lookout::seen).unwrap_or_default()));
                Ok(())
            }
            Message::Progress(progress) => {
                match &progress {
                    Progress::Note(note) => self.note(note),
                    Progress::Warmed { target, opened } => self.note_round_trips(target, opened),
                    _ => {}
                }
                self.tell(progress);
                Ok(())
            }
        }
    }

    fn take_record(&mut self, mut record: Box<Record>) -> Result<(), StoreError> {
        if let Some(tokenizer) = &self.desk.tokenizer {
            count_tokens(&mut record, tokenizer);
        }
        if !self.desk.keep_text {
            record.output = None;
        }
        let written = self.desk.writer.append(&record);
        let record: Arc<Record> = Arc::from(record);
        if let Some(lookout) = &mut self.lookout {
            lookout.take_in(&record);
        }
        self.tell(Progress::Recorded(record));
        written
    }

    /// A note is kept in the manifest too, once however often it is said.
    fn note(&mut self, note: &str) {
        drop(writeln!(self.desk.log, "{} {note}", jiff::Timestamp::now()));
        if !self.kept.notes.iter().any(|kept| kept == note) {
            self.kept.notes.push(note.to_owned());
        }
    }

    fn note_round_trips(&mut self, target: &TargetName, opened: &[ConnectTimes]) {
        let known = self.kept.round_trips.get(target).copied();
        if let Some(shortest) = opened.iter().map(|times| times.tcp_ns).chain(known).min() {
            self.kept.round_trips.insert(target.clone(), shortest);
        }
    }

    /// The first trouble is the one to report; later records are still tried. When the disk refuses, nothing more is
    /// asked of the targets: it could not be kept.
    fn note_trouble(&mut self, written: Result<(), StoreError>) {
        let Err(error) = written else { return };
        if matches!(error, StoreError::Io { .. }) {
            self.desk.stop.waiting();
        }
        self.kept.error.get_or_insert(error);
    }
}

/// Counts the generated tokens where the server did not.
fn count_tokens(record: &mut Record, tokenizer: &Tokenizer) {
    let (Some(tokens), Some(output)) = (&mut record.tokens, &record.output) else { return };
    if tokens.source != TokenSource::ContentEvents {
        return;
    }
    let text: String = output.iter().map(Untrusted::raw).collect();
    tokens.output = tokenizer.count(&text) as u64;
    tokens.source = TokenSource::LocalTokenizer;
}

#[cfg(test)]
mod tests {
    use schema::record::TokenCounts;

    use super::*;

    const WORDS: &[u8] = br#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}}"#;

    #[track_caller]
    fn check(source: TokenSource, output: Option<&[&str]>, expected: (u64, TokenSource)) {
        let mut record = crate::turns::tests::record();
        record.tokens = Some(TokenCounts { input: None, output: 7, source });
        record.output = output.map(|pieces| pieces.iter().map(|piece| Untrusted::from(*piece)).collect());
        count_tokens(&mut record, &Tokenizer::from_json(WORDS).unwrap());
        assert_eq!(record.tokens.map(|tokens| (tokens.output, tokens.source)), Some(expected));
    }

    #[test]
    fn tokens_that_the_server_did_not_count_are_counted_here_however_the_text_was_cut() {
        let text: &[&str] = &["one t", "wo thr", "ee"];
        check(TokenSource::ContentEvents, Some(text), (3, TokenSource::LocalTokenizer));
        check(TokenSource::ServerUsage, Some(text), (7, TokenSource::ServerUsage));
        check(TokenSource::ContentEvents, None, (7, TokenSource::ContentEvents));
    }
}
