use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::alike::{Aspect, Severity, Unlike};
use schema::event::{Event, EventKind, Stamp};
use schema::manifest::Machine;
use schema::plan::{Load, Plan, PromptSource, Size, Stop};
use schema::record::{ConnectTimes, FinishReason, Outcome, Record, TokenCounts, TokenSource, Usage};
use schema::target::{Dialect, ForceLength, Target};
use schema::units::Nanos;

use super::{Compared, groups, model, unlike};
use crate::fixture::{event, plan, record, target};

/// One side of a comparison, to be changed by a test.
struct Side {
    plan: Plan,
    target: Target,
    records: Vec<Record>,
    machine: Machine,
    program: &'static str,
}

impl Side {
    /// A hundred answers of 16 tokens to twenty prompts, five times each.
    fn new(name: &str) -> Self {
        let target = Target { model: "some-model".into(), ..target(name) };
        let records = (0..100).map(|i| Record {
            index: i,
            prompt: (i % 20) as u32,
            output_hash: Some(format!("{:016x}", i % 20)),
            tokens: Some(TokenCounts { input: Some(10), output: 16, source: TokenSource::ServerUsage }),
            ..record(i * 100, &(0..16).map(|k| 40 + 10 * k).collect::<Vec<_>>())
        });
        let machine = Machine { os: "Linux 6.1".into(), cpu: "a processor".into(), cores: 2, memory_bytes: 0 };
        Self { plan: plan(vec![target.clone()]), target, records: records.collect(), machine, program: "0.1.0" }
    }

    fn edit(mut self, edit: impl FnMut(&mut Record)) -> Self {
        self.records.iter_mut().for_each(edit);
        self
    }

    fn model(mut self, model: &str) -> Self {
        self.target.model = model.into();
        self
    }
}

fn compared(sides: &[Side]) -> Vec<Unlike> {
    let sides: Vec<Compared> = sides
        .iter()
        .map(|side| Compared {
            label: side.target.name.to_string(),
            plan: &side.plan,
            target: &side.target,
            requests: side.records.iter().collect(),
            machine: Some(&side.machine),
            program_version: Some(side.program),
        })
        .collect();
    unlike(&sides)
}

/// What is found between an unchanged side and `other`, in one line each.
#[track_caller]
fn check(other: Side, expected: &[(Severity, Aspect, &str)]) {
    let found = compared(&[Side::new("a"), other]);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (severity, what, part)) in found.iter().zip(expected) {
        assert_eq!((found.severity, found.what), (*severity, *what), "{found:?}");
        assert!(found.detail.contains(part), "{}", found.detail);
    }
}

#[test]
fn like_and_like_are_not_remarked_upon() {
    check(Side::new("b"), &[]);
    assert!(compared(&[Side::new("a")]).is_empty());
    assert!(compared(&[]).is_empty());
}

#[test]
fn what_was_asked_is_compared_as_it_is() {
    use Severity::{Caution, Note, Unfair};
    let side = |edit: &dyn Fn(&mut Side)| {
        let mut side = Side::new("b");
        edit(&mut side);
        side
    };
    check(
        side(&|b| b.target.simulated = true),
        &[(
            Unfair,
            Aspect::Reality,
            "simulated and real stand side by side (a is real; b is SIMULATED): do not compare",
        )],
    );
    check(
        side(&|b| b.plan.workload.prompts = PromptSource::BuiltIn(Size::Long)),
        &[(Unfair, Aspect::Prompts, "a with built-in short prompts; b with built-in long prompts")],
    );
    check(
        side(&|b| b.plan.workload.max_tokens = 128),
        &[(Caution, Aspect::OutputLimit, "a with up to 64 tokens; b with up to 128 tokens")],
    );
    check(
        side(&|b| b.target.encoding.temperature = true),
        &[(Note, Aspect::Sampling, "a at a temperature of its own; b at temperature 0)")],
    );
    check(side(&|b| b.plan.workload.defeat_cache = true), &[(Unfair, Aspect::CachePolicy, "b with caches defeated")]);
    check(
        side(&|b| b.plan.load = Load::Closed { concurrency: 16 }),
        &[(Unfair, Aspect::Load, "a under closed loop, 8 at once; b under closed loop, 16 at once")],
    );
    check(side(&|b| b.plan.stop = Stop::Requests(500)), &[(Note, Aspect::Amount, "500 requests after 0 of warm-up")]);
    check(side(&|b| b.plan.seed = 2), &[(Note, Aspect::Seed, "a with 0; b with 2")]);
    check(side(&|b| b.machine.cores = 64), &[(Caution, Aspect::Machine, "b from 64 × a processor, Linux 6.1")]);
    check(side(&|b| b.program = "0.2.0"), &[(Note, Aspect::Program, "a by 0.1.0; b by 0.2.0")]);
    check(side(&|b| b.plan.workload.stream = false), &[(Unfair, Aspect::Streaming, "a streamed; b whole")]);
    check(
        side(&|b| b.target.dialect = Dialect::OpenaiCompletions),
        &[(Note, Aspect::Streaming, "b over OpenAI completions")],
    );
    check(side(&|b| b.plan.transport.insecure = true), &[(Note, Aspect::Transport, "certificates not verified")]);
}

