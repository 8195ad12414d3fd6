//! Continuous batching as arithmetic: a queue, a batch, a KV cache and steps, on whatever clock the
//! caller keeps. Nothing here waits.
//!
//! ```text
//! submit ─▶ waiting ─(place in batch, room in cache)─▶ running ─(a step)─▶ one token each ─▶ finished
//!              ▲                                          │
//!              └────────────── cache full ────────────────┘
//! ```
//!
//! Invariants: first come, first admitted; running ≤ `max_batch`; tokens held ≤ `kv_tokens`; a
//! sequence never gets two tokens in one step, nor one before its whole prompt is read.

use std::collections::VecDeque;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, LogNormal};
use schema::units::{Moment, Nanos};

use crate::engine::EngineModel;

/// A step that ended at most this long ago passes its end on as the next one's beginning, so that a
/// timer's lateness does not add up; after a longer pause steps begin anew.
const SLIP: Nanos = Nanos::from_millis(5);

/// The shortest step there is: time always advances.
const SHORTEST_STEP: Nanos = Nanos(1_000);

/// One token for one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emission {
    /// Whose.
    pub(crate) id: u64,
    /// When the sequence first got a place in the batch.
    pub(crate) scheduled: Moment,
    /// The sequence's tokens so far, this one included.
    pub(crate) generated: u32,
}

/// Why a request was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFull;

#[derive(Debug)]
struct Sequence {
    id: u64,
    prompt: u32,
    output: u32,
    generated: u32,
    /// May be admitted from here on.
    ready_at: Moment,
    scheduled: Option<Moment>,
    /// Tokens to read before the next one can be generated, and how many are read.
    to_read: u32,
    read: u32,
    /// Tokens read by the step under way.
    reading: u32,
    /// Tokens held in the KV cache.
    held: u32,
}

/// The state of the simulated accelerator.
#[derive(Debug)]
pub(crate) struct Batch {
    model: EngineModel,
    jitter: LogNormal<f64>,
    random: ChaCha12Rng,
    waiting: VecDeque<Sequence>,
    running: Vec<Sequence>,
    /// When the step under way ends.
    step_ends: Option<Moment>,
    held: u64,
    preemptions: u64,
}

impl Batch {
    /// An idle engine. `model` has been checked.
    pub(crate) fn new(model: EngineModel, seed: u64) -> Self {
        let jitter = LogNormal::new(0.0, model.jitter).expect("a checked sigma is finite and not negative");
        Self {
            model,
            jitter,
            random: ChaCha12Rng::seed_from_u64(seed),
            waiting: VecDeque::new(),
            running: Vec::new(),
            step_ends: None,
            held: 0,
            preemptions: 0,
        }
    }

    /// Queues a request of `prompt` tokens for `output` tokens. Prompts beyond the context are cut to it.
    pub(crate) fn submit(&mut self, id: u64, prompt: u32, output: u32, now: Moment) -> Result<(), QueueFull> {
        if self.waiting.len() + self.running.len() >= self.model.max_batch.saturating_add(self.model.queue_limit) {
            return Err(QueueFull);
        }
        self.waiting.push_back(Sequence {
            id,
            prompt: prompt.clamp(1, self.model.context - 1),
            output: output.max(1),
            generated: 0,
            ready_at: now + self.model.overhead,
            scheduled: None,
            to_read: 0,
            read: 0,
            reading: 0,
            held: 0,
        });
        Ok(())
    }

    /// Forgets a request, wherever it is, and frees its place and cache at once.
    pub(crate) fn cancel(&mut self, id: u64) {
        self.waiting.retain(|sequence| sequence.id != id);
        if let Some(index) = self.running.iter().position(|sequence| sequence.id == id) {
            let sequence = self.running.remove(index);
            self.held -= u64::from(sequence.held);
        }
    }

