//! The load threads: each has a runtime of its own, and all take each turn together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Barrier};

use load::{Pacing, Segment, Slot, Timing};
use schema::plan::{Load, Plan, Stop as Enough};
use schema::progress::Progress;
use schema::record::{Failure, FailureClass, Record};
use schema::target::{Credentialed, TargetName};
use schema::units::{Moment, Nanos};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;
use transport::{Client, Connector, SetupError};

use crate::budget::Budget;
use crate::hope::is_hopeless;
use crate::recorder::Message;
use crate::requests::Requests;
use crate::sender::{At, Place, Sender};
use crate::standing::Standing;
use crate::stop::Stop;
use crate::turns::{Share, Turn, schedule, turns};

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
}

/// What became of their work.
pub(crate) struct Worked {
    pub(crate) notes: Vec<String>,
    pub(crate) given_up: Vec<(TargetName, Failure)>,
    pub(crate) panicked: bool,
}

/// Streams one thread carries before another pays.
const STREAMS_PER_THREAD: u32 = 500;

/// Connections opened ahead for an open loop, whose need is not known.
const MOST_WARMED_OPEN: f64 = 256.0;

/// Time for all threads to be ready when a turn begins.
const LEAD: Nanos = Nanos::from_millis(2);

/// What the threads share beside the crew.
pub(crate) struct Shared {
    pub(crate) crew: Crew,
    turns: Vec<Turn>,
    threads: u32,
    barrier: Barrier,
    agreed: AtomicBool,
    /// When the turn at hand begins.
    begin: AtomicU64,
    waited_for_disk: AtomicU64,
    stale_connections: AtomicU64,
    pub(crate) out_of_budget: AtomicBool,
    panicked: AtomicBool,
}

