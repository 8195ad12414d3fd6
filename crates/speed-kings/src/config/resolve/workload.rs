//! From settings to what is asked.

use schema::counted;
use schema::plan::{AnswerForm, Images, Lengths, Memory, PromptSource, SharedPrefix, Size, Spread, Workload};

use crate::config::problem::{Problem, Problems};
use crate::config::settings::Settings;

/// Tokens of a shared beginning unless told.
const PREFIX_TOKENS: u32 = 512;

/// Tokens of a passage between facts and questions unless told.
const PASSAGE_TOKENS: u32 = 200;

/// Pixels of a made-up picture's sides unless told.
const PIXELS: u32 = 512;

pub(super) fn workload(settings: &Settings, open_loop: bool, problems: &mut Problems) -> Workload {
    let turns = settings.turns.unwrap_or(1);
    if turns > 1 && open_loop {
        let problem = Problem::new("a conversation waits for its answers, and an open loop does not");
        problems.0.push(problem.help("use `concurrency`, `users` or stages of streams with `turns`"));
    }
    let fewest = settings.facts.map_or(1, ::workload::fewest_turns);
    if turns < fewest {
        let facts = settings.facts.unwrap_or_default();
        let problem = Problem::new(format!(
            "{} cannot be told and asked for in {}",
            counted(facts, "fact"),
            counted(turns, "turn")
        ));
        problems.0.push(problem.help(format!("use `turns` of {fewest} or more, or fewer `facts`")));
    }
    if settings.prefix_groups.is_none() && (settings.prefix_tokens.is_some() || settings.prefix_share.is_some()) {
        let problem =
            Problem::new("`prefix_tokens` and `prefix_share` say how requests share beginnings, and there are none");
        problems.0.push(problem.help("say how many different ones there are with `prefix_groups`"));
    }
    if settings.columns.is_some() && settings.prompt_file.is_none() {
        let problem = Problem::new("`columns` names what stands in `prompt_file`, and there is none");
        problems.0.push(problem.help("add `prompt_file`, or leave `columns` out"));
    }
    if settings.prefix_groups.is_some() && settings.defeat_cache == Some(true) {
        let problem = Problem::new(
            "`prefix_groups` shares beginnings so that caches find them, and `defeat_cache` keeps caches out",
        );
        problems.0.push(problem.help("keep one of them"));
    }
    problems.0.extend(too_short("input_tokens", settings.input_tokens.as_ref()));
    problems.0.extend(too_short("output_tokens", settings.output_tokens.as_ref()));
    Workload {
        force_length: settings.force_length.unwrap_or(true),
        defeat_cache: settings.defeat_cache.unwrap_or(false),
        temperature_milli: milli(settings.temperature.unwrap_or(0.0)),
        stream: settings.stream.unwrap_or(true),
        output_tokens: settings.output_tokens.clone().or_else(|| instead_of_the_trace(settings)),
        warmup_max_tokens: settings.warmup_max_tokens,
        turns,
        columns: settings.columns.as_ref().map(|columns| columns.0.clone()),
        prefix: settings.prefix_groups.map(|groups| SharedPrefix {
            groups,
            tokens: settings.prefix_tokens.unwrap_or(PREFIX_TOKENS),
            share: settings.prefix_share.unwrap_or(1.0),
        }),
        images: settings.images.map(|per_request| {
            let (width, height) = settings.image_size.map_or((PIXELS, PIXELS), |size| (size.width, size.height));
            Images { per_request, width, height }
        }),
        answer: settings.answer.unwrap_or(AnswerForm::Text),
        tokenizer: settings.tokenizer.clone(),
        ..Workload::plain(prompts(settings), settings.max_tokens.unwrap_or(32))
    }
}

/// No text is shorter than a token: lengths that begin, or lie about, below that are refused.
fn too_short(key: &str, lengths: Option<&Lengths>) -> Option<Problem> {
    let Some(lengths @ Lengths::Spread(spread)) = lengths else { return None };
    let about = match *spread {
        Spread::Fixed(length) => length,
        Spread::Uniform { low, .. } => low,
        Spread::Normal { mean, .. } | Spread::Exponential { mean } => mean,
        Spread::LogNormal { median, .. } => median,
    };
    (about < 1.0).then(|| {
        let problem = Problem::new(format!("`{key}` is `{lengths}`, and no text is shorter than one token"));
        problem.help("write it like `128` or `uniform:50..200`, with no length, mean or median below 1")
    })
}

/// An answer's length that was said beside a trace, whose own counts otherwise.
fn instead_of_the_trace(settings: &Settings) -> Option<Lengths> {
    settings.replay.as_ref()?;
    settings.max_tokens.map(|tokens| Lengths::Spread(Spread::Fixed(tokens.into())))
}

fn prompts(settings: &Settings) -> PromptSource {
    if let Some(text) = &settings.prompt {
        PromptSource::Text(text.clone())
    } else if let Some(scenario) = settings.scenario {
        PromptSource::Scenario(scenario)
    } else if let Some(facts) = settings.facts {
        PromptSource::Memory(Memory { facts, passage_tokens: settings.passage.unwrap_or(PASSAGE_TOKENS) })
    } else if let Some(file) = &settings.prompt_file {
        PromptSource::File(file.clone())
    } else if let Some(lengths) = &settings.input_tokens {
        PromptSource::Synthetic(lengths.clone())
    } else if settings.replay.is_some() && settings.size.is_none() {
        PromptSource::Trace
    } else {
        PromptSource::BuiltIn(settings.size.unwrap_or(Size::Short))
    }
}

/// Thousandths of a temperature, which is bounded to 0 to 5.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 5,000")]
fn milli(temperature: f64) -> u32 {
    (temperature.clamp(0.0, 5.0) * 1000.0).round() as u32
}
