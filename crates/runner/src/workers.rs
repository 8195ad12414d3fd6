//! The load threads: each has a runtime of its own, and all work on the same turns.

mod course;
mod hands;
mod patience;

use std::ops::{Add as _, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Barrier, Mutex, PoisonError};

use futures_util::future::join_all;
use load::{Counter, Pacing, Segment, Slot, Streams, Timing};
use schema::plan::{Plan, Stop as Enough};
use schema::progress::{Follow, Progress};
use schema::record::{Failure, FailureClass, Record};
use schema::summary::Calibration;
use schema::target::{Credentialed, TargetName};
use schema::units::Nanos;
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, spawn_local};
use transport::{Client, Connector, SetupError};

use crate::agenda::Agenda;
use crate::budget::Budget;
use crate::error::RunError;
use crate::hope::is_hopeless;
use crate::recorder::Message;
use crate::requests::Requests;
use crate::scrape::Asker;
use crate::sender::{At, Place, Sender};
use crate::standing::Standing;
use crate::stop::Stop;
use crate::turns::{Share, Turn};
use course::{Begun, Course};
use patience::Patience;

/// All that the load threads need.
pub(crate) struct Crew {
    pub(crate) plan: Arc<Plan>,
    pub(crate) targets: Vec<Credentialed>,
    pub(crate) connector: Connector,
    pub(crate) requests: Arc<Requests>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) standings: Arc<[Standing]>,
    pub(crate) stop: Stop,
    pub(crate) recorder: SyncSender<Message>,
    /// Asked for readings of the targets' own metrics, where they are read.
    pub(crate) metrics: Option<Asker>,
    /// Arrivals of a replayed trace; empty without one.
    pub(crate) offsets: Arc<[Nanos]>,
    /// Requests in flight at most, whatever the plan comes to.
    pub(crate) reach: u32,
    /// This machine's own floor, where it was measured.
    pub(crate) calibration: Option<Calibration>,
    /// How closely the run is followed.
    pub(crate) follow: Follow,
}

/// What became of their work.
#[derive(Default)]
pub(crate) struct Worked {
    pub(crate) notes: Vec<String>,
    pub(crate) given_up: Vec<(TargetName, Failure)>,
    /// Which thread, if one did.
    pub(crate) panicked: Option<&'static str>,
}

/// Streams one thread carries before another pays.
const STREAMS_PER_THREAD: u32 = 500;

/// Threads beside each load thread that look names up and write large bodies.
const BLOCKING_THREADS: usize = 4;

/// What the threads share beside the crew.
pub(crate) struct Shared {
    pub(crate) crew: Crew,
    threads: u32,
    barrier: Barrier,
    course: Mutex<Course>,
    waited_for_disk: AtomicU64,
    stale_connections: AtomicU64,
    panicked: AtomicBool,
}

impl Crew {
    /// Works the agenda off and returns when every request has ended.
    ///
    /// # Errors
    /// When the load threads could not all be started; nothing was sent.
    pub(crate) fn work(self) -> Result<Worked, RunError> {
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
        let threads = self.reach.div_ceil(STREAMS_PER_THREAD).clamp(1, cores);
        let not_started = |source| RunError::Thread { thread: "load", source };
        let runtimes: Vec<Runtime> = (0..threads).map(|_| runtime()).collect::<Result<_, _>>().map_err(not_started)?;
        let hands = hands::hire(threads, std::thread::Builder::spawn).map_err(not_started)?;
        let agenda = Agenda::new(&self.plan, &self.offsets, self.reach, self.calibration.as_ref());
        self.announce(&agenda);
        let shared = Arc::new(Shared {
            crew: self,
            threads,
            barrier: Barrier::new(threads as usize),
            course: Mutex::new(Course::new(agenda)),
            waited_for_disk: AtomicU64::new(0),
            stale_connections: AtomicU64::new(0),
            panicked: AtomicBool::new(false),
        });
        for ((number, hand), runtime) in (0..).zip(&hands).zip(runtimes) {
            let shared = Arc::clone(&shared);
            hand.begin(Box::new(move || thread(&shared, runtime, number)));
        }
        for hand in hands {
            shared.panicked.fetch_or(!hand.join(), Ordering::Relaxed);
        }
        Ok(shared.worked())
    }