impl Crew {
    /// Works all turns off and returns when every request has ended.
    pub(crate) fn work(self) -> Worked {
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
        let threads = self.plan.load.places().div_ceil(STREAMS_PER_THREAD).clamp(1, cores);
        let turns = turns(&self.plan);
        self.announce(&turns);
        let shared = Arc::new(Shared {
            crew: self,
            turns,
            threads,
            barrier: Barrier::new(threads as usize),
            agreed: AtomicBool::new(false),
            begin: AtomicU64::new(0),
            waited_for_disk: AtomicU64::new(0),
            stale_connections: AtomicU64::new(0),
            out_of_budget: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        let handles: Vec<_> = (0..threads)
            .map(|number| {
                let shared = Arc::clone(&shared);
                let name = format!("load-{number}");
                std::thread::Builder::new().name(name).spawn(move || thread(&shared, number))
            })
            .collect();
        for handle in handles {
            let ended = handle.expect("the system lets us start a thread").join();
            shared.panicked.fetch_or(ended.is_err(), Ordering::Relaxed);
        }
        shared.worked()
    }

    fn announce(&self, turns: &[Turn]) {
        let per_target = |n: u64| n.saturating_mul(self.targets.len() as u64);
        let (requests, duration) = match (self.plan.stop, &self.plan.load) {
            (Enough::Requests(n), _) => (Some(per_target(n + self.plan.warmup)), None),
            (Enough::DurationNs(_), load) if load.is_open() => {
                let measured = turns.iter().filter_map(|turn| match &turn.share {
                    Share::Open { indexes, .. } => Some(indexes.end - indexes.start),
                    Share::Closed { .. } => None,
                });
                (Some(measured.sum::<u64>() + per_target(self.plan.warmup)), None)
            }
            (Enough::DurationNs(length), _) => (None, Some(Nanos(per_target(length.0)))),
        };
        self.tell(Progress::Began { requests, duration });
    }

    /// Progress may be missed.
    pub(crate) fn tell(&self, progress: Progress) {
        drop(self.recorder.try_send(Message::Progress(progress)));
    }
}

impl Shared {
    /// Waits until all threads are here; one decides, and all get its answer.
    fn agree(&self, decide: impl FnOnce() -> bool) -> bool {
        if self.barrier.wait().is_leader() {
            self.agreed.store(decide(), Ordering::Relaxed);
        }
        self.barrier.wait();
        self.agreed.load(Ordering::Relaxed)
    }

    fn is_wanted(&self, turn: &Turn) -> bool {
        self.crew.standings[turn.target].hope.lost().is_none() && !self.crew.stop.no_more_sending().is_cancelled()
    }

    /// Sets when the turn begins, if its target could be reached.
    fn begin(&self, turn: &Turn) -> bool {
        let begin = self.crew.connector.clock().now() + LEAD;
        self.begin.store(begin.0, Ordering::Relaxed);
        let target = self.crew.targets[turn.target].target.name.clone();
        self.crew.tell(Progress::Block { target, phase: turn.phase, block: turn.block });
        self.is_wanted(turn)
    }

    /// A record may not be lost: when the queue is full this waits for the disk, and counts that it did. With the
    /// recorder gone nothing more can be kept, and the run ends.
    pub(crate) fn keep(&self, record: Record) {
        match self.crew.recorder.try_send(Message::Record(Box::new(record))) {
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
            notes.push(format!("the disk was slower than the load: sending paused {waited} times for it"));
        }
        let stale = self.stale_connections.load(Ordering::Relaxed);
        if stale > 0 {
            notes.push(format!(
                "requests sent again on a new connection because the server had closed a kept one unannounced: {stale}; \
                 the time lost is in their schedule lag"
            ));
        }
        if self.out_of_budget.load(Ordering::Relaxed) {
            notes.push("the budget was reached: the requests after that were not sent".to_owned());
        }
        let named = self.crew.targets.iter().map(|who| &who.target.name).zip(self.crew.standings.iter());
        notes.extend(named.clone().flat_map(|(name, standing)| standing.notes(name)));
        let given_up = named.filter_map(|(name, standing)| Some((name.clone(), standing.hope.lost()?))).collect();
        Worked { notes, given_up, panicked: self.panicked.load(Ordering::Relaxed) }
    }
}

/// One load thread, from the first turn to the last. A panic in a turn stops the run, and the thread
/// still keeps its appointments, so that the others are not left waiting.
fn thread(shared: &Arc<Shared>, number: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| shared.crew.tell(Progress::Note(format!("a load thread has no runtime: {e}")))).ok();
    let worker = runtime.map(|runtime| Worker::new(Arc::clone(shared), runtime, number));
    for turn in &shared.turns {
        let guarded = |step: &dyn Fn(&Worker)| {
            let Some(worker) = &worker else { return };
            if catch_unwind(AssertUnwindSafe(|| step(worker))).is_err() {
                shared.panicked.store(true, Ordering::Relaxed);
                shared.crew.stop.waiting();
            }
        };
        if !shared.agree(|| shared.is_wanted(turn)) {
            continue;
        }
        guarded(&|worker| worker.warm(turn));
        if shared.agree(|| shared.begin(turn)) {
            guarded(&|worker| worker.take(turn));
        }
    }
    let clients = worker.iter().flat_map(|worker| &worker.clients).flatten();
    let stale = clients.map(|client| client.stale_connections()).sum();
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
    /// Ends what this thread has in flight.
    cancel: Arc<AtomicBool>,
    clients: Vec<Option<Rc<Client>>>,
}

impl Worker {
    fn new(shared: Arc<Shared>, runtime: Runtime, number: u32) -> Self {
        let cancel = Arc::new(AtomicBool::new(false));
        let client = |(who, standing): (&Credentialed, &Standing)| {
            let made = Client::new(shared.crew.connector.clone(), who, Arc::clone(&cancel));
            made.map_err(|error| standing.hope.give_up(not_to_be_made(&error))).ok().map(Rc::new)
        };
        let clients = shared.crew.targets.iter().zip(shared.crew.standings.iter()).map(client).collect();
        let segment = Segment::new(number, shared.threads).expect("a thread's number is below their count");
        Self { shared, runtime, segment, cancel, clients }
    }

    /// This thread's part of `total`.
    fn part(&self, total: u32) -> usize {
        usize::try_from(self.segment.share(u64::from(total))).unwrap_or(usize::MAX)
    }

