use proptest::prelude::*;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::whitespace::Whitespace;
use tokenizers::{AddedToken, TruncationParams};

use super::*;
use crate::words::tests::some_words;

/// Byte-level BPE, as GPT-2's children have it.
pub(crate) const BYTE_LEVEL: &[u8] = include_bytes!("../../tests/data/tokenizer.json");

pub(crate) fn byte_level() -> Tokenizer {
    Tokenizer::from_json(BYTE_LEVEL).unwrap()
}

fn ours(tokenizer: &tokenizers::Tokenizer) -> Tokenizer {
    Tokenizer::from_json(tokenizer.to_string(false).unwrap().as_bytes()).unwrap()
}

/// Whole words, and one token for each it does not know.
pub(crate) fn word_level() -> Tokenizer {
    let words = some_words(250).chain(["[UNK]", "."]).zip(0..).map(|(word, id)| (word.to_owned(), id)).collect();
    let model = WordLevel::builder().vocab(words).unk_token("[UNK]".to_owned()).build().unwrap();
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Whitespace {}));
    ours(&tokenizer)
}

/// Pieces that begin with a lower-one-eighth block in place of the space, also at the beginning, as SentencePiece has
/// them.
pub(crate) fn sentence_piece() -> Tokenizer {
    let mut vocab = Vocab::default();
    let mut merges = Vec::new();
    let piece = |vocab: &mut Vocab, piece: &str| {
        let id = u32::try_from(vocab.len()).unwrap();
        vocab.entry(piece.to_owned()).or_insert(id);
    };
    piece(&mut vocab, "<unk>");
    for c in "▁abcdefghijklmnopqrstuvwxyzT.\n".chars() {
        piece(&mut vocab, &c.to_string());
    }
    for word in some_words(250) {
        let mut so_far = "▁".to_owned();
        for c in word.chars() {
            let merge = (so_far.clone(), c.to_string());
            so_far.push(c);
            if !vocab.contains_key(&so_far) {
                piece(&mut vocab, &so_far);
                merges.push(merge);
            }
        }
    }
    let model = BPE::builder().vocab_and_merges(vocab, merges).unk_token("<unk>".to_owned()).build().unwrap();
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Metaspace::new('▁', PrependScheme::First, false)));
    ours(&tokenizer)
}

/// One token for each byte: knows no words at all.
pub(crate) fn bytes() -> Tokenizer {
    let vocab: Vocab = ByteLevel::alphabet().into_iter().zip(0..).map(|(c, id)| (c.to_string(), id)).collect();
    let mut tokenizer = tokenizers::Tokenizer::new(BPE::builder().vocab_and_merges(vocab, vec![]).build().unwrap());
    tokenizer.with_pre_tokenizer(Some(ByteLevel::default().add_prefix_space(false)));
    ours(&tokenizer)
}

#[test]
fn tokens_are_counted_as_the_model_counts_them() {
    assert_eq!(bytes().count("four"), 4);
    assert_eq!(bytes().count(""), 0);
    let word = some_words(1).next().unwrap();
    assert_eq!(word_level().count(&format!("{word} unheardof {word}")), 3);
    assert_eq!(sentence_piece().count(word), 1);
    assert_eq!(word_level().count_all(&[word, "", "a b"]), [1, 0, 2]);
}

#[test]
fn many_texts_are_counted_like_each_of_them() {
    let texts = ["a".repeat(3 << 19), "b".repeat(3), "c".repeat(3 << 19), String::new(), "d".repeat(7)];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(word_level().count_all(&texts), [1, 1, 1, 0, 1]);
    assert_eq!(word_level().count_all(&[]), [0; 0]);
}

#[test]
fn neither_truncation_nor_padding_nor_special_tokens_change_a_count() {
    let mut tokenizer = tokenizers::Tokenizer::from_bytes(BYTE_LEVEL).unwrap();
    tokenizer.with_truncation(Some(TruncationParams { max_length: 3, ..TruncationParams::default() })).unwrap();
    tokenizer.with_padding(Some(tokenizers::PaddingParams {
        strategy: tokenizers::PaddingStrategy::Fixed(64),
        ..tokenizers::PaddingParams::default()
    }));
    tokenizer.add_special_tokens([AddedToken::from("<s>", true)]).unwrap();
    assert_eq!(ours(&tokenizer).count("a b c d e f"), byte_level().count("a b c d e f"));
}

#[test]
fn what_is_no_tokenizer_is_refused() {
    for bytes in [&b""[..], b"{}", b"[]", b"\xFF", br#"{"model":{}}"#, br#"{"version":"1.0","model":{"type":"None"}}"#]
    {
        assert!(matches!(Tokenizer::from_json(bytes), Err(WorkloadError::NoTokenizer(_))), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        prop_assert!(Tokenizer::from_json(&bytes).is_err());
    }

    #[test]
    fn any_text_is_counted(text: String) {
        prop_assert_eq!(bytes_tokenizer().count(&text), text.len());
    }
}

fn bytes_tokenizer() -> &'static Tokenizer {
    static BYTES: std::sync::LazyLock<Tokenizer> = std::sync::LazyLock::new(bytes);
    &BYTES
}
