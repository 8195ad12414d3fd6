use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::event::{Event, EventKind, Stamp};
use schema::exchange::{BodyRead, Exchange, Header, Octets, Part, Received, Sent};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{
    ConnectTimes, Failure, FailureClass, FinishReason, HttpVersion, Outcome, Phase, Record, TokenCounts, TokenSource,
};
use schema::target::{AuthScheme, Target};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use super::{Carried, Filter, Inspect, answer_text, by_gap, raw_text, timeline};
use crate::testing::{SIZES, price};
use crate::{Reaction, Screen, Theme, ThemeName, View};

fn millis(at: u64) -> Moment {
    Moment(at * 1_000_000)
}

fn target(name: &str) -> Target {
    Target {
        auth: AuthScheme::Bearer,
        price: Some(price()),
        simulated: name == "sim",
        ..Target::plain(
            name.parse().unwrap(),
            "vllm",
            "tiny",
            "http://127.0.0.1:8000/v1/chat/completions".parse().unwrap(),
        )
    }
}

fn event(at: u64, kind: EventKind, bytes: u32, shared_read: bool) -> Event {
    Event { arrival: millis(at), lag_ns: 40_000, bytes, tokens: 0, kind, stamp: Stamp::Kernel, shared_read }
}

fn record(events: &[Event], outcome: Outcome) -> Record {
    let tokens = TokenCounts { input: Some(12), output: 4, source: TokenSource::ServerUsage };
    Record {
        max_tokens: 64,
        connect: Some(ConnectTimes { dns_ns: None, tcp_ns: Nanos(90_000), tls_ns: None }),
        http: Some(HttpVersion::Http1),
        start_ns: Some(millis(1001)),
        first_byte_ns: Some(millis(1040)),
        headers_ns: Some(millis(1040)),
        end_ns: Some(millis(1400)),
        status: Some(200),
        request_bytes: 60,
        response_bytes: 480,
        reads: 4,
        events: events.iter().copied().collect(),
        tokens: outcome.is_complete().then_some(tokens),
        outcome,
        ..Record::not_sent("a".parse().unwrap(), 0, millis(1000))
    }
}

fn part(text: Option<&str>) -> Part {
    let content = text.unwrap_or("").replace('"', "\\\"");
    let raw = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}}}}]}}\n\n");
    Part { raw: raw.as_bytes().into(), text: text.map(Untrusted::from) }
}

fn header(name: &str, value: Option<&[u8]>) -> Header {
    Header { name: name.into(), value: value.map(Octets::from) }
}

fn exchange(name: &str) -> Exchange {
    let kinds = [EventKind::Other, EventKind::Text, EventKind::Text, EventKind::Reasoning, EventKind::Text];
    let events: Vec<_> = [1041, 1041, 1090, 1340, 1380]
        .into_iter()
        .zip(kinds)
        .enumerate()
        .map(|(number, (at, kind))| event(at, kind, 96, number == 1))
        .collect();
    let body = r#"{"model":"tiny","stream":true,"max_tokens":64,"messages":[{"role":"user","content":"Hi"}]}"#;
    Exchange {
        at: "1970-01-01T00:00:00Z".parse().unwrap(),
        target: target(name),
        request: Sent {
            method: "POST".into(),
            target: "/v1/chat/completions".into(),
            headers: vec![header("host", Some(b"127.0.0.1:8000")), header("authorization", None)],
            body: body.into(),
        },
        answer: Some(Received {
            status: 200,
            reason: Some("OK".into()),
            headers: vec![header("content-type", Some(b"text/event-stream")), header("set-cookie", None)],
        }),
        reads: vec![BodyRead { arrival_ns: millis(1041), lag_ns: 40_000, stamp: Stamp::Kernel, bytes: 480 }],
        parts: vec![part(None), part(Some("Wind")), part(Some(" and\nsail")), part(Some("hm")), part(Some("!"))],
        rest: Octets::default(),
        left_out_bytes: 0,
        record: record(&events, Outcome::Complete { finish: FinishReason::Stop }),
    }
}

