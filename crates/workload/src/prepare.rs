//! From what was asked for to what is asked.

use std::borrow::Cow;
use std::io::BufRead;
use std::sync::Arc;

use schema::plan::{Prompt, PromptSource, Workload};

use crate::error::WorkloadError;
use crate::file::{self, Draft, Wanted};
use crate::lengths::Drawn;
use crate::prefix::Prefixes;
use crate::prompts::{BREAK, Base, Made, Prompts};
use crate::scenario::scene;
use crate::tokenizer::Tokenizer;
use crate::trace::Trace;
use crate::words::Words;
use crate::{builtin, images};

/// What the caller opened: one for each file that the workload names.
#[derive(Default)]
pub struct Sources<'a> {
    /// The file of [`PromptSource::File`].
    pub file: Option<Box<dyn BufRead + 'a>>,
    /// The file of empirical lengths of [`PromptSource::Synthetic`].
    pub input_lengths: Option<Box<dyn BufRead + 'a>>,
    /// The file of empirical lengths of [`Workload::output_tokens`].
    pub output_lengths: Option<Box<dyn BufRead + 'a>>,
    /// The tokenizer of [`Workload::tokenizer`].
    pub tokenizer: Option<Arc<Tokenizer>>,
    /// The trace of [`PromptSource::Trace`].
    pub trace: Option<Arc<Trace>>,
}

/// The prompts of `workload`. `seed` is the plan's. Only those of `sources` are read that the workload names.
///
/// With a tokenizer the prompts' tokens are counted, and text made up is as long as it is meant to be to the token.
pub fn prepare(workload: &Workload, seed: u64, sources: Sources<'_>) -> Result<Prompts, WorkloadError> {
    let Sources { file, input_lengths, output_lengths, tokenizer, trace } = sources;
    let mut notes = Vec::new();
    let words = words_for(workload, tokenizer.as_deref(), &mut notes);
    let base = match &workload.prompts {
        PromptSource::Synthetic(lengths) => {
            Base::Synthetic { lengths: Drawn::prepare(lengths, input_lengths)?, turns: workload.turns.max(1) }
        }
        PromptSource::Memory(memory) => Base::Memory { memory: *memory, turns: workload.turns.max(1) },
        PromptSource::Trace if workload.turns > 1 => return Err(WorkloadError::TurnsOfTrace),
        PromptSource::Trace => {
            traced(trace.ok_or(WorkloadError::NoTrace)?, workload.output_tokens.is_none(), &mut notes)?
        }
        PromptSource::BuiltIn(_) | PromptSource::Text(_) | PromptSource::File(_) | PromptSource::Scenario(_) => {
            let drafts = drafts(workload, file, tokenizer.is_some(), &mut notes)?;
            Base::Set(counted(drafts, workload, &words, tokenizer.as_deref()))
        }
    };
    let outputs = workload.output_tokens.as_ref().map(|lengths| Drawn::prepare(lengths, output_lengths)).transpose()?;
    let max_tokens = outputs.as_ref().and_then(Drawn::fixed);
    let prefixes = workload.prefix.map(|prefix| Prefixes::prepare(prefix, seed, &words)).transpose()?;
    workload.images.map_or(Ok(()), images::check)?;
    let made = Made {
        base,
        words,
        prefixes,
        images: workload.images,
        outputs: outputs.filter(|_| max_tokens.is_none()),
        max_tokens: max_tokens.unwrap_or(workload.max_tokens),
    };
    let mut prompts = Prompts { made: Arc::new(made), tokenizer, notes };
    mistrust_what_was_miscounted(&mut prompts, seed);
    Ok(prompts)
}

/// What text is made up of, where any is.
fn words_for(workload: &Workload, tokenizer: Option<&Tokenizer>, notes: &mut Vec<String>) -> Words {
    let makes_text_up =
        workload.prefix.is_some() || matches!(workload.prompts, PromptSource::Synthetic(_) | PromptSource::Trace);
    let Some(tokenizer) = tokenizer.filter(|_| makes_text_up) else {
        if makes_text_up {
            notes.push(
                "made-up text is about as long as asked, one token counted for each word; with the model's \
                 `tokenizer.json` it is exact"
                    .to_owned(),
            );
        }
        return Words::uncounted();
    };
    let words = Words::counted_by(tokenizer);
    if !words.is_exact() {
        notes.push(
            "the tokenizer knows too few whole words: made-up text is about as long as asked, not to the token"
                .to_owned(),
        );
    }
    words
}