    /// Says how much is to be done, as far as that is known beforehand.
    fn announce(&self, agenda: &Agenda) {
        let per_target = |n: u64| n.saturating_mul(self.targets.len() as u64);
        let (requests, duration) = match (agenda, self.plan.stop) {
            (Agenda::Searching(_) | Agenda::UntilPrecise(_) | Agenda::UntilDecided(_), _) => (None, None),
            (Agenda::Listed(_), Enough::Requests(n)) => (Some(per_target(n + self.plan.warmup)), None),
            (Agenda::Listed(turns), Enough::DurationNs(_)) if self.plan.load.is_open() => {
                let measured = turns.iter().flatten().filter_map(|turn| match &turn.share {
                    Share::Open(numbers) => Some(numbers.end - numbers.start),
                    Share::Closed(_) => None,
                });
                (Some(measured.sum::<u64>() + per_target(self.plan.warmup)), None)
            }
            (Agenda::Listed(turns), Enough::DurationNs(_)) => {
                let lengths = turns.iter().filter_map(|together| together.first()?.length);
                (None, Some(lengths.fold(Nanos::ZERO, Nanos::add)))
            }
        };
        self.tell(Progress::Began { requests, duration });
    }

    /// Progress may be missed.
    pub(crate) fn tell(&self, progress: Progress) {
        drop(self.recorder.try_send(Message::Progress(progress)));
    }
}

impl Shared {
    /// A record may not be lost: when the queue is full this waits for the disk, and counts that it did.
    pub(crate) fn keep(&self, record: Box<Record>) {
        self.put(Message::Record(record));
    }

    /// Puts what may not be lost into the recorder's queue. With the recorder gone nothing more can be kept, and the
    /// run ends.
    fn put(&self, message: Message) {
        match self.crew.recorder.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => self.crew.stop.waiting(),
            Err(TrySendError::Full(message)) => {
                self.waited_for_disk.fetch_add(1, Ordering::Relaxed);
                if self.crew.recorder.send(message).is_err() {
                    self.crew.stop.waiting();
                }
            }
        }
    }

    fn worked(&self) -> Worked {
        let mut notes = Vec::new();
        let waited = self.waited_for_disk.load(Ordering::Relaxed);
        if waited > 0 {
            notes.push(format!("the disk was slower than the load: sending paused {} for it", schema::times(waited)));
        }
        let stale = self.stale_connections.load(Ordering::Relaxed);
        if stale > 0 {
            notes.push(format!(
                "requests sent again on a new connection because the server had closed a kept one unannounced: {stale}; \
                 the time lost is in their schedule lag"
            ));
        }
        notes.extend(self.crew.connector.clock().wall_steps().map(|steps| steps.to_string()));
        let named = self.crew.targets.iter().map(|who| &who.target.name).zip(self.crew.standings.iter());
        notes.extend(named.clone().flat_map(|(name, standing)| standing.notes(name)));
        let given_up = named.filter_map(|(name, standing)| Some((name.clone(), standing.hope.lost()?))).collect();
        notes.extend(self.course.lock().unwrap_or_else(PoisonError::into_inner).agenda.notes(&self.crew.plan));
        let panicked = self.panicked.load(Ordering::Relaxed).then_some("load");
        Worked { notes, given_up, panicked }
    }

    /// Does what a thread has to do. A panic stops the run, and the thread still keeps its appointments, so that the others
    /// are not left waiting.
    fn guard<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(work)).ok();
        if done.is_none() {
            self.panicked.store(true, Ordering::Relaxed);
            self.crew.stop.waiting();
        }
        done
    }
}

/// What one load thread sends and waits with.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()
}

/// One load thread, from the first turn to the last.
fn thread(shared: &Arc<Shared>, runtime: Runtime, number: u32) {
    let worker = shared.guard(|| Worker::new(Arc::clone(shared), runtime, number));
    loop {
        let turns = shared.next_turns();
        if turns.is_empty() {
            break;
        }
        shared.guard(|| worker.iter().for_each(|worker| worker.warm(&turns)));
        let begun = shared.begin();
        shared.guard(|| worker.iter().for_each(|worker| worker.take(&begun)));
    }
    let lines = worker.iter().flat_map(|worker| &worker.lines).flatten();
    let stale = lines.map(|line| line.client.stale_connections()).sum();
    shared.stale_connections.fetch_add(stale, Ordering::Relaxed);
}

/// A target that no connection can be made to, told as the failure that every request to it would be.
fn not_to_be_made(error: &SetupError) -> Failure {
    let class = match error {
        SetupError::Roots(_) => FailureClass::Tls,
        SetupError::NoHost(_) => FailureClass::Dns,
    };
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    Failure { class, message: format!("{error}{cause}").as_str().into(), retry_after_ns: None }
}

struct Worker {
    shared: Arc<Shared>,
    runtime: Runtime,
    segment: Segment,
    /// By target; none to one that no connection can be made to.
    lines: Vec<Option<Line>>,
}

/// This thread's way to one target.
struct Line {
    client: Rc<Client>,
    /// Ends what is in flight on it.
    cancel: Arc<AtomicBool>,
}

