//! What has been said, as the dialects want it.

use schema::plan::AnswerForm;

use super::fields::{Fields, array, escaped};
use super::{Message, RequestSpec, Role};

/// Said after the first of the person's turns when JSON is wanted.
const JSON_PLEASE: &str = "\n\nAnswer with a JSON object.";

/// One turn, with what we put before and after it.
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    nonce: Option<&'a str>,
    content: &'a str,
    after: &'static str,
    pub(super) images: &'a [String],
}

impl Turn<'_> {
    /// Writes what is said, without quotes.
    fn escaped(&self, out: &mut Vec<u8>) {
        if let Some(nonce) = self.nonce {
            escaped(out, nonce);
            out.push(b' ');
        }
        escaped(out, self.content);
        escaped(out, self.after);
    }

    /// Writes what is said as a text.
    pub(super) fn text(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.escaped(out);
        out.push(b'"');
    }
}

/// A conversation so far.
pub(super) struct Turns<'a>(Vec<Turn<'a>>);

impl<'a> Turns<'a> {
    /// The turns of `spec`, the first with `nonce` before it.
    pub(super) fn new(spec: &RequestSpec<'a>, nonce: Option<&'a str>) -> Self {
        let turn = |message: &Message<'a>| Turn {
            role: message.role,
            nonce: None,
            content: message.content,
            after: "",
            images: message.images,
        };
        let mut turns: Vec<_> = spec.messages.iter().map(turn).collect();
        if let Some(first) = turns.first_mut() {
            first.nonce = nonce;
        }
        if spec.answer == AnswerForm::Json
            && let Some(first) = turns.iter_mut().find(|turn| turn.role == Role::User)
        {
            first.after = JSON_PLEASE;
        }
        Self(turns)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Turn<'a>> {
        self.0.iter()
    }

    /// About as many bytes as they take.
    pub(super) fn bytes(&self) -> usize {
        let images = |turn: &Turn<'_>| turn.images.iter().map(|image| image.len() + 64).sum::<usize>();
        self.all().map(|turn| turn.content.len() + turn.content.len() / 16 + 128 + images(turn)).sum()
    }

    /// All pictures.
    pub(super) fn images(&self) -> impl Iterator<Item = &'a String> {
        self.0.iter().flat_map(|turn| turn.images)
    }

    /// Writes them as one text, where a protocol knows no roles.
    pub(super) fn prompt(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.escaped_prompt(out);
        out.push(b'"');
    }

    /// The same without quotes: the turns with blank lines between, and each with its speaker's name once the model
    /// has spoken, whose turn it then is again.
    pub(super) fn escaped_prompt(&self, out: &mut Vec<u8>) {
        let dialogue = self.all().any(|turn| turn.role == Role::Assistant);
        for (number, turn) in self.all().enumerate() {
            if number > 0 {
                escaped(out, "\n\n");
            }
            if dialogue {
                out.extend_from_slice(speaker(turn.role).as_bytes());
            }
            turn.escaped(out);
        }
        if dialogue {
            escaped(out, "\n\nAssistant:");
        }
    }

    /// Writes the instructions among them as one text.
    pub(super) fn system(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        for (number, turn) in self.all().filter(|turn| turn.role == Role::System).enumerate() {
            if number > 0 {
                escaped(out, "\n\n");
            }
            turn.escaped(out);
        }
        out.push(b'"');
    }

    /// Whether there are instructions.
    pub(super) fn has_system(&self) -> bool {
        self.all().any(|turn| turn.role == Role::System)
    }
}

/// What stands before a turn of a dialogue written down.
const fn speaker(role: Role) -> &'static str {
    match role {
        Role::System => "",
        Role::User => "User: ",
        Role::Assistant => "Assistant: ",
    }
}

/// Writes `turns` as a list of `{"role":…,"content":…}`, where the content of one with pictures is a list too: they,
/// each by `picture`, and then the text.
pub(super) fn conversation<'t, 's: 't>(
    out: &mut Vec<u8>,
    turns: impl Iterator<Item = &'t Turn<'s>>,
    picture: impl Fn(&mut Vec<u8>, &str),
) {
    array(out, turns, |out, turn| {
        Fields::write(out, None, |message| {
            message.text("role", turn.role.name());
            message.with("content", |out| {
                if turn.images.is_empty() {
                    turn.text(out);
                } else {
                    parts(out, turn, &picture);
                }
            });
        });
    });
}

fn parts(out: &mut Vec<u8>, turn: &Turn<'_>, picture: impl Fn(&mut Vec<u8>, &str)) {
    array(out, turn.images.iter().map(Some).chain([None]), |out, image| match image {
        Some(image) => picture(out, image),
        None => Fields::write(out, None, |part| {
            part.text("type", "text");
            part.with("text", |out| turn.text(out));
        }),
    });
}

/// The media type and the base64 of a data URL.
pub(super) fn data_url(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:")?.split_once(";base64,")
}
