//! How many replicas a demand takes at an SLO, and what they cost: from a search over levels of load.

use schema::curve::{Curve, CurvePoint};
use schema::plan::{Axis, Plan};
use schema::projection::{Assumptions, Projected, ProjectedUnit, Projection, TargetProjection};
use schema::summary::{SloStatus, Summary, TargetSummary};
use schema::target::Target;

use crate::ledger::{Ledger, projection};
use crate::range::Range;

const SECONDS_A_DAY: f64 = 86_400.0;
const HOURS_A_MONTH: f64 = 365.0 * 24.0 / 12.0;
const DAYS_A_MONTH: f64 = 365.0 / 12.0;

/// How far demand, capacity and price are moved to show what the answer hangs on.
const SENSITIVITY: f64 = 0.2;

/// Replicas, headroom and cost for the demand in `assumptions`, for each target that has a curve; `prices` are further
/// prices of a replica hour in US dollars, to see what they would change.
///
/// Replicas = ⌈peak demand ÷ (what one carries within the SLOs × utilisation)⌉ + spare ones; peak demand = requests a
/// day ÷ 86,400 s × peak factor. What one carries is the search's answer: its value the highest level certainly met, its
/// upper end the lowest certainly missed. `None` without `requests_per_day`.
pub fn capacity(plan: &Plan, summary: &Summary, assumptions: &Assumptions, prices: &[f64]) -> Option<Projected> {
    assumptions.requests_per_day.as_ref()?;
    let mut ledger = Ledger::new(assumptions);
    let mut targets = Vec::new();
    for curve in &summary.curves {
        let known = summary.targets.iter().find(|target| target.target == curve.target);
        let asked = plan.targets.iter().find(|target| target.name == curve.target);
        if let Some((known, asked)) = known.zip(asked) {
            targets.push(of_target(curve, known, asked, &mut ledger, prices)?);
        }
    }
    Some(Projected {
        name: summary.name.clone(),
        simulated: targets.iter().any(|target| target.simulated),
        assumptions: ledger.close(),
        targets,
    })
}

fn of_target(
    curve: &Curve,
    summary: &TargetSummary,
    target: &Target,
    ledger: &mut Ledger,
    prices: &[f64],
) -> Option<TargetProjection> {
    let per_day = ledger.take("requests_per_day")?;
    let peak = per_day * ledger.take_or("peak_factor", 1.0, "none given: the day's mean, with no peak at all");
    let peak = peak * (1.0 / SECONDS_A_DAY);
    let mut sheet = Sheet { projections: Vec::new(), notes: Vec::new() };
    sheet.add("peak demand", ProjectedUnit::RequestsPerS, peak, "requests a day ÷ 86,400 s × peak factor");
    let Some(carried) = carried(curve, &mut sheet.notes) else {
        sheet.notes.push("no level of load was certainly within the SLOs: there is nothing to plan with".to_owned());
        return Some(sheet.of(curve));
    };
    let longer = longer(summary, ledger, &mut sheet.notes);
    let carried = carried / longer;
    sheet.add(
        "one replica carries",
        ProjectedUnit::RequestsPerS,
        carried,
        "the highest level certainly within the SLOs; its upper end the lowest certainly not",
    );
    let used = ledger.take_or("utilisation", 1.0, "none given: all that a replica carries is used");
    let spare = ledger.take_or("spare_replicas", 0.0, "none given");
    let fleet = Fleet { used, spare };
    let replicas = fleet.replicas(peak, carried);
    sheet.add("replicas", ProjectedUnit::Count, replicas, "⌈peak demand ÷ (one replica × utilisation)⌉ + spare");
    let headroom = (replicas.value * carried.value / peak.value - 1.0).max(-1.0);
    sheet.add(
        "headroom at the peak",
        ProjectedUnit::Share,
        Range::exactly(headroom),
        "replicas × one replica ÷ peak demand − 1",
    );
    if let Some(hourly) = ledger.take("replica_usd_per_hour") {
        sheet.cost(replicas, hourly, per_day);
        for &price in prices {
            let month = replicas * price * HOURS_A_MONTH;
            sheet.add(
                format!("cost a month at {price} USD/hour"),
                ProjectedUnit::Usd,
                month,
                "replicas × that price × 730 h",
            );
        }
        for (moved, peak, carried) in moved(peak, carried) {
            let month = fleet.replicas(peak, carried) * hourly * HOURS_A_MONTH;
            sheet.add(format!("cost a month, {moved}"), ProjectedUnit::Usd, month, "the same, with that one changed");
        }
    }
    for (moved, peak, carried) in moved(peak, carried) {
        sheet.add(
            format!("replicas, {moved}"),
            ProjectedUnit::Count,
            fleet.replicas(peak, carried),
            "the same, with that one changed",
        );
    }
    sheet.by_the_token(summary, target, ledger, per_day);
    Some(sheet.of(curve))
}

/// What is kept in hand.
struct Fleet {
    used: Range,
    spare: Range,
}

impl Fleet {
    fn replicas(&self, peak: Range, carried: Range) -> Range {
        // A thousandth of a replica is rounding, not demand.
        let needed = (peak / (carried * self.used)).each(|x| (x - 1e-3).ceil().max(1.0));
        Range {
            value: needed.value + self.spare.value,
            low: needed.low + self.spare.low,
            high: needed.high + self.spare.high,
        }
    }
}

