use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Cursor};
use std::path::PathBuf;
use std::sync::Arc;

use schema::plan::{Images, PromptSource, SharedPrefix, Size, Workload};
use schema::units::Nanos;

use super::*;
use crate::tokenizer::tests::{byte_level, bytes, sentence_piece};

const SEED: u64 = 42;

fn workload(prompts: PromptSource) -> Workload {
    Workload::plain(prompts, 128)
}

fn synthetic(lengths: &str) -> Workload {
    workload(PromptSource::Synthetic(lengths.parse().unwrap()))
}

fn file(text: &str) -> Box<dyn BufRead> {
    Box::new(Cursor::new(text.to_owned()))
}

fn with(tokenizer: Tokenizer) -> Sources<'static> {
    Sources { tokenizer: Some(Arc::new(tokenizer)), ..Sources::default() }
}

fn prepared(workload: &Workload, sources: Sources<'_>) -> Prompts {
    prepare(workload, SEED, sources).unwrap()
}

fn users(prompts: PromptSource, text: Option<&str>) -> Result<Vec<String>, String> {
    let sources = Sources { file: text.map(file), ..Sources::default() };
    prepare(&workload(prompts), SEED, sources)
        .map(|prompts| (0..).map_while(|number| Some(prompts.at(number)?.prompt.user.clone())).collect())
        .map_err(|error| error.to_string())
}

#[test]
fn one_text_is_one_prompt_as_it_was_written() {
    assert_eq!(users(PromptSource::Text(" hello\n".into()), None), Ok(vec![" hello\n".to_owned()]));
    assert_eq!(users(PromptSource::Text(" \n".into()), None), Err("the prompt is empty".to_owned()));
}

