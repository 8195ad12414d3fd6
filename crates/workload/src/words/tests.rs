use proptest::prelude::*;

use super::*;
use crate::tokenizer::tests::{byte_level, bytes, sentence_piece, word_level};

/// The first of our words.
pub(crate) fn some_words(count: usize) -> impl Iterator<Item = &'static str> {
    WORDS.split_whitespace().take(count)
}

fn text(words: &Words, tokens: u32, seed: u64) -> String {
    words.prompt(tokens, &mut Stream::of(seed, Purpose::Text, 0))
}

#[test]
fn our_words_are_ordinary_and_there_are_many() {
    let all: Vec<_> = WORDS.split_whitespace().collect();
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert!(all.len() > 1000 && distinct.len() == all.len());
    assert!(all.iter().all(|word| word.len() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase())));
}

#[test]
fn text_is_as_many_tokens_as_it_was_meant_to_be() {
    for tokenizer in [byte_level(), word_level(), sentence_piece()] {
        let words = Words::counted_by(&tokenizer);
        assert!(words.is_exact(), "{tokenizer:?}");
        for tokens in (1..80).chain([127, 128, 1000, 4097]) {
            let made = text(&words, tokens, u64::from(tokens));
            assert_eq!(tokenizer.count(&made), tokens as usize, "{made}");
        }
    }
}

#[test]
fn a_tokenizer_without_whole_words_makes_lengths_near() {
    let tokenizer = bytes();
    let words = Words::counted_by(&tokenizer);
    assert!(!words.is_exact());
    for tokens in [500, 2000] {
        let counted = tokenizer.count(&text(&words, tokens, 1)) as f64;
        assert!((counted / f64::from(tokens) - 1.0).abs() < 0.1, "{counted} for {tokens}");
    }
}

#[test]
fn a_tokenizer_that_counts_nothing_does_no_harm() {
    let none = tokenizers::Tokenizer::new(tokenizers::models::bpe::BPE::default()).to_string(false).unwrap();
    let tokenizer = Tokenizer::from_json(none.as_bytes()).unwrap();
    let words = Words::counted_by(&tokenizer);
    assert!(!words.is_exact() && !text(&words, 5, 1).is_empty());
}

#[test]
fn without_a_tokenizer_each_word_counts_as_a_token() {
    let words = Words::uncounted();
    assert!(!words.is_exact());
    assert_eq!(text(&words, 10, 1).split(' ').count(), 10);
    assert_eq!(text(&words, 1, 1).split(' ').count(), 1);
}

#[test]
fn long_text_ends_with_a_task_and_short_text_has_no_room_for_it() {
    let words = Words::uncounted();
    assert!(text(&words, 22, 1).ends_with(TASK));
    assert!(!text(&words, 21, 1).contains('\n'));
}

proptest! {
    #[test]
    fn text_goes_on_where_other_text_ended(first in 1_u32..60, second in 1_u32..60, seed: u64) {
        let (words, tokenizer) = byte_words();
        let mut text = String::new();
        let mut stream = Stream::of(seed, Purpose::Text, 0);
        words.append(&mut text, first, &mut stream);
        words.append(&mut text, second, &mut stream);
        prop_assert_eq!(tokenizer.count(&text), (first + second) as usize);
    }

    #[test]
    fn the_same_seed_writes_the_same(tokens in 1_u32..200, seed: u64) {
        let (words, _) = byte_words();
        prop_assert_eq!(text(words, tokens, seed), text(words, tokens, seed));
    }
}

fn byte_words() -> &'static (Words, Tokenizer) {
    static WORDS: std::sync::LazyLock<(Words, Tokenizer)> = std::sync::LazyLock::new(|| {
        let tokenizer = byte_level();
        (Words::counted_by(&tokenizer), tokenizer)
    });
    &WORDS
}
