//! A simple deterministic tokenizer: what the simulated engine counts by, everywhere.

/// Longest word that is one token; longer ones fall into pieces of [`PIECE`] characters.
const WHOLE_WORD: usize = 8;
const PIECE: usize = 6;

/// Tokens that a picture is worth, whatever its size.
pub(crate) const PER_IMAGE: u32 = 256;

/// Size of the vocabulary that token ids pretend to come from.
const VOCABULARY: u32 = 49_152;

/// Tokens that a chat template adds to each message, and once to a conversation.
pub(crate) const PER_MESSAGE: u32 = 4;
pub(crate) const PER_CONVERSATION: u32 = 3;

/// The text's tokens, in order; joined they are the text. A space belongs to the word after it,
/// punctuation and other signs stand alone.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text, in_word: 0 }
}

/// The number of tokens of `text`.
pub(crate) fn count(text: &str) -> u32 {
    let count = if text.is_ascii() { count_ascii(text.as_bytes()) } else { pieces(text).count() };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// As many as [`pieces`] finds, without cutting them out: every prompt is counted, and most are ASCII.
fn count_ascii(mut text: &[u8]) -> usize {
    let mut count = 0;
    while let Some(first) = text.first() {
        let space = usize::from(*first == b' ');
        let after = &text[space..];
        let word = after.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(after.len());
        count += 1 + word.saturating_sub(WHOLE_WORD).div_ceil(PIECE);
        text = &text[if word == 0 { 1 } else { space + word }..];
    }
    count
}

/// The number of tokens of a conversation with its template; `messages` are the tokens of each.
pub(crate) fn count_chat(messages: impl Iterator<Item = u32>) -> u32 {
    messages.fold(PER_CONVERSATION, |sum, tokens| sum.saturating_add(tokens).saturating_add(PER_MESSAGE))
}

/// A token's id: a hash (FNV-1a) of its text, within the vocabulary.
pub(crate) fn id(piece: &str) -> u32 {
    let hash = piece.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % VOCABULARY
}

/// Iterator over a text's tokens.
#[derive(Debug, Clone)]
pub(crate) struct Pieces<'a> {
    rest: &'a str,
    /// Characters left of a long word that is being cut up.
    in_word: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let space = usize::from(self.rest.starts_with(' '));
        let word = if self.in_word > 0 { self.in_word } else { word(&self.rest[space..]) };
        let (space, chars) = match word {
            0 => (0, 1),
            1..=WHOLE_WORD => (space, word),
            _ => (space, PIECE),
        };
        self.in_word = word.saturating_sub(chars);
        let end = end_of(&self.rest[space..], chars);
        let (piece, rest) = self.rest.split_at(space + end);
        self.rest = rest;
        Some(piece)
    }
}

/// The letters and digits that `text` begins with.
fn word(text: &str) -> usize {
    let ascii = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    match text.as_bytes().get(ascii) {
        Some(byte) if !byte.is_ascii() => ascii + text[ascii..].chars().take_while(|c| c.is_alphanumeric()).count(),
        _ => ascii,
    }
}

/// Where the first so many characters of `text` end, in bytes.
fn end_of(text: &str, chars: usize) -> usize {
    match text.as_bytes().get(..chars) {
        Some(bytes) if bytes.is_ascii() => chars,
        _ => text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(pieces(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_keep_their_space_and_signs_stand_alone() {
        check("", &[]);
        check("Hello world, how are you?", &["Hello", " world", ",", " how", " are", " you", "?"]);
        check("a  b\n", &["a", " ", " b", "\n"]);
        check("naïve 7€", &["naïve", " 7", "€"]);
        check(" été Übung ¿Qué?", &[" été", " Übung", " ", "¿", "Qué", "?"]);
    }

    #[test]
    fn long_words_fall_into_pieces() {
        check("straight", &["straight"]);
        check(" throughput", &[" throug", "hput"]);
        check("incomprehensible!", &["incomp", "rehens", "ible", "!"]);
        check("Überraschung", &["Überra", "schung"]);
    }

    #[test]
    fn a_conversation_costs_its_template() {
        assert_eq!(count_chat(["Hello world", "Hi"].into_iter().map(count)), 3 + (2 + 4) + (1 + 4));
    }

    #[test]
    fn ids_are_stable_and_within_the_vocabulary() {
        assert_eq!(id(" the"), id(" the"));
        assert_ne!(id(" the"), id("the"));
        assert!(pieces("every piece of this has one").all(|piece| id(piece) < VOCABULARY));
    }

    proptest::proptest! {
        #[test]
        fn counted_and_cut_out_tokens_are_as_many(text in "[\\x00-\\x7f]{0,60}|[a-z ]{0,60}|[a-z0-9]{0,60}") {
            proptest::prop_assert_eq!(count(&text) as usize, pieces(&text).count());
        }

        #[test]
        fn pieces_joined_are_the_text(text in "\\PC{0,200}") {
            proptest::prop_assert_eq!(pieces(&text).collect::<String>(), text);
        }
    }
}