/// An answer of a server that means no good.
fn hostile() -> Exchange {
    let long = "x".repeat(3000);
    let mut hostile = exchange("bad");
    let answer = hostile.answer.as_mut().unwrap();
    answer.reason = Some("\u{1b}[31mOK\u{202e}".into());
    answer.headers =
        vec![header("x-\u{1b}]0;pwned\u{7}", Some(b"\xff\xfe\x1b[2J")), header("x-long", Some(long.as_bytes()))];
    hostile.parts[1] = Part {
        raw: Octets::from(&b"data: {\"a\":\"\x1b[2J\xff\xc3\",\"b\":[1,2\n\n"[..]),
        text: Some("\u{1b}[2J\u{202e}👩‍👩‍👧‍👦\u{200b}e\u{301}\u{301}".into()),
    };
    hostile.parts[2].text = Some(Untrusted::bounded(long, usize::MAX));
    hostile
}

fn refused() -> Exchange {
    let failure = Failure { class: FailureClass::BadRequest, message: "no such model".into(), retry_after_ns: None };
    Exchange {
        parts: Vec::new(),
        rest: r#"{"error":{"message":"no such model","code":400}}"#.into(),
        answer: Some(Received { status: 400, reason: Some("Bad Request".into()), headers: Vec::new() }),
        record: Record { status: Some(400), ..record(&[], Outcome::Failed(failure)) },
        ..exchange("refusing")
    }
}