#[test]
fn a_file_is_read_only_when_it_was_asked_for() {
    let source = || PromptSource::File(PathBuf::from("p.txt"));
    assert_eq!(users(source(), Some("a\nb")), Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(users(source(), None), Err("`p.txt` was not handed over".to_owned()));
    assert_eq!(users(PromptSource::BuiltIn(Size::Short), Some("a")).unwrap().len(), 16);
}

#[test]
fn a_set_is_picked_in_rounds() {
    let prompts = prepared(&workload(PromptSource::BuiltIn(Size::Short)), Sources::default());
    assert_eq!(prompts.len(), Some(16));
    assert_eq!(prompts.at(16), None);
    let round: HashSet<u32> = (32..48).map(|index| prompts.pick(SEED, index).number).collect();
    assert_eq!(round.len(), 16);
    for index in 0..100 {
        let picked = prompts.pick(SEED, index);
        assert_eq!(picked.number as usize, choose(16, SEED, index));
        assert_eq!(prompts.at(picked.number), Some(picked));
    }
}

/// All that can be made up, at once and apart.
fn made_up() -> Vec<Prompts> {
    let prefix = Some(SharedPrefix { groups: 2, tokens: 20, share: 0.5 });
    let images = Some(Images { per_request: 1, width: 8, height: 8 });
    let output_tokens = Some("uniform:10..20".parse().unwrap());
    let all = Workload { prefix, images, output_tokens, turns: 3, ..synthetic("normal:60,20") };
    vec![
        prepared(&synthetic("normal:60,20"), with(byte_level())),
        prepared(&all, with(byte_level())),
        prepared(&all, Sources::default()),
        prepared(&Workload { prompts: PromptSource::BuiltIn(Size::Short), ..all }, Sources::default()),
    ]
}

#[test]
fn the_same_seed_and_index_give_the_same_prompt_and_others_another() {
    for (prompts, again) in made_up().iter().zip(&made_up()) {
        assert_eq!((prompts.len(), prompts.at(0)), (None, None));
        let mut seen = HashSet::new();
        for index in (0..50).rev() {
            let picked = prompts.pick(SEED, index);
            assert_eq!(picked, again.pick(SEED, index));
            let prompt = picked.prompt.into_owned();
            assert!(seen.insert((prompt.user, prompt.images)), "{index}");
        }
        assert_ne!(prompts.pick(1, 0).prompt, prompts.pick(2, 0).prompt);
    }
}

#[test]
fn made_up_prompts_are_exactly_as_long_as_they_were_drawn() {
    for lengths in ["64", "1", "uniform:1..300", "normal:100,40", "lognormal:80,0.7", "exponential:50"] {
        for tokenizer in [byte_level(), sentence_piece()] {
            let prompts = prepared(&synthetic(lengths), with(tokenizer));
            let tokenizer = prompts.tokenizer().unwrap();
            for index in 0..60 {
                let prompt = prompts.pick(SEED, index).prompt;
                assert_eq!(Some(tokenizer.count(&prompt.user)), prompt.tokens.map(|n| n as usize), "{lengths}");
            }
            assert!(prompts.notes().is_empty());
        }
    }
}

#[test]
fn lengths_that_are_only_near_are_said_to_be() {
    let uncounted = prepared(&synthetic("50"), Sources::default());
    assert_eq!(uncounted.pick(SEED, 0).prompt.tokens, None);
    assert_eq!(
        uncounted.notes(),
        [
            "made-up text is about as long as asked, one token counted for each word; with the model's `tokenizer.json` it \
          is exact"
        ]
    );
    let inexact = prepared(&synthetic("50"), with(bytes()));
    assert_eq!(inexact.pick(SEED, 0).prompt.tokens, None);
    assert_eq!(
        inexact.notes(),
        ["the tokenizer knows too few whole words: made-up text is about as long as asked, not to the token"]
    );
}

#[test]
fn lengths_come_from_a_file_too() {
    let workload = Workload { output_tokens: Some("file:out.txt".parse().unwrap()), ..synthetic("file:in.txt") };
    let sources = || Sources {
        input_lengths: Some(file("30\n90\n")),
        output_lengths: Some(file("7\n8\n9\n")),
        ..with(byte_level())
    };
    let prompts = prepared(&workload, sources());
    let (mut inputs, mut outputs) = (HashSet::new(), HashSet::new());
    for index in 0..100 {
        let picked = prompts.pick(SEED, index);
        inputs.insert(picked.prompt.tokens.unwrap());
        outputs.insert(picked.max_tokens);
    }
    assert_eq!((inputs, outputs), ([30, 90].into(), [7, 8, 9].into()));
    let error = prepare(&workload, SEED, Sources { output_lengths: None, ..sources() }).unwrap_err();
    assert_eq!(error.to_string(), "`out.txt` was not handed over");
}

#[test]
fn what_a_prompt_says_of_its_answer_comes_before_what_the_workload_says() {
    let source = PromptSource::File("p.jsonl".into());
    let text = "{\"prompt\":\"a\",\"max_tokens\":5}\n{\"prompt\":\"b\"}";
    let limits = |output: Option<&str>| {
        let output_tokens = output.map(|text| text.parse().unwrap());
        let sources = Sources { file: Some(file(text)), ..Sources::default() };
        let prompts = prepared(&Workload { output_tokens, ..workload(source.clone()) }, sources);
        let limits: BTreeMap<String, u32> = (0..20)
            .map(|index| prompts.pick(SEED, index))
            .map(|picked| (picked.prompt.user.clone(), picked.max_tokens))
            .collect();
        (prompts.len(), limits)
    };
    let of = |b| [("a".to_owned(), 5), ("b".to_owned(), b)].into();
    assert_eq!(limits(None), (Some(2), of(128)));
    assert_eq!(limits(Some("77")), (Some(2), of(77)));
    assert_eq!(limits(Some("uniform:9..9")), (None, of(9)));
}

const CONVERSATIONS: &str = r#"[{"conversations": [{"from": "human", "value": "able about"},
    {"from": "gpt", "value": "12345"}, {"from": "human", "value": "and then?"}]}]"#;

