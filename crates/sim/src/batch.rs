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

use crate::discipline::{Arrival, Discipline, Emission, Occupancy, QueueFull};
use crate::engine::EngineModel;

/// A step that ended at most this long ago passes its end on as the next one's beginning, so that a
/// timer's lateness does not add up; after a longer pause steps begin anew.
const SLIP: Nanos = Nanos::from_millis(5);

/// The shortest step there is: time always advances.
const SHORTEST_STEP: Nanos = Nanos(1_000);

#[derive(Debug)]
struct Sequence {
    id: u64,
    prompt: u32,
    /// Prompt tokens that need not be read.
    cached: u32,
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
            sequence.read = sequence.cached;
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

impl Discipline for Batch {
    /// Prompts beyond the context are cut to it.
    fn submit(&mut self, arrival: Arrival) -> Result<(), QueueFull> {
        if self.waiting.len() + self.running.len() >= self.model.max_batch.saturating_add(self.model.queue_limit) {
            return Err(QueueFull);
        }
        let prompt = arrival.prompt.clamp(1, self.model.context - 1);
        self.waiting.push_back(Sequence {
            id: arrival.id,
            prompt,
            cached: arrival.cached.min(prompt - 1),
            output: arrival.output.max(1),
            generated: 0,
            ready_at: arrival.at + self.model.overhead,
            scheduled: None,
            to_read: 0,
            read: 0,
            reading: 0,
            held: 0,
        });
        Ok(())
    }

    fn cancel(&mut self, id: u64, _: Moment) {
        self.waiting.retain(|sequence| sequence.id != id);
        if let Some(index) = self.running.iter().position(|sequence| sequence.id == id) {
            let sequence = self.running.remove(index);
            self.held -= u64::from(sequence.held);
        }
    }

    fn next_at(&self) -> Option<Moment> {
        self.step_ends.or_else(|| self.waiting.front().map(|sequence| sequence.ready_at))
    }

    fn advance(&mut self, now: Moment, emissions: &mut Vec<Emission>) {
        while let Some(due) = self.next_at().filter(|due| *due <= now) {
            if self.step_ends.take().is_some() {
                self.finish_step(emissions);
            }
            self.begin_step(if now - due < SLIP { due } else { now });
        }
    }

    fn stalled(&mut self, length: Nanos) {
        self.step_ends = self.step_ends.map(|end| end + length);
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy {
            running: self.running.len(),
            waiting: self.waiting.len(),
            cache_usage: self.held as f64 / self.model.kv_tokens as f64,
            preemptions: self.preemptions,
        }
    }
}

#[cfg(test)]
mod tests;