fn drawn_at(screen: &mut Inspect, (columns, rows): (u16, u16), now: Moment) -> String {
    let theme = Theme::of(ThemeName::Dark);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let view = View { now, theme: &theme, missed: 0 };
    terminal.draw(|frame| screen.draw(frame, &view)).unwrap();
    let lines = terminal.backend().to_string();
    let lines = lines.lines().map(|line| line.trim_matches('"').trim_end());
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn drawn(screen: &mut Inspect, size: (u16, u16)) -> String {
    drawn_at(screen, size, Moment::EPOCH)
}

fn press(screen: &mut Inspect, keys: &[KeyCode]) -> Reaction {
    keys.iter().fold(Reaction::Stay, |_, key| screen.press(KeyEvent::from(*key)))
}

fn both() -> Inspect {
    Inspect::of(vec![exchange("a"), exchange("sim")], Filter::default())
}

#[test]
fn every_page_at_every_size() {
    for size in SIZES {
        let mut screen = both();
        for (key, page) in [('1', "request"), ('2', "answer"), ('3', "timeline"), ('4', "figures")] {
            press(&mut screen, &[KeyCode::Char(key)]);
            insta::assert_snapshot!(format!("{page}_{}x{}", size.0, size.1), drawn(&mut screen, size));
        }
        press(&mut screen, &[KeyCode::Char('3'), KeyCode::Tab, KeyCode::Char('l'), KeyCode::Enter]);
        insta::assert_snapshot!(format!("raw_{}x{}", size.0, size.1), drawn(&mut screen, size));
    }
}

#[test]
fn what_a_server_means_to_do_to_a_terminal_it_does_not() {
    for size in SIZES {
        let mut screen = Inspect::of(vec![hostile()], Filter::default()).with_raw(true);
        press(&mut screen, &[KeyCode::Down]);
        for key in ['1', '2', '3'] {
            press(&mut screen, &[KeyCode::Char(key)]);
            let shown = drawn(&mut screen, size);
            assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
            assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{200d}']), "{shown:?}");
        }
        insta::assert_snapshot!(format!("hostile_{}x{}", size.0, size.1), drawn(&mut screen, size));
    }
    let text = answer_text(&hostile()).join("\n");
    assert!(text.contains("\\xff\\xfe") && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_refusal_shows_what_was_said() {
    let mut screen = Inspect::of(vec![refused()], Filter::default());
    press(&mut screen, &[KeyCode::Char('2')]);
    insta::assert_snapshot!(drawn(&mut screen, (80, 24)), @r#"
     refusing
    400 · HTTP/1.1 · 0 events
    1 Request   2 Answer   3 Timeline   4 Figures

    failed: request refused: no such model

    HTTP/1.1 400 Bad Request

    {
      "error": {
        "message": "no such model",
        "code": 400
      }
    }









    ↑↓ PgUp PgDn scroll · ←→ pages · s save · Tab next target · q leaves
    "#);
}

#[test]
fn while_it_goes_on_it_says_how_far_it_has_come() {
    let mut screen = Inspect::waiting(&[target("a")], Filter::default());
    let ticket =
        || Ticket { target: "a".parse().unwrap(), phase: Phase::Measured, block: 0, index: 0, attempt: 0, stream: 0 };
    let moved = |at, stage| Progress::Moved { ticket: ticket(), at: millis(at), stage };
    assert!(drawn(&mut screen, (80, 24)).contains("about to be asked"));
    screen.fold(&moved(10, Stage::Sent));
    assert!(drawn_at(&mut screen, (80, 24), millis(40)).contains("waiting for an answer, 0 events, 30.0 ms"));
    let text = Some("secret".into());
    screen.fold(&moved(50, Stage::Heard { kind: EventKind::Text, tokens: 0, text }));
    let shown = drawn_at(&mut screen, (80, 24), millis(60));
    assert!(shown.contains("answering, 1 event, 10.0 ms") && !shown.contains("secret"), "{shown}");
    screen.settle(0, exchange("a"));
    assert!(drawn(&mut screen, (80, 24)).contains("200 · HTTP/1.1"));
}

#[test]
fn a_filter_leaves_rows_out_and_says_so() {
    let mut screen = both();
    press(&mut screen, &[KeyCode::Char('f')]);
    let shown = drawn(&mut screen, (120, 40));
    assert!(shown.contains("only text (3 of 5)") && !shown.contains("reasoning"), "{shown}");
    press(&mut screen, &[KeyCode::Char('f'), KeyCode::Char('f'), KeyCode::Char('f')]);
    assert!(!drawn(&mut screen, (120, 40)).contains(" of 5"));
    press(&mut screen, &[KeyCode::Char('/')]);
    assert!(screen.is_typing());
    // Letters are letters now, whatever they mean elsewhere.
    assert_eq!(press(&mut screen, &"SAILq".chars().map(KeyCode::Char).collect::<Vec<_>>()), Reaction::Stay);
    press(&mut screen, &[KeyCode::Backspace, KeyCode::Enter]);
    assert!(!screen.is_typing());
    assert!(drawn(&mut screen, (120, 40)).contains(r#"holding "SAIL" (1 of 5)"#));
    press(&mut screen, &[KeyCode::Char('/'), KeyCode::Esc]);
    assert!(!drawn(&mut screen, (120, 40)).contains("holding"));
    assert_eq!(press(&mut screen, &[KeyCode::Char('q')]), Reaction::Leave);
}

#[test]
fn the_longest_gap_is_found_and_then_the_next() {
    let exchange = exchange("a");
    let rows = timeline(&exchange);
    let all: Vec<_> = (0..rows.len()).collect();
    // The wait for the first is no gap.
    assert_eq!(by_gap(&rows, &all), [3, 2, 4, 1]);
    assert_eq!(rows[3].gap, Some(Nanos::from_millis(250)));
    let text = Filter { carried: Some(Carried::Event(EventKind::Text)), ..Filter::default() };
    let texts = text.choose(&rows, &exchange);
    assert_eq!(by_gap(&rows, &texts), [2, 4, 1]);
}

#[test]
fn an_answer_in_one_piece_is_told_read_by_read() {
    let whole = refused();
    let rows = timeline(&whole);
    assert_eq!((rows.len(), rows[0].carried, rows[0].bytes), (1, Carried::Piece, 480));
    assert!(rows[0].text(&whole).is_none());
    assert_eq!(raw_text(&part(Some("a")).raw)[..2], ["data:", "  {"]);
}

/// Which reads of an answer in one piece are found, from 1.
#[track_caller]
fn check_found(wanted: &str, exchange: &Exchange, expected: &[usize]) {
    let rows = timeline(exchange);
    let filter = Filter { holding: wanted.into(), ..Filter::default() };
    let found: Vec<_> = filter.choose(&rows, exchange).into_iter().map(|at| rows[at].number).collect();
    assert_eq!(found, expected, "{wanted}");
}

#[test]
fn what_is_sought_is_found_in_answers_that_are_no_stream() {
    let read = |bytes| BodyRead { arrival_ns: millis(1041), lag_ns: 0, stamp: Stamp::Kernel, bytes };
    let body = r#"{"choices":[{"message":{"content":"A caf\u00e9\nby the sea"}}]}"#;
    let mut whole = Exchange {
        record: record(&[event(1041, EventKind::Text, 70, false)], Outcome::Complete { finish: FinishReason::Stop }),
        reads: vec![read(20), read(23), read(u32::try_from(body.len()).unwrap() - 43)],
        parts: vec![Part { raw: body.into(), text: Some("A café\nby the sea".into()) }],
        ..exchange("a")
    };
    check_found("CHOICES", &whole, &[1]);
    check_found("by the sea", &whole, &[3]);
    // It began with one read and ended with the next.
    check_found("message", &whole, &[1, 2]);
    check_found("nowhere", &whole, &[]);
    // Its bytes spell it otherwise.
    check_found("café", &whole, &[1, 2, 3]);
    let raw = timeline(&whole)[2].raw(&whole).unwrap().shown();
    assert_eq!(raw.raw(), &body[43..]);
    // Nobody can tell any more which read brought what.
    whole.parts[0].raw = body.replace("by the sea", "***").as_str().into();
    check_found("choices", &whole, &[1, 2, 3]);
    assert!(timeline(&whole)[2].raw(&whole).is_none());
    check_found("no such model", &Exchange { reads: vec![read(48)], ..refused() }, &[1]);
}

#[test]
fn an_answer_of_which_nobody_knows_what_each_read_brought_is_searched_once_and_not_for_each() {
    let read = BodyRead { arrival_ns: millis(1041), lag_ns: 0, stamp: Stamp::Kernel, bytes: 1 };
    let long = Exchange { reads: vec![read; 65_536], rest: vec![b'x'; 1 << 20].into(), ..refused() };
    check_found("y", &long, &[]);
    check_found("XX", &long, &(1..=65_536).collect::<Vec<_>>());
}

#[test]
fn what_was_not_kept_of_an_answer_is_not_found() {
    let read = BodyRead { arrival_ns: millis(1041), lag_ns: 0, stamp: Stamp::Kernel, bytes: 4 };
    let cut = Exchange { reads: vec![read; 3], rest: "abcdefgh".into(), left_out_bytes: 4, ..refused() };
    check_found("abc", &cut, &[1]);
    check_found("h", &cut, &[2]);
}

#[test]
fn what_is_nested_for_ever_or_too_large_is_shown_as_far_as_it_is_worth_it() {
    let raw = |raw: String| raw_text(&raw.as_str().into());
    for nested in ["[".repeat(2 << 20), "{\"a\":".repeat(400_000)] {
        let lines = raw(nested);
        assert!(lines.len() <= 20_001 && lines.last().unwrap().contains("more than can be shown"), "{}", lines.len());
        assert!(lines.iter().all(|line| line.len() < 200), "no page is made of blanks");
    }
    let split = raw(format!("{}ä{}", "x".repeat((1 << 20) - 1), "y".repeat(9)));
    assert!(!split.concat().contains(r"\x"), "no character is cut in two");
    assert!(split.concat().len() < 2 << 20);
}

#[test]
fn any_size_and_any_key_will_do() {
    let keys = "qrfl/gGjk1234 sx\u{7}é".chars().map(KeyCode::Char);
    let others = [KeyCode::Tab, KeyCode::BackTab, KeyCode::Enter, KeyCode::Esc, KeyCode::End, KeyCode::PageDown];
    let keys: Vec<_> = keys.chain(others).collect();
    for exchanges in [vec![], vec![refused()], vec![hostile(), exchange("a")]] {
        let mut screen = Inspect::of(exchanges, Filter::default());
        for size in [(1, 1), (3, 2), (10, 5), (62, 8), (140, 9)] {
            for key in &keys {
                press(&mut screen, &[*key]);
                drawn(&mut screen, size);
            }
        }
    }
}
