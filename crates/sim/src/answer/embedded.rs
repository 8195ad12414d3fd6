//! Vectors of texts: the same for the same text, whatever the seed.

use std::io;

use super::whole::send_whole;
use super::{Progress, admit, left, next_tokens, refuse, turn_away};
use crate::ask::{Ask, Route};
use crate::body::Body;
use crate::clock;
use crate::engine::Engine;
use crate::exchange::{After, Exchange};
use crate::fault::Fault;
use crate::format::{Reason, Tally};
use crate::problem::{Kind, Problem};
use crate::put::put;
use crate::socket::Socket;

/// Numbers of a vector, unless the request says otherwise, and at most.
const DIMENSIONS: i64 = 256;
const MOST_DIMENSIONS: i64 = 4_096;

/// Answers a request for vectors once its texts are read, as a prompt is.
pub(super) async fn embedded<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    ask: &Ask,
    body: &Body<'_>,
    fault: Option<Fault>,
) -> io::Result<After> {
    let (dimensions, texts) = match check(exchange, ask, body) {
        Ok(checked) => checked,
        Err(problem) => return refuse(exchange, ask.route, false, &problem).await,
    };
    let (mut source, cached) = match admit(exchange, ask, 1) {
        Ok(admitted) => admitted,
        Err(not) => return turn_away(exchange, ask.route, false, not).await,
    };
    let mut progress = Progress::new(ask, cached, exchange.received);
    if next_tokens(exchange, &mut source, 1).await.is_err() {
        exchange.state.metrics().aborted();
        return Err(left());
    }
    progress.count(exchange, &source, 0);
    source.written();
    drop(source);
    progress.finish(exchange, Reason::Stop);
    let mut out = Vec::new();
    let vectors = if fault == Some(Fault::Empty) { Vec::new() } else { texts };
    write(&mut out, exchange, ask, &progress.tally, dimensions, &vectors);
    send_whole(exchange, ask.route, fault, Vec::new(), out, 0).await
}

/// The size of the vectors, and the texts they are of.
fn check<S: Socket>(exchange: &Exchange<'_, S>, ask: &Ask, body: &Body<'_>) -> Result<(usize, Vec<String>), Problem> {
    let bad = |message: String, field| Err(Problem::new(Kind::BadRequest, message).at(field));
    let dimensions = body.dimensions.unwrap_or(DIMENSIONS);
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return bad(format!("dimensions must be from 1 to {MOST_DIMENSIONS}, got {dimensions}."), "dimensions");
    }
    if body.encoding_format.as_deref().is_some_and(|format| format != "float") {
        return bad("encoding_format must be float.".to_owned(), "encoding_format");
    }
    let context = exchange.state.model.context;
    if ask.prompt_tokens > context && ask.route == Route::Embeddings {
        return bad(format!("This model's maximum context length is {context} tokens."), "input");
    }
    let texts = body.input.as_ref().map(crate::body::Input::texts).unwrap_or_default();
    Ok((usize::try_from(dimensions).expect("from 1 to a few thousand"), texts))
}

fn write<S: Socket>(
    out: &mut Vec<u8>,
    exchange: &Exchange<'_, S>,
    ask: &Ask,
    tally: &Tally,
    dimensions: usize,
    texts: &[String],
) {
    let (model, prompt) = (&ask.model, tally.prompt_tokens);
    if ask.route == Route::Embed {
        put!(out, r#"{"model":"#, model, r#","embeddings":["#);
        list(out, texts, |out, _, text| vector(out, text, dimensions));
        let total = tally.total().0;
        put!(out, r#"],"total_duration":"#, total, r#","load_duration":0,"prompt_eval_count":"#, prompt, "}");
        return;
    }
    let vllm = exchange.state.config.engine == Engine::Vllm;
    out.push(b'{');
    if vllm {
        put!(out, r#""id":"embd-"#, exchange.id, r#"","created":"#, clock::second(), ",");
    }
    put!(out, r#""object":"list","model":"#, model, r#","data":["#);
    list(out, texts, |out, index, text| {
        put!(out, r#"{"object":"embedding","index":"#, index, r#","embedding":"#);
        vector(out, text, dimensions);
        out.push(b'}');
    });
    put!(out, r#"],"usage":{"prompt_tokens":"#, prompt, r#","total_tokens":"#, prompt);
    if vllm {
        out.extend_from_slice(br#","completion_tokens":0,"prompt_tokens_details":null"#);
    }
    out.extend_from_slice(b"}}");
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, usize, &T)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, index, item);
    }
}

/// Appends a vector of length one whose direction depends on the text alone.
fn vector(out: &mut Vec<u8>, text: &str, dimensions: usize) {
    let mut state = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let numbers: Vec<f64> = (0..dimensions).map(|_| next()).collect();
    let length = numbers.iter().map(|number| number * number).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    out.push(b'[');
    list(out, &numbers, |out, _, number| put!(out, format_args!("{:.6}", number / length)));
    out.push(b']');
}
