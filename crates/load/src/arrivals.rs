//! Schedules of open loops: endless, pure, one file a kind.

mod constant;
mod poisson;

use schema::plan::Arrival;
use schema::units::{Moment, Rate};

use crate::{Segment, Slot};
use constant::Constant;
use poisson::Poisson;

/// The slots of one segment of an open loop's schedule, in order. Endless: the caller takes by count
/// or while `scheduled` is before the end.
#[derive(Debug, Clone)]
pub struct Arrivals {
    process: Process,
    begin: Moment,
    first_index: u64,
    segment: Segment,
    /// Position of the next slot of the whole schedule.
    position: u64,
}

#[derive(Debug, Clone)]
enum Process {
    Constant(Constant),
    Poisson(Box<Poisson>),
}

/// The schedule that offers `rate` from `begin` on, numbered from `first_index`; of it, `segment`.
///
/// A pure function of its arguments. Every slot is an absolute deadline counted from `begin`, so
/// rounding does not add up. Equal arguments give equal arrivals, so targets that take turns within
/// a block meet the same pattern; another `block` gives other random gaps.
pub fn arrivals(
    arrival: Arrival,
    rate: Rate,
    seed: u64,
    block: u32,
    begin: Moment,
    first_index: u64,
    segment: Segment,
) -> Arrivals {
    let process = match arrival {
        Arrival::Constant => Process::Constant(Constant::new(rate)),
        Arrival::Gamma(_) => todo!(),
        Arrival::Poisson => Process::Poisson(Box::new(Poisson::new(rate, seed, block.into()))),
    };
    Arrivals { process, begin, first_index, segment, position: 0 }
}

impl Iterator for Arrivals {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        loop {
            let position = self.position;
            self.position += 1;
            let offset = match &mut self.process {
                Process::Constant(constant) => constant.offset(position),
                Process::Poisson(poisson) => poisson.next_offset(),
            };
            if position % u64::from(self.segment.of()) == u64::from(self.segment.index()) {
                return Some(Slot { index: self.first_index + position, scheduled: self.begin + offset });
            }
        }
    }
}

#[cfg(test)]
mod tests;
