//! The built-in sets.

use schema::plan::{Prompt, Size};

/// The prompts of one size.
pub(crate) fn set(size: Size) -> Vec<Prompt> {
    let texts = match size {
        Size::Short => short(),
        Size::Medium => medium(),
        Size::Long => long(),
    };
    texts.into_iter().map(|user| Prompt { system: None, user, max_tokens: None }).collect()
}

fn short() -> Vec<String> {
    include_str!("../data/short.txt").lines().map(str::to_owned).collect()
}

fn medium() -> Vec<String> {
    Vec::new()
}

fn long() -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests;
