//! An answer in one piece, and the faults that break it.

use std::io;

use super::{Plan, Progress, left, next_tokens, text_of};
use crate::ask::Route;
use crate::exchange::{After, Exchange};
use crate::fault::{Fault, HUGE_EVENT, HUGE_HEADER};
use crate::format::Format;
use crate::http::client_gone;
use crate::problem::{Kind, Problem};
use crate::socket::Socket;
use crate::source::Source;

/// Tokens of an answer at most that are counted in one go; a longer one gives way to others between them.
const AT_ONCE: u32 = 4_096;

/// Bytes that a body mostly has beside its text.
const AROUND_TEXT: usize = 640;

/// Sends an answer in one piece once all of it is there.
pub(super) async fn whole<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    format: &dyn Format,
    route: Route,
    plan: Plan<'_>,
    mut source: Source,
    mut progress: Progress,
) -> io::Result<After> {
    while progress.tally.generated < plan.tokens {
        next_tokens(exchange, &mut source, 1).await?;
        progress.count(exchange, &source, 1);
        source.written();
        if plan.is_bottomless(&source) {
            client_gone(exchange.socket, exchange.inbox).await;
            return Err(left());
        }
        if source.is_ready() && plan.tokens <= AT_ONCE {
            progress.count_more(exchange, plan.tokens - progress.tally.generated);
            break;
        }
        // Tokens that need no waiting would otherwise keep the thread to themselves.
        tokio::task::coop::consume_budget().await;
    }
    drop(source);
    progress.finish(exchange, plan.reason);
    if plan.is_silent() && !format.has_end_token() {
        progress.tally.generated = 0;
    }
    let tally = progress.tally;
    let text = match plan.fault {
        Some(Fault::HugeEvent) => "x".repeat(HUGE_EVENT),
        _ => text_of(&plan, format),
    };
    let mut body = Vec::with_capacity(AROUND_TEXT + text.len());
    format.whole(&mut body, &text, &tally, plan.reason);
    let mut headers = format.headers(&tally, false);
    if plan.fault == Some(Fault::HugeHeader) {
        headers.push(("x-padding", "x".repeat(HUGE_HEADER)));
    }
    send_whole(exchange, route, plan.fault, headers, body, tally.generated).await
}

/// Sends a whole body, or as much of it as the fault lets through.
pub(super) async fn send_whole<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    route: Route,
    fault: Option<Fault>,
    headers: Vec<(&'static str, String)>,
    mut body: Vec<u8>,
    tokens: u32,
) -> io::Result<After> {
    let half = body.len() / 2;
    match fault {
        Some(Fault::ErrorInStream) => {
            let problem = Problem::new(Kind::ServerError, "The engine failed while generating.");
            body = problem.in_stream(exchange.state.config.engine, route).into_bytes();
        }
        Some(Fault::Malformed | Fault::TruncateClean) => body.truncate(half),
        _ => {}
    }
    let is_chunked = fault == Some(Fault::BadChunk);
    let length = if is_chunked { None } else { Some(body.len()) };
    let mut bytes = exchange.head(200, Some("application/json"), headers, length);
    match fault {
        Some(Fault::NoFirstToken) => {}
        Some(Fault::Reset | Fault::Stall | Fault::Truncate) => bytes.extend_from_slice(&body[..half]),
        Some(Fault::BadChunk) => bytes.extend_from_slice(b"5z\r\nhello\r\n"),
        _ => bytes.extend_from_slice(&body),
    }
    exchange.write(&bytes, tokens, true).await?;
    match fault {
        Some(Fault::Reset) => {
            exchange.socket.reset_on_close();
            Ok(After::Close)
        }
        Some(Fault::Truncate | Fault::BadChunk) => Ok(After::Close),
        Some(Fault::Stall | Fault::NoFirstToken) => Ok(exchange.fall_silent().await),
        _ => Ok(After::Keep),
    }
}
