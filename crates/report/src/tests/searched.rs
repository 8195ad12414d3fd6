//! What a search, and all else that a run may tell, looks like in every form.

use schema::curve::{Answer, Curve, CurvePoint, Law};
use schema::plan::{Axis, Retry, Search};
use schema::record::{Limit, RateLimits};
use schema::server::{BothSides, Counter, Level, ServerSide, ServerTime};
use schema::summary::{Calibration, Startup};
use schema::target::{Dialect, Target};

use super::*;
use crate::csv_curves;

fn point(level: f64, served: f64) -> CurvePoint {
    let (rate, late) = (level.min(served), level > served);
    let ttft = if late { 1.9e9 } else { 48.0e6 + level * 2.1e6 };
    CurvePoint {
        level,
        steps: vec![0, 3],
        attempted: 400,
        completed: 396,
        offered_requests_per_s: level * 0.99,
        requests_per_s: bare(rate * 0.985),
        output_tokens_per_s: bare(rate * 63.0),
        goodput_requests_per_s: Some(if late { rate * 0.21 } else { rate * 0.98 }),
        mean_in_flight: rate * ttft / 5e8,
        ttft_p50_ns: Some(between(ttft, ttft * 0.97, ttft * 1.04)),
        ttft_p95_ns: (level > 1.0).then(|| between(ttft * 1.3, ttft * 1.2, ttft * 1.45)),
        tpot_p50_ns: Some(bare(9.8e6 + level * 1e5)),
        tpot_p95_ns: Some(bare(11.9e6 + level * 1e5)),
        slo: Some(if late { SloStatus::Missed } else { SloStatus::Met }),
        saturated: late
            .then(|| "requests in flight grew from 60 to 183 in 43.9 s, and TTFT from 1.86 s to 9.10 s".into()),
        trust: if level < 2.0 { Trust::TooFewSamples } else { Trust::Trustworthy },
    }
}

fn curve(target: &str, simulated: bool) -> Curve {
    Curve {
        target: target.parse().unwrap(),
        simulated,
        axis: Axis::Rate,
        points: [1.0, 4.0, 8.0, 12.0, 14.0, 16.0, 24.0].map(|level| point(level, 14.5)).to_vec(),
        law: Some(Law {
            lambda: between(2.013, 1.98, 2.04),
            contention: between(0.0491, 0.041, 0.058),
            coherency: between(0.000_98, 0.000_91, 0.001_05),
            peak_in_flight: Some(between(31.2, 29.4, 33.1)),
            peak_requests_per_s: Some(between(15.3, 15.0, 15.6)),
            r_squared: 0.9981,
            points: 5,
            warnings: vec!["the peak at 31 in flight lies beyond what was measured, 24".into()],
        }),
        answer: Some(Answer {
            slos: vec!["ttft_p95<200ms".parse().unwrap()],
            highest: Some(14.0),
            low: Some(14.0),
            high: Some(16.0),
            steps: 11,
            limited_by: Some("ttft_p95<200ms".parse().unwrap()),
            why: "certainly met at 14.0/s, the target could not keep up at 16.0/s".into(),
        }),
        stands_for: Some(14.0),
    }
}

/// A search of one target, with all that a run can tell besides.
fn searched() -> (Summary, Plan) {
    let search = Search::FindMax { axis: Axis::Rate, first: 1.0, highest: None, tolerance: 0.05, trials: 12 };
    let plan = Plan {
        search: Some(search),
        retry: Some(Retry { attempts: 2, first_ns: Nanos::from_millis(500), most_ns: Nanos::from_secs(30) }),
        respect_limits: true,
        ..plan()
    };
    let mut target = TargetSummary { model: "llama-3.3-70b".into(), retries: 12, waited: 312, ..good() };
    target.throughput.offered_requests_per_s = Some(13.97);
    target.startup = Some(Startup {
        requests: 15,
        length_ns: Nanos::from_millis(1_070),
        ttft_p50_ns: 210.4e6,
        steady_ttft_p50_ns: 51.2e6,
    });
    let limit =
        |limit, remaining, reset| Limit { limit: Some(limit), remaining: Some(remaining), reset_ns: Some(reset) };
    target.limits = Some(RateLimits {
        requests: Some(limit(500, 480, Nanos::from_secs(12))),
        tokens: Some(limit(100_000, 91_200, Nanos::from_secs(6))),
    });
    target.server_side = Some(server_side());
    let calibration = Calibration {
        load: "open loop, 14/s (poisson), at most 1000 at once".into(),
        requests: 400,
        ttft_p50_ns: 182_000.0,
        ttft_p99_ns: Some(431_000.0),
        itl_error_p50_ns: Some(9_000.0),
        itl_error_p99_ns: Some(84_000.0),
        most_requests_per_s: 8_211.0,
        most_events_per_s: 191_300.0,
    };
    let curves = vec![curve("groq", false), curve("vllm-sim", true)];
    let targets = vec![target, simulated()];
    (Summary { targets, curves, calibration: Some(calibration), warnings: Vec::new(), ..summary() }, plan)
}

