//! What a reader must know of a reading: what stands in for what a recording does not hold, and where versions of a
//! tool differ.

use schema::event::{EventKind, Stamp};
use schema::explain::Tool;
use schema::record::{Record, TokenSource};
use schema::target::Dialect;

use super::definition::{Carriers, Definition, Itl, OURS, Tokens};
use super::material::Material;
use super::reading::Seen;

/// From this output speed on, earlier versions of genai-bench left a request out, tokens per second.
const TOO_FAST: f64 = 1_000.0;

/// One sentence each, without a full stop.
pub(super) fn of(tool: Tool, definition: &Definition, material: &Material<'_>) -> Vec<String> {
    let told = [
        dialect(material),
        Some(clock(material)),
        connections(tool, material),
        choices(definition, material),
        tokenizer(tool, material),
        reasoning(definition, material),
        per_event(definition, material),
        versions(tool, material),
        (tool == Tool::GuideLlm)
            .then(|| "its output tokens/s is a mean over time of what was under way: not read here".to_owned()),
    ];
    told.into_iter().flatten().collect()
}

fn any(material: &Material<'_>, hit: impl Fn(&Record) -> bool) -> bool {
    material.all.iter().any(|record| hit(record))
}

fn count(material: &Material<'_>, hit: impl Fn(&Record) -> bool) -> usize {
    material.all.iter().filter(|record| hit(record)).count()
}

fn dialect(material: &Material<'_>) -> Option<String> {
    let dialect = material.target.dialect;
    (!matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiCompletions)).then(|| {
        format!("the answers came over {dialect}: what it means for OpenAI's protocol is applied to their events")
    })
}

/// All of them look at the clock somewhere in their own reading and parsing.
fn clock(material: &Material<'_>) -> String {
    let kernel = any(material, |record| record.events.content().any(|event| event.stamp == Stamp::Kernel));
    if kernel {
        "it stamps an event in the midst of its own reading and parsing; when we had read it stands in, which is \
         earlier: what its own program adds is not in these figures"
            .to_owned()
    } else {
        "the recording holds no stamps of the kernel: what reading adds is in our figures too".to_owned()
    }
}

fn connections(tool: Tool, material: &Material<'_>) -> Option<String> {
    let opens_each = matches!(tool, Tool::GenAiBench | Tool::LlmPerf);
    let connected = count(material, |record| record.connect.is_some());
    let all = material.all.len();
    (opens_each && connected < all).then(|| {
        format!("it opens a connection for every request; the recording has the time of that for {connected} of {all}")
    })
}

fn choices(definition: &Definition, material: &Material<'_>) -> Option<String> {
    let blank = any(material, |record| record.events.iter().any(|event| !event.kind.is_content()));
    (definition.carriers == Carriers::Any && blank).then(|| {
        "a recording does not hold what an event without content said: all are taken for events with `choices`, but \
         for the end marker and the token counts that were asked for"
            .to_owned()
    })
}

fn tokenizer(tool: Tool, material: &Material<'_>) -> Option<String> {
    let unsaid = any(material, |r| r.tokens.is_some_and(|tokens| tokens.source != TokenSource::ServerUsage));
    match tool {
        Tool::AiPerf | Tool::InferencePerf => {
            Some("it counts tokens with the model's tokenizer unless told otherwise; ours stand in".to_owned())
        }
        Tool::LlmPerf => {
            Some("it counts tokens with one tokenizer, Llama's, whatever the model; ours stand in".to_owned())
        }
        Tool::VllmBench | Tool::GenAiBench if unsaid => {
            Some("where the server tells no count it takes the model's tokenizer; ours stand in".to_owned())
        }
        _ => None,
    }
}

fn has_reasoning(record: &Record) -> bool {
    record.events.content().any(|event| event.kind == EventKind::Reasoning)
}

fn reasoning(definition: &Definition, material: &Material<'_>) -> Option<String> {
    let untold = |record: &Record| {
        has_reasoning(record) && record.usage.and_then(|usage| usage.reasoning_tokens).is_none_or(|n| n == 0)
    };
    (definition.tokens == Tokens::Answer && any(material, untold))
        .then(|| "the server does not say how many tokens were reasoning: they are shared out by events".to_owned())
}

fn per_event(definition: &Definition, material: &Material<'_>) -> Option<String> {
    let untold = |record: &Record| {
        let seen = Seen::of(material, record, definition);
        seen.is_some_and(|seen| !seen.tells_tokens_of_events())
    };
    (definition.itl == Some(Itl::PerToken) && any(material, untold)).then(|| {
        "it tokenises each event; the server does not say how many tokens one holds: they are spread evenly".to_owned()
    })
}

fn versions(tool: Tool, material: &Material<'_>) -> Option<String> {
    match tool {
        Tool::InferencePerf if any(material, has_reasoning) => {
            Some("its later sources let reasoning end TTFT, as ours does, and nothing else".to_owned())
        }
        Tool::GenAiBench => {
            let fast = count(material, |record| {
                let seen = Seen::of(material, record, &OURS);
                seen.and_then(|seen| seen.after_first(&OURS)).is_some_and(|tpot| 1e9 / tpot > TOO_FAST)
            });
            let all = material.all.len();
            (fast > 0).then(|| {
                format!("its earlier versions left out answers above 1,000 tokens/s altogether: {fast} of {all} here")
            })
        }
        _ => None,
    }
}
