//! What differs in what was asked, of whom, from where. Plans say it; nothing here is left to chance.

use schema::alike::{Aspect, Severity, Unlike};
use schema::plan::{HttpChoice, Plan, Search, Stop, Workload};

use super::model::Model;
use super::{Compared, grouped, told};
use schema::counted;

/// One thing to compare: how much a difference matters, in what it is, and what follows.
#[derive(Clone, Copy)]
struct Question {
    severity: Severity,
    what: Aspect,
    /// Begins the sentence.
    opening: &'static str,
    /// Ends it.
    consequence: &'static str,
}

const fn question(severity: Severity, what: Aspect, opening: &'static str, consequence: &'static str) -> Question {
    Question { severity, what, opening, consequence }
}

/// All differences in what was asked.
pub(super) fn unlike(compared: &[Compared<'_>]) -> Vec<Unlike> {
    use Severity::{Caution, Note, Unfair};
    let found = [
        ask(
            question(Unfair, Aspect::Reality, "simulated and real stand side by side", "do not compare them"),
            compared,
            |one| if one.target.simulated { "is SIMULATED" } else { "is real" }.to_owned(),
        ),
        models(compared),
        quantisations(compared),
        ask(question(Unfair, Aspect::Prompts, "other prompts were asked", "no figure compares"), compared, |one| {
            format!("with {}", prompts(&one.plan.workload))
        }),
        ask(
            question(
                Caution,
                Aspect::OutputLimit,
                "answers were limited otherwise",
                "compare TTFT and TPOT, not E2E, rates or cost",
            ),
            compared,
            |one| format!("with {}", limit(one.plan)),
        ),
        ask(
            question(
                Note,
                Aspect::OutputLimit,
                "not all can be held to the length asked for",
                "where lengths differ, compare TTFT and TPOT",
            ),
            compared,
            forced,
        ),
        ask(
            question(Note, Aspect::Sampling, "answers were sampled otherwise", "their lengths may differ"),
            compared,
            |one| temperature(one),
        ),
        ask(
            question(Unfair, Aspect::CachePolicy, "prompt caches were treated otherwise", "TTFT does not compare"),
            compared,
            |one| {
                if one.plan.workload.defeat_cache { "with caches defeated" } else { "with caches left alone" }
                    .to_owned()
            },
        ),
        ask(
            question(Unfair, Aspect::Load, "the loads were unlike", "compare curves over load, not single figures"),
            compared,
            |one| format!("under {}", load(one.plan)),
        ),
        ask(
            question(Note, Aspect::Amount, "unlike amounts were measured", "intervals tell how much each is worth"),
            compared,
            |one| format!("for {}", amount(one.plan)),
        ),
        ask(question(Note, Aspect::Seed, "the seeds were unlike", "prompts came in another order"), compared, |one| {
            format!("with {}", one.plan.seed)
        }),
        machines(compared),
        programs(compared),
        ask(
            question(
                Unfair,
                Aspect::Streaming,
                "some answers were streamed, others came whole",
                "TTFT and ITL do not compare",
            ),
            compared,
            |one| if one.plan.workload.stream { "streamed" } else { "whole" }.to_owned(),
        ),
        ask(
            question(
                Note,
                Aspect::Streaming,
                "answers came over unlike protocols",
                "ITL is a gap between events, which each protocol cuts its own way",
            ),
            compared,
            |one| format!("over {}", one.target.dialect),
        ),
        ask(
            question(Note, Aspect::Transport, "connections were made otherwise", "their overhead differs"),
            compared,
            |one| format!("over {}", transport(one.plan)),
        ),
    ];
    found.into_iter().flatten().collect()
}

fn ask<'a>(question: Question, compared: &[Compared<'a>], of: impl Fn(&Compared<'a>) -> String) -> Option<Unlike> {
    let groups = grouped(compared, of)?;
    let Question { severity, what, opening, consequence } = question;
    Some(told(severity, what, format!("{opening} ({groups}): {consequence}")))
}