fn server_side() -> ServerSide {
    let level = |mean, max| Some(Level { mean, max });
    ServerSide {
        engine: "vllm".into(),
        samples: 132,
        failed: 2,
        running: level(7.81, 8.0),
        waiting: level(4.2, 31.0),
        kv_usage: level(0.43, 0.61),
        counters: BTreeMap::from([(Counter::Preemptions, 3.0)]),
        prefix_hit_share: Some(0.123),
        gpu_busy: level(0.97, 1.0),
        gpu_power_w: level(412.0, 431.0),
        joules_per_output_token: Some(0.83),
        times: BTreeMap::from([(Metric::ServerQueue, ServerTime { n: 398, mean: 1.3e6, p50: Some(1.1e6) })]),
        both_sides: vec![BothSides {
            metric: Metric::Ttft,
            client_mean: 52.1e6,
            client_p50: Some(51.2e6),
            server_mean: 50.3e6,
            server_p50: Some(49.8e6),
            server_n: 398,
            why: "1.80 ms longer at the client: network, HTTP, and the server's work before its own clock begins"
                .into(),
        }],
        warnings: vec!["2 of 134 readings of its metrics failed".into()],
    }
}

#[test]
fn a_search_shows_its_answer_its_curve_and_all_that_was_told_besides_at_a_hundred_columns() {
    let (summary, plan) = searched();
    let text = table(&summary, &plan, Style { width: 100, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_search_at_a_hundred_and_sixty_columns() {
    let (summary, plan) = searched();
    let text = table(&summary, &plan, Style { width: 160, color: false });
    assert!(text.lines().all(|line| line.chars().count() <= 160), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_search_as_markdown() {
    let (summary, plan) = searched();
    insta::assert_snapshot!(markdown(&summary, &plan));
}

#[test]
fn the_csv_of_curves_has_one_row_a_level_and_no_formula() {
    let (mut summary, _) = searched();
    summary.name = HOSTILE.into();
    summary.curves[0].points[6].saturated = Some(HOSTILE.into());
    let text = csv_curves(&summary);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    assert!(reader.records().all(|record| record.unwrap().iter().all(|cell| !cell.starts_with(['=', '+', '-', '@']))));
    insta::assert_snapshot!(text);
    assert_eq!(csv_curves(&super::summary()), "");
}

#[test]
fn hostile_words_of_a_search_are_cleaned_for_their_medium() {
    let (mut summary, plan) = searched();
    let curve = &mut summary.curves[0];
    curve.points[6].saturated = Some(HOSTILE.into());
    curve.answer.as_mut().unwrap().why = HOSTILE.into();
    curve.law.as_mut().unwrap().warnings = vec![HOSTILE.into()];
    let side = summary.targets[0].server_side.as_mut().unwrap();
    side.engine = HOSTILE.into();
    side.both_sides[0].why = HOSTILE.into();
    summary.calibration.as_mut().unwrap().load = HOSTILE.into();
    let text = table(&summary, &plan, Style { width: 100, color: false });
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text}");
    let text = markdown(&summary, &plan);
    assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_search_without_an_answer_or_of_one_level_says_what_there_is() {
    let (mut summary, plan) = searched();
    let curve = &mut summary.curves[0];
    curve.points.truncate(1);
    let answer = curve.answer.as_mut().unwrap();
    (answer.highest, answer.low, answer.high) = (None, None, Some(1.0));
    let text = table(&summary, &plan, Style { width: 100, color: false });
    let sentence = "No rate was shown to meet ttft_p95<200ms, 11 steps; missed first: ttft_p95<200ms";
    assert!(text.contains(sentence), "{text}");
    let answer = summary.curves[0].answer.as_mut().unwrap();
    (answer.highest, answer.low, answer.high) = (Some(1.0), Some(1.0), None);
    let text = table(&summary, &plan, Style { width: 160, color: false });
    assert!(
        text.contains("Highest rate shown to meet ttft_p95<200ms: 1.00/s (no level was certainly missed"),
        "{text}"
    );
    assert!(!text.contains('█') || text.matches("requests/s: █").count() == 1, "{text}");
}

#[test]
fn vectors_show_no_columns_of_tokens_that_do_not_exist() {
    let mut target = simulated();
    target.metrics.remove(&Metric::Ttft);
    (target.output_tokens, target.tokens_per_event) = (0, 0.0);
    target.throughput.output_tokens_per_s = bare(0.0);
    let asked = Target {
        dialect: Dialect::OpenaiEmbeddings,
        simulated: true,
        ..Target::plain(target.target.clone(), "vllm", "e5", "http://localhost:8000/v1/embeddings".parse().unwrap())
    };
    let plan = Plan { targets: vec![asked], ..plan() };
    let summary = Summary { targets: vec![target], warnings: Vec::new(), ..summary() };
    let text = table(&summary, &plan, Style { width: 100, color: false });
    assert!(!text.contains("TTFT p50") && !text.contains("ITL") && !text.contains("a user"), "{text}");
    assert!(text.contains("tokens/s") && text.contains("15,920 input, 800 of them cached (5 %)"), "{text}");
    insta::assert_snapshot!(text.lines().take(8).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_sweep_over_streams_without_bounds_shows_what_completed() {
    let (mut summary, mut plan) = searched();
    plan.search = Some(Search::Sweep { axis: Axis::Concurrency, points: 5, highest: None });
    summary.curves.truncate(1);
    let curve = &mut summary.curves[0];
    (curve.axis, curve.answer, curve.law) = (Axis::Concurrency, None, None);
    curve.points.truncate(5);
    for (point, streams) in curve.points.iter_mut().zip([1.0, 4.0, 16.0, 64.0, 256.0]) {
        (point.level, point.slo, point.goodput_requests_per_s, point.saturated) = (streams, None, None, None);
        point.offered_requests_per_s = point.requests_per_s.value;
    }
    curve.stands_for = Some(256.0);
    let text = table(&summary, &plan, Style { width: 120, color: false });
    let (from, to) = (text.find("groq over").unwrap(), text.find("▸ is the level").unwrap());
    insta::assert_snapshot!(text[from..to].trim_end());
}
