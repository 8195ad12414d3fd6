//! Every way an engine can misbehave, and the class it is counted under.

use std::time::Duration;

use schema::plan::{SizeLimits, TransportPlan};
use schema::record::{FailureClass, Outcome, Record};
use schema::target::Dialect;
use schema::units::Nanos;
use sim::{Engine, Fault, Pace, Sim};

use crate::stage::{
    ANTHROPIC, OLLAMA, OLLAMA_TEXT, OPENAI, TGI, TGI_CHAT, VLLM, VLLM_TEXT, Voice, Witness, client, content, faulty,
    order, pass, run, until, whole_order,
};

/// Tokens asked for: enough for faults that strike in mid-stream.
const TOKENS: u32 = 12;

/// Content events that a mid-stream fault lets through.
const BEFORE: usize = 3;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    /// `None`: it completes.
    class: Option<FailureClass>,
    status: Option<u16>,
    content: usize,
    retry_after: Option<Nanos>,
}

fn end_of(record: &Record) -> End {
    let failure = match &record.outcome {
        Outcome::Complete { .. } => None,
        Outcome::Failed(failure) => Some(failure),
        other => panic!("it ended as {other:?}"),
    };
    End {
        class: failure.map(|failure| failure.class),
        status: record.status,
        content: content(record),
        retry_after: failure.and_then(|failure| failure.retry_after_ns),
    }
}

const fn failed(class: FailureClass, status: Option<u16>, content: usize) -> End {
    End { class: Some(class), status, content, retry_after: None }
}

/// Refusals: by their status, and by what the engine says where that says more.
fn refusal(fault: Fault, voice: Voice) -> Option<End> {
    use FailureClass as Class;
    let tgi = voice.engine == Engine::Tgi;
    let (class, status) = match fault {
        // Ollama's own errors have a message only, so a quota shows by its status alone.
        Fault::Quota if voice.engine != Engine::Ollama => (Class::QuotaExhausted, 429),
        Fault::RateLimit | Fault::Quota => (Class::RateLimited, 429),
        Fault::Unauthorized => (Class::Unauthorized, 401),
        Fault::Forbidden => (Class::Forbidden, 403),
        Fault::NotFound => (Class::NotFound, 404),
        Fault::BadRequest => (Class::BadRequest, if tgi { 422 } else { 400 }),
        Fault::ServerError => (Class::ServerError, 500),
        // TGI throttles where others are overloaded (3.3.6, `error-overloaded`).
        Fault::Overloaded if tgi => (Class::RateLimited, 429),
        Fault::Overloaded if voice.dialect == Dialect::Anthropic => (Class::Overloaded, 529),
        Fault::Overloaded => (Class::Overloaded, 503),
        Fault::Redirect => (Class::UnexpectedStatus, 302),
        Fault::Html => (Class::Malformed, 200),
        _ => return None,
    };
    let retry_after = (fault == Fault::RateLimit).then(|| Nanos::from_secs(2));
    Some(End { retry_after, ..failed(class, Some(status), 0) })
}

/// What becomes of a stream. The match names every fault, so that a new one must be thought of.
fn of_stream(fault: Fault, voice: Voice) -> End {
    use FailureClass as Class;
    if let Some(end) = refusal(fault, voice) {
        return end;
    }
    let broken = |class| failed(class, Some(200), BEFORE);
    match fault {
        Fault::RateLimit
        | Fault::Quota
        | Fault::Unauthorized
        | Fault::Forbidden
        | Fault::NotFound
        | Fault::BadRequest
        | Fault::ServerError
        | Fault::Overloaded
        | Fault::Html
        | Fault::Redirect => unreachable!("a refusal"),
        Fault::Reset | Fault::Truncate | Fault::TruncateClean => broken(Class::Truncated),
        Fault::ResetEarly => failed(Class::ClosedEarly, None, 0),
        Fault::Stall => broken(Class::Stalled),
        Fault::SlowHeaders => failed(Class::FirstTokenTimeout, None, 0),
        Fault::NoFirstToken => failed(Class::FirstTokenTimeout, Some(200), 0),
        Fault::Malformed | Fault::BadChunk => broken(Class::Malformed),
        Fault::BadStatusLine => failed(Class::Malformed, None, 0),
        Fault::ErrorInStream => broken(Class::ErrorInStream),
        Fault::Empty => failed(Class::Empty, Some(200), 0),
        Fault::HugeEvent => broken(Class::TooLarge),
        Fault::HugeHeader => failed(Class::TooLarge, None, 0),
        Fault::Endless => failed(Class::TooLarge, Some(200), usize::MAX),
        Fault::SplitUtf8 | Fault::OneByteWrites | Fault::MultiToken | Fault::HostileText => {
            let events =
                if fault == Fault::MultiToken { 1 + (TOKENS as usize - 1).div_ceil(4) } else { TOKENS as usize };
            End { class: None, status: Some(200), content: events, retry_after: None }
        }
    }
}

