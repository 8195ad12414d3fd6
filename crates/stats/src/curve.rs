//! One target over levels of load: what each came to, the law behind them and the answer.

use schema::counted;
use schema::curve::{Answer, Curve, CurvePoint, Step};
use schema::metric::Metric;
use schema::plan::{Axis, Plan, Search};
use schema::record::{Phase, Record};
use schema::summary::{Calibration, Percentile, TargetSummary, Trust};
use schema::target::Target;
use schema::units::{Moment, Nanos, Usd};

use crate::answer::{Verdict, answer, level_in_words};
use crate::cost;
use crate::law::fit_law;
use crate::metric_values;
use crate::places::all_places;
use crate::requests::last_attempts;
use crate::saturation::{Seen, saturation};
use crate::slo;
use crate::summary::of_target;

/// Share of the requests due that find no place, from which on the places are what the target cannot keep up with.
const NOT_SENT: f64 = 0.05;

/// Instants of a step at which the requests in flight are counted.
const LOOKS: u64 = 240;

/// A curve, and the numbers of the level that stands for its target.
pub(crate) struct Searched<'a> {
    pub(crate) curve: Curve,
    pub(crate) summary: TargetSummary,
    pub(crate) steady: Vec<&'a Record>,
}

/// One level and all that was measured at it.
struct Level<'a> {
    value: f64,
    point: CurvePoint,
    verdict: Verdict,
    cut_short: bool,
    summary: TargetSummary,
    steady: Vec<&'a Record>,
}

/// What one level of a search came to so far: the verdict on it, and its place in the curve. `steps` are all at that
/// level, at least one; `records` are those of their requests. The same steps and records give the same at the end.
pub fn judge_level(
    plan: &Plan,
    target: &Target,
    steps: &[&Step],
    records: &[&Record],
    calibration: Option<&Calibration>,
) -> (Verdict, CurvePoint) {
    let Level { verdict, point, .. } = level(plan, target, steps, records, calibration);
    (verdict, point)
}

/// What the steps of a search say about one target; `None` where nothing was searched.
pub(crate) fn search<'a>(
    plan: &Plan,
    target: &Target,
    steps: &[&Step],
    records: &[&'a Record],
    calibration: Option<&Calibration>,
) -> Option<Searched<'a>> {
    let search = plan.search?;
    let mut steps = steps.to_vec();
    steps.sort_by(|a, b| a.level.total_cmp(&b.level).then(a.number.cmp(&b.number)));
    let same = |a: &&Step, b: &&Step| a.level.total_cmp(&b.level).is_eq();
    let mut levels: Vec<Level> =
        steps.chunk_by(same).map(|steps| level(plan, target, steps, records, calibration)).collect();
    let is_broken_off = || records.iter().any(|record| belongs_to_none(record, &steps));
    let answer = matches!(search, Search::FindMax { .. }).then(|| answer_of(plan, &search, &levels, is_broken_off()));
    let chosen = stands_for(answer.as_ref(), &levels)?;
    let law = fit_law(&levels.iter().filter(|level| level.fits_a_law()).map(Level::place).collect::<Vec<_>>());
    let points = levels.iter().map(|level| level.point.clone()).collect();
    let count = levels.len();
    let Level { value, mut summary, steady, .. } = levels.swap_remove(chosen);
    summary.warnings.insert(0, of_one_level(search.axis(), value, count, spent(target, records)));
    let curve = Curve {
        target: target.name.clone(),
        simulated: target.simulated,
        axis: search.axis(),
        points,
        law,
        answer,
        stands_for: Some(value),
    };
    Some(Searched { curve, summary, steady })
}

/// `these are the figures at 14.2/s, one of 11 levels: the curve shows the others; the whole search cost $1.20`.
fn of_one_level(axis: Axis, level: f64, levels: usize, spent: Option<Usd>) -> String {
    let at = level_in_words(axis, level);
    let spent = spent.map(|usd| format!("; the whole search cost {usd}")).unwrap_or_default();
    match levels {
        1 => format!("these are the figures at {at}, the only level that was measured{spent}"),
        _ => format!("these are the figures at {at}, one of {levels} levels: the curve shows the others{spent}"),
    }
}

/// What all of a target's requests cost, of every level and phase.
fn spent(target: &Target, records: &[&Record]) -> Option<Usd> {
    let price = target.price.as_ref()?;
    Some(records.iter().map(|record| cost::of_record(price, record)).fold(Usd::ZERO, |sum, usd| sum + usd))
}

