//! Pieces of a workload as they are written in one word.

use std::fmt;
use std::str::FromStr;

use schema::plan::Columns;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `prompt=question,system=context,max_tokens=limit,image=picture`; all but the prompt may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub(crate) struct ColumnsSpec(pub(crate) Columns);

impl FromStr for ColumnsSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("{why}; write it like `prompt=question,max_tokens=limit`");
        let mut columns = Columns { prompt: String::new(), system: None, max_tokens: None, image: None };
        for part in text.split(',') {
            let (key, name) = part.split_once('=').ok_or_else(|| wrong(format!("`{part}` names no column")))?;
            let name = name.trim().to_owned();
            if name.is_empty() {
                return Err(wrong(format!("`{part}` names no column")));
            }
            match key.trim() {
                "prompt" => columns.prompt = name,
                "system" => columns.system = Some(name),
                "max_tokens" => columns.max_tokens = Some(name),
                "image" => columns.image = Some(name),
                other => return Err(wrong(format!("`{other}` is not prompt, system, max_tokens or image"))),
            }
        }
        if columns.prompt.is_empty() {
            return Err(wrong("the column of the prompts is missing".to_owned()));
        }
        Ok(Self(columns))
    }
}

impl fmt::Display for ColumnsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Columns { prompt, system, max_tokens, image } = &self.0;
        write!(f, "prompt={prompt}")?;
        for (key, name) in [("system", system), ("max_tokens", max_tokens), ("image", image)] {
            if let Some(name) = name {
                write!(f, ",{key}={name}")?;
            }
        }
        Ok(())
    }
}

/// `512x384`: pixels across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub(crate) struct PixelsSpec {
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
}

/// The largest picture that is made up, in pixels along one side.
const MOST_PIXELS: u32 = 4096;

impl FromStr for PixelsSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MOST_PIXELS).contains(side));
        let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
        let (width, height) = sides
            .ok_or_else(|| format!("`{text}` is no size; write it like `512x512`, at most {MOST_PIXELS} a side"))?;
        Ok(Self { width, height })
    }
}

impl fmt::Display for PixelsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(spec: $name) -> Self {
                spec.to_string()
            }
        }
    )*};
}

as_text!(ColumnsSpec, PixelsSpec);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_columns(text: &str, expected: Result<&str, &str>) {
        match (text.parse::<ColumnsSpec>(), expected) {
            (Ok(spec), Ok(shown)) => assert_eq!(spec.to_string(), shown),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn columns_are_named_one_by_one() {
        check_columns("prompt=q", Ok("prompt=q"));
        check_columns("image=i, prompt=q,max_tokens=n,system=s", Ok("prompt=q,system=s,max_tokens=n,image=i"));
        check_columns("system=s", Err("the column of the prompts is missing"));
        check_columns("prompt", Err("`prompt` names no column"));
        check_columns("prompt=q,tokens=n", Err("`tokens` is not prompt"));
    }

    #[test]
    fn a_picture_has_two_sides() {
        assert_eq!("512x384".parse(), Ok(PixelsSpec { width: 512, height: 384 }));
        for wrong in ["512", "0x5", "5x", "9999x5", "x"] {
            assert!(wrong.parse::<PixelsSpec>().is_err(), "{wrong}");
        }
    }
}
