//! `results tag`: words on runs.

use std::str::FromStr;

use miette::Report;
use schema::manifest::Tag;

use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Put tags on a run and take them off; without any, print those it has.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results tag latest +nightly +gpu=h100
  speed-kings results tag quick -draft
  speed-kings results tag quick keep

A run with the tag `keep` is spared by `speed-kings cleanup`.")]
pub(super) struct Args {
    /// The run: `latest`, its folder, its name, or how any of these begin.
    run: String,

    /// `+tag` or `tag` puts one on, `-tag` takes one off.
    #[arg(value_name = "+TAG|-TAG", allow_hyphen_values = true)]
    tags: Vec<Change>,
}

/// What becomes of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    On(Tag),
    Off(Tag),
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(option) = text.strip_prefix("--") {
            return Err(format!("`--{option}` is no tag; options come before the run, as in `tag --output json RUN`"));
        }
        let (off, word) = match text.strip_prefix('-') {
            Some(word) => (true, word),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let tag = word.parse().map_err(|error: schema::manifest::TagError| {
            let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
            format!("{error}; {help}")
        })?;
        Ok(if off { Self::Off(tag) } else { Self::On(tag) })
    }
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let folder = store::find(&shelf.out, &args.run).map_err(Report::new)?;
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for change in &args.tags {
        match change {
            Change::On(tag) => add.push(tag.clone()),
            Change::Off(tag) => remove.push(tag.clone()),
        }
    }
    let tags = store::tag(&folder, &add, &remove).map_err(Report::new)?;
    let column = report::Column { key: "tag", heading: "Tag", align: report::Align::Left };
    let rows = tags.into_iter().map(|tag| vec![report::Cell::Text(tag)]).collect();
    context.print_listing(&report::Listing { title: String::new(), columns: vec![column], rows })?;
    context.terminal.note(&format!("run: {}", folder.display()));
    Ok(Exit::Done)
}