#[test]
fn a_length_that_one_cannot_be_held_to_is_told() {
    let mut sides = [Side::new("a"), Side::new("b")];
    for side in &mut sides {
        side.plan.workload.force_length = true;
    }
    sides[0].target.encoding.force_length = ForceLength::IgnoreEos;
    let found = compared(&sides);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].detail.contains("(a can be; b cannot)"), "{}", found[0].detail);
    assert_eq!(found[0].severity, Severity::Note);
}

#[track_caller]
fn reads(name: &str, base: &str, storage: Option<&str>) {
    let model = model::Model::of(name);
    assert_eq!((model.base.as_str(), model.storage.as_deref()), (base, storage), "{name}");
}

#[test]
fn a_models_name_says_which_it_is_and_how_it_is_stored() {
    reads("meta-llama/Llama-3.3-70B-Instruct", "llama-3-3-70b-instruct", None);
    reads("llama-3.3-70b-instruct-fp8", "llama-3-3-70b-instruct", Some("fp8"));
    reads("RedHatAI/Llama-3.3-70B-Instruct-quantized.w4a16", "llama-3-3-70b-instruct-quantized", Some("w4a16"));
    reads("qwen2.5:7b-instruct-q4_K_M", "qwen2-5-7b-instruct", Some("q4_k_m"));
    reads("qwen2.5-7b-instruct-q4_k_m.gguf", "qwen2-5-7b-instruct", Some("q4_k_m"));
    reads("Qwen3-8B-AWQ", "qwen3-8b", Some("awq"));
    reads("qwq-32b", "qwq-32b", None);
    reads("gpt-oss:latest", "gpt-oss", None);
    reads("", "", None);
}

#[test]
fn unlike_models_and_quantisations_are_told_apart() {
    use Severity::Caution;
    check(Side::new("b").model("vendor/Some-Model"), &[]);
    check(Side::new("b").model("some-model-fp8"), &[(Caution, Aspect::Quantisation, "a is not said; b is fp8")]);
    let other = Side::new("b").model("another-model").edit(|record| record.output_hash = None);
    check(other, &[(Caution, Aspect::Model, "a serves `some-model`; b serves `another-model`")]);
}

fn finish(record: &mut Record, finish: FinishReason) {
    record.outcome = Outcome::Complete { finish };
}

#[test]
fn why_answers_end_and_how_long_they_are_is_compared() {
    let ended = Side::new("b").edit(|record| {
        if record.index % 3 == 0 {
            finish(record, FinishReason::Length);
        }
    });
    check(ended, &[(Severity::Caution, Aspect::FinishReasons, "0 % of a's and 34 % of b's reached their limit")]);
    let hardly = Side::new("b").edit(|record| {
        if record.index < 3 {
            finish(record, FinishReason::Length);
        }
    });
    check(hardly, &[]);
    let longer = Side::new("b").edit(|record| set_tokens(record, 24));
    check(
        longer,
        &[
            (Severity::Caution, Aspect::Streaming, "a sends 1.00 tokens an event, b 1.50"),
            (Severity::Caution, Aspect::OutputLengths, "16 tokens of a on average, 24 of b (D = 1.00)"),
        ],
    );
}

