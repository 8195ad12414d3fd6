//! What the connections of one engine share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schema::units::{Moment, Nanos};

use crate::batch::Batch;
use crate::config::Config;
use crate::discipline::{Arrival, Discipline, Occupancy, QueueFull};
use crate::encryption::Encryption;
use crate::engine::{Engine, EngineModel};
use crate::fault::{self, Fault};
use crate::format::quoted;
use crate::journal::Journal;
use crate::law::{Law, Parameters};
use crate::limits::Gate;
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::prefix::{Blocks, PrefixCache};
use crate::scheduler::Scheduler;
use crate::servers::Servers;
use crate::source::Source;
use crate::stall::Freezer;
use crate::stepper::Stepper;

/// How tokens are had.
#[derive(Debug)]
enum Supply {
    Scheduled(Arc<Scheduler>),
    Timed { ttft: Nanos, itl: Nanos },
    Stepped(Stepper),
}

/// The supply that a configuration asks for.
fn supply(config: &Config) -> Supply {
    let discipline: Box<dyn Discipline> = match &config.pace {
        Pace::Fixed { ttft, itl } => return Supply::Timed { ttft: *ttft, itl: *itl },
        Pace::Stepped(stepper) => return Supply::Stepped(stepper.clone()),
        Pace::Model(model) => Box::new(Batch::new(model.clone(), config.seed)),
        Pace::Servers { servers, service, spread } => Box::new(Servers::new(*servers, *service, *spread, config.seed)),
        &Pace::Law { lambda, contention, coherency } => {
            Box::new(Law::new(Parameters { lambda, contention, coherency }))
        }
    };
    Supply::Scheduled(Arc::new(Scheduler::new(discipline)))
}

/// How much is being answered.
#[derive(Debug, Default)]
struct Underway {
    answers: AtomicUsize,
    /// Threads that wait until there are none: the signal costs a system call, even if nobody hears it.
    waiting: AtomicUsize,
    /// Held by who waits but for its sleep, and around the signal: so no signal is missed.
    lock: Mutex<()>,
    /// The signal.
    idle: Condvar,
}

impl Underway {
    fn begin(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self) {
        // Either this sees who waits, or who waits sees that there is nothing to wait for.
        if self.answers.fetch_sub(1, Ordering::SeqCst) == 1 && self.waiting.load(Ordering::SeqCst) > 0 {
            drop(self.lock());
            self.idle.notify_all();
        }
    }

    fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    /// Waits until there are none; `false` when that takes longer than `limit`.
    fn wait(&self, limit: Duration) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waited = self.idle.wait_timeout_while(self.lock(), limit, |()| self.answers() > 0);
        let is_idle = !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        is_idle
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One engine's configuration, scheduler, counters and log, shared by all its connections.
#[derive(Debug)]
pub struct State {
    pub(crate) config: Config,
    /// The served model's name as a JSON string.
    pub(crate) quoted_model: String,
    /// The numbers behind limits and sizes, whatever the pace.
    pub(crate) model: EngineModel,
    pub(crate) journal: Journal,
    pub(crate) encryption: Option<Encryption>,
    metrics: Mutex<Metrics>,
    pub(crate) gate: Gate,
    freezer: Freezer,
    prefixes: Option<Mutex<PrefixCache>>,
    supply: Supply,
    pub(crate) connections: AtomicUsize,
    pub(crate) bytes: AtomicU64,
    /// Requests of every kind.
    pub(crate) requests: AtomicU64,
    generations: AtomicU64,
    underway: Underway,
}

impl State {
    pub(crate) fn new(config: Config, journal: Journal, encryption: Option<Encryption>) -> Self {
        let model = match &config.pace {
            Pace::Model(model) => model.clone(),
            _ => EngineModel::of(config.engine),
        };
        let caches = config.prefix_cache && config.engine == Engine::Vllm && matches!(config.pace, Pace::Model(_));
        Self {
            metrics: Mutex::new(Metrics::new(config.engine)),
            gate: Gate::new(config.limits),
            freezer: Freezer::default(),
            prefixes: caches.then(|| Mutex::new(PrefixCache::new(model.kv_tokens))),
            supply: supply(&config),
            quoted_model: quoted(&config.model),
            config,
            model,
            journal,
            encryption,
            connections: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            generations: AtomicU64::new(0),
            underway: Underway::default(),
        }
    }

