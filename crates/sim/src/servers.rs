//! An engine of known capacity: so many servers, each busy with one request for its service time, and
//! one queue before them.
//!
//! Invariants: first come, first served; at most as many in service as there are servers; while
//! requests wait, a server that becomes free takes the next at the same instant, so that the capacity
//! is exactly servers ÷ mean service time, however late the clock is read.

use std::collections::VecDeque;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, LogNormal};
use schema::units::{Moment, Nanos};

use crate::discipline::{Arrival, Discipline, Emission, Occupancy, QueueFull};

#[derive(Debug)]
struct Serving {
    id: u64,
    output: u32,
    generated: u32,
    began: Moment,
    service: Nanos,
}

impl Serving {
    /// When the next token is there; the last at the end of the service.
    fn next_at(&self) -> Moment {
        let done = u128::from(self.service.0) * u128::from(self.generated + 1) / u128::from(self.output);
        self.began + Nanos(u64::try_from(done).unwrap_or(u64::MAX))
    }
}

/// The state of the servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Servers without work, by the moment since when, longest first.
    idle: VecDeque<Moment>,
    serving: Vec<Serving>,
    waiting: VecDeque<Arrival>,
    service: LogNormal<f64>,
    random: ChaCha12Rng,
}

impl Servers {
    /// Idle servers. The numbers have been checked.
    pub(crate) fn new(servers: u32, service: Nanos, spread: f64, seed: u64) -> Self {
        let service = LogNormal::from_mean_cv(service.as_secs_f64(), spread);
        Self {
            idle: (0..servers).map(|_| Moment::EPOCH).collect(),
            serving: Vec::new(),
            waiting: VecDeque::new(),
            service: service.expect("a checked time and spread are finite and not negative"),
            random: ChaCha12Rng::seed_from_u64(seed),
        }
    }

    /// Lets free servers, the longest idle first, take the requests that have waited longest.
    fn begin(&mut self) {
        while !self.waiting.is_empty() {
            let Some(free) = self.idle.pop_front() else { return };
            let Some(next) = self.waiting.pop_front() else { return };
            let service = Nanos::from_secs_f64(self.service.sample(&mut self.random)).max(Nanos(1));
            let began = next.at.max(free);
            self.serving.push(Serving { id: next.id, output: next.output.max(1), generated: 0, began, service });
        }
    }
}

impl Discipline for Servers {
    fn submit(&mut self, arrival: Arrival) -> Result<(), QueueFull> {
        self.waiting.push_back(arrival);
        self.begin();
        Ok(())
    }

    fn cancel(&mut self, id: u64, now: Moment) {
        self.waiting.retain(|request| request.id != id);
        if let Some(index) = self.serving.iter().position(|request| request.id == id) {
            self.serving.remove(index);
            self.idle.push_back(now);
            self.begin();
        }
    }

    fn next_at(&self) -> Option<Moment> {
        self.serving.iter().map(Serving::next_at).min()
    }

    fn advance(&mut self, now: Moment, emissions: &mut Vec<Emission>) {
        while let Some((index, due)) = earliest(&self.serving).filter(|(_, due)| *due <= now) {
            let request = &mut self.serving[index];
            request.generated += 1;
            emissions.push(Emission { id: request.id, scheduled: request.began, generated: request.generated });
            if request.generated == request.output {
                self.serving.remove(index);
                self.idle.push_back(due);
                self.begin();
            }
        }
    }

    fn stalled(&mut self, length: Nanos) {
        for request in &mut self.serving {
            request.began = request.began + length;
        }
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy { running: self.serving.len(), waiting: self.waiting.len(), ..Occupancy::default() }
    }
}

/// Who gets the next token, and when; of several the one who came first.
fn earliest(serving: &[Serving]) -> Option<(usize, Moment)> {
    serving.iter().map(Serving::next_at).enumerate().min_by_key(|(_, due)| *due)
}

#[cfg(test)]
mod tests;