fn set_tokens(record: &mut Record, output: u64) {
    record.tokens = record.tokens.map(|tokens| TokenCounts { output, ..tokens });
}

#[test]
fn of_several_pairs_the_most_unlike_is_told_with_the_number_of_the_others() {
    let sides = [
        Side::new("a"),
        Side::new("b").edit(|record| set_tokens(record, 17)),
        Side::new("c").edit(|record| set_tokens(record, 19)),
    ];
    let found = compared(&sides);
    let lengths = found.iter().find(|unlike| unlike.what == Aspect::OutputLengths).unwrap();
    assert!(lengths.detail.contains("; so do 2 other pairs"), "{}", lengths.detail);
}

#[test]
fn where_token_counts_come_from_is_compared() {
    let counted = Side::new("b").edit(|record| {
        record.tokens = record.tokens.map(|tokens| TokenCounts { source: TokenSource::ContentEvents, ..tokens });
    });
    check(counted, &[(Severity::Caution, Aspect::TokenSources, "a by server usage; b by content events")]);
}

fn cached(record: &mut Record, cached: u64) {
    record.usage = Some(Usage { input_tokens: Some(100), cached_input_tokens: Some(cached), ..Usage::default() });
}

#[test]
fn what_a_prompt_cache_answered_is_compared() {
    let sides = |here, there| {
        [Side::new("a").edit(|record| cached(record, here)), Side::new("b").edit(|record| cached(record, there))]
    };
    assert!(compared(&sides(20, 25)).is_empty());
    let some = compared(&sides(20, 45));
    assert_eq!((some.len(), some[0].severity, some[0].what), (1, Severity::Caution, Aspect::CachedTokens));
    let all = compared(&sides(0, 90));
    assert_eq!((all.len(), all[0].severity), (1, Severity::Unfair));
    assert!(all[0].detail.contains("0 % of the input of a and 90 % of that of b"), "{}", all[0].detail);
    let silent = compared(&[Side::new("a").edit(|record| cached(record, 90)), Side::new("b")]);
    assert_eq!((silent.len(), silent[0].severity), (1, Severity::Note));
}

fn edit_events(record: &mut Record, edit: impl Fn(&mut Event)) {
    let mut events: Vec<Event> = record.events.iter().collect();
    events.iter_mut().for_each(edit);
    record.events = events.into();
}

#[test]
fn where_arrivals_are_stamped_and_how_late_requests_leave_is_compared() {
    let stamped = Side::new("b").edit(|record| edit_events(record, |event| event.stamp = Stamp::User));
    check(stamped, &[(Severity::Caution, Aspect::Stamps, "100 % of a's answers and of 0 % of b's")]);
    let late = Side::new("b").edit(|record| {
        record.start_ns = record.start_ns.map(|start| start + Nanos::from_millis(5));
        edit_events(record, |event| event.arrival = event.arrival + Nanos::from_millis(5));
    });
    check(late, &[(Severity::Caution, Aspect::ScheduleLag, "p95 0 ns to a, 5.00 ms to b")]);
    let hardly = Side::new("b").edit(|record| {
        record.start_ns = record.start_ns.map(|start| start + Nanos(50_000));
    });
    check(hardly, &[]);
    let connected = Side::new("b").edit(|record| {
        record.start_ns = record.start_ns.map(|start| start + Nanos::from_millis(5));
        record.connect = Some(ConnectTimes { tcp_ns: Nanos::from_millis(5), ..ConnectTimes::default() });
    });
    check(connected, &[]);
}

/// TTFT of so many milliseconds, with a little scatter.
fn set_ttft(record: &mut Record, millis: u64) {
    let scatter = Nanos(record.index * 618_034 % 1_000_000);
    let start = record.start_ns.unwrap();
    let first = start + Nanos::from_millis(millis) + scatter;
    record.events =
        (0..16).map(|k| event(first + Nanos::from_millis(10 * k), EventKind::Text)).collect::<Vec<_>>().into();
}