#[test]
fn recorded_answers_say_how_long_answers_may_be_when_they_can_be_counted() {
    let source = || workload(PromptSource::File("s.json".into()));
    let limit = |workload: &Workload, tokenizer: Option<Tokenizer>| {
        let tokenizer = tokenizer.map(Arc::new);
        prepared(workload, Sources { file: Some(file(CONVERSATIONS)), tokenizer, ..Sources::default() })
            .pick(SEED, 0)
            .max_tokens
    };
    assert_eq!(limit(&source(), Some(bytes())), 5);
    assert_eq!(limit(&source(), None), 128);
    let output_tokens = Some("9".parse().unwrap());
    assert_eq!(limit(&Workload { output_tokens, ..source() }, Some(bytes())), 9);
    assert_eq!(limit(&Workload { turns: 2, ..source() }, Some(bytes())), 128, "it would bound later answers as well");
}

#[test]
fn later_turns_come_from_the_conversation_or_are_our_own() {
    let turns = |source: PromptSource, text: Option<&str>| {
        let sources = Sources { file: text.map(file), ..Sources::default() };
        prepared(&Workload { turns: 9, ..workload(source) }, sources).pick(SEED, 3).prompt.followups.clone()
    };
    assert_eq!(turns(PromptSource::File("s.json".into()), Some(CONVERSATIONS)), ["and then?"]);
    for own in [
        turns(PromptSource::BuiltIn(Size::Short), None),
        turns(PromptSource::Text("a".into()), None),
        turns(PromptSource::File("p.txt".into()), Some("a")),
    ] {
        assert_eq!(own.len(), 8);
        assert_eq!(own.iter().collect::<HashSet<_>>().len(), 6);
    }
    let made_up = prepared(&Workload { turns: 3, ..synthetic("uniform:30..60") }, with(byte_level()));
    let prompt = made_up.pick(SEED, 0).prompt;
    let lengths: Vec<_> = prompt.followups.iter().map(|text| made_up.tokenizer().unwrap().count(text)).collect();
    assert!(lengths.len() == 2 && lengths.iter().all(|tokens| (30..=60).contains(tokens)), "{lengths:?}");
}

/// How many of 2,000 requests begin like another one does.
fn hits(prompts: &Prompts) -> usize {
    let beginnings: Vec<String> = (0..2000)
        .map(|index| prompts.pick(SEED, index).prompt.user.split([' ', '\n']).take(20).collect::<Vec<_>>().join(" "))
        .collect();
    let mut counts = BTreeMap::new();
    for text in &beginnings {
        *counts.entry(text).or_insert(0) += 1;
    }
    beginnings.iter().filter(|text| counts[text] > 1).count()
}

/// Four standard deviations of the binomial distribution.
#[test]
fn as_many_requests_share_a_beginning_as_were_asked_to() {
    for share in [0.0, 0.25, 0.8, 1.0] {
        let prefix = Some(SharedPrefix { groups: 3, tokens: 20, share });
        let source = PromptSource::BuiltIn(Size::Short);
        for workload in [Workload { prefix, ..synthetic("50") }, Workload { prefix, ..workload(source) }] {
            let hits = hits(&prepared(&workload, Sources::default())) as f64;
            let deviation = (2000.0 * share * (1.0 - share)).sqrt();
            assert!((hits - 2000.0 * share).abs() <= 4.0 * deviation, "{hits} of 2000 for {share}");
        }
    }
}

#[test]
fn a_request_without_a_shared_beginning_is_no_shorter() {
    let prefix = Some(SharedPrefix { groups: 4, tokens: 33, share: 0.5 });
    let prompts = prepared(&Workload { prefix, ..synthetic("40") }, with(byte_level()));
    let tokenizer = prompts.tokenizer().unwrap();
    for index in 0..100 {
        let prompt = prompts.pick(SEED, index).prompt;
        assert_eq!((prompt.tokens, tokenizer.count(&prompt.user)), (Some(73), 73));
    }
}

