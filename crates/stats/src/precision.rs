//! How precisely a figure is known so far.

use schema::plan::Precision;
use schema::record::{Phase, Record};
use schema::summary::Estimate;

use crate::distribution::Sample;

/// The figure that `wanted` speaks of with its 95 % interval, from the measured requests among `records`;
/// `None` until there are enough of them for one. The interval takes requests as independent, as all
/// intervals of a run do.
pub fn precision(records: &[&Record], wanted: &Precision) -> Option<Estimate> {
    let measured: Vec<&Record> = records.iter().copied().filter(|r| r.phase == Phase::Measured).collect();
    let sample = Sample::of(wanted.metric, &measured)?;
    sample.percentile(wanted.quantile).known().copied()
}

/// Half the interval's width ÷ the value; `None` without an interval, or at zero.
pub fn relative_half_width(estimate: &Estimate) -> Option<f64> {
    let half = (estimate.high? - estimate.low?) / 2.0;
    Some(half / estimate.value).filter(|share| share.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::record;

    #[test]
    fn a_figure_is_known_once_there_are_values_enough_and_the_better_the_more() {
        let records: Vec<Record> = (0..2_000).map(|i| record(i * 10, &[100 + i * 7 % 50, 200])).collect();
        let known = |n: usize| precision(&records[..n].iter().collect::<Vec<_>>(), &"2%".parse().unwrap());
        assert_eq!(known(5), None);
        let (few, many) = (known(50).unwrap(), known(2_000).unwrap());
        let width = |e: &Estimate| relative_half_width(e).unwrap();
        assert!(width(&many) < width(&few) / 3.0, "{few:?} {many:?}");
        assert!((many.value - 124.5e6).abs() < 2e6, "{many:?}");
    }

    #[test]
    fn warm_up_is_no_evidence() {
        let warm = Record { phase: Phase::Warmup, ..record(0, &[100, 200]) };
        assert_eq!(precision(&[&warm; 40], &"2%".parse().unwrap()), None);
        assert_eq!(relative_half_width(&Estimate { value: 0.0, low: Some(0.0), high: Some(1.0) }), None);
        assert_eq!(relative_half_width(&Estimate { value: 1.0, low: None, high: Some(1.0) }), None);
    }
}
