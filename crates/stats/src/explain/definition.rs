//! The definitions, one row a tool. As read in the tools' sources, autumn 2026.

use schema::explain::{Quantity, Rule, Tool};

/// Which requests count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requests {
    /// All that completed.
    All,
    /// Those after the start-up.
    Steady,
}

/// When the clock of a request starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// On a connection that is ready.
    Ready,
    /// Before the call that also connects, where that is needed.
    BeforeConnect,
}

/// Which events carry a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carriers {
    /// Those with generated content: text, reasoning, a piece of a tool call.
    Content,
    /// Those with answer text.
    Answer,
    /// Those with `choices`, be they empty.
    Any,
}

/// Who stamps an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// The kernel, where it does.
    Kernel,
    /// The program, once it has read the bytes.
    Program,
}

/// What ends an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its last token.
    LastToken,
    /// The end of its stream.
    Stream,
}

/// What counts as an output token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokens {
    /// All, by the server's word where it gives one.
    All,
    /// Those of the answer, without reasoning.
    Answer,
    /// All by the server's word, else the number of streamed pieces.
    AllOrPieces,
}

/// What inter-token latency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Itl {
    /// The gaps between events that carry tokens.
    Gaps,
    /// One average a request: (last − first) ÷ (tokens − 1).
    Average,
    /// A gap a token: those that came in one event have none between them.
    PerToken,
    /// One average a request over all of it: (last − start) ÷ tokens.
    Whole,
}

/// What time per output token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tpot {
    /// (Last − first) ÷ (tokens − 1).
    AfterFirst,
    /// (Last − start) ÷ tokens.
    Whole,
}

/// Which answers have no time per output token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drops {
    /// Those whose tokens all came at one instant.
    Instant,
    /// Those whose tokens all came within a millisecond.
    WithinMillisecond,
}

/// Over which time a rate is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// The steady part.
    Steady,
    /// From the first request to the last response.
    Whole,
}

/// What a tool means by the figures it prints; what it does not print is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) requests: Requests,
    pub(super) start: Start,
    pub(super) carriers: Carriers,
    pub(super) clock: Clock,
    pub(super) end: End,
    pub(super) tokens: Tokens,
    pub(super) itl: Option<Itl>,
    pub(super) tpot: Option<Tpot>,
    pub(super) drops: Drops,
    pub(super) window: Option<Window>,
}

/// Ours, as `DESIGN.md` fixes them.
pub(super) const OURS: Definition = Definition {
    requests: Requests::Steady,
    start: Start::Ready,
    carriers: Carriers::Content,
    clock: Clock::Kernel,
    end: End::LastToken,
    tokens: Tokens::All,
    itl: Some(Itl::Gaps),
    tpot: Some(Tpot::AfterFirst),
    drops: Drops::Instant,
    window: Some(Window::Steady),
};

/// What all six have in common: no start-up is told from the rest, connecting is inside, and arrivals are stamped by
/// the program that reads them.
const OTHERS: Definition = Definition {
    requests: Requests::All,
    start: Start::BeforeConnect,
    clock: Clock::Program,
    window: Some(Window::Whole),
    ..OURS
};

/// What `tool` means.
pub(super) const fn of(tool: Tool) -> Definition {
    match tool {
        Tool::VllmBench => Definition { carriers: Carriers::Any, ..OTHERS },
        // Its rate is a mean over time of how many requests and tokens were under way: not read here.
        Tool::GuideLlm => Definition {
            tokens: Tokens::AllOrPieces,
            itl: Some(Itl::Average),
            tpot: Some(Tpot::Whole),
            window: None,
            ..OTHERS
        },
        Tool::AiPerf => Definition { itl: Some(Itl::Average), tpot: None, ..OTHERS },
        Tool::InferencePerf => {
            Definition { carriers: Carriers::Answer, tokens: Tokens::Answer, itl: Some(Itl::PerToken), ..OTHERS }
        }
        Tool::GenAiBench => Definition { end: End::Stream, itl: None, drops: Drops::WithinMillisecond, ..OTHERS },
        Tool::LlmPerf => Definition {
            carriers: Carriers::Answer,
            tokens: Tokens::Answer,
            itl: Some(Itl::Whole),
            tpot: None,
            ..OTHERS
        },
    }
}

impl Definition {
    /// Our definitions with one rule of this one, for each rule that differs.
    pub(super) fn alone(&self) -> Vec<(Rule, Self)> {
        let one = [
            (Rule::Requests, Self { requests: self.requests, ..OURS }),
            (Rule::Start, Self { start: self.start, ..OURS }),
            (Rule::Events, Self { carriers: self.carriers, ..OURS }),
            (Rule::Clock, Self { clock: self.clock, ..OURS }),
            (Rule::End, Self { end: self.end, ..OURS }),
            (Rule::Tokens, Self { tokens: self.tokens, ..OURS }),
            (Rule::Itl, Self { itl: self.itl, ..OURS }),
            (Rule::Tpot, Self { tpot: self.tpot, ..OURS }),
            (Rule::Drops, Self { drops: self.drops, ..OURS }),
            (Rule::Window, Self { window: self.window, ..OURS }),
        ];
        one.into_iter().filter(|(_, definition)| *definition != OURS).collect()
    }
}

/// Whether a rule can move a figure by what it is about: a longer window is no cause of a longer TTFT.
pub(super) const fn concerns(rule: Rule, quantity: Quantity) -> bool {
    match rule {
        Rule::Itl => matches!(quantity, Quantity::ItlMean | Quantity::ItlP50),
        Rule::Tpot | Rule::Drops => matches!(quantity, Quantity::TpotMean | Quantity::TpotP50),
        Rule::Window => matches!(quantity, Quantity::OutputTokensPerS),
        _ => true,
    }
}