#[test]
fn a_beginning_stands_before_the_system_message_and_is_counted_with_it() {
    let text = "{\"prompt\":\"able about\",\"system\":\"across\"}\n{\"prompt\":\"again\"}";
    let prefix = Some(SharedPrefix { groups: 1, tokens: 10, share: 1.0 });
    let workload = Workload { prefix, ..workload(PromptSource::File("p.jsonl".into())) };
    let prompts = prepared(&workload, Sources { file: Some(file(text)), ..with(byte_level()) });
    let tokenizer = prompts.tokenizer().unwrap();
    for index in 0..2 {
        let prompt = prompts.pick(SEED, index).prompt;
        let first = prompt.system.as_ref().unwrap_or(&prompt.user);
        assert!(first.ends_with("\n\nacross") || first.ends_with("\n\nagain"), "{first}");
        let true_count =
            prompt.system.as_deref().map_or(0, |text| tokenizer.count(text)) + tokenizer.count(&prompt.user);
        assert_eq!(prompt.tokens.map(|tokens| tokens as usize), Some(true_count));
    }
}

#[test]
fn beginnings_that_cannot_be_are_refused() {
    for (groups, tokens, share) in [(0, 5, 0.5), (5, 0, 0.5), (1, 1, 1.5), (1, 1, f64::NAN), (u32::MAX, u32::MAX, 0.5)]
    {
        let prefix = Some(SharedPrefix { groups, tokens, share });
        let error = prepare(&Workload { prefix, ..synthetic("5") }, SEED, Sources::default()).unwrap_err();
        assert!(matches!(error, WorkloadError::Prefix { .. }), "{error}");
    }
}

#[test]
fn pictures_stand_beside_every_prompt() {
    let images = Some(Images { per_request: 2, width: 4, height: 4 });
    let prompts = prepared(&Workload { images, ..workload(PromptSource::Text("a".into())) }, Sources::default());
    let all: HashSet<String> = (0..10).flat_map(|index| prompts.pick(SEED, index).prompt.into_owned().images).collect();
    assert_eq!(all.len(), 20);
    let images = Some(Images { per_request: 0, width: 4, height: 4 });
    assert!(prepare(&Workload { images, ..synthetic("5") }, SEED, Sources::default()).is_err());
}

fn entry(at: u64, input: Option<u32>, output: Option<u32>, blocks: &[u64]) -> TraceEntry {
    TraceEntry { at: Nanos(at), input_tokens: input, output_tokens: output, blocks: blocks.to_vec() }
}

fn traced(entries: Vec<TraceEntry>) -> Sources<'static> {
    let trace = Trace::from_arrivals("t", entries).unwrap();
    Sources { trace: Some(Arc::new(trace)), ..with(byte_level()) }
}

#[test]
fn a_trace_says_how_long_prompts_and_answers_are() {
    let sources = traced(vec![
        entry(0, Some(70), Some(9), &[]),
        entry(5, Some(33), None, &[]),
        entry(7, None, Some(4), &[]),
        entry(9, Some(50), Some(1), &[]),
    ]);
    let prompts = prepared(&workload(PromptSource::Trace), sources);
    let seen: Vec<_> = (0..5)
        .map(|index| prompts.pick(SEED, index))
        .map(|picked| (picked.number, picked.prompt.tokens.unwrap(), picked.max_tokens))
        .collect();
    assert_eq!(seen, [(0, 70, 9), (1, 33, 128), (2, 50, 4), (3, 50, 1), (0, 70, 9)]);
    assert_ne!(prompts.pick(SEED, 0).prompt.user, prompts.pick(SEED, 4).prompt.user);
    assert_eq!(prompts.notes(), ["requests whose length the trace does not say: 1; they get 50 tokens, the median"]);
}

#[test]
fn lengths_of_answers_that_were_asked_for_come_before_those_of_a_trace() {
    let asked = Workload { output_tokens: Some("7".parse().unwrap()), ..workload(PromptSource::Trace) };
    let prompts = prepared(&asked, traced(vec![entry(0, Some(70), Some(9), &[])]));
    let picked = prompts.pick(SEED, 0);
    assert_eq!((picked.prompt.tokens, picked.max_tokens), (Some(70), 7));
}

#[test]
fn what_was_found_in_a_trace_is_told_by_the_trace_alone() {
    let file = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:47,40,9\n2023-11-16 18:15:46,50,9\n";
    let trace = crate::read_trace("t.csv", file.as_bytes()).unwrap();
    assert_eq!(trace.notes().len(), 1);
    let sources = Sources { trace: Some(Arc::new(trace)), ..with(byte_level()) };
    assert!(prepared(&workload(PromptSource::Trace), sources).notes().is_empty());
}

