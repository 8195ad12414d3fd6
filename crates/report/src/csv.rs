//! One row a target and metric, for spreadsheets and scripts.

use schema::curve::{Curve, CurvePoint};
use schema::summary::{Distribution, Estimate, Percentile, Summary, TargetSummary};

use crate::{clean, curve};

const HEADINGS: [&str; 28] = [
    "run",
    "target",
    "provider",
    "model",
    "simulated",
    "verdict",
    "metric",
    "n",
    "mean",
    "mean_low",
    "mean_high",
    "sd",
    "sd_low",
    "sd_high",
    "min",
    "p50",
    "p50_low",
    "p50_high",
    "p90",
    "p90_low",
    "p90_high",
    "p95",
    "p95_low",
    "p95_high",
    "p99",
    "p99_low",
    "p99_high",
    "max",
];

/// One row a target and metric; figures in the unit that the metric's name ends with (`ttft_ns`).
/// Rates and prices are rows too, with their figure under `mean`. What is withheld is blank.
pub fn csv(summary: &Summary) -> String {
    let rows = summary.targets.iter().flat_map(|target| {
        let metrics = target.metrics.iter().map(|(metric, d)| (metric.key(), distribution(d)));
        let rates = rates(target).into_iter().map(|(key, estimate)| (key, single(target, &estimate)));
        let rows: Vec<_> = metrics.chain(rates).collect();
        rows.into_iter().map(|(key, figures)| row(summary, target, key, &figures))
    });
    write(std::iter::once(HEADINGS.map(str::to_owned).to_vec()).chain(rows))
}

/// One row a target and level of its curve; no rows without a search. What is unknown is blank.
pub fn csv_curves(summary: &Summary) -> String {
    let rows = summary.curves.iter().flat_map(|curve| curve.points.iter().map(move |point| (curve, point)));
    let rows: Vec<Vec<(String, String)>> = rows.map(|(curve, point)| level(summary, curve, point)).collect();
    let headings = rows.first().map(|row| row.iter().map(|(heading, _)| heading.clone()).collect::<Vec<_>>());
    let cells = rows.into_iter().map(|row| row.into_iter().map(|(_, cell)| cell).collect());
    write(headings.into_iter().chain(cells))
}

/// Heading and cell of each column of one level.
fn level(summary: &Summary, curve: &Curve, point: &CurvePoint) -> Vec<(String, String)> {
    let text = |heading: &str, text: &str| vec![(heading.to_owned(), clean::cell(text))];
    let figure =
        |heading: &str, x: Option<f64>| vec![(heading.to_owned(), x.map(|x| x.to_string()).unwrap_or_default())];
    let with_ends = |heading: &str, estimate: Option<&Estimate>| {
        let names = ["", "_low", "_high"].map(|end| format!("{heading}{end}"));
        names.into_iter().zip(ends(estimate)).flat_map(|(name, x)| figure(&name, x)).collect::<Vec<_>>()
    };
    let steps: Vec<String> = point.steps.iter().map(ToString::to_string).collect();
    let mut cells = vec![
        text("run", &summary.name),
        text("target", curve.target.as_str()),
        text("simulated", if curve.simulated { "SIMULATED" } else { "" }),
        text("axis", curve.axis.in_words()),
        figure("level", Some(point.level)),
        text("steps", &steps.join(" ")),
        figure("attempted", Some(point.attempted as f64)),
        figure("completed", Some(point.completed as f64)),
        figure("offered_requests_per_s", Some(point.offered_requests_per_s)),
        with_ends("requests_per_s", Some(&point.requests_per_s)),
        figure("goodput_requests_per_s", point.goodput_requests_per_s),
        with_ends("output_tokens_per_s", Some(&point.output_tokens_per_s)),
        figure("mean_in_flight", Some(point.mean_in_flight)),
    ];
    let times = curve::times(point);
    cells.extend(
        times.iter().map(|(metric, at, estimate)| with_ends(&format!("{}_{at}_ns", metric.short()), estimate.as_ref())),
    );
    cells.extend([
        text("slo", curve::status(point.slo)),
        text("saturated", point.saturated.as_deref().unwrap_or("")),
        text("verdict", point.trust.in_words()),
    ]);
    cells.concat()
}

/// Writes rows of cells; the cells are clean already.
pub(crate) fn write(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("rows of equal length, written to memory");
    }
    let bytes = writer.into_inner().expect("memory takes every write");
    String::from_utf8(bytes).expect("made of strings")
}

fn row(summary: &Summary, target: &TargetSummary, metric: &str, figures: &[Option<f64>; 21]) -> Vec<String> {
    let trust = target.quality.trust.in_words();
    let mark = if target.simulated { "SIMULATED" } else { "" };
    let texts = [&summary.name, target.target.as_str(), &target.provider, &target.model, mark, trust, metric];
    let figures = figures.iter().map(|figure| figure.map(|x| x.to_string()).unwrap_or_default());
    texts.iter().map(|text| clean::cell(text)).chain(figures).collect()
}

fn ends(estimate: Option<&Estimate>) -> [Option<f64>; 3] {
    [estimate.map(|e| e.value), estimate.and_then(|e| e.low), estimate.and_then(|e| e.high)]
}

fn distribution(d: &Distribution) -> [Option<f64>; 21] {
    let mut figures = [None; 21];
    figures[0] = Some(d.n as f64);
    figures[1..4].copy_from_slice(&ends(Some(&d.mean)));
    figures[4..7].copy_from_slice(&ends(d.sd.as_ref()));
    figures[7] = Some(d.min);
    for (place, percentile) in [(8, &d.p50), (11, &d.p90), (14, &d.p95), (17, &d.p99)] {
        figures[place..place + 3].copy_from_slice(&ends(Percentile::known(percentile)));
    }
    figures[20] = Some(d.max);
    figures
}

fn single(target: &TargetSummary, estimate: &Estimate) -> [Option<f64>; 21] {
    let mut figures = [None; 21];
    figures[0] = Some(target.attempted as f64);
    figures[1..4].copy_from_slice(&ends(Some(estimate)));
    figures
}

fn per_1k(target: &TargetSummary) -> Option<Estimate> {
    Some(target.conversations.as_ref()?.over_context.as_ref()?.per_1k_tokens_ns)
}

fn rates(target: &TargetSummary) -> Vec<(&'static str, Estimate)> {
    let bare = |value: f64| Estimate { value, low: None, high: None };
    let throughput = &target.throughput;
    let cost = target.cost.as_ref();
    let rates = [
        ("success_rate", Some(bare(target.success_rate))),
        ("requests_per_s", Some(throughput.requests_per_s)),
        ("output_tokens_per_s", Some(throughput.output_tokens_per_s)),
        ("input_tokens_per_s", throughput.input_tokens_per_s.map(bare)),
        ("goodput_requests_per_s", throughput.goodput_requests_per_s.map(bare)),
        ("mean_in_flight", Some(bare(throughput.mean_in_flight))),
        ("retention", target.conversations.as_ref().and_then(|all| all.retention.share)),
        ("ttft_ns_per_1k_context_tokens", per_1k(target)),
        ("cost_per_request_usd", cost.and_then(|c| c.per_request_usd)),
        ("output_tokens_per_usd", cost.and_then(|c| c.output_tokens_per_usd).map(bare)),
    ];
    rates.into_iter().filter_map(|(key, estimate)| Some((key, estimate?))).collect()
}