    /// Begins an answer to a request to generate: its number, from 0, and a guard for as long as it lasts.
    pub(crate) fn begin(&self) -> (u64, Answering<'_>) {
        self.underway.begin();
        self.freezer.asked();
        (self.generations.fetch_add(1, Ordering::Relaxed), Answering(&self.underway))
    }

    /// Waits until no answer is under way; `false` when that takes longer than `limit`.
    pub(crate) fn wait_idle(&self, limit: Duration) -> bool {
        self.underway.wait(limit)
    }

    /// A number that is always the same for one seed, request and purpose.
    pub(crate) fn draw(&self, request: u64, purpose: u64) -> u64 {
        mix(mix(self.config.seed ^ mix(purpose)).wrapping_add(request))
    }

    /// The fault that request meets.
    pub(crate) fn fault(&self, request: u64) -> Option<Fault> {
        let draw = (self.draw(request, 1) >> 11) as f64 / (1_u64 << 53) as f64;
        fault::pick(&self.config.faults, draw)
    }

    /// What is counted; to be let go of at once.
    pub(crate) fn metrics(&self) -> MutexGuard<'_, Metrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether prefixes of prompts are kept.
    pub(crate) const fn keeps_prefixes(&self) -> bool {
        self.prefixes.is_some()
    }

    /// Takes a prompt into the prefix cache: how many of its tokens were there.
    pub(crate) fn cached(&self, prompt: &Blocks) -> u32 {
        let cache = self.prefixes.as_ref();
        cache.map_or(0, |cache| cache.lock().unwrap_or_else(PoisonError::into_inner).read(prompt))
    }

    /// A supply of `output` tokens for a request; `cached` prompt tokens need not be read.
    pub(crate) fn source(&self, prompt: u32, cached: u32, output: u32, received: Moment) -> Result<Source, QueueFull> {
        match &self.supply {
            Supply::Scheduled(scheduler) => {
                scheduler.submit(Arrival { id: 0, prompt, cached, output, at: received }).map(Source::Model)
            }
            Supply::Timed { ttft, itl } => Ok(Source::fixed(*ttft, *itl, received)),
            Supply::Stepped(stepper) => Ok(Source::stepped(stepper.clone())),
        }
    }

    /// How full the engine is; without a discipline, everyone runs.
    pub(crate) fn occupancy(&self) -> Occupancy {
        match &self.supply {
            Supply::Scheduled(scheduler) => scheduler.occupancy(),
            Supply::Timed { .. } | Supply::Stepped(_) => {
                Occupancy { running: self.underway.answers(), ..Occupancy::default() }
            }
        }
    }

    /// Does the engine's work for as long as it is polled; without a discipline there is nothing to do.
    pub(crate) async fn drive(&self) {
        match &self.supply {
            Supply::Scheduled(scheduler) => scheduler.drive().await,
            Supply::Timed { .. } | Supply::Stepped(_) => std::future::pending().await,
        }
    }

    /// Holds the thread that polls it for the length of the stall, where there is one.
    pub(crate) async fn stall(&self) -> Nanos {
        match self.config.stall {
            Some(stall) => self.freezer.freeze(stall).await,
            None => std::future::pending().await,
        }
    }

    /// What is under way did not go on for so long.
    pub(crate) fn stalled(&self, length: Nanos) {
        if let Supply::Scheduled(scheduler) = &self.supply {
            scheduler.stalled(length);
        }
    }

    /// Ends a stall at once.
    pub(crate) fn thaw(&self) {
        self.freezer.thaw();
    }
}

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Answering<'a>(&'a Underway);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A good hash of a number: the finaliser of `SplitMix64`.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