#[test]
fn equal_blocks_of_a_trace_are_equal_text() {
    let sources = traced(vec![
        entry(0, Some(1024), Some(1), &[7, 8]),
        entry(1, Some(1300), Some(1), &[7, 8, 9]),
        entry(2, Some(700), Some(1), &[7, 5]),
        entry(3, Some(2000), Some(1), &[7]),
    ]);
    let prompts = prepared(&workload(PromptSource::Trace), sources);
    let words = |index| {
        let prompt = prompts.pick(SEED, index).prompt.into_owned();
        assert_eq!(prompts.tokenizer().unwrap().count(&prompt.user), prompt.tokens.unwrap() as usize);
        prompt.user.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second, third, fourth) = (words(0), words(1), words(2), words(3));
    assert_eq!(first, second[..1024]);
    assert_eq!(first[..512], third[..512]);
    assert_ne!(first[512..700], third[512..]);
    assert_eq!((first[..512] == fourth[..512], fourth.len()), (true, 2000));
    assert_eq!(words(4), first);
}

#[test]
fn a_trace_that_cannot_give_prompts_is_refused() {
    let prompts = || workload(PromptSource::Trace);
    let refused = |workload: &Workload, sources| prepare(workload, SEED, sources).unwrap_err().to_string();
    let one = |input| traced(vec![entry(0, input, None, &[])]);
    assert_eq!(refused(&prompts(), Sources::default()), "there is no trace to take the lengths of prompts from");
    assert_eq!(refused(&prompts(), one(None)), "the trace says of no request how long its prompt was");
    assert_eq!(
        refused(&Workload { turns: 2, ..prompts() }, one(Some(1))),
        "a trace says nothing about the turns of a conversation"
    );
}

#[test]
fn prompts_of_a_set_are_counted_where_there_is_a_tokenizer() {
    let prompts = prepared(&workload(PromptSource::Text("four".into())), with(bytes()));
    assert_eq!(prompts.at(0).unwrap().prompt.tokens, Some(4));
    assert_eq!(
        prepared(&workload(PromptSource::Text("four".into())), Sources::default()).at(0).unwrap().prompt.tokens,
        None
    );
}

#[test]
fn every_error_names_a_next_step() {
    let path = || "p.txt".to_owned();
    let spot = || Spot::line("p.txt", 1);
    let what = || "of nothing".to_owned();
    let io = || std::io::ErrorKind::InvalidData.into();
    let json = || serde_json::from_str::<u8>("x").unwrap_err();
    for error in [
        WorkloadError::EmptyText,
        WorkloadError::NoReader { path: path() },
        WorkloadError::NoTrace,
        WorkloadError::TurnsOfTrace,
        WorkloadError::Read { spot: spot(), source: io() },
        WorkloadError::EmptyFile { path: path() },
        WorkloadError::FileTooLarge { path: path(), bytes: 1 },
        WorkloadError::TooLong { spot: spot(), bytes: 1 },
        WorkloadError::NotAPrompt { spot: spot(), source: json() },
        WorkloadError::NotAConversation { spot: spot(), source: json() },
        WorkloadError::NotCsv { spot: spot(), source: std::io::Error::from(std::io::ErrorKind::Other).into() },
        WorkloadError::UnknownColumn { path: path(), column: what() },
        WorkloadError::EmptyPrompt { spot: spot(), what: "an empty prompt" },
        WorkloadError::NotALength { spot: spot(), text: what() },
        WorkloadError::NoLengths { path: path() },
        WorkloadError::NoTokenizer("x".into()),
        WorkloadError::TokenizerTooLarge,
        WorkloadError::Prefix { what: what() },
        WorkloadError::Images { what: what() },
        WorkloadError::UnknownTrace { path: path() },
        WorkloadError::BadRequest { spot: spot(), what: what() },
        WorkloadError::EmptyTrace { path: path() },
        WorkloadError::NoInputLengths,
    ] {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        assert!(help.len() > 10 && !help.contains("{{"), "{error}: {help}");
    }
}
