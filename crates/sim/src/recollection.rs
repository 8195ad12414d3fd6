//! What a simulated engine remembers: what stands in the messages it was sent, within its context, or in its prompt where
//! that is in one piece, and nothing else.
//!
//! To one form of question, `Earlier I told you SUBJECT. What is it?`, it looks for `SUBJECT is VALUE.` in what was said
//! before and answers with what it finds, or says that it does not know. Engines that refuse prompts longer than their
//! context never come here with one; Ollama cuts them, so what was cut off is forgotten.

/// How the questions begin, and how they go on after their subject.
const ASKS: &str = "Earlier I told you ";
const GOES_ON: &str = ". What is it?";

/// Bytes of what is told of a subject at most.
const LONGEST_VALUE: usize = 200;

/// What is said of what cannot be found.
const DOES_NOT_KNOW: &str = "I do not know.";

/// Whether `text` asks a question of that form.
pub(crate) fn asks(text: &str) -> bool {
    text.contains(ASKS)
}

/// The answer to a question of that form at the end of what was said, oldest first; `None` if the last does not ask one.
pub(crate) fn recollection(said: &[String]) -> Option<String> {
    let (last, before) = said.split_last()?;
    // A prompt in one piece holds what was said before, too.
    let asked_at = last.rfind(ASKS)?;
    let subject = last[asked_at + ASKS.len()..].split_once(GOES_ON)?.0;
    let mut latest = std::iter::once(&last[..asked_at]).chain(before.iter().rev().map(String::as_str));
    let found = latest.find_map(|text| told(text, subject));
    Some(found.map_or_else(|| DOES_NOT_KNOW.to_owned(), |value| format!("It is {value}.")))
}

/// What `text` says that `subject` is, whatever the case of its letters.
fn told<'a>(text: &'a str, subject: &str) -> Option<&'a str> {
    let sentence = format!("{} is ", subject.to_ascii_lowercase());
    let at = text.to_ascii_lowercase().rfind(&sentence)? + sentence.len();
    let value = text[at..].split(['.', '\n']).next()?;
    (1..=LONGEST_VALUE).contains(&value.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "Note this. The code of the shed is KT-4821. The village where I was born is Dunmere. Thanks.";

    #[track_caller]
    fn check(said: &[&str], expected: Option<&str>) {
        let said: Vec<String> = said.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(recollection(&said).as_deref(), expected);
    }

    fn asks(subject: &str) -> String {
        format!("{ASKS}{subject}{GOES_ON} Be brief.")
    }

    #[test]
    fn what_was_said_is_found_and_what_was_not_is_not_known() {
        check(&[TOLD, "Noted.", &asks("the code of the shed")], Some("It is KT-4821."));
        check(&[TOLD, "Noted.", &asks("the village where I was born")], Some("It is Dunmere."));
        check(&[TOLD, &asks("the name of the cat")], Some(DOES_NOT_KNOW));
        check(&["Noted.", &asks("the code of the shed")], Some(DOES_NOT_KNOW));
    }

    #[test]
    fn a_prompt_in_one_piece_is_searched_before_its_question() {
        let whole = format!("{TOLD}\nNoted.\n{}", asks("the code of the shed"));
        check(&[&whole], Some("It is KT-4821."));
        check(&[&format!("{}\n{TOLD}", asks("the code of the shed"))], Some(DOES_NOT_KNOW));
    }

    #[test]
    fn other_prompts_are_no_such_question() {
        check(&[], None);
        check(&[TOLD], None);
        check(&["What is the code of the shed?"], None);
        check(&["Earlier I told you something else. Now write a poem."], None);
        check(&[&asks("the code of the shed"), "And now?"], None);
    }

    #[test]
    fn the_latest_word_counts_and_odd_text_does_no_harm() {
        check(&["The cat is grey.", "The cat is black.", &asks("the cat")], Some("It is black."));
        check(&["The cat is ", &asks("the cat")], Some(DOES_NOT_KNOW));
        check(&[&format!("The cat is {}", "a ".repeat(200)), &asks("the cat")], Some(DOES_NOT_KNOW));
        check(&["İ the cat is Ünal", &asks("the cat")], Some("It is Ünal."));
        check(&[&asks("")], Some(DOES_NOT_KNOW));
    }
}
