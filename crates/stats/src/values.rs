//! The one home of each derived number: what a record's facts make of each [`Metric`].

use schema::event::{Event, EventKind, Stamp};
use schema::metric::Metric;
use schema::record::{Record, ServerTiming};
use schema::units::{Moment, Nanos};

use crate::moments::sd;

/// The values `record` has for `metric`, in the metric's base unit (nanoseconds, tokens, tokens per
/// second): one at most, except ITL (one a gap) and client lag (one a kernel-stamped content event).
///
/// Latency and counts exist for completed requests only; our own part (connect, schedule lag, send
/// lag, client lag) for every request that got that far. Formulas as in [`Metric::definition`].
pub fn metric_values(record: &Record, metric: Metric) -> impl Iterator<Item = f64> + '_ {
    let wanted = |this: Metric| if metric == this { usize::MAX } else { 0 };
    let gaps = gaps(record).take(if record.outcome.is_complete() { wanted(Metric::Itl) } else { 0 });
    let lags = client_lags(record).take(wanted(Metric::ClientLag));
    single(record, metric).into_iter().chain(gaps).chain(lags)
}

/// The value of a metric that has one a request.
pub(crate) fn single(record: &Record, metric: Metric) -> Option<f64> {
    let ours = match metric {
        Metric::Connect => record.connect.map(|c| c.total()),
        Metric::ScheduleLag => schedule_lag(record),
        Metric::SendLag => Some(record.sent_ns? - record.start_ns?),
        _ => None,
    };
    if ours.is_some() || !record.outcome.is_complete() {
        return ours.map(float);
    }
    match metric {
        Metric::Ttft => ttft(record).map(float),
        Metric::TtftFromSchedule => Some(float(first_content(record)?.arrival - record.scheduled_ns)),
        Metric::TtftVisible => ttft_visible(record).map(float),
        Metric::E2e => e2e(record).map(float),
        Metric::Tpot => tpot(record),
        Metric::OutputSpeed => tpot(record).map(|ns| 1e9 / ns),
        Metric::Jitter => sd(&gaps(record).collect::<Vec<_>>()),
        Metric::Stall => gaps(record).reduce(f64::max),
        Metric::OutputTokens => record.tokens.map(|t| t.output as f64),
        Metric::InputTokens => record.tokens.and_then(|t| t.input).map(|t| t as f64),
        Metric::ServerQueue => record.server.and_then(|s| s.queue_ns).map(float),
        Metric::ServerPrefill => record.server.and_then(|s| s.prefill_ns).map(float),
        Metric::ServerDecode => record.server.and_then(|s| s.decode_ns).map(float),
        Metric::ServerTtft => record.server.as_ref().and_then(server_ttft).map(float),
        Metric::ServerTotal => record.server.and_then(|s| s.total_ns).map(float),
        Metric::Itl | Metric::Connect | Metric::ScheduleLag | Metric::ClientLag | Metric::SendLag => None,
    }
}

fn float(nanos: Nanos) -> f64 {
    nanos.0 as f64
}

fn first_content(record: &Record) -> Option<Event> {
    record.events.content().next()
}

fn last_content(record: &Record) -> Option<Event> {
    record.events.content().next_back()
}

/// First content arrival − start, of any request that got that far.
pub(crate) fn ttft(record: &Record) -> Option<Nanos> {
    Some(first_content(record)?.arrival - record.start_ns?)
}

fn ttft_visible(record: &Record) -> Option<Nanos> {
    let answer = record.events.content().find(|e| e.kind == EventKind::Text)?;
    Some(answer.arrival - record.start_ns?)
}

fn e2e(record: &Record) -> Option<Nanos> {
    Some(last_content(record)?.arrival - record.start_ns?)
}

/// Nanoseconds per token after the first. Absent below two tokens, and when all content came at one
/// instant, which says nothing about the pace.
fn tpot(record: &Record) -> Option<f64> {
    let steps = record.tokens?.output.checked_sub(1).filter(|&steps| steps > 0)?;
    let decode = last_content(record)?.arrival - first_content(record)?.arrival;
    (decode > Nanos::ZERO).then(|| float(decode) / steps as f64)
}

/// Gaps between consecutive content events, nanoseconds.
pub(crate) fn gaps(record: &Record) -> impl Iterator<Item = f64> + '_ {
    let mut content = record.events.content();
    let first = content.next().map_or(Moment::EPOCH, |event| event.arrival);
    content.scan(first, |before, event| Some(float(event.arrival - std::mem::replace(before, event.arrival))))
}

fn client_lags(record: &Record) -> impl Iterator<Item = f64> + '_ {
    record.events.content().filter(|e| e.stamp == Stamp::Kernel).map(|e| f64::from(e.lag_ns))
}

/// Of first attempts only: `scheduled` is when the request was due, and a further attempt was not.
pub(crate) fn schedule_lag(record: &Record) -> Option<Nanos> {
    if record.attempt > 0 {
        return None;
    }
    let late = record.start_ns? - record.scheduled_ns;
    Some(late.saturating_sub(record.connect.map_or(Nanos::ZERO, |c| c.total())))
}

/// The server's own TTFT, or its queue + load + prefill where it gives at least the last.
fn server_ttft(server: &ServerTiming) -> Option<Nanos> {
    let parts = |prefill| server.queue_ns.unwrap_or_default() + server.load_ns.unwrap_or_default() + prefill;
    server.ttft_ns.or_else(|| server.prefill_ns.map(parts))
}

/// From start to end of a request that was sent. One without an end (the process died) ends at its
/// last event.
pub(crate) fn span(record: &Record) -> Option<(Moment, Moment)> {
    let start = record.start_ns?;
    let last = record.events.last().map_or(start, |e| e.arrival);
    Some((start, record.end_ns.unwrap_or(last).max(start)))
}

#[cfg(test)]
mod tests;
