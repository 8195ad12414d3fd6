//! What was measured against what a server knows it did.

use schema::record::Record;

/// By how much a record's times differ from a server's own log of the same request, nanoseconds, without sign.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    /// TTFT: (first content arrival − start) − (first content written − request received). Holds the way there and back.
    pub ttft: f64,
    /// ITL, one value a gap: (gap between arrivals) − (gap between writes).
    pub itl: Vec<f64>,
}

/// The errors of `record`, whose server had the whole request at `received_ns` and wrote its content events at
/// `written_ns`, both by one clock of its own. `None` unless it completed and every event written has arrived.
pub fn errors(record: &Record, received_ns: u64, written_ns: &[u64]) -> Option<Errors> {
    let arrivals: Vec<u64> = record.events.content().map(|event| event.arrival.0).collect();
    if !record.outcome.is_complete() || arrivals.is_empty() || arrivals.len() != written_ns.len() {
        return None;
    }
    let difference = |a: u64, b: u64| a as f64 - b as f64;
    let ttft = difference(arrivals[0], record.start_ns?.0) - difference(written_ns[0], received_ns);
    let gaps = arrivals.windows(2).zip(written_ns.windows(2));
    let itl =
        gaps.map(|(arrived, written)| (difference(arrived[1], arrived[0]) - difference(written[1], written[0])).abs());
    Some(Errors { ttft: ttft.abs(), itl: itl.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::record;

    #[test]
    fn an_error_is_the_difference_of_two_clocks_that_count_alike() {
        // Sent at 0, content after 10, 20 and 35 ms.
        let record = record(0, &[10, 20, 35]);
        let ms = 1_000_000;
        let errors = errors(&record, 500 * ms, &[509 * ms, 520 * ms, 534 * ms]).unwrap();
        assert_eq!((errors.ttft, errors.itl), (1e6, vec![1e6, 1e6]));
    }

    #[test]
    fn a_log_of_another_length_says_nothing() {
        assert_eq!(errors(&record(0, &[10, 20]), 0, &[9]), None);
    }
}