fn models(compared: &[Compared<'_>]) -> Option<Unlike> {
    let first = Model::of(&compared[0].target.model).base;
    let differ = compared.iter().any(|one| Model::of(&one.target.model).base != first);
    let question = question(
        Severity::Caution,
        Aspect::Model,
        "not the same model",
        "speeds compare what users get, not how well each serves it",
    );
    differ.then(|| ask(question, compared, |one| format!("serves `{}`", one.target.model)))?
}

fn quantisations(compared: &[Compared<'_>]) -> Option<Unlike> {
    let known: Vec<Compared<'_>> =
        compared.iter().filter(|one| Model::of(&one.target.model).storage.is_some()).cloned().collect();
    let question = question(
        Severity::Caution,
        Aspect::Quantisation,
        "weights are stored otherwise by the models' names",
        "answers may be of another quality",
    );
    let found = ask(question, compared, |one| {
        let storage = Model::of(&one.target.model).storage;
        format!("is {}", storage.as_deref().unwrap_or("not said"))
    });
    found.filter(|_| !known.is_empty())
}

/// Everything that prompts are made of but their order.
fn prompts(workload: &Workload) -> String {
    use schema::plan::PromptSource;
    let source = match &workload.prompts {
        PromptSource::BuiltIn(size) => format!("built-in {size} prompts"),
        PromptSource::Text(text) => format!("the prompt `{}`", text.chars().take(40).collect::<String>()),
        PromptSource::File(path) => format!("the prompts of `{}`", path.display()),
        PromptSource::Synthetic(lengths) => format!("prompts of {lengths} tokens made up"),
        PromptSource::Scenario(scenario) => format!("the scene `{scenario}`"),
        PromptSource::Trace => "prompts as long as the trace says".to_owned(),
        PromptSource::Memory(memory) => format!(
            "conversations that ask for {} told before, with passages of {} between",
            counted(memory.facts, "fact"),
            counted(memory.passage_tokens, "token")
        ),
    };
    let prefix = workload.prefix.map(|prefix| {
        format!(
            "{} of {} shared by {:.0} %",
            counted(prefix.groups, "beginning"),
            counted(prefix.tokens, "token"),
            prefix.share * 100.0
        )
    });
    let images = workload
        .images
        .map(|images| format!("{} of {}×{} each", counted(images.per_request, "picture"), images.width, images.height));
    let turns = (workload.turns > 1).then(|| format!("{} turns", workload.turns));
    let answer = match workload.answer {
        schema::plan::AnswerForm::Text => None,
        schema::plan::AnswerForm::Json => Some("answers in JSON".to_owned()),
        schema::plan::AnswerForm::Tool => Some("calls of a tool".to_owned()),
    };
    std::iter::once(source).chain([prefix, images, turns, answer].into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

fn limit(plan: &Plan) -> String {
    let length = match &plan.workload.output_tokens {
        Some(lengths) => format!("{lengths} tokens"),
        None => format!("up to {}", counted(plan.workload.max_tokens, "token")),
    };
    if plan.workload.force_length { format!("{length}, forced where possible") } else { length }
}

/// A length is only forced where the target can be.
fn forced(one: &Compared<'_>) -> String {
    let is_held = one.target.can_force_length() || !one.plan.workload.force_length;
    if is_held { "can be" } else { "cannot" }.to_owned()
}

fn temperature(one: &Compared<'_>) -> String {
    if one.target.encoding.temperature || !speaks_openai(one) {
        format!("at temperature {}", f64::from(one.plan.workload.temperature_milli) / 1000.0)
    } else {
        "at a temperature of its own".to_owned()
    }
}

/// Only OpenAI's dialects have services that refuse a temperature.
fn speaks_openai(one: &Compared<'_>) -> bool {
    use schema::target::Dialect::{OpenaiChat, OpenaiCompletions};
    matches!(one.target.dialect, OpenaiChat | OpenaiCompletions)
}

fn load(plan: &Plan) -> String {
    match plan.search {
        None => plan.load.to_string(),
        Some(Search::Sweep { axis, .. }) => format!("a sweep over {}", axis.in_words()),
        Some(Search::FindMax { axis, .. }) => format!("a search for the highest {}", axis.in_words()),
    }
}

fn amount(plan: &Plan) -> String {
    let stop = match plan.stop {
        Stop::Requests(n) => counted(n, "request"),
        Stop::DurationNs(span) => span.to_string(),
    };
    format!("{stop} after {} of warm-up", plan.warmup)
}

fn transport(plan: &Plan) -> String {
    let transport = &plan.transport;
    let http = match transport.http {
        HttpChoice::Http1 => "HTTP/1.1",
        HttpChoice::Http2 => "HTTP/2",
    };
    let proxy = if transport.proxy.is_some() { " through a proxy" } else { "" };
    let insecure = if transport.insecure { ", certificates not verified" } else { "" };
    format!("{http}{proxy}{insecure}")
}

/// What is not known is not unlike.
fn known<'a, T>(compared: &[Compared<'a>], of: impl Fn(&Compared<'a>) -> Option<T>) -> bool {
    compared.iter().all(|one| of(one).is_some())
}

fn machines(compared: &[Compared<'_>]) -> Option<Unlike> {
    let question = question(
        Severity::Caution,
        Aspect::Machine,
        "they were measured from unlike machines",
        "the way there and the client's own part differ",
    );
    let of = |one: &Compared<'_>| {
        one.machine.map(|machine| format!("from {} × {}, {}", machine.cores, machine.cpu, machine.os))
    };
    known(compared, of).then(|| ask(question, compared, |one| of(one).unwrap_or_default()))?
}

fn programs(compared: &[Compared<'_>]) -> Option<Unlike> {
    let question = question(
        Severity::Note,
        Aspect::Program,
        "they were measured by unlike versions of this program",
        "its changelog tells whether figures changed their meaning",
    );
    let of = |one: &Compared<'_>| one.program_version.map(|version| format!("by {version}"));
    known(compared, of).then(|| ask(question, compared, |one| of(one).unwrap_or_default()))?
}
