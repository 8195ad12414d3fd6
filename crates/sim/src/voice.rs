//! What the engines say: each in its own voice, in an order that the seed decides, for as long as asked.

use std::sync::LazyLock;

use crate::engine::Engine;
use crate::tokens;

/// One token of an answer.
#[derive(Debug)]
pub(crate) struct Piece {
    /// As text.
    pub(crate) text: String,
    /// As the inside of a JSON string.
    pub(crate) escaped: String,
    /// As the inside of a JSON string within a JSON string.
    nested: String,
    /// Its id in the vocabulary.
    pub(crate) id: u32,
}

/// A stock of sentences, cut into tokens beforehand.
#[derive(Debug)]
pub(crate) struct Voice {
    sentences: Vec<Vec<Piece>>,
}

impl Voice {
    fn of(sentences: &[&str]) -> Self {
        let cut = |sentence: &&str| tokens::pieces(&format!(" {sentence}")).map(piece).collect();
        Self { sentences: sentences.iter().map(cut).collect() }
    }

    /// Tokens that are taken as they stand, one sentence each.
    fn of_tokens(tokens: &[&str]) -> Self {
        Self { sentences: tokens.iter().map(|token| vec![piece(token)]).collect() }
    }

    /// The engine's own voice.
    pub(crate) fn of_engine(engine: Engine) -> &'static Self {
        static VOICES: LazyLock<[Voice; 4]> =
            LazyLock::new(|| [Voice::of(PROFESSIONAL), Voice::of(TECHNICAL), Voice::of(FRIENDLY), Voice::of(NEUTRAL)]);
        &VOICES[match engine {
            Engine::Vllm => 0,
            Engine::Tgi => 1,
            Engine::Ollama => 2,
            Engine::OpenAi => 3,
        }]
    }

    /// Tokens of characters that take two to four bytes.
    pub(crate) fn multibyte() -> &'static Self {
        static VOICE: LazyLock<Voice> = LazyLock::new(|| Voice::of_tokens(MULTIBYTE));
        &VOICE
    }

    /// Tokens meant to harm a terminal, a page or a spreadsheet.
    pub(crate) fn hostile() -> &'static Self {
        static VOICE: LazyLock<Voice> = LazyLock::new(|| Voice::of_tokens(HOSTILE));
        &VOICE
    }

    /// A stock of one sentence.
    pub(crate) fn saying(sentence: &str) -> Self {
        Self::of(&[sentence])
    }

    /// The tokens of its first sentence.
    pub(crate) fn tokens(&self) -> u32 {
        u32::try_from(self.sentences[0].len()).unwrap_or(u32::MAX)
    }

    /// The first sentence, again and again.
    pub(crate) const fn first(&self) -> Answer<'_> {
        Answer { voice: self, sentence: 0, stride: 0, next: 0, at_start: true, object: None }
    }

    /// An endless answer: the sentences in an order of `seed`, again and again.
    pub(crate) fn answer(&self, seed: u64) -> Answer<'_> {
        let count = self.sentences.len() as u64;
        // With a prime number of sentences any stride visits them all before one comes again.
        let index = |value: u64| usize::try_from(value).expect("less than the number of sentences");
        let stride = index(1 + (seed >> 32) % (count - 1));
        Answer { voice: self, sentence: index(seed % count), stride, next: 0, at_start: true, object: None }
    }
}

fn piece(text: &str) -> Piece {
    let escape = |text: &str| {
        let quoted = serde_json::to_string(text).expect("a string is always JSON");
        quoted[1..quoted.len() - 1].to_owned()
    };
    let escaped = escape(text);
    Piece { text: text.to_owned(), nested: escape(&escaped), escaped, id: tokens::id(text) }
}

/// Iterator over an answer's tokens; as text it never ends. The first has no leading space.
#[derive(Debug, Clone)]
pub(crate) struct Answer<'v> {
    voice: &'v Voice,
    sentence: usize,
    stride: usize,
    next: usize,
    at_start: bool,
    /// Of an answer that is a JSON object, where in it we are.
    object: Option<Object>,
}

/// How far the writing of a JSON object is.
#[derive(Debug, Clone, Copy)]
struct Object {
    begun: bool,
    /// Tokens left.
    left: u32,
}

/// One token of one answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'v> {
    /// As text.
    pub(crate) text: &'v str,
    /// As the inside of a JSON string.
    pub(crate) escaped: &'v str,
    /// Its id in the vocabulary.
    pub(crate) id: u32,
}

impl<'v> Answer<'v> {
    /// The same words as the text of a JSON object, `{"answer":"…"}`, of exactly so many tokens.
    pub(crate) fn object_of(self, tokens: u32) -> Self {
        Self { object: Some(Object { begun: false, left: tokens }), ..self }
    }

