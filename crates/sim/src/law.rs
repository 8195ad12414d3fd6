//! An engine whose throughput follows the universal scalability law: with N requests in service it
//! completes X(N) = λN ÷ (1 + σ(N − 1) + κN(N − 1)) of them a second (Gunther, 2007).
//!
//! All requests in service share it evenly: each is done once it has had one request's worth of work,
//! the integral of X(N) ÷ N over its time. As all get the same, one clock of work, which runs at that
//! rate, says who is done when.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use schema::units::{Moment, Nanos};

use crate::discipline::{Arrival, Discipline, Emission, Occupancy, QueueFull};

/// The parameters of the law.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    /// λ, requests a second of a single stream.
    pub(crate) lambda: f64,
    /// σ.
    pub(crate) contention: f64,
    /// κ.
    pub(crate) coherency: f64,
}

impl Parameters {
    /// Requests' worth of work a second that each of `requests` gets, X(N) ÷ N.
    fn rate(self, requests: usize) -> f64 {
        let n = requests as f64;
        self.lambda / (1.0 + self.contention * (n - 1.0) + self.coherency * n * (n - 1.0))
    }
}

#[derive(Debug)]
struct Serving {
    output: u32,
    generated: u32,
    began: Moment,
    /// Where the clock of work stood then.
    began_at_work: f64,
}

impl Serving {
    /// Where the clock of work stands at the next token.
    fn next(&self) -> f64 {
        self.began_at_work + f64::from(self.generated + 1) / f64::from(self.output)
    }
}

/// A token to come, by the clock of work.
#[derive(Debug, Clone, Copy)]
struct Due {
    work: f64,
    id: u64,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.work.total_cmp(&other.work).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

/// The state of the shared engine.
#[derive(Debug)]
pub(crate) struct Law {
    parameters: Parameters,
    serving: HashMap<u64, Serving>,
    /// The next token of each in service; those of requests that left are passed over.
    due: BinaryHeap<Reverse<Due>>,
    /// The clock of work, and the moment it is right for.
    work: f64,
    at: Moment,
}

impl Law {
    /// An idle engine. The parameters have been checked.
    pub(crate) fn new(parameters: Parameters) -> Self {
        Self { parameters, serving: HashMap::new(), due: BinaryHeap::new(), work: 0.0, at: Moment::EPOCH }
    }

    /// Lets work go on until `now`.
    fn work_until(&mut self, now: Moment) {
        if now > self.at {
            if !self.serving.is_empty() {
                self.work += (now - self.at).as_secs_f64() * self.parameters.rate(self.serving.len());
            }
            self.at = now;
        }
    }

    fn drop_left(&mut self) {
        while self.due.peek().is_some_and(|Reverse(due)| !self.serving.contains_key(&due.id)) {
            self.due.pop();
        }
    }

    /// When the clock of work gets there if nobody comes or goes.
    fn moment_of(&self, work: f64) -> Moment {
        let seconds = (work - self.work) / self.parameters.rate(self.serving.len());
        self.at + Nanos::from_secs_f64(seconds)
    }
}

impl Discipline for Law {
    fn submit(&mut self, arrival: Arrival) -> Result<(), QueueFull> {
        self.work_until(arrival.at);
        let (began, began_at_work) = (arrival.at, self.work);
        let request = Serving { output: arrival.output.max(1), generated: 0, began, began_at_work };
        self.due.push(Reverse(Due { work: request.next(), id: arrival.id }));
        self.serving.insert(arrival.id, request);
        Ok(())
    }

    fn cancel(&mut self, id: u64, now: Moment) {
        self.work_until(now);
        self.serving.remove(&id);
        self.drop_left();
    }

    fn next_at(&self) -> Option<Moment> {
        self.due.peek().map(|Reverse(due)| self.moment_of(due.work))
    }

    fn advance(&mut self, now: Moment, emissions: &mut Vec<Emission>) {
        while let Some(&Reverse(due)) = self.due.peek() {
            let at = self.moment_of(due.work);
            if at > now {
                break;
            }
            self.due.pop();
            (self.work, self.at) = (self.work.max(due.work), at);
            let Some(request) = self.serving.get_mut(&due.id) else { continue };
            request.generated += 1;
            emissions.push(Emission { id: due.id, scheduled: request.began, generated: request.generated });
            if request.generated < request.output {
                self.due.push(Reverse(Due { work: request.next(), id: due.id }));
            } else {
                self.serving.remove(&due.id);
                self.drop_left();
            }
        }
    }

    fn stalled(&mut self, length: Nanos) {
        self.at = self.at + length;
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy { running: self.serving.len(), ..Occupancy::default() }
    }
}

#[cfg(test)]
mod tests;