/// What becomes of an answer in one piece: nothing is known of it before its last byte.
fn of_whole(fault: Fault, voice: Voice) -> End {
    use FailureClass as Class;
    let stream = of_stream(fault, voice);
    match fault {
        Fault::Stall | Fault::NoFirstToken => failed(Class::FirstTokenTimeout, Some(200), 0),
        Fault::Endless => failed(Class::FirstTokenTimeout, None, 0),
        Fault::TruncateClean => failed(Class::Malformed, Some(200), 0),
        // Eight million bytes are much for an event and little for a body.
        Fault::HugeEvent | Fault::MultiToken => End { class: None, status: Some(200), content: 1, retry_after: None },
        _ => End { content: stream.content.min(usize::from(stream.class.is_none())), ..stream },
    }
}

/// Whether the client's own patience has to end it; and that has to run out here.
fn silent(fault: Fault, stream: bool) -> bool {
    matches!(fault, Fault::Stall | Fault::SlowHeaders | Fault::NoFirstToken) || fault == Fault::Endless && !stream
}

async fn meet(fault: Fault, voice: Voice, stream: bool) -> Record {
    let mut config = faulty(voice.engine, fault);
    if !stream {
        // An answer without end that is not sent leaves the engine no other moment to see the client go.
        config.pace = Pace::Fixed { ttft: Nanos::ZERO, itl: Nanos::from_millis(1) };
    }
    let sim = Sim::start(config).unwrap();
    let mut plan = TransportPlan::default();
    if fault == Fault::Endless {
        plan.sizes = SizeLimits { body_bytes: 64 << 10, ..SizeLimits::default() };
    }
    let client = client(&sim, voice, &plan);
    let order = if stream { order(&client, TOKENS) } else { whole_order(&client, TOKENS) };
    let (mut witness, mut seen) = Witness::new();
    let patience_ends = async {
        if !silent(fault, stream) {
            return;
        }
        if fault == Fault::Stall && stream {
            seen.wait_for(|seen| *seen == BEFORE).await.unwrap();
        } else {
            let writes = !matches!(fault, Fault::SlowHeaders | Fault::Endless);
            until(|| if writes { sim.bytes_written() > 0 } else { sim.requests() > 0 }).await;
        }
        pass(Duration::from_secs(121)).await;
    };
    let (record, ()) = tokio::join!(client.send(&order, &mut witness), patience_ends);
    assert_eq!(schema::event::Events::from(witness.events), record.events, "{fault}: what was watched is what is kept");
    assert_eq!(sim.requests(), 1, "{fault}: nothing is sent twice");
    *record
}

#[track_caller]
fn check(voice: Voice, fault: Fault, stream: bool, record: &Record, expected: End) {
    let mut end = end_of(record);
    if expected.content == usize::MAX {
        assert!(end.content > TOKENS as usize, "{fault}: {end:?}");
        end.content = usize::MAX;
    }
    let outcome = &record.outcome;
    assert_eq!(end, expected, "{fault} of {voice:?}, stream {stream}: {outcome:?}");
    assert!(record.start_ns.is_some() && record.start_ns <= record.end_ns, "{fault}");
}

/// Meets every fault in one voice.
fn check_all(voice: Voice) {
    run(async move || {
        for fault in Fault::ALL {
            check(voice, fault, true, &meet(fault, voice, true).await, of_stream(fault, voice));
            if voice.path != TGI.path {
                check(voice, fault, false, &meet(fault, voice, false).await, of_whole(fault, voice));
            }
        }
    });
}

#[test]
fn every_fault_of_a_vllm_has_its_class() {
    check_all(VLLM);
    check_all(VLLM_TEXT);
}

#[test]
fn every_fault_of_a_tgi_has_its_class() {
    check_all(TGI);
    check_all(TGI_CHAT);
}

#[test]
fn every_fault_of_an_ollama_has_its_class() {
    check_all(OLLAMA);
    check_all(OLLAMA_TEXT);
}

#[test]
fn every_fault_of_a_hosted_api_has_its_class() {
    check_all(OPENAI);
    check_all(ANTHROPIC);
}