    /// The object's brackets, where they are due.
    fn bracket(&mut self) -> Option<Token<'v>> {
        let object = self.object.as_mut()?;
        let (begun, left) = (std::mem::replace(&mut object.begun, true), object.left);
        object.left = left.saturating_sub(1);
        let bracket = |text, escaped| Some(Token { text, escaped, id: tokens::id(text) });
        match (begun, left) {
            (false, 0..=1) => bracket("{}", "{}"),
            (false, _) => bracket(r#"{"answer":""#, r#"{\"answer\":\""#),
            (true, 1) => bracket(r#""}"#, r#"\"}"#),
            (true, _) => None,
        }
    }

    /// The next token as text.
    fn word(&mut self) -> (&'v Piece, usize) {
        let sentences = &self.voice.sentences;
        if self.next == sentences[self.sentence].len() {
            self.sentence = (self.sentence + self.stride) % sentences.len();
            self.next = 0;
        }
        let piece = &sentences[self.sentence][self.next];
        self.next += 1;
        (piece, usize::from(std::mem::take(&mut self.at_start) && piece.text.starts_with(' ')))
    }
}

impl<'v> Iterator for Answer<'v> {
    type Item = Token<'v>;

    fn next(&mut self) -> Option<Token<'v>> {
        let Some(object) = self.object else {
            let (piece, skip) = self.word();
            return Some(Token { text: &piece.text[skip..], escaped: &piece.escaped[skip..], id: piece.id });
        };
        if object.begun && object.left == 0 {
            return None;
        }
        if let Some(bracket) = self.bracket() {
            return Some(bracket);
        }
        let (piece, skip) = self.word();
        Some(Token { text: &piece.escaped[skip..], escaped: &piece.nested[skip..], id: piece.id })
    }
}

/// vLLM's voice.
const PROFESSIONAL: &[&str] = &[
    "Thank you for the question; here is a structured answer.",
    "In summary, the proposal reduces risk while keeping the schedule intact.",
    "We recommend agreeing on the acceptance criteria before any work begins.",
    "The first consideration is capacity, the second is cost, and the third is the people who will run it.",
    "Each of these points can be verified independently, which keeps the review short.",
    "Where figures are uncertain, a range is more honest than a single number.",
    "A pilot with one team usually reveals more than a month of planning.",
    "Please note that the estimate assumes stable demand over the coming quarter.",
    "Stakeholders should receive a short written update every second week.",
    "If priorities change, the plan can be adjusted without starting over.",
    "The most reliable indicator of progress is working software in the hands of its users.",
    "For that reason, we suggest measuring response times from the customer's side.",
    "A clear owner for every decision prevents most delays.",
    "Documentation deserves the same care as the product itself.",
    "Finally, set aside time to learn from what did not go as expected.",
    "This approach has served comparable organisations well — provided that results are reviewed openly.",
    "We remain available to discuss the next steps at your convenience.",
];

/// TGI's voice.
const TECHNICAL: &[&str] = &[
    "Start from the invariant: the queue never holds more than the configured limit.",
    "Each worker pops a task, runs it to completion, and commits the offset in one transaction.",
    "The lookup is O(log n), but cache misses dominate once the table exceeds 32 MiB.",
    "Profile first; the hot path is rarely where intuition puts it.",
    "A bounded channel gives you backpressure for free, an unbounded one hides the overload until memory runs out.",
    "Use monotonic clocks for durations and wall clocks only for display.",
    "The tensor is laid out row-major, so iterate over the last axis in the inner loop.",
    "Batching amortises the weight reads: arithmetic intensity grows with the number of sequences.",
    "Note that `fsync` on the file does not persist the directory entry.",
    "Retries need a budget, jitter and an idempotency key, in that order.",
    "Prefer a state machine with explicit transitions over a set of booleans.",
    "The p99 is an order statistic; averaging percentiles across shards is not defined.",
    "Pin the compiler version, record the seed, and store the raw samples next to the result.",
    "Attention costs memory per token, so the key-value cache sets the concurrency limit.",
    "An off-by-one in the sliding window shows up only when the length is a multiple of the block size.",
    "Serialise at the boundary, validate once, and pass typed values inwards.",
    "If the test can't fail, delete it.",
];