fn level<'a>(
    plan: &Plan,
    target: &Target,
    steps: &[&Step],
    records: &[&'a Record],
    calibration: Option<&Calibration>,
) -> Level<'a> {
    let (value, load) = (steps[0].level, steps[0].load.clone());
    let plan = Plan { load, ..plan.clone() };
    let belongs =
        |record: &&&Record| record.phase == Phase::Warmup || steps.iter().any(|step| step.number == record.step);
    let own: Vec<&Record> = records.iter().filter(belongs).copied().collect();
    let filled: Vec<(u32, Moment)> = steps.iter().map(|step| (step.number, filled(step, &own))).collect();
    let counts = |record: &&&Record| {
        let since = filled.iter().find(|(step, _)| *step == record.step).map(|(_, since)| *since);
        record.phase == Phase::Warmup || since.is_some_and(|since| record.scheduled_ns >= since)
    };
    let counted: Vec<&Record> = own.iter().filter(counts).copied().collect();
    let (mut summary, steady) = of_target(&plan, target, &counted, calibration);
    let care = care(&plan, steps, &filled, &steady);
    let judged = plan.slos.iter().map(|slo| slo::verdict_with(care, *slo, &steady));
    let (slos, times): (Vec<_>, Vec<f64>) = judged.unzip();
    summary.slos = slos;
    let times = times.into_iter().fold(1.0, f64::max);
    let cut_short = steps.iter().find_map(|step| step.cut_short.clone());
    let is_cut_short = cut_short.is_some();
    let saturated = cut_short.or_else(|| cannot_keep_up(&plan, &summary, steps, &own));
    let verdict = Verdict::of_summary(&summary, value, steps.len() as u64, saturated.is_some(), times);
    let point = point(&plan, value, steps, &summary, saturated);
    Level { value, point, verdict, cut_short: is_cut_short, summary, steady }
}

/// Probability left to chance for each end of an answer's interval at each look at a level: the ends share 5 %, and a
/// level that is near one is looked at three times.
const TAIL: f64 = 0.025 / 3.0;

/// How sure a verdict on a level must be to be an end of an interval.
///
/// In an open loop a request that finds the target full was let down by those before it, so that how full it is at two
/// moments says something new only when what was in flight at the first has gone. The number in flight at a target that
/// is never full forgets itself over ∫ρ = E[S²] ÷ E[S], for a time S in flight (M/G/∞; D. R. Cox & V. Isham, *Point
/// Processes*, 1980, 5.6): as many independent states were seen as the time measured holds of these. Where no request
/// missed a bound, nothing but this says how misses would have come in clusters.
fn care(plan: &Plan, steps: &[&Step], filled: &[(u32, Moment)], steady: &[&Record]) -> slo::Care {
    let usual = slo::Care { tail: TAIL, states: f64::INFINITY };
    if !plan.load.is_open() {
        return usual;
    }
    let begin = |step: &Step| filled.iter().find(|(number, _)| *number == step.number).map_or(step.began_ns, |f| f.1);
    let measured: f64 = steps.iter().map(|step| (step.ended_ns - begin(step)).as_secs_f64()).sum();
    let in_flight = steady.iter().filter_map(|record| Some((record.end_ns? - record.start_ns?).as_secs_f64()));
    let (once, squared) = in_flight.fold((0.0, 0.0), |(once, squared), s| (once + s, squared + s * s));
    if squared > 0.0 { slo::Care { states: measured * once / squared, ..usual } } else { usual }
}

/// Median E2Es until a target that begins empty is taken to be as full as the level makes it.
const FILLED_AFTER: u64 = 2;

/// Share of a step that filling takes at most.
const MOST_FILLING: u64 = 3;

/// When the target is as full as the level makes it: what was due before met an emptier one, and would make the level
/// look better than it is.
fn filled(step: &Step, records: &[&Record]) -> Moment {
    let whole = |record: &&&Record| record.step == step.number && record.outcome.is_complete();
    let mut took: Vec<Nanos> =
        records.iter().filter(whole).filter_map(|record| Some(record.end_ns? - record.start_ns?)).collect();
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    let filling =
        Nanos(median.0.saturating_mul(FILLED_AFTER)).min(Nanos((step.ended_ns - step.began_ns).0 / MOST_FILLING));
    step.began_ns + filling
}

/// Why the target could not keep up with an open loop at this level, in any of its steps.
fn cannot_keep_up(plan: &Plan, summary: &TargetSummary, steps: &[&Step], records: &[&Record]) -> Option<String> {
    if !plan.load.is_open() {
        return None;
    }
    if summary.not_sent as f64 > NOT_SENT * summary.attempted as f64 {
        let (none, due) = (summary.not_sent, counted(summary.attempted, "request"));
        return Some(format!("{none} of {due} found {} taken", all_places(plan.load.places())));
    }
    steps.iter().find_map(|step| {
        let own = records.iter().copied().filter(|r| r.phase == Phase::Measured && r.step == step.number);
        let own = last_attempts(&own.filter(|record| record.start_ns.is_some()).collect::<Vec<_>>());
        saturation(&seen(&own), &in_flight(step, &own))
    })
}

fn seen(records: &[&Record]) -> Vec<Seen> {
    let ttft = |record: &Record| metric_values(record, Metric::TtftFromSchedule).next();
    let one =
        |record: &&Record| Some(Seen { at: record.scheduled_ns, ttft: Nanos::from_secs_f64(ttft(record)? / 1e9) });
    records.iter().filter_map(one).collect()
}