#[test]
fn two_groups_of_first_tokens_are_told_with_what_the_cache_has_to_do_with_them() {
    let known = Side::new("b").edit(|record| {
        let hit = record.index % 4 > 0;
        set_ttft(record, if hit { 40 } else { 300 });
        cached(record, if hit { 90 } else { 0 });
    });
    let found = compared(&[Side::new("a").edit(|record| cached(record, 70)), known]);
    let groups = found.iter().find(|unlike| unlike.what == Aspect::Bimodality).unwrap();
    assert!(groups.detail.contains("75 % around 40."), "{}", groups.detail);
    assert!(
        groups.detail.contains("100 % of the fast ones had half of their prompt or more in a cache, 0 % of the slow")
    );
    assert!(groups.detail.ends_with("that of a does not: compare percentiles with care"), "{}", groups.detail);
    assert_eq!(groups.severity, Severity::Caution);

    // The first time a prompt is asked it is slow.
    let untold = || Side::new("b").edit(|record| set_ttft(record, if record.index < 20 { 300 } else { 40 }));
    check(
        untold(),
        &[(Severity::Caution, Aspect::Bimodality, "100 % of the fast ones repeat a prompt, 0 % of the slow")],
    );
    let both = compared(&[Side { target: target("a"), ..untold() }, untold()]);
    let groups: Vec<_> = both.iter().filter(|unlike| unlike.what == Aspect::Bimodality).collect();
    assert!(groups.len() == 2 && groups.iter().all(|unlike| unlike.severity == Severity::Note), "{both:#?}");

    let unknown = Side::new("b").edit(|record| set_ttft(record, if record.index % 3 == 0 { 300 } else { 40 }));
    check(unknown, &[(Severity::Caution, Aspect::Bimodality, "nothing that was recorded tells why")]);
}

#[test]
fn a_few_slow_ones_and_a_small_step_are_no_groups() {
    check(Side::new("b").edit(|record| set_ttft(record, if record.index < 5 { 300 } else { 40 })), &[]);
    check(Side::new("b").edit(|record| set_ttft(record, if record.index % 2 == 0 { 50 } else { 40 })), &[]);
}

#[test]
fn the_same_text_from_unlike_models_and_other_text_from_one_is_told() {
    let twin = Side::new("b").model("another-model");
    check(
        twin,
        &[
            (Severity::Caution, Aspect::Model, "not the same model"),
            (Severity::Note, Aspect::Answers, "20 of 20 prompts got the same text from both"),
        ],
    );
    let stranger = Side::new("b").edit(|record| record.output_hash = Some(format!("other {}", record.prompt)));
    check(stranger, &[(Severity::Caution, Aspect::Answers, "only 0 of 20 prompts got the same")]);
    let nonce = |name: &str| {
        let mut side = Side::new(name).edit(|record| record.output_hash = Some(format!("{name} {}", record.prompt)));
        side.plan.workload.defeat_cache = true;
        side
    };
    assert!(compared(&[nonce("a"), nonce("b")]).is_empty(), "prompts were made different on purpose");
}

#[test]
fn the_same_text_each_time_is_told_where_it_is_not_expected() {
    let unsteady = Side::new("b").edit(|record| record.output_hash = Some(format!("{}", record.index)));
    check(unsteady, &[(Severity::Note, Aspect::Determinism, "a gave the same text each time, b did not")]);
    let warm = |name: &str| {
        let mut side = Side::new(name);
        side.plan.workload.temperature_milli = 800;
        side.target.encoding.temperature = true;
        side
    };
    let found = compared(&[warm("a"), warm("b")]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0]
            .detail
            .contains("a gave the same text in 80 of 80 repetitions, though it was asked at temperature 0.8")
    );
}

#[test]
fn sides_without_answers_are_borne() {
    let nothing = |name: &str| Side { records: Vec::new(), ..Side::new(name) };
    assert!(compared(&[nothing("a"), nothing("b")]).is_empty());
    let bare = Side::new("b").edit(|record| {
        (record.tokens, record.usage, record.start_ns, record.output_hash) = (None, None, None, None);
        record.events = Vec::new().into();
    });
    check(bare, &[]);
}