    /// Opens the connections a turn will need, so that its requests do not wait for them.
    fn warm(&self, turn: &Turn) {
        let Some(client) = &self.clients[turn.target] else { return };
        let wanted = match (&turn.share, &self.shared.crew.plan.load) {
            (Share::Closed { concurrency, .. }, _) => self.part(*concurrency),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=256")]
            (Share::Open { .. }, Load::Open { rate_per_s, max_concurrency, .. }) => {
                let second = rate_per_s.get().clamp(1.0, MOST_WARMED_OPEN) as u32;
                self.part(second.min(*max_concurrency))
            }
            (Share::Open { .. }, _) => 0,
        };
        let stop = self.shared.crew.stop.no_more_sending();
        let opened = self.runtime.block_on(stop.run_until_cancelled(client.warm(wanted)));
        if let Some(Err(failure)) = opened {
            let hope = &self.shared.crew.standings[turn.target].hope;
            if is_hopeless(failure.class) {
                hope.give_up(failure);
            } else {
                let name = &client.target().name;
                let note = format!("`{name}`: not all connections could be opened ahead: {}", failure.message);
                self.shared.crew.tell(Progress::Note(note));
            }
        }
    }

    /// Sends this thread's part of a turn and waits for it to end.
    fn take(&self, turn: &Turn) {
        let Some(client) = &self.clients[turn.target] else { return };
        let shared = &self.shared;
        let clock = shared.crew.connector.clock();
        let begin = Moment(shared.begin.load(Ordering::Relaxed));
        let until = turn.length().map(|length| begin + length);
        let no_more_sending = shared.crew.standings[turn.target].no_more_sending();
        let timing = Timing { epoch: clock.zero(), pacing: Pacing::Precise, stop: no_more_sending.clone() };
        let place = match &turn.share {
            Share::Closed { .. } => Place::Closed,
            Share::Open { .. } => Place::Open,
        };
        let at = At { target: turn.target, phase: turn.phase, block: turn.block, step: 0 };
        let sender = Rc::new(Sender::new(shared, client, at, place, until));
        let local = LocalSet::new();
        self.cancel.store(false, Ordering::Relaxed);
        let guard = patience(
            until.map(|at| clock.instant(at)),
            no_more_sending.clone(),
            shared.crew.stop.clone(),
            shared.crew.plan.grace_ns,
            Arc::clone(&self.cancel),
        );
        let guard = local.spawn_local(guard);
        let work = async {
            match &turn.share {
                Share::Closed { concurrency, indexes, .. } => {
                    tokio::time::sleep_until(clock.instant(begin)).await;
                    let send = move |slot: Slot| {
                        let sent = Rc::clone(&sender).send(slot);
                        async { drop(sent.await) }
                    };
                    load::closed(self.part(*concurrency), indexes, until, &timing, send).await;
                }
                Share::Open { indexes, .. } => {
                    let send = {
                        let sender = Rc::clone(&sender);
                        move |slot: Slot| {
                            let sent = Rc::clone(&sender).send(slot);
                            async { drop(sent.await) }
                        }
                    };
                    let slots = schedule(&shared.crew.plan, turn.block, begin, indexes.start, self.segment);
                    let slots = slots.take_while(|slot| slot.index < indexes.end);
                    let places = self.part(shared.crew.plan.load.places());
                    load::open(slots, &timing, places, send, |slot| sender.not_sent(slot)).await;
                }
            }
            guard.abort();
        };
        self.runtime.block_on(local.run_until(work));
    }
}

/// Sets `cancel` once patience with what is in flight is at its end: a grace period after sending
/// ended, by time or by request, or at once when asked.
async fn patience(
    until: Option<tokio::time::Instant>,
    no_more_sending: CancellationToken,
    stop: Stop,
    grace: Nanos,
    cancel: Arc<AtomicBool>,
) {
    let sending_ends = async {
        match until {
            Some(until) => {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = no_more_sending.cancelled() => {}
                }
            }
            None => no_more_sending.cancelled().await,
        }
        tokio::time::sleep(grace.into()).await;
    };
    tokio::select! {
        () = sending_ends => {}
        () = stop.no_more_waiting().cancelled() => {}
    }
    cancel.store(true, Ordering::Relaxed);
}
