//! A small run to write and read.

use std::path::Path;

use jiff::civil::DateTime;
use schema::comparison::{Comparison, Criterion, Evidence, PairVerdict, RankVerdict, Ranking, Standing, Test, Verdict};
use schema::curve::{Curve, Step};
use schema::event::{Event, EventKind, Events, Stamp};
use schema::manifest::{Epoch, Git, Machine, Manifest, Status};
use schema::metric::Metric;
use schema::plan::{Axis, Load, Plan, PromptSource, Size, Stop, Workload};
use schema::record::{
    ConnectTimes, Failure, FailureClass, FinishReason, HttpVersion, Outcome, Partial, Phase, Record, ServerTiming,
    TokenCounts, TokenSource, Usage,
};
use schema::server::{Counter, GpuSample, Histogram, ServerSample};
use schema::summary::{Calibration, Estimate, FailureReason, Quality, TargetSummary, Throughput, Trust};
use schema::target::{AuthScheme, Encoding, ForceLength, Price, Target, TargetName};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos, Usd};
use uuid::Uuid;

use crate::{Run, RunDir, Seal, Writer};

pub(super) const NOW: DateTime = DateTime::constant(2026, 11, 22, 8, 5, 9, 0);

pub(super) fn name(name: &str) -> TargetName {
    name.parse().unwrap()
}

pub(super) fn target(name: &str) -> Target {
    Target {
        encoding: Encoding { force_length: ForceLength::IgnoreEos, ..Encoding::default() },
        auth: AuthScheme::Bearer,
        key_variable: Some("VLLM_API_KEY".into()),
        headers: vec![("x-team".into(), "speed".into())],
        price: Some(Price {
            input_per_mtok_usd: Usd("0.15".parse().unwrap()),
            output_per_mtok_usd: Usd("0.60".parse().unwrap()),
            cached_input_per_mtok_usd: None,
            as_of: "2026-11-20".parse().unwrap(),
            source: "https://example.com/pricing".into(),
            note: None,
        }),
        simulated: true,
        ..Target::plain(
            name.parse().unwrap(),
            "vllm",
            "SmolLM2-135M",
            "http://127.0.0.1:8000/v1/chat/completions".parse().unwrap(),
        )
    }
}

pub(super) fn manifest(run: &str, targets: &[&str]) -> Manifest {
    let run_id = Uuid::from_u128(0x0192_f1a0_0000_7000_8000_0000_0000_0001);
    let epoch = Epoch { monotonic_ns: 77, wall: "2026-11-22T08:05:09.25Z".parse().unwrap() };
    let machine = Machine { os: "Linux 6.1".into(), cpu: "a processor".into(), cores: 2, memory_bytes: 8 << 30 };
    Manifest {
        git: Some(Git { commit: "abc".into(), branch: None }),
        ..Manifest::begun(run_id, "0.1.0".into(), plan(run, targets), epoch, machine)
    }
}

fn plan(run: &str, targets: &[&str]) -> Plan {
    Plan {
        grace_ns: Nanos::from_secs(5),
        warmup: 1,
        seed: 42,
        slos: vec!["ttft_p95<200ms".parse().unwrap()],
        budget_usd: Some("2usd".parse().unwrap()),
        keep_text: true,
        out: "results".into(),
        ..Plan::plain(
            run,
            targets.iter().map(|name| target(name)).collect(),
            Workload { force_length: true, ..Workload::plain(PromptSource::BuiltIn(Size::Short), 64) },
            Load::Closed { concurrency: 2 },
            Stop::Requests(3),
        )
    }
}

pub(super) fn event(arrival: u64, kind: EventKind, shared_read: bool) -> Event {
    Event { arrival: Moment(arrival), lag_ns: 900, bytes: 250, tokens: 1, kind, stamp: Stamp::Kernel, shared_read }
}

