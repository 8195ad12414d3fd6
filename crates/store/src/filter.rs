//! Which of the runs in a list are meant.

use std::convert::Infallible;
use std::str::FromStr;

use jiff::Timestamp;
use schema::manifest::Status;

use crate::Head;

/// A text that is matched whole, whatever its case; `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What comes before the first star.
    first: String,
    /// What follows each star.
    rest: Vec<String>,
}

impl FromStr for Pattern {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let lower = text.to_lowercase();
        let mut pieces = lower.split('*').map(str::to_owned);
        Ok(Self { first: pieces.next().unwrap_or_default(), rest: pieces.collect() })
    }
}

impl Pattern {
    /// Whether all of `text` is what the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let Some(mut left) = text.strip_prefix(self.first.as_str()) else { return false };
        let Some((last, middle)) = self.rest.split_last() else { return left.is_empty() };
        for piece in middle {
            let Some((_, after)) = left.split_once(piece.as_str()) else { return false };
            left = after;
        }
        left.ends_with(last.as_str())
    }
}

/// What runs have to be like; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The run's name, or its folder's.
    pub name: Option<Pattern>,
    /// For each of these, a tag that fits.
    pub tags: Vec<Pattern>,
    /// The name of one of its targets.
    pub target: Option<Pattern>,
    /// The model of one of its targets.
    pub model: Option<Pattern>,
    /// The provider of one of its targets.
    pub provider: Option<Pattern>,
    /// Text within the processor's or the system's name.
    pub machine: Option<String>,
    /// Where it stands.
    pub status: Option<Status>,
    /// Began at this moment or later.
    pub since: Option<Timestamp>,
    /// Began before this moment.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether the run in `folder` is meant. Provider, model and target are looked for in one and the same target.
    pub fn matches(&self, folder: &str, head: &Head) -> bool {
        let any = |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|p| p.matches(text));
        let name = self.name.as_ref().is_none_or(|name| name.matches(&head.name) || name.matches(folder));
        let tags = self.tags.iter().all(|wanted| head.tags.iter().any(|tag| wanted.matches(tag)));
        let target = head.targets.iter().any(|target| {
            any(&self.target, target.name.as_str())
                && any(&self.model, &target.model)
                && any(&self.provider, &target.provider)
        });
        let named_no_target = self.target.is_none() && self.model.is_none() && self.provider.is_none();
        let machine = self.machine.as_ref().is_none_or(|wanted| {
            let wanted = wanted.to_lowercase();
            [&head.machine.cpu, &head.machine.os].iter().any(|text| text.to_lowercase().contains(&wanted))
        });
        let status = self.status.is_none_or(|status| status == head.status);
        let since = self.since.is_none_or(|since| since <= head.started);
        let until = self.until.is_none_or(|until| head.started < until);
        name && tags && (target || named_no_target) && machine && status && since && until
    }

    /// Whether nothing is asked for, so that every folder is meant.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
