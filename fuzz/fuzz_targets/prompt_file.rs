//! Files of prompts in every form: the first byte says which name they have and whether columns are named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schema::plan::{Columns, PromptSource, Workload};
use workload::{Sources, prepare};

fuzz_target!(|input: &[u8]| {
    let Some((choice, file)) = input.split_first() else { return };
    let name = ["p.txt", "p.jsonl", "p.json", "p.csv"][usize::from(choice % 4)];
    let named = |name: &str| Some(name.to_owned());
    let columns = Columns { prompt: "a".to_owned(), system: named("b"), max_tokens: named("c"), image: named("d") };
    let workload = Workload {
        turns: 3,
        columns: (choice & 4 != 0).then_some(columns),
        ..Workload::plain(PromptSource::File(name.into()), 1)
    };
    let Ok(prompts) = prepare(&workload, 1, Sources { file: Some(Box::new(file)), ..Sources::default() }) else {
        return;
    };
    let count = prompts.len().expect("a file's prompts are a set");
    for number in 0..count {
        let picked = prompts.at(number).expect("it is below the length");
        assert!(!picked.prompt.user.trim().is_empty() && picked.max_tokens > 0);
    }
});
