//! How far one E2E could be off.

use schema::event::Stamp;
use schema::metric::Metric;
use schema::record::Record;
use schema::units::{Moment, Nanos};

/// The sum of what is not known of both ends of `record`'s E2E, each as it was measured in this very request:
///
/// - of the start, the time until the request's last byte had left, where the kernel tells;
/// - of the last content's arrival, how far the kernel's stamp and our reading lie apart; with a stamp of user space, how
///   late this machine was in sending, for it may be as late in reading;
/// - and where that piece shared its read with the one before, the time since the read before.
///
/// `None` when the request has no E2E.
pub(super) fn of(record: &Record) -> Option<Nanos> {
    let start = record.start_ns?;
    let last = record.events.content().next_back()?;
    let leaving = record.sent_ns.map_or(Nanos::ZERO, |sent| sent - start);
    let reading = match last.stamp {
        Stamp::Kernel => Nanos(last.lag_ns.into()),
        Stamp::User => late_in_sending(record),
    };
    let shared = if last.shared_read { last.arrival - read_before(record, last.arrival) } else { Nanos::ZERO };
    Some(leaving + reading + shared)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, as they were recorded")]
fn late_in_sending(record: &Record) -> Nanos {
    stats::metric_values(record, Metric::ScheduleLag).next().map_or(Nanos::ZERO, |lag| Nanos(lag as u64))
}

/// The latest arrival before `arrival`, or when the answer began.
fn read_before(record: &Record, arrival: Moment) -> Moment {
    let before = record.events.iter().rev().map(|event| event.arrival).find(|&at| at < arrival);
    before.or(record.first_byte_ns).or(record.start_ns).unwrap_or(arrival).min(arrival)
}