/// Ollama's voice.
const FRIENDLY: &[&str] = &[
    "Oh, I love this question!",
    "Let's walk through it together, one small step at a time.",
    "Imagine a kitchen on a busy evening: one cook, many orders, and a very patient waiter.",
    "First, grab a cup of tea, because the best ideas arrive slowly ☕.",
    "You probably know more about this than you think.",
    "It's a bit like packing a suitcase: the big things go in first, and the socks fill the gaps.",
    "Don't worry if it looks strange at the beginning; it looked strange to all of us.",
    "Here comes the fun part 🎉.",
    "Try it with a tiny example, see what happens, and then make it a little bigger.",
    "If something breaks, hooray, you have just learned where the edge is!",
    "My favourite trick is to explain it out loud to a rubber duck.",
    "See how neatly that falls into place?",
    "Take a short walk now and then; puzzles untangle themselves while you look at trees.",
    "Friends who ask good questions are worth more than any manual.",
    "And remember, nobody has ever been born knowing how to ride a bicycle.",
    "That's really all there is to it, and you did great.",
    "Shall we try another one?",
];

/// The hosted API's voice.
const NEUTRAL: &[&str] = &[
    "There are several ways to look at this topic.",
    "Rivers shape the land over long periods, carrying stone and sand towards the sea.",
    "A map shows some things well and leaves out many others.",
    "Most cities grew where roads crossed or where a harbour gave shelter.",
    "The weather on a mountain can change within minutes.",
    "Bread needs flour, water, salt and time.",
    "A good tool fits the hand and does one thing properly.",
    "Trains connect places that used to be days apart.",
    "Libraries keep what people of earlier times thought worth writing down.",
    "The tide follows the moon, with a delay that depends on the coast.",
    "Many birds travel thousands of kilometres twice a year.",
    "Glass is made from sand, soda and lime at high temperature.",
    "A garden shows in summer what was decided in winter.",
    "Numbers describe how much, words describe what kind.",
    "Music is organised sound, and silence is part of it.",
    "Bridges carry loads by pushing, pulling or bending.",
    "Every answer leads to at least one further question.",
];

const MULTIBYTE: &[&str] = &[" Zürich", "日本語", " naïve", " 🏁", "Ω", " Łódź", "🚀🚀"];

const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;owned\u{7}",
    "\u{202e}txet desrever\u{202c}",
    "=HYPERLINK(\"http://example.invalid\",\"click\")",
    "<script>alert(1)</script>",
    "\r\n\r\ndata: [DONE]\r\n\r\n",
    "\u{9b}31m\u{200b}\u{feff}\u{0}\u{8}\u{7f}",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn text(engine: Engine, seed: u64, tokens: usize) -> String {
        Voice::of_engine(engine).answer(seed).take(tokens).map(|token| token.text).collect()
    }

    #[test]
    fn every_stock_has_a_prime_number_of_sentences_so_that_all_come_up() {
        for sentences in [PROFESSIONAL, TECHNICAL, FRIENDLY, NEUTRAL, MULTIBYTE, HOSTILE] {
            let count = sentences.len();
            assert!(count > 2 && (2..count).all(|divisor| count % divisor != 0), "{count}");
        }
        let whole = text(Engine::Vllm, 99, 2_000);
        assert!(PROFESSIONAL.iter().all(|sentence| whole.contains(sentence)));
    }

    #[test]
    fn an_answer_depends_on_the_seed_and_the_engine_alone() {
        assert_eq!(text(Engine::Tgi, 5, 100), text(Engine::Tgi, 5, 100));
        assert_ne!(text(Engine::Tgi, 5, 100), text(Engine::Tgi, 6, 100));
        assert_ne!(text(Engine::Tgi, 5, 100), text(Engine::Ollama, 5, 100));
    }

    #[test]
    fn as_an_object_an_answer_is_json_of_exactly_so_many_tokens() {
        for voice in [Voice::hostile(), Voice::multibyte(), Voice::of_engine(Engine::Ollama)] {
            for count in [1, 2, 3, 50] {
                let tokens: Vec<_> = voice.answer(1).object_of(count).collect();
                assert_eq!(tokens.len(), count as usize);
                let text: String = tokens.iter().map(|token| token.text).collect();
                let object: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(object.as_object().unwrap().contains_key("answer"), count > 1, "{text}");
                let escaped: String = tokens.iter().map(|token| token.escaped).collect();
                assert_eq!(serde_json::from_str::<String>(&format!("\"{escaped}\"")).unwrap(), text);
            }
        }
    }

    #[test]
    fn an_answer_can_be_as_long_as_anyone_asks() {
        assert_eq!(Voice::of_engine(Engine::Ollama).answer(1).take(100_000).count(), 100_000);
    }

    #[test]
    fn an_answer_counts_as_many_tokens_as_it_was_sent_in() {
        for engine in Engine::ALL {
            assert_eq!(tokens::count(&text(engine, 3, 500)), 500, "{engine}");
        }
    }

    #[test]
    fn the_escaped_form_is_the_text_in_json() {
        for voice in [Voice::hostile(), Voice::multibyte(), Voice::of_engine(Engine::Tgi)] {
            for token in voice.answer(0).take(200) {
                let json = format!("\"{}\"", token.escaped);
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), token.text);
            }
        }
    }
}