/// The prompts of a set, each with as many later turns as there are.
fn drafts(
    workload: &Workload,
    file: Option<Box<dyn BufRead + '_>>,
    has_tokenizer: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<Draft>, WorkloadError> {
    let alone = |prompt| Draft { prompt, answer: None };
    let mut drafts = match &workload.prompts {
        PromptSource::BuiltIn(size) => builtin::set(*size).into_iter().map(alone).collect(),
        PromptSource::Text(text) if text.trim().is_empty() => return Err(WorkloadError::EmptyText),
        PromptSource::Text(text) => vec![alone(Prompt::of(text))],
        PromptSource::Scenario(scenario) => {
            let mut prompt = scene(*scenario).prompt();
            prompt.followups.truncate(workload.turns.saturating_sub(1) as usize);
            return Ok(vec![alone(prompt)]);
        }
        PromptSource::File(path) => {
            let path = path.display().to_string();
            let Some(reader) = file else { return Err(WorkloadError::NoReader { path }) };
            let wanted = Wanted {
                columns: workload.columns.as_ref(),
                turns: workload.turns.max(1),
                answers: has_tokenizer && workload.output_tokens.is_none() && workload.turns <= 1,
            };
            let mut found = file::read(&path, reader, wanted)?;
            notes.append(&mut found.notes);
            if found.are_conversations {
                return Ok(found.drafts);
            }
            found.drafts
        }
        PromptSource::Synthetic(_) | PromptSource::Trace | PromptSource::Memory(_) => Vec::new(),
    };
    for (number, draft) in drafts.iter_mut().enumerate() {
        let questions = builtin::follow_ups().skip(number % builtin::FOLLOW_UPS.len());
        draft.prompt.followups = questions.take(workload.turns.saturating_sub(1) as usize).map(str::to_owned).collect();
    }
    Ok(drafts)
}

/// With their tokens, and their answers' lengths where those were kept, when there is a tokenizer.
fn counted(drafts: Vec<Draft>, workload: &Workload, words: &Words, tokenizer: Option<&Tokenizer>) -> Vec<Prompt> {
    let Some(tokenizer) = tokenizer else { return drafts.into_iter().map(|draft| draft.prompt).collect() };
    let tokens = tokens_of(&drafts, workload.prefix.is_some().then(|| words.any()), tokenizer);
    let answers: Vec<&str> = drafts.iter().map(|draft| draft.answer.as_deref().unwrap_or("")).collect();
    let answers = tokenizer.count_all(&answers);
    let with_counts = drafts.into_iter().zip(tokens).zip(answers).map(|((draft, tokens), answer)| {
        let recorded = u32::try_from(answer).ok().filter(|tokens| *tokens > 0);
        let max_tokens = draft.prompt.max_tokens.or(recorded);
        Prompt { tokens: u32::try_from(tokens).ok(), max_tokens, ..draft.prompt }
    });
    with_counts.collect()
}

/// Tokens of each prompt: of what follows `before`, where something will stand before it.
fn tokens_of(drafts: &[Draft], before: Option<&str>, tokenizer: &Tokenizer) -> Vec<usize> {
    let behind = |text| before.map_or(Cow::Borrowed(text), |word| Cow::Owned([word, BREAK, text].concat()));
    let first = drafts.iter().map(|Draft { prompt, .. }| behind(prompt.system.as_deref().unwrap_or(&prompt.user)));
    let second = drafts.iter().map(|Draft { prompt, .. }| prompt.system.as_ref().map_or("", |_| &prompt.user));
    let (first, second): (Vec<_>, Vec<&str>) = (first.collect(), second.collect());
    let first = tokenizer.count_all(&first.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
    let second = tokenizer.count_all(&second);
    let word = usize::from(before.is_some());
    first.into_iter().zip(second).map(|(first, second)| (first + second).saturating_sub(word)).collect()
}

/// A trace's prompts; those of unknown length get the median of the others.
fn traced(trace: Arc<Trace>, answers: bool, notes: &mut Vec<String>) -> Result<Base, WorkloadError> {
    let mut known: Vec<u32> = trace.entries().iter().filter_map(|entry| entry.input_tokens).collect();
    let middle = known.len() / 2;
    if known.is_empty() {
        return Err(WorkloadError::NoInputLengths);
    }
    let unknown = trace.entries().len() - known.len();
    let usual = *known.select_nth_unstable(middle).1;
    if unknown > 0 {
        notes.push(format!(
            "requests whose length the trace does not say: {unknown}; they get {usual} tokens, the median"
        ));
    }
    Ok(Base::Trace { trace, usual, answers })
}

/// Tokenises a sample of what will be sent. Where a count is not what it should be, none is claimed.
fn mistrust_what_was_miscounted(prompts: &mut Prompts, seed: u64) {
    const SAMPLE: u64 = 24;
    const LONGEST: u32 = 100_000;
    let Some(tokenizer) = prompts.tokenizer.clone().filter(|_| prompts.len().is_none()) else { return };
    let is_wrong = |index| {
        let prompt = prompts.pick(seed, index).prompt;
        let Some(claimed) = prompt.tokens.filter(|tokens| *tokens <= LONGEST) else { return false };
        let system = prompt.system.as_deref().map_or(0, |system| tokenizer.count(system));
        system + tokenizer.count(&prompt.user) != claimed as usize
    };
    let wrong = (0..SAMPLE).filter(|index| is_wrong(*index)).count();
    if wrong > 0 {
        prompts.notes.push(format!(
            "prompts that are not as many tokens as they were made to be: {wrong} of {SAMPLE} tried; lengths are about as asked"
        ));
        Arc::get_mut(&mut prompts.made).expect("nobody else has it yet").words.mistrust();
    }
}