/// A completed request with every field filled.
pub(super) fn record(target: &str, index: u64) -> Record {
    let start = 1_000_000 * (index + 1);
    Record {
        prompt: 1,
        max_tokens: 64,
        forced_length: true,
        connect: Some(ConnectTimes { dns_ns: None, tcp_ns: Nanos(300), tls_ns: Some(Nanos(150)) }),
        http: Some(HttpVersion::Http1),
        start_ns: Some(Moment(start)),
        sent_ns: Some(Moment(start + 10)),
        first_byte_ns: Some(Moment(start + 4_000)),
        headers_ns: Some(Moment(start + 4_000)),
        end_ns: Some(Moment(start + 9_000)),
        status: Some(200),
        request_id: Some(Untrusted::from("req-1")),
        request_bytes: 321,
        response_bytes: 750,
        reads: 2,
        events: Events::from(vec![
            event(start + 4_000, EventKind::Other, false),
            event(start + 5_000, EventKind::Reasoning, false),
            event(start + 5_000, EventKind::Text, true),
        ]),
        usage: Some(Usage { input_tokens: Some(40), output_tokens: Some(2), ..Usage::default() }),
        tokens: Some(TokenCounts { input: Some(40), output: 2, source: TokenSource::ServerUsage }),
        server: Some(ServerTiming { queue_ns: Some(Nanos(100)), ..ServerTiming::default() }),
        output_hash: Some("cbf29ce484222325".into()),
        output: Some(vec![Untrusted::from(""), Untrusted::from("hm"), Untrusted::from("one, \"two\"\n")]),
        outcome: Outcome::Complete { finish: FinishReason::Length },
        ..Record::not_sent(name(target), index, Moment(start - 500))
    }
}

/// A request that failed with `message` before anything came back.
pub(super) fn failed(target: &str, index: u64, message: &str) -> Record {
    Record {
        http: None,
        first_byte_ns: None,
        headers_ns: None,
        status: Some(401),
        request_id: None,
        events: Events::default(),
        usage: None,
        tokens: None,
        server: None,
        output_hash: None,
        output: None,
        connect: None,
        outcome: Outcome::Failed(Failure {
            class: FailureClass::Unauthorized,
            message: Untrusted::from(message),
            retry_after_ns: Some(Nanos::from_secs(2)),
        }),
        ..record(target, index)
    }
}

/// The `part`th part of a request in flight: one event.
pub(super) fn partial(target: &str, index: u64, part: u64) -> Partial {
    let start = 1_000_000 * (index + 1);
    Partial {
        index,
        target: name(target),
        phase: Phase::Measured,
        block: 0,
        step: 0,
        attempt: 0,
        prompt: 1,
        scheduled_ns: Moment(start - 500),
        start_ns: Moment(start),
        events: Events::from(vec![event(start + 1_000 * (part + 1), EventKind::Text, false)]),
    }
}

pub(super) fn summary(target: &str) -> TargetSummary {
    let some = Estimate { value: 1.5, low: Some(1.0), high: Some(2.0) };
    TargetSummary {
        target: name(target),
        provider: "vllm".into(),
        model: "SmolLM2-135M".into(),
        simulated: true,
        attempted: 3,
        completed: 2,
        success_rate: 2.0 / 3.0,
        failures: [(FailureClass::Unauthorized, 1)].into(),
        failure_reasons: [(FailureClass::Unauthorized, FailureReason { message: "no".into(), requests: 1 })].into(),
        not_sent: 0,
        cancelled: 0,
        interrupted: 0,
        finish_reasons: [(FinishReason::Length, 2)].into(),
        warmup: 0,

        retries: 0,
        waited: 0,
        startup: None,
        limits: None,
        server_side: None,
        insight: None,
        metrics: std::collections::BTreeMap::new(),
        throughput: Throughput {
            window_ns: Nanos::from_secs(1),
            offered_requests_per_s: None,
            requests_per_s: some,
            output_tokens_per_s: some,
            input_tokens_per_s: None,
            mean_in_flight: 1.0,
            goodput_requests_per_s: Some(1.0),
        },
        slos: vec![],
        output_tokens: 4,
        input_tokens: 80,
        cached_input_tokens: 0,
        tokens_per_event: 1.0,
        off_length: 0,
        token_sources: [(TokenSource::ServerUsage, 2)].into(),
        kernel_stamped: 1.0,
        shared_reads: 0.25,
        cost: None,
        conversations: None,
        cross_checks: vec![],
        quality: quality(),
        warnings: vec![],
    }
}

pub(super) fn quality() -> Quality {
    Quality { trust: Trust::TooFewSamples, reasons: vec!["2 of 200 requests".into()] }
}