/// Requests that are due and not over, at equal distances while the step was sending.
fn in_flight(step: &Step, records: &[&Record]) -> Vec<(Moment, u32)> {
    let sorted = |mut moments: Vec<Moment>| {
        moments.sort_unstable();
        moments
    };
    let due = sorted(records.iter().map(|r| r.scheduled_ns).collect());
    let over = sorted(records.iter().map(|r| r.end_ns.unwrap_or(Moment(u64::MAX))).collect());
    let length = (step.ended_ns - step.began_ns).0;
    let looks = (1..=LOOKS).map(|look| step.began_ns + Nanos(length / LOOKS * look));
    let count = |at: Moment| {
        let (begun, ended) = (due.partition_point(|due| *due <= at), over.partition_point(|over| *over <= at));
        u32::try_from(begun.saturating_sub(ended)).unwrap_or(u32::MAX)
    };
    looks.map(|at| (at, count(at))).collect()
}

fn point(plan: &Plan, level: f64, steps: &[&Step], summary: &TargetSummary, saturated: Option<String>) -> CurvePoint {
    let throughput = &summary.throughput;
    let sent = (summary.attempted - summary.not_sent) as f64;
    let per_second = |count: f64| {
        let seconds = throughput.window_ns.as_secs_f64();
        if seconds > 0.0 { count / seconds } else { 0.0 }
    };
    let known = |percentile: &Percentile| percentile.known().copied();
    let (ttft, tpot) = (summary.metrics.get(&Metric::Ttft), summary.metrics.get(&Metric::Tpot));
    CurvePoint {
        level,
        steps: steps.iter().map(|step| step.number).collect(),
        attempted: summary.attempted,
        completed: summary.completed,
        offered_requests_per_s: throughput.offered_requests_per_s.unwrap_or_else(|| per_second(sent)),
        requests_per_s: throughput.requests_per_s,
        output_tokens_per_s: throughput.output_tokens_per_s,
        goodput_requests_per_s: throughput.goodput_requests_per_s,
        mean_in_flight: throughput.mean_in_flight,
        ttft_p50_ns: ttft.and_then(|d| known(&d.p50)),
        ttft_p95_ns: ttft.and_then(|d| known(&d.p95)),
        tpot_p50_ns: tpot.and_then(|d| known(&d.p50)),
        tpot_p95_ns: tpot.and_then(|d| known(&d.p95)),
        slo: (!plan.slos.is_empty()).then(|| slo::together(&summary.slos)),
        saturated,
        trust: summary.quality.trust,
    }
}

impl Level<'_> {
    /// Whether its throughput is the target's own, and held.
    fn fits_a_law(&self) -> bool {
        !self.cut_short && !matches!(self.point.trust, Trust::ClientLimited | Trust::NoData)
    }

    fn place(&self) -> (f64, f64) {
        (self.point.mean_in_flight, self.point.requests_per_s.value)
    }
}

/// Whether a request is of a step that never came to its end: it was interrupted, or the run died in it.
fn belongs_to_none(record: &Record, steps: &[&Step]) -> bool {
    record.phase == Phase::Measured && !steps.iter().any(|step| step.number == record.step)
}

fn answer_of(plan: &Plan, search: &Search, levels: &[Level<'_>], is_broken_off: bool) -> Answer {
    let verdicts: Vec<Verdict> = levels.iter().map(|level| level.verdict).collect();
    let mut found = answer(search.axis(), &plan.slos, &verdicts);
    if is_broken_off {
        found.why.push_str("; the last step was broken off and is not judged");
    }
    let ours = levels.iter().find(|level| level.point.trust == Trust::ClientLimited);
    if let Some(level) = ours {
        let from = level_in_words(search.axis(), level.value);
        found.why = format!("{}; the client was the limit from {from} on", found.why);
    }
    found
}

/// The level whose figures stand for the target: the answer; without one, of those that can be trusted most, and
/// of these that the target could keep up with, the one with the most requests a second that met every SLO (or
/// completed at all).
fn stands_for(answer: Option<&Answer>, levels: &[Level<'_>]) -> Option<usize> {
    let answered = answer.and_then(|answer| answer.highest);
    let at = |highest: f64| levels.iter().position(|level| level.value.total_cmp(&highest).is_eq());
    let good = |point: &CurvePoint| point.goodput_requests_per_s.unwrap_or(point.requests_per_s.value);
    let order = |a: &CurvePoint, b: &CurvePoint| {
        let doubts = (b.trust, b.saturated.is_some()).cmp(&(a.trust, a.saturated.is_some()));
        doubts.then_with(|| good(a).total_cmp(&good(b)))
    };
    let best = || (0..levels.len()).max_by(|&a, &b| order(&levels[a].point, &levels[b].point));
    answered.and_then(at).or_else(best)
}

#[cfg(test)]
mod tests;
