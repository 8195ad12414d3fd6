//! What the connections of one engine share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schema::units::{Moment, Nanos};

use crate::batch::QueueFull;
use crate::config::{Config, Pace};
use crate::engine::EngineModel;
use crate::fault::{self, Fault};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::scheduler::{Occupancy, Scheduler};
use crate::source::Source;
use crate::stepper::Stepper;

/// How tokens are had.
#[derive(Debug)]
enum Supply {
    Batched(Arc<Scheduler>),
    Timed { ttft: Nanos, itl: Nanos },
    Stepped(Stepper),
}

/// One engine's configuration, scheduler, counters and log, shared by all its connections.
#[derive(Debug)]
pub struct State {
    pub(crate) config: Config,
    /// The numbers behind limits and sizes, whatever the pace.
    pub(crate) model: EngineModel,
    pub(crate) journal: Journal,
    pub(crate) metrics: Metrics,
    supply: Supply,
    pub(crate) connections: AtomicUsize,
    pub(crate) bytes: AtomicU64,
    /// Requests of every kind.
    pub(crate) requests: AtomicU64,
    generations: AtomicU64,
    /// Answers under way, and the signal that there are none.
    answering: Mutex<usize>,
    idle: Condvar,
}

impl State {
    pub(crate) fn new(config: Config, journal: Journal) -> Self {
        let profile = EngineModel::of(config.engine);
        let (model, supply) = match &config.pace {
            Pace::Model(model) => {
                let scheduler = Scheduler::new(model.clone(), config.seed);
                (model.clone(), Supply::Batched(Arc::new(scheduler)))
            }
            Pace::Fixed { ttft, itl } => (profile, Supply::Timed { ttft: *ttft, itl: *itl }),
            Pace::Stepped(stepper) => (profile, Supply::Stepped(stepper.clone())),
        };
        Self {
            metrics: Metrics::new(config.engine),
            config,
            model,
            journal,
            supply,
            connections: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            generations: AtomicU64::new(0),
            answering: Mutex::new(0),
            idle: Condvar::new(),
        }
    }

    /// Begins an answer to a request to generate: its number, from 0, and a guard for as long as it lasts.
    pub(crate) fn begin(self: &Arc<Self>) -> (u64, Answering) {
        *self.lock() += 1;
        (self.generations.fetch_add(1, Ordering::Relaxed), Answering(Arc::clone(self)))
    }

    /// Waits until no answer is under way; `false` when that takes longer than `limit`.
    pub(crate) fn wait_idle(&self, limit: Duration) -> bool {
        let waited = self.idle.wait_timeout_while(self.lock(), limit, |answering| *answering > 0);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
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

    /// A supply of `output` tokens for a request.
    pub(crate) fn source(&self, prompt: u32, output: u32, received: Moment) -> Result<Source, QueueFull> {
        match &self.supply {
            Supply::Batched(scheduler) => scheduler.submit(prompt, output, received).map(Source::Model),
            Supply::Timed { ttft, itl } => Ok(Source::fixed(*ttft, *itl, received)),
            Supply::Stepped(stepper) => Ok(Source::stepped(stepper.clone())),
        }
    }

    /// How full the engine is; without a batch, everyone runs.
    pub(crate) fn occupancy(&self) -> Occupancy {
        match &self.supply {
            Supply::Batched(scheduler) => scheduler.occupancy(),
            Supply::Timed { .. } | Supply::Stepped(_) => Occupancy { running: *self.lock(), ..Occupancy::default() },
        }
    }

    /// Carries out the engine's steps for as long as it is polled; without a batch there is nothing to do.
    pub(crate) async fn drive(&self) {
        match &self.supply {
            Supply::Batched(scheduler) => scheduler.drive().await,
            Supply::Timed { .. } | Supply::Stepped(_) => std::future::pending().await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.answering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Answering(Arc<State>);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut answering = self.0.lock();
        *answering -= 1;
        if *answering == 0 {
            self.0.idle.notify_all();
        }
    }
}

/// A good hash of a number: the finaliser of `SplitMix64`.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
