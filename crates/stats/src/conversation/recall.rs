//! Whether an answer names what was told. Strict on purpose: a part is a miss, and so is the right value among others
//! of its kind or after any other that was told, or a model that lists all it can find would know everything.

use std::ops::Range;

use schema::conversation::{Fact, FactKind, Recall};
use schema::text::Untrusted;

/// Bytes of an answer that are shown as evidence, and of them those before what decided it.
const EXCERPT: usize = 160;
const BEFORE: usize = 60;

/// Ways to say that one does not know, in lower case with straight apostrophes.
const DOES_NOT_KNOW: &[&str] = &[
    "do not know",
    "don't know",
    "do not remember",
    "don't remember",
    "do not recall",
    "don't recall",
    "cannot recall",
    "can't recall",
    "cannot remember",
    "can't remember",
    "do not have any",
    "don't have any",
    "do not have that",
    "don't have that",
    "do not have access",
    "don't have access",
    "no idea",
    "not sure",
    "no record",
    "no information",
    "not mentioned",
    "not provided",
    "did not tell",
    "didn't tell",
    "have not told",
    "haven't told",
    "not been told",
];

/// A run of letters or of digits, in lower case.
#[derive(Debug)]
struct Word {
    text: String,
    at: Range<usize>,
}

impl Word {
    fn is_number(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// How `answer` stands to the value of `facts[asked]`, and the part of it that decided.
///
/// Upper and lower case, thousands separators, spaces and hyphens of codes and the order of a person's names do not
/// matter, whole words and whole numbers do. What a model thinks between `<think>` tags is no answer.
pub fn recall(facts: &[Fact], asked: usize, answer: &str) -> (Recall, Untrusted) {
    let Some(fact) = facts.get(asked) else { return (Recall::Wrong, excerpt(answer, 0)) };
    let answer = spoken(answer);
    let words = words(answer);
    let named = named(fact, answer, &words);
    let others = || facts.iter().enumerate().filter(|(place, _)| *place != asked).map(|(_, other)| other);
    if let Some(at) = named {
        // What is named before it was the answer; what comes after it is more than was asked for.
        let rivals = others()
            .any(|other| self::named(other, answer, &words).is_some_and(|place| place < at || other.kind == fact.kind));
        let recall = if rivals || has_rival(fact, answer, &words) { Recall::Partial } else { Recall::Right };
        return (recall, excerpt(answer, at));
    }
    if let Some(at) = others().find_map(|other| self::named(other, answer, &words)) {
        return (Recall::Confused, excerpt(answer, at));
    }
    if let Some(at) = part_of(fact, &words) {
        return (Recall::Partial, excerpt(answer, at));
    }
    let plain = answer.to_lowercase().replace('’', "'");
    let recall = if DOES_NOT_KNOW.iter().any(|words| plain.contains(words)) { Recall::Unknown } else { Recall::Wrong };
    (recall, excerpt(answer, 0))
}

/// What is said aloud: all after the last thought; nothing, where a thought never ends.
fn spoken(answer: &str) -> &str {
    let after = answer.rfind("</think>").map_or(answer, |end| &answer[end + "</think>".len()..]);
    if after.contains("<think>") { "" } else { after }
}

/// The part of `answer` around the byte `at`.
fn excerpt(answer: &str, at: usize) -> Untrusted {
    let from = if at > EXCERPT - BEFORE { at - BEFORE } else { 0 };
    let from = (from..=answer.len()).find(|from| answer.is_char_boundary(*from)).unwrap_or(answer.len());
    let mark = if from > 0 { "…" } else { "" };
    Untrusted::bounded(format!("{mark}{}", answer[from..].trim()), EXCERPT)
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut last_digit = None;
    for (at, c) in text.char_indices() {
        // Full-width letters and digits stand 0xFEE0 above the ordinary ones.
        let plain = if matches!(c, '！'..='～') { char::from_u32(c as u32 - 0xFEE0).unwrap_or(c) } else { c };
        if !plain.is_alphanumeric() {
            last_digit = None;
            continue;
        }
        let digit = plain.is_ascii_digit();
        let end = at + c.len_utf8();
        match words.last_mut().filter(|_| last_digit == Some(digit)) {
            Some(word) => {
                word.text.extend(plain.to_lowercase());
                word.at.end = end;
            }
            None => words.push(Word { text: plain.to_lowercase().collect(), at: at..end }),
        }
        last_digit = Some(digit);
    }
    words
}

/// Where the whole of the fact's value stands in the answer, unless it says that it is not.
fn named(fact: &Fact, answer: &str, words: &[Word]) -> Option<usize> {
    let value = self::words(&fact.value);
    let at = match fact.kind {
        FactKind::Number => numbers(answer, words).find(|number| number.digits == value[0].text)?.at,
        FactKind::Name => {
            let reversed: Vec<&Word> = value.iter().rev().collect();
            in_a_row(&value.iter().collect::<Vec<_>>(), answer, words).or_else(|| in_a_row(&reversed, answer, words))?
        }
        FactKind::Code | FactKind::Place => in_a_row(&value.iter().collect::<Vec<_>>(), answer, words)?,
    };
    (!is_denied(at, words)).then_some(at)
}

/// Where words equal to `wanted` follow each other with little between them.
fn in_a_row(wanted: &[&Word], answer: &str, words: &[Word]) -> Option<usize> {
    let near = |pair: &[Word]| {
        let between = &answer[pair[0].at.end..pair[1].at.start];
        between.chars().count() <= 2 && !between.contains('\n')
    };
    let whole = |from: &[Word]| {
        // A code goes on with further digits or letters: it is another one.
        let (first, last) = (&from[0], &from[from.len() - 1]);
        !answer[..first.at.start].ends_with(char::is_alphanumeric)
            && !answer[last.at.end..].starts_with(char::is_alphanumeric)
    };
    let found = words.windows(wanted.len().max(1)).find(|window| {
        window.iter().zip(wanted).all(|(word, wanted)| word.text == wanted.text)
            && window.windows(2).all(near)
            && whole(window)
    });
    found.map(|window| window[0].at.start)
}

/// A whole number in a text.
struct Whole {
    digits: String,
    at: usize,
}

/// The whole numbers of a text, with thousands separators taken out; parts of decimals and of codes are none.
fn numbers<'a>(answer: &'a str, words: &'a [Word]) -> impl Iterator<Item = Whole> + 'a {
    let mut next = 0;
    std::iter::from_fn(move || {
        loop {
            let first = next;
            let word = words.get(first)?;
            next += 1;
            if !word.is_number() {
                continue;
            }
            let mut digits = word.text.clone();
            while let Some(group) =
                words.get(next).filter(|group| is_group(answer, &words[next - 1], group) && digits.len() < 18)
            {
                if word.text.len() > 3 {
                    break;
                }
                digits.push_str(&group.text);
                next += 1;
            }
            let end = words[next - 1].at.end;
            if !is_in_code(answer, word.at.start) && !is_decimal(answer, word.at.start, end) {
                return Some(Whole { digits, at: word.at.start });
            }
        }
    })
}

/// Whether `group` goes on with the number before it: three digits behind one separator.
fn is_group(answer: &str, before: &Word, group: &Word) -> bool {
    let between = &answer[before.at.end..group.at.start];
    let separates = matches!(between, "," | "." | "'" | "’" | " " | "_" | "\u{a0}" | "\u{2009}" | "\u{202f}");
    separates && group.is_number() && group.text.len() == 3
}

/// Whether letters stand before a number as they do in `KT-4821`.
fn is_in_code(answer: &str, at: usize) -> bool {
    let before = &answer[..at];
    before.strip_suffix('-').unwrap_or(before).ends_with(char::is_alphabetic)
}

fn is_decimal(answer: &str, start: usize, end: usize) -> bool {
    let goes_on =
        answer[end..].strip_prefix(['.', ',']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let began =
        answer[..start].strip_suffix(['.', ',']).is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    goes_on || began
}

/// `is not 4317`, `isn't 4317`.
fn is_denied(at: usize, words: &[Word]) -> bool {
    let before: Vec<&str> = words.iter().take_while(|word| word.at.start < at).map(|word| word.text.as_str()).collect();
    matches!(before.as_slice(), [.., "not" | "never"] | [.., "isn" | "wasn", "t"])
}

/// Whether another value of the same form is named beside: the answer is not one.
fn has_rival(fact: &Fact, answer: &str, words: &[Word]) -> bool {
    match fact.kind {
        FactKind::Number => {
            numbers(answer, words).any(|number| number.digits.len() == fact.value.len() && number.digits != fact.value)
        }
        FactKind::Code => {
            let value = self::words(&fact.value);
            words.windows(2).any(|pair| {
                let is_code = pair[0].text.len() == value[0].text.len()
                    && !pair[0].is_number()
                    && pair[1].is_number()
                    && pair[1].text.len() == value[1].text.len()
                    && answer[pair[0].at.end..pair[1].at.start].trim_matches('-').is_empty();
                is_code && (pair[0].text != value[0].text || pair[1].text != value[1].text)
            })
        }
        FactKind::Name | FactKind::Place => false,
    }
}

/// A part of the value that is more than chance: a code's digits, one of a person's names.
fn part_of(fact: &Fact, words: &[Word]) -> Option<usize> {
    let value = self::words(&fact.value);
    let telling: Vec<&Word> = match fact.kind {
        FactKind::Code => value.iter().filter(|word| word.is_number()).collect(),
        FactKind::Name => value.iter().collect(),
        FactKind::Number | FactKind::Place => Vec::new(),
    };
    words.iter().find(|word| telling.iter().any(|part| part.text == word.text)).map(|word| word.at.start)
}

#[cfg(test)]
mod tests;
