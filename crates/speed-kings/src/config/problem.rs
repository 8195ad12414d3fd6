//! What is wrong with what was asked for: shown all at once, each with its place and the way out.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

/// A file that settings were read from, kept to underline what is wrong in it.
pub(crate) type Source = Arc<NamedSource<String>>;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problem {
    message: String,
    help: Option<String>,
    place: Option<(Source, SourceSpan)>,
}

impl Problem {
    /// `message` in lower case, without a full stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A step that can be taken now.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The file and the part of it that is to blame.
    #[must_use]
    pub(crate) fn at(mut self, source: &Source, span: SourceSpan) -> Self {
        self.place = Some((Arc::clone(source), span));
        self
    }

    /// What another room complained of, with its causes and its advice.
    pub(crate) fn from_diagnostic(error: &(dyn Diagnostic + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self { message, help: error.help().map(|help| help.to_string()), place: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(source, _)| source.as_ref() as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, span) = self.place.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), *span))))
    }
}

/// Everything that is wrong; never empty once it is an error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    /// `value` if nothing was wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => only.fmt(f),
            many => write!(f, "{} things are wrong with what was asked for", many.len()),
        }
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        if let [only] = self.0.as_slice() { only.help() } else { None }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        if let [only] = self.0.as_slice() { only.source_code() } else { None }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if let [only] = self.0.as_slice() { only.labels() } else { None }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.0.len() < 2 { None } else { Some(Box::new(self.0.iter().map(|p| p as &dyn Diagnostic))) }
    }
}