/// Demand and capacity, each a fifth lower and higher.
fn moved(peak: Range, carried: Range) -> [(String, Range, Range); 4] {
    let percent = SENSITIVITY * 100.0;
    let (less, more) = (1.0 - SENSITIVITY, 1.0 + SENSITIVITY);
    [
        (format!("demand {percent:.0} % lower"), peak * less, carried),
        (format!("demand {percent:.0} % higher"), peak * more, carried),
        (format!("capacity {percent:.0} % lower"), peak, carried * less),
        (format!("capacity {percent:.0} % higher"), peak, carried * more),
    ]
}

/// The figures of one target as they are gathered.
struct Sheet {
    projections: Vec<Projection>,
    notes: Vec<String>,
}

impl Sheet {
    fn add(&mut self, figure: impl Into<String>, unit: ProjectedUnit, range: Range, how: &str) {
        self.projections.push(projection(figure, unit, range, how));
    }

    fn cost(&mut self, replicas: Range, hourly: Range, per_day: Range) {
        let month = replicas * hourly * HOURS_A_MONTH;
        self.add("cost a month", ProjectedUnit::Usd, month, "replicas × price an hour × 730 h");
        let thousand = month / (per_day * (DAYS_A_MONTH / 1000.0));
        self.add("cost per 1k requests", ProjectedUnit::Usd, thousand, "cost a month ÷ the month's requests × 1,000");
    }

    /// What the same demand costs at the target's price by the token.
    fn by_the_token(&mut self, summary: &TargetSummary, target: &Target, ledger: &mut Ledger, per_day: Range) {
        let measured = summary.cost.as_ref().and_then(|cost| cost.per_request_usd.as_ref()).map(Range::from);
        let lengths = [("input_tokens", summary.input_tokens), ("output_tokens", summary.output_tokens)]
            .map(|(name, measured)| (ledger.take(name), mean(measured, summary.completed)));
        let given = lengths.iter().any(|(given, _)| given.is_some());
        let [input, output] = lengths.map(|(given, measured)| given.or(measured));
        let priced = target.price.as_ref().zip(input.zip(output)).filter(|_| given).map(|(price, (input, output))| {
            let token = |usd: schema::units::Usd| usd.0.to_string().parse::<f64>().unwrap_or_default() / 1e6;
            let (of_input, of_output) =
                (input * token(price.input_per_mtok_usd), output * token(price.output_per_mtok_usd));
            Range {
                value: of_input.value + of_output.value,
                low: of_input.low + of_output.low,
                high: of_input.high + of_output.high,
            }
        });
        if let Some(each) = priced.or(measured) {
            let month = each * per_day * DAYS_A_MONTH;
            self.add(
                "cost a month by the token",
                ProjectedUnit::Usd,
                month,
                "cost of a request × the month's requests",
            );
        }
    }

    fn of(self, curve: &Curve) -> TargetProjection {
        let Self { projections, notes } = self;
        TargetProjection { target: curve.target.clone(), simulated: curve.simulated, projections, notes }
    }
}

fn mean(sum: u64, of: u64) -> Option<Range> {
    (of > 0 && sum > 0).then(|| Range::exactly(sum as f64 / of as f64))
}

/// Requests per second within the SLOs: value and lower end certainly, upper end at most. Levels of concurrency carry what
/// was measured at them, with its interval.
fn carried(curve: &Curve, notes: &mut Vec<String>) -> Option<Range> {
    if curve.points.iter().all(|point| point.slo.is_none()) {
        notes
            .push("no SLO was set: what one replica carries is its highest throughput, at whatever latency".to_owned());
        let most = curve.points.iter().max_by(|a, b| a.requests_per_s.value.total_cmp(&b.requests_per_s.value))?;
        return Some(Range::from(&most.requests_per_s)).filter(|range| range.low > 0.0);
    }
    let lowest_miss = curve.points.iter().find(|point| point.slo == Some(SloStatus::Missed));
    let below = |point: &&CurvePoint| lowest_miss.is_none_or(|miss| point.level < miss.level);
    let met = curve.points.iter().filter(below).rfind(|point| point.slo == Some(SloStatus::Met))?;
    let rate = |point: &CurvePoint| match curve.axis {
        Axis::Rate => Range::exactly(point.level),
        // Only measured, so with the error of that.
        Axis::Concurrency => Range::from(&point.requests_per_s),
    };
    if lowest_miss.is_none() {
        notes.push("no level was certainly beyond the SLOs: one replica may carry more than was tried".to_owned());
    }
    let met = rate(met);
    Some(Range { high: lowest_miss.map_or(met.high, |miss| rate(miss).high.max(met.high)), ..met })
        .filter(|met| met.value > 0.0)
}

/// How many times as long as measured the demanded requests are, between input and output.
fn longer(summary: &TargetSummary, ledger: &mut Ledger, notes: &mut Vec<String>) -> Range {
    let measured = [("input_tokens", summary.input_tokens), ("output_tokens", summary.output_tokens)];
    let ratios: Vec<Range> = measured
        .into_iter()
        .filter_map(|(name, sum)| Some(ledger.take(name)? / mean(sum, summary.completed)?))
        .collect();
    let Some(first) = ratios.first().copied() else { return Range::exactly(1.0) };
    notes.push(
        "lengths other than the measured ones: capacity is taken to fall in proportion to them, between input's and output's ratio, of which the plan takes the worse; a search with those lengths (`--input-tokens`, `--max-tokens`) would measure it"
            .to_owned(),
    );
    ratios.iter().fold(first, |one, other| Range {
        value: one.value.max(other.value),
        low: one.low.min(other.low),
        high: one.high.max(other.high),
    })
}

#[cfg(test)]
mod tests;