    /// When [`Batch::advance`] next has something to do; `None` while idle.
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.step_ends.or_else(|| self.waiting.front().map(|sequence| sequence.ready_at))
    }

    /// Carries out every step that ends by `now` and begins the next; appends the tokens they gave.
    pub(crate) fn advance(&mut self, now: Moment, emissions: &mut Vec<Emission>) {
        while let Some(due) = self.next_at().filter(|due| *due <= now) {
            if self.step_ends.take().is_some() {
                self.finish_step(emissions);
            }
            self.begin_step(if now - due < SLIP { due } else { now });
        }
    }

    /// Sequences in the batch.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// Requests queued.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Share of the KV cache in use, 0 to 1.
    pub(crate) fn cache_usage(&self) -> f64 {
        self.held as f64 / self.model.kv_tokens as f64
    }

    /// Times a running sequence was put back for want of cache.
    pub(crate) const fn preemptions(&self) -> u64 {
        self.preemptions
    }

    fn begin_step(&mut self, start: Moment) {
        self.admit(start);
        self.make_room();
        if self.running.is_empty() {
            return;
        }
        let mut budget = self.model.prefill_chunk;
        for sequence in &mut self.running {
            sequence.reading = (sequence.to_read - sequence.read).min(budget);
            budget -= sequence.reading;
        }
        self.step_ends = Some(start + self.step_length());
    }

    /// Moves requests into the batch, in order, while there is a place and room for what they must read.
    fn admit(&mut self, now: Moment) {
        while let Some(next) = self.waiting.front() {
            let needed = next.prompt.saturating_add(next.generated).min(self.model.context);
            let fits = self.held + u64::from(needed) < self.model.kv_tokens || self.running.is_empty();
            if next.ready_at > now || self.running.len() >= self.model.max_batch || !fits {
                return;
            }
            let Some(mut sequence) = self.waiting.pop_front() else { return };
            sequence.scheduled.get_or_insert(now);
            sequence.to_read = needed;
            sequence.read = 0;
            sequence.held = needed;
            self.held += u64::from(needed);
            self.running.push(sequence);
        }
    }

    /// Puts the sequences admitted last back to the queue's front until the others can grow by a token.
    fn make_room(&mut self) {
        while self.running.len() > 1 && self.held + self.growth() > self.model.kv_tokens {
            let Some(mut sequence) = self.running.pop() else { return };
            self.held -= u64::from(sequence.held);
            sequence.held = 0;
            self.preemptions += 1;
            self.waiting.push_front(sequence);
        }
    }

    /// Tokens the cache must be able to take in the coming step.
    fn growth(&self) -> u64 {
        self.running.iter().filter(|sequence| sequence.held < self.model.context).count() as u64
    }

    fn step_length(&mut self) -> Nanos {
        let reading: u64 = self.running.iter().map(|sequence| u64::from(sequence.reading)).sum();
        let prefill = match reading {
            0 => 0,
            tokens => self.model.prefill_base.0 + tokens * self.model.prefill_per_token.0,
        };
        let decode = self.model.decode_base.0 + self.running.len() as u64 * self.model.decode_per_sequence.0;
        let factor = self.jitter.sample(&mut self.random);
        Nanos::from_secs_f64(Nanos(prefill + decode).as_secs_f64() * factor).max(SHORTEST_STEP)
    }

    fn finish_step(&mut self, emissions: &mut Vec<Emission>) {
        let context = self.model.context;
        let mut freed = 0;
        let mut grown = 0;
        self.running.retain_mut(|sequence| {
            sequence.read += std::mem::take(&mut sequence.reading);
            if sequence.read < sequence.to_read {
                return true;
            }
            sequence.generated += 1;
            if sequence.held < context {
                sequence.held += 1;
                grown += 1;
            }
            let scheduled = sequence.scheduled.unwrap_or(sequence.ready_at);
            emissions.push(Emission { id: sequence.id, scheduled, generated: sequence.generated });
            let goes_on = sequence.generated < sequence.output;
            freed += if goes_on { 0 } else { u64::from(sequence.held) };
            goes_on
        });
        self.held = self.held + grown - freed;
    }
}

#[cfg(test)]
mod tests;