impl Worker {
    fn new(shared: Arc<Shared>, runtime: Runtime, number: u32) -> Self {
        let line = |(who, standing): (&Credentialed, &Standing)| {
            let cancel = Arc::new(AtomicBool::new(false));
            let made = Client::new(shared.crew.connector.clone(), who, Arc::clone(&cancel));
            let client = made.map_err(|error| standing.hope.give_up(not_to_be_made(&error))).ok().map(Rc::new)?;
            Some(Line { client, cancel })
        };
        let lines = shared.crew.targets.iter().zip(shared.crew.standings.iter()).map(line).collect();
        let segment = Segment::new(number, shared.threads).expect("a thread's number is below their count");
        Self { shared, runtime, segment, lines }
    }

    /// This thread's part of `total`.
    fn part(&self, total: u32) -> usize {
        usize::try_from(self.segment.share(u64::from(total))).unwrap_or(usize::MAX)
    }

    /// Opens the connections that turns will need, so that their requests do not wait for them.
    fn warm(&self, turns: &[Turn]) {
        self.runtime.block_on(join_all(turns.iter().map(|turn| self.open_ahead(turn))));
    }

    async fn open_ahead(&self, turn: &Turn) {
        let Some(Line { client, .. }) = &self.lines[turn.target] else { return };
        let wanted = self.part(turn.connections_ahead(&self.shared.crew.offsets));
        let stop = self.shared.crew.stop.no_more_sending();
        let name = &client.target().name;
        match stop.run_until_cancelled(client.warm(wanted)).await {
            None => {}
            Some(Ok(opened)) => self.shared.crew.tell(Progress::Warmed { target: name.clone(), opened }),
            Some(Err(failure)) if is_hopeless(failure.class) => {
                self.shared.crew.standings[turn.target].hope.give_up(failure);
            }
            Some(Err(failure)) => {
                let note = format!("`{name}`: not all connections could be opened ahead: {}", failure.message);
                self.shared.crew.tell(Progress::Note(note));
            }
        }
    }

    /// Sends this thread's part of turns and waits for all of them to end.
    fn take(&self, begun: &[Begun]) {
        let all = join_all(begun.iter().map(|begun| self.carry_out(begun)));
        self.runtime.block_on(LocalSet::new().run_until(all));
    }

    /// Sends this thread's part of one turn and waits for it to end.
    async fn carry_out(&self, begun: &Begun) {
        let turn = &begun.turn;
        let Some(Line { client, cancel }) = &self.lines[turn.target] else { return };
        let crew = &self.shared.crew;
        let clock = crew.connector.clock();
        let timing = Timing { epoch: clock.zero(), pacing: Pacing::Precise, stop: begun.sending.clone() };
        let place = if turn.load.is_open() { Place::Open } else { Place::Closed };
        let step = turn.step.map_or(0, |rung| rung.number);
        let at = At { target: turn.target, phase: turn.phase, block: turn.block, step };
        let sender = Rc::new(Sender::new(&self.shared, client, at, place, begun.until, begun.sending.clone()));
        cancel.store(false, Ordering::Relaxed);
        let patience = Patience {
            until: begun.until.map(|at| clock.instant(at)),
            sending: begun.sending.clone(),
            target_ends: crew.standings[turn.target].no_more_sending().clone(),
            no_more_waiting: crew.stop.no_more_waiting().clone(),
            grace: crew.plan.grace_ns,
            cancel: Arc::clone(cancel),
        };
        let guard = spawn_local(patience.wait());
        let send = {
            let sender = Rc::clone(&sender);
            move |slot: Slot| Rc::clone(&sender).send(slot)
        };
        match &turn.share {
            Share::Closed(indexes) => load::closed(&self.streams(begun, indexes), &timing, send).await,
            Share::Open(numbers) => {
                let due = self.due(begun, numbers);
                let not_sent = |slot| sender.not_sent(slot);
                load::open(due, &timing, &begun.places, turn.load.when_full(), send, not_sent).await;
            }
        }
        guard.abort();
    }

    /// This thread's streams of a closed loop.
    fn streams<'a>(&self, begun: &'a Begun, indexes: &'a Arc<Counter>) -> Streams<'a> {
        Streams {
            load: &begun.turn.load,
            segment: self.segment,
            seed: self.shared.crew.plan.seed,
            block: begun.turn.block,
            indexes,
            begin: begun.at,
            until: begun.until,
        }
    }

    /// This thread's slots of an open loop.
    fn due(&self, begun: &Begun, numbers: &Range<u64>) -> impl Iterator<Item = Slot> + use<> {
        let Crew { plan, offsets, .. } = &self.shared.crew;
        let Turn { load, block, .. } = &begun.turn;
        let first = numbers.start;
        let due = load::schedule(load, offsets, plan.seed, *block, begun.at, first, self.segment);
        let end = numbers.end;
        due.into_iter().flatten().take_while(move |slot| slot.index < end)
    }
}
