//! Everything that can be asked for, asked of simulated engines that check what they are asked.

use schema::event::EventKind::{self, Embedding, Text, ToolCall};
use schema::plan::{AnswerForm, TransportPlan};
use schema::record::Record;
use schema::text::Untrusted;
use sim::Sim;
use transport::Order;
use wire::{Message, Role};

use crate::stage::{
    ANTHROPIC, OLLAMA, OLLAMA_TEXT, OLLAMA_VECTORS, OPENAI, TGI, TGI_CHAT, VLLM, VLLM_TEXT, VLLM_VECTORS, Voice,
    client, fast, order_saying, run,
};

const EVERY_VOICE: [Voice; 8] = [VLLM, VLLM_TEXT, TGI, TGI_CHAT, OLLAMA, OLLAMA_TEXT, OPENAI, ANTHROPIC];

/// What becomes of a request that says `messages`.
async fn ask(voice: Voice, messages: &[Message<'_>], answer: AnswerForm, stream: bool) -> Record {
    let sim = Sim::start(fast(voice.engine)).unwrap();
    let client = client(&sim, voice, &TransportPlan::default());
    let order = Order { keep_text: true, ..order_saying(&client, messages, answer, 24, stream) };
    *client.send(&order, &mut ()).await
}

fn text(record: &Record) -> String {
    record.output.iter().flatten().map(Untrusted::raw).collect()
}

#[track_caller]
fn check(record: &Record, kind: EventKind, voice: Voice) {
    assert!(record.outcome.is_complete(), "{voice:?}: {:?}", record.outcome);
    assert!(
        record.events.content().count() > 0 && record.events.content().all(|event| event.kind == kind),
        "{voice:?}"
    );
}

#[test]
fn a_dialogue_is_answered_in_every_dialect() {
    run(async || {
        let talk = [
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, "How fast is light?"),
            Message::text(Role::Assistant, "Very."),
            Message::text(Role::User, "And sound?"),
        ];
        for voice in EVERY_VOICE {
            let whole = ask(voice, &talk, AnswerForm::Text, true).await;
            check(&whole, Text, voice);
            let read = |record: &Record| record.tokens.unwrap().input;
            let short = ask(voice, &talk[3..], AnswerForm::Text, true).await;
            assert!(read(&short).is_none() || read(&whole) > read(&short), "{voice:?} read all of it");
        }
    });
}

#[test]
fn json_comes_where_it_is_asked_for() {
    run(async || {
        let question = [Message::text(Role::User, "How fast is light?")];
        for voice in EVERY_VOICE.into_iter().filter(|voice| voice.dialect.takes_answer(AnswerForm::Json)) {
            for stream in [true, false] {
                // The path says that TGI streams.
                let record = ask(voice, &question, AnswerForm::Json, stream || voice.path == TGI.path).await;
                check(&record, Text, voice);
                let said = text(&record);
                assert!(said.trim_start().starts_with('{') && said.trim_end().ends_with('}'), "{voice:?}: {said}");
            }
        }
    });
}

#[test]
fn the_example_tool_is_called_where_it_is_asked_for() {
    run(async || {
        let question = [Message::text(Role::User, "How fast is light?")];
        for voice in EVERY_VOICE.into_iter().filter(|voice| voice.dialect.takes_answer(AnswerForm::Tool)) {
            for stream in [true, false] {
                let record = ask(voice, &question, AnswerForm::Tool, stream).await;
                check(&record, ToolCall, voice);
                let said = text(&record);
                assert!(said.starts_with("give_answer{") && said.ends_with('}'), "{voice:?}: {said}");
            }
        }
    });
}

#[test]
fn pictures_cost_tokens() {
    run(async || {
        let picture = ["data:image/png;base64,iVBORw0KGgo=".to_owned()];
        let said = "What is it?";
        for voice in [VLLM, OLLAMA, OLLAMA_TEXT, OPENAI, ANTHROPIC] {
            let bare = ask(voice, &[Message::text(Role::User, said)], AnswerForm::Text, true).await;
            let pictured = [Message { images: &picture, ..Message::text(Role::User, said) }];
            let pictured = ask(voice, &pictured, AnswerForm::Text, true).await;
            check(&pictured, Text, voice);
            assert!(pictured.tokens.unwrap().input > bare.tokens.unwrap().input, "{voice:?}");
        }
    });
}

#[test]
fn vectors_come_where_they_are_asked_for() {
    run(async || {
        for voice in [VLLM_VECTORS, OLLAMA_VECTORS] {
            let said = [Message::text(Role::User, "Speed is distance over time.")];
            let record = ask(voice, &said, AnswerForm::Text, true).await;
            check(&record, Embedding, voice);
            let tokens = record.tokens.unwrap();
            assert!(tokens.input > Some(0) && tokens.output == 0, "{voice:?}: {tokens:?}");
        }
    });
}