/// A step of a search.
pub(super) fn step(target: &str, number: u32) -> Step {
    Step {
        number,
        target: name(target),
        level: 2.5,
        load: Load::Closed { concurrency: 2 },
        began_ns: Moment(1_000 * u64::from(number)),
        ended_ns: Moment(1_000 * u64::from(number + 1)),
        cut_short: (number > 0).then(|| "the queue \"grew\"\n".to_owned()),
    }
}

/// A reading with everything in it.
pub(super) fn sample(at: u64) -> ServerSample {
    let ttft = Histogram { bounds: vec![1e6, 2.5e6], counts: vec![1, 3], count: 4, sum: 7.25e6 };
    ServerSample {
        at_ns: Moment(at),
        took_ns: Nanos(300),
        engine: "vllm".into(),
        failed: None,
        running: Some(2.0),
        waiting: Some(0.5),
        kv_usage: Some(0.125),
        counters: [(Counter::GeneratedTokens, 41.0)].into(),
        histograms: [(Metric::ServerTtft, ttft)].into(),
        gpus: vec![GpuSample { gpu: "GPU-1".into(), busy: Some(0.5), ..GpuSample::default() }],
    }
}

pub(super) fn curve(target: &str) -> Curve {
    Curve {
        target: name(target),
        simulated: true,
        axis: Axis::Concurrency,
        points: vec![],
        law: None,
        answer: None,
        stands_for: Some(2.5),
    }
}

pub(super) fn calibration() -> Calibration {
    Calibration {
        load: "closed loop, 2 at once".into(),
        requests: 200,
        ttft_p50_ns: 31_000.0,
        ttft_p99_ns: None,
        itl_error_p50_ns: Some(2_000.0),
        itl_error_p99_ns: None,
        most_requests_per_s: 9_000.0,
        most_events_per_s: 400_000.0,
    }
}

pub(super) const fn ended() -> Seal<'static> {
    Seal {
        status: Status::Complete,
        ended: jiff::Timestamp::constant(1_795_334_709, 0),
        summaries: &[],
        curves: &[],
        comparison: None,
        files: &[],
        quality: None,
        calibration: None,
        notes: &[],
    }
}

/// A run of two targets that goes on.
pub(super) fn begin(out: &Path) -> RunDir {
    RunDir::create(out, &manifest("Night shift", &["groq", "vllm-2"]), NOW, &[]).unwrap()
}

pub(super) fn write(writer: &mut Writer, records: &[Record], parts: &[Partial]) {
    for record in records {
        writer.append(record).unwrap();
    }
    for part in parts {
        writer.append_partial(part).unwrap();
    }
    writer.flush().unwrap();
}

/// All records of one target, and what could not be read.
pub(super) fn read(run: &Run, target: &str) -> (Vec<Record>, Vec<String>) {
    let mut records = run.records(&name(target)).unwrap();
    let all = records.by_ref().collect::<Result<_, _>>().unwrap();
    (all, records.problems())
}

/// A ranking of the two by one criterion.
pub(super) fn comparison() -> Comparison {
    let standing = |name: &str, value: f64| Standing {
        target: name.parse().unwrap(),
        simulated: false,
        n: 20,
        estimate: Some(Estimate { value, low: Some(value * 0.9), high: None }),
    };
    let pair = PairVerdict {
        better: "groq".parse().unwrap(),
        worse: "vllm-2".parse().unwrap(),
        simulated_with_real: false,
        margin: Some(Estimate { value: 0.38, low: Some(0.2), high: Some(0.5) }),
        test: Test::PairedBlocks,
        p: Some(0.001),
        p_adjusted: Some(0.001),
        verdict: Verdict::Better,
        evidence: Evidence { blocks: 8, ..Evidence::default() },
    };
    Comparison {
        format_version: schema::FORMAT_VERSION,
        name: "Night shift".into(),
        simulated: false,
        rankings: vec![Ranking {
            criterion: Criterion::TtftP50,
            standings: vec![standing("groq", 50e6), standing("vllm-2", 69e6)],
            pairs: vec![pair],
            verdict: RankVerdict::Leader("groq".parse().unwrap()),
        }],
        dimensions: Vec::new(),
        overall: None,
        fronts: Vec::new(),
        warnings: vec!["answers differ in length".into()],
        unlike: Vec::new(),
    }
}
