//! Prompts as JSON objects, with our names or with those that a person gave.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::plan::{Columns, Prompt};
use schema::text::Untrusted;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Spot, WorkloadError};

/// One line of a JSONL file. An unknown field is refused: a misspelt `max_tokens` would measure
/// something else than was meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptObject {
    prompt: String,
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default, alias = "images")]
    image: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A prompt with our names.
pub(super) fn prompt(spot: &Spot, text: &str) -> Result<Prompt, WorkloadError> {
    let object: PromptObject =
        serde_json::from_str(text).map_err(|source| WorkloadError::NotAPrompt { spot: spot.clone(), source })?;
    let images = match object.image {
        None => Vec::new(),
        Some(OneOrMany::One(image)) => vec![image],
        Some(OneOrMany::Many(images)) => images,
    };
    Parts { user: object.prompt, system: object.system, max_tokens: object.max_tokens, images, image_name: "image" }
        .check(spot)
}

/// A prompt with the names that `columns` say. Each must be there; all but the prompt may be `null`.
pub(super) fn with_names(spot: &Spot, text: &str, columns: &Columns) -> Result<Prompt, WorkloadError> {
    let object =
        serde_json::from_str(text).map_err(|source| WorkloadError::NotAPrompt { spot: spot.clone(), source })?;
    from_map(spot, &object, columns)
}

pub(super) fn from_map(spot: &Spot, object: &Map<String, Value>, columns: &Columns) -> Result<Prompt, WorkloadError> {
    let field = |name: &String| match object.get(name) {
        Some(value) => Ok(value),
        None => Err(missing(spot, name, object.keys().map(String::as_str))),
    };
    let optional =
        |name: &Option<String>| Ok(name.as_ref().map(&field).transpose()?.filter(|value| !value.is_null()).cloned());
    let user = text_of(spot, &columns.prompt, field(&columns.prompt)?.clone())?;
    let system = optional(&columns.system)?;
    let max_tokens = optional(&columns.max_tokens)?;
    let image = optional(&columns.image)?;
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    Parts {
        user,
        system: system.map(|value| text_of(spot, &name(&columns.system), value)).transpose()?,
        max_tokens: max_tokens.map(|value| number_of(spot, &name(&columns.max_tokens), &value)).transpose()?,
        images: image.map_or(Ok(Vec::new()), |value| images_of(spot, &name(&columns.image), value))?,
        image_name: columns.image.as_deref().unwrap_or("image"),
    }
    .check(spot)
}

/// What a prompt is made of, unchecked.
pub(super) struct Parts<'a> {
    pub(super) user: String,
    pub(super) system: Option<String>,
    pub(super) max_tokens: Option<u32>,
    pub(super) images: Vec<String>,
    pub(super) image_name: &'a str,
}

impl Parts<'_> {
    pub(super) fn check(self, spot: &Spot) -> Result<Prompt, WorkloadError> {
        let empty = |what| Err(WorkloadError::EmptyPrompt { spot: spot.clone(), what });
        if self.user.trim().is_empty() {
            return empty("an empty prompt");
        }
        if self.max_tokens == Some(0) {
            return empty("a `max_tokens` of zero");
        }
        if !self.images.iter().all(|image| is_picture(image)) {
            return Err(bad_value(spot, self.image_name, "picture"));
        }
        Ok(Prompt {
            system: self.system.filter(|system| !system.trim().is_empty()),
            user: self.user,
            max_tokens: self.max_tokens,
            images: self.images,
            ..Prompt::default()
        })
    }
}

/// Whether `url` is a picture in itself: nothing is fetched.
fn is_picture(url: &str) -> bool {
    let data = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
    data.is_some_and(|(kind, data)| {
        let is_kind =
            (1..=40).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        is_kind && !data.is_empty() && STANDARD.decode(data).is_ok()
    })
}

/// A column that is not there, with what is.
pub(super) fn missing<'a>(spot: &Spot, name: &str, there: impl Iterator<Item = &'a str>) -> WorkloadError {
    let mut there: Vec<&str> = there.take(1000).collect();
    there.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
    let near: Vec<String> = there.iter().take(5).map(|name| format!("`{}`", clean(name))).collect();
    let help = match near.as_slice() {
        [] => "there are none".to_owned(),
        [only] => format!("the only one is {only}"),
        near => format!("the nearest are {}", near.join(", ")),
    };
    WorkloadError::MissingColumn { spot: spot.clone(), column: name.to_owned(), help }
}

/// A name from a file, for a message.
pub(crate) fn clean(name: &str) -> String {
    Untrusted::from(name.chars().take(60).collect::<String>().as_str()).to_string()
}

pub(super) fn bad_value(spot: &Spot, column: &str, wanted: &'static str) -> WorkloadError {
    let help = match wanted {
        "picture" => "give `data:image/png;base64,…` or a list of such: pictures are not fetched",
        "number" => "give a whole number of tokens, or nothing",
        _ => "give text, or name another column",
    };
    WorkloadError::BadValue { spot: spot.clone(), column: column.to_owned(), wanted, help }
}

fn text_of(spot: &Spot, column: &str, value: Value) -> Result<String, WorkloadError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(bad_value(spot, column, "text")),
    }
}

fn number_of(spot: &Spot, column: &str, value: &Value) -> Result<u32, WorkloadError> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| bad_value(spot, column, "number"))
}

fn images_of(spot: &Spot, column: &str, value: Value) -> Result<Vec<String>, WorkloadError> {
    match value {
        Value::Array(images) => images.into_iter().map(|image| text_of(spot, column, image)).collect(),
        one => Ok(vec![text_of(spot, column, one)?]),
    }
}