/// How values may be spread.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Uniform,
    Exponential,
    Normal,
    LogNormal,
    HeavyTail,
    Autocorrelated,
}

const SHAPES: [Shape; 6] =
    [Shape::Uniform, Shape::Exponential, Shape::Normal, Shape::LogNormal, Shape::HeavyTail, Shape::Autocorrelated];

fn normal(random: &mut impl Rng) -> f64 {
    let (radius, angle): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

fn values(shape: Shape, n: usize, random: &mut impl Rng) -> Vec<f64> {
    let mut last = 0.0;
    let mut one = || match shape {
        Shape::Uniform => 0.5 + random.random::<f64>(),
        Shape::Exponential => 0.2 - (1.0 - random.random::<f64>()).ln(),
        Shape::Normal => (1.0 + 0.2 * normal(random)).max(0.05),
        Shape::LogNormal => (0.8 * normal(random)).exp(),
        Shape::HeavyTail => (1.0 - random.random::<f64>()).powf(-0.5),
        Shape::Autocorrelated => {
            last = 0.7 * last + normal(random) * (1.0_f64 - 0.49).sqrt();
            (0.5 * last).exp()
        }
    };
    (0..n).map(|_| one()).collect()
}

#[test]
fn one_hump_is_hardly_ever_taken_for_two_groups() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for shape in SHAPES {
        for n in [40, 60, 300] {
            let taken = (0..400).filter(|_| groups::groups(&values(shape, n, &mut random)).is_some()).count();
            assert!(taken <= 8, "{shape:?} of {n}: {taken} of 400");
        }
    }
}

#[test]
fn two_humps_are_hardly_ever_taken_for_one() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for n in [80, 300] {
        let found = (0..200).filter(|_| {
            let values = values(Shape::Normal, n, &mut random);
            let humps = values.iter().enumerate().map(|(i, x)| if i % 4 == 0 { 6.0 * x } else { x + 0.5 });
            groups::groups(&humps.collect::<Vec<_>>()).is_some()
        });
        let found = found.count();
        assert!(found >= 180, "{n}: {found} of 200");
    }
}

/// A side whose every measured quantity is drawn from the same law as the other's.
fn drawn(name: &str, shape: Shape, n: usize, random: &mut impl Rng) -> Side {
    let mut side = Side::new(name);
    let times = values(shape, n, random);
    let records = times.iter().enumerate().map(|(i, time)| {
        let output = 16 + random.random_range(0..32);
        let mut record = record(i as u64 * 1_000, &[1]);
        record.index = i as u64;
        record.prompt = u32::try_from(i % 20).unwrap();
        let late = Nanos(random.random_range(0..2_000_000));
        let start = record.scheduled_ns + late;
        let first = start + Nanos::from_secs_f64(0.05 * time);
        record.start_ns = Some(start);
        record.tokens = Some(TokenCounts { input: Some(100), output, source: TokenSource::ServerUsage });
        let stamp = if random.random_bool(0.8) { Stamp::Kernel } else { Stamp::User };
        let events = (0..output / random.random_range(1..3))
            .map(|k| Event { stamp, ..event(first + Nanos::from_millis(10 * k), EventKind::Text) });
        record.events = events.collect::<Vec<_>>().into();
        record.prompt_tokens = Some(random.random_range(50..150));
        cached(&mut record, random.random_range(0..100));
        finish(&mut record, if random.random_bool(0.3) { FinishReason::Length } else { FinishReason::Stop });
        record.output_hash = Some(format!("{}", random.random_range(0..3)));
        record
    });
    side.records = records.collect();
    side
}

#[test]
fn where_nothing_differs_something_is_told_at_most_once_in_twenty_times() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for (targets, n) in [(2, 30), (2, 200), (4, 100)] {
        let mut told = 0;
        let tries = 240;
        for attempt in 0..tries {
            let shape = SHAPES[attempt % SHAPES.len()];
            let sides: Vec<Side> = (0..targets).map(|i| drawn(&format!("t{i}"), shape, n, &mut random)).collect();
            told += usize::from(!compared(&sides).is_empty());
        }
        assert!(told <= tries / 20, "{targets} targets, {n} requests each: {told} of {tries}");
    }
}
