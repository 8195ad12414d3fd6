use jiff::SignedDuration;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use schema::gate::RunName;

use super::*;

fn normal(random: &mut ChaCha12Rng) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// One run a day.
fn points(values: &[f64]) -> Vec<TrendPoint> {
    let begin: Timestamp = "2026-10-01T03:00:00Z".parse().unwrap();
    let point = |(i, value): (usize, &f64)| TrendPoint {
        run: RunName {
            folder: format!("test_{i}"),
            run_id: i.to_string(),
            started: begin + SignedDuration::from_hours(24 * i64::try_from(i).unwrap()),
            commit: None,
        },
        value: Estimate { value: *value, low: None, high: None },
        simulated: false,
    };
    values.iter().enumerate().map(point).collect()
}

fn of(values: &[f64], days: u32) -> Trend {
    trend(&"a".parse().unwrap(), "ttft_p95".parse().unwrap(), points(values), days, 1)
}

#[test]
fn a_step_is_found_where_it_was_and_the_forecast_is_of_the_new_level() {
    let scatter = [0.01, -0.02, 0.0, 0.02, -0.01, 0.015, -0.015];
    let level = |i: usize| if i < 25 { 50e6 } else { 60e6 };
    let values: Vec<f64> = (0..40).map(|i| level(i) * (1.0 + scatter[i % scatter.len()])).collect();
    let trend = of(&values, 3);
    let [change] = trend.changes.as_slice() else { panic!("{:#?}", trend.changes) };
    assert!(change.index.abs_diff(25) <= 1, "{change:#?}");
    assert_eq!(change.began.folder, format!("test_{}", change.index));
    assert_eq!(change.better, Some(false));
    assert!((change.change.value - 0.2).abs() < 0.03, "{change:#?}");
    let Forecast::Known { method, points, .. } = &trend.forecast else { panic!("{:#?}", trend.forecast) };
    assert_eq!((*method, points.len()), (ForecastMethod::Level, 3));
    let last = points[2].value;
    assert!(last.low.unwrap() > 52e6 && last.high.unwrap() < 68e6, "{last:?}");
    assert_eq!(points[0].at.to_string(), "2026-11-10T03:00:00Z");
}

#[test]
fn a_drift_goes_on_in_the_forecast() {
    let mut random = ChaCha12Rng::seed_from_u64(6);
    let times: Vec<f64> = (0..20).map(f64::from).collect();
    let values: Vec<f64> = times.iter().map(|t| 50.0 + t + 0.5 * normal(&mut random)).collect();
    let level = Level { times: &times, values: &values };
    let drift = level.drift().unwrap();
    assert!(drift.p < 0.001 && (drift.per_day.value - 1.0).abs() < 0.1, "{drift:?}");
    let begin = points(&[0.0])[0].run.started;
    let Forecast::Known { method, points, .. } =
        level.forecast("ttft_p95".parse().unwrap(), Some(drift), Some(begin), 5)
    else {
        panic!("20 runs are enough")
    };
    assert_eq!(method, ForecastMethod::Line);
    assert!((points[4].value.value - 74.0).abs() < 1.5, "{points:#?}");
}

#[test]
fn few_runs_give_no_forecast_and_none_no_trouble() {
    assert_eq!(of(&[50.0; 7], 3).forecast, Forecast::TooFewRuns { runs: 7, needed: 8 });
    assert_eq!(of(&[], 3).forecast, Forecast::TooFewRuns { runs: 0, needed: 8 });
    assert_eq!(of(&[50.0], 3).drift, None);
}

#[test]
fn a_share_is_never_forecast_above_one() {
    let times: Vec<f64> = (0..10).map(f64::from).collect();
    let values = [1.0, 0.97, 1.0, 1.0, 0.96, 1.0, 1.0, 0.98, 1.0, 1.0];
    let level = Level { times: &times, values: &values };
    let begin = points(&[0.0])[0].run.started;
    let Forecast::Known { points, .. } = level.forecast(Figure::SuccessRate, None, Some(begin), 1) else { panic!() };
    assert!(points[0].value.high.unwrap() <= 1.0);
}

/// Of a thousand series, how many have their next value within its forecast.
fn held(value: impl Fn(f64, &mut ChaCha12Rng) -> f64) -> u32 {
    let times: Vec<f64> = (0..20).map(f64::from).collect();
    let begin = points(&[0.0])[0].run.started;
    let holds = |seed: u64| {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let values: Vec<f64> = times.iter().map(|t| value(*t, &mut random)).collect();
        let level = Level { times: &times, values: &values };
        let figure = "ttft_p95".parse().unwrap();
        let Forecast::Known { points, .. } = level.forecast(figure, level.drift(), Some(begin), 1) else { panic!() };
        let (next, interval) = (value(20.0, &mut random), points[0].value);
        u32::from(interval.low.unwrap() <= next && next <= interval.high.unwrap())
    };
    (0..1000).map(holds).sum()
}

#[test]
fn forecasts_hold_the_next_run_as_often_as_they_say() {
    let normal_ones = held(|_, random| 50.0 + normal(random));
    assert!((930..=975).contains(&normal_ones), "{normal_ones}");
    let skewed = held(|_, random| 50.0 * (0.2 * normal(random)).exp());
    assert!((925..=975).contains(&skewed), "{skewed}");
    let drifting = held(|t, random| 50.0 + 0.5 * t + normal(random));
    assert!((930..=975).contains(&drifting), "{drifting}");
}
