//! Answers of servers that are sloppy or hostile, however their bytes come.

use bytes::Bytes;
use proptest::prelude::*;
use schema::record::FailureClass;

use super::body::FRAMING_BYTES;
use super::script::{End, HEAD_BYTES, Script, connection, follow, request, seen};
use super::*;

/// `answer` ends so on a connection that the server closes after it, and so on one that it keeps, however it comes.
#[track_caller]
fn check(answer: &str, closed: End, open: End) {
    for (closes, expected) in [(true, closed), (false, open)] {
        for size in [1, 2, 3, 7, usize::MAX] {
            let seen = seen(answer.as_bytes(), &[size], closes, size % 2 == 1);
            assert_eq!(seen.end, expected, "{answer:?} by {size}, closes: {closes}");
        }
    }
}

const KEPT: End = End::Whole { is_reusable: true };
const GONE: End = End::Whole { is_reusable: false };
const MALFORMED: End = End::Failed(FailureClass::Malformed);
const TOO_LARGE: End = End::Failed(FailureClass::TooLarge);
const TRUNCATED: End = End::Failed(FailureClass::Truncated);
const CLOSED_EARLY: End = End::Failed(FailureClass::ClosedEarly);

#[track_caller]
fn check_head(lines: &str, closed: End, open: End) {
    check(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nhello"), closed, open);
}

#[test]
fn a_head_that_is_wrong_is_malformed_and_one_that_is_odd_is_not() {
    let length = "content-length: 5";
    for lines in [
        "content-length: +5",
        "content-length: -5",
        "content-length: 0x5",
        "content-length: 5 5",
        "content-length: 5,",
        "content-length: 5, 6",
        "content-length: 18446744073709551616",
        "content-length: 5\r\ncontent-length: 6",
        "content-length : 5",
        "content-length: 5\r\n folded: 6",
        "content-length: 5\r\nx: a\0b",
        "content-length: 5\r\nx: a\rb",
        "content-length: 5\r\nno colon",
        "content-length: 5\r\n: no name",
        "content-length: 5\r\ntransfer-encoding: chunked\r\ncontent-length: 6",
    ] {
        check_head(lines, MALFORMED, MALFORMED);
    }
    for status in
        ["HTTP/1.1 20 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 099 OK", "HTTP/1.1 2000", "HTTP/2.0 200 OK", "ICY 200"]
    {
        check(&format!("{status}\r\n{length}\r\n\r\nhello"), MALFORMED, MALFORMED);
    }
    for status in ["HTTP/1.1 200", "HTTP/1.1 200 ", "\r\n\r\nHTTP/1.1 200 \u{fc}ber", "HTTP/1.1 999 odd"] {
        check(&format!("{status}\r\n{length}\r\n\r\nhello"), GONE, KEPT);
    }
    check_head("content-length: 005, 5\r\nContent-Length:\t5 ", GONE, KEPT);
    check("HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", GONE, KEPT);
    check("HTTP/1.1 200 OK\r\ncontent-le", CLOSED_EARLY, End::Waiting);
    check("", CLOSED_EARLY, End::Waiting);
}

#[test]
fn a_body_ends_where_its_framing_says_and_nowhere_else() {
    check_head("", GONE, End::Waiting);
    check_head("transfer-encoding: gzip", GONE, End::Waiting);
    check_head("transfer-encoding: chunked, gzip", GONE, End::Waiting);
    check_head("content-length: 6", TRUNCATED, End::Waiting);
    check_head("content-length: 18446744073709551615", TRUNCATED, End::Waiting);
    check_head("transfer-encoding: gzip\r\ncontent-length: 5", GONE, End::Waiting);
    check_head("content-length: 5\r\nconnection: upgrade, close", GONE, GONE);
    // What nobody asked for is nobody's answer.
    check_head("content-length: 4", GONE, GONE);
    check("HTTP/1.1 204 No Content\r\n\r\n", GONE, KEPT);
    check("HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", GONE, GONE);
    check("HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", GONE, GONE);
    check("HTTP/1.1 101 Switching Protocols\r\n\r\n", GONE, GONE);
    check("HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", GONE, GONE);
    check("HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello", GONE, KEPT);
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    check(&whole.repeat(2), GONE, GONE);
    check(&format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n{whole}"), GONE, KEPT);
    check("HTTP/1.1 100 Continue\r\n\r\n", CLOSED_EARLY, End::Waiting);
}

#[track_caller]
fn check_chunks(chunks: &str, closed: End, open: End) {
    check(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"), closed, open);
}

#[test]
fn chunks_are_taken_at_their_word_and_at_no_other() {
    for last in ["0", "000", "0 ", "0;a=\"b\"", "0 ; a"] {
        check_chunks(&format!("5;a=b\r\nhello\r\n{last}\r\n\r\n"), GONE, KEPT);
    }
    for size in [
        "",
        " ",
        ";a",
        " 5",
        "+5",
        "-5",
        "0x5",
        "5,",
        "5h",
        "5 5",
        "5\n",
        "5;a\n",
        "5;a\rb",
        "5\0",
        "10000000000000000",
    ] {
        check_chunks(&format!("{size}\r\nhello\r\n0\r\n\r\n"), MALFORMED, MALFORMED);
    }
    check_chunks("4\r\nhello\r\n0\r\n\r\n", MALFORMED, MALFORMED);
    check_chunks("5\r\nhello\n0\r\n\r\n", MALFORMED, MALFORMED);
    check_chunks("5\r\nhello\r\n\r\n0\r\n\r\n", MALFORMED, MALFORMED);
    check_chunks("6\r\nhello", TRUNCATED, End::Waiting);
    check_chunks("ffffffffffffffff\r\nhello", TRUNCATED, End::Waiting);
    check_chunks("5\r\nhello\r\n", TRUNCATED, End::Waiting);
    check_chunks("5\r\nhello\r\n0\r\n", TRUNCATED, End::Waiting);
    check_chunks("5\r\nhello\r\n0\r\nsum: 1\r\ncontent-length: 9\r\n", TRUNCATED, End::Waiting);
    check_chunks("5\r\nhello\r\n0\r\nsum: 1\r\ncontent-length: 9\r\n\r\n", GONE, KEPT);
    check_chunks("5\r\nhello\r\n0\r\n\r\n0\r\n\r\n", GONE, GONE);
}

#[track_caller]
fn check_flood(before: &str, refrain: &str) {
    for repeats in [16, 1000] {
        let script = Script::new([before.as_bytes().to_vec()], false);
        let mut http = connection(Script { refrain: refrain.repeat(repeats).into_bytes(), ..script });
        assert_eq!(follow(&mut http).end, TOO_LARGE, "{before:?}, then {refrain:?}");
        let bound = before.len() + HEAD_BYTES.max(FRAMING_BYTES) + 2 * LARGEST_READ;
        assert!(http.io.handed <= bound, "{before:?}, then {refrain:?}: {} bytes were read", http.io.handed);
    }
}

#[test]
fn what_never_ends_is_too_large() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    check_flood("", "HTTP/1.1 100 Continue\r\n\r\n");
    check_flood("", "\r\n");
    check_flood("HTTP/1.1 200 ", "x");
    check_flood("HTTP/1.1 200 OK\r\n", "a:\r\n");
    check_flood("HTTP/1.1 200 OK\r\na:", "x");
    check_flood(&format!("{chunked}5;"), "x");
    check_flood(&format!("{chunked}5"), " ");
    check_flood(&format!("{chunked}0\r\n"), "x");
    check_flood(&format!("{chunked}0\r\n"), "a: b\r\n");
}

#[test]
fn an_answer_before_the_request_has_left_is_read_and_its_connection_is_not_used_again() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_vec();
    for (appetite, end) in [(0, GONE), (20, GONE), (usize::MAX, KEPT)] {
        let mut http = connection(Script { appetite, ..Script::new([answer.clone()], false) });
        let seen = follow(&mut http);
        assert_eq!((seen.body.as_slice(), seen.end), (&b"hello"[..], end), "it took {appetite} bytes");
    }
}

#[test]
fn a_kept_connection_answers_each_request_with_its_own_answer() {
    let mut http = connection(Script::new([], false));
    for body in ["first", "second", "third"] {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        http.io.portions.push_back(answer.into_bytes());
        let seen = follow(&mut http);
        assert_eq!((seen.body.as_slice(), seen.end), (body.as_bytes(), KEPT));
        http.send(&request(), &Bytes::new());
    }
}

/// Lines of a head, sound and unsound.
fn header() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("content-length: 5".to_owned()),
        Just("Content-Length: 12, 12".to_owned()),
        Just("Transfer-Encoding: chunked".to_owned()),
        Just("transfer-encoding: gzip, chunked,".to_owned()),
        Just("connection: close".to_owned()),
        Just("connection: keep-alive".to_owned()),
        "[a-z-]{1,12}: [ -~]{0,40}",
        (0_usize..9000).prop_map(|length| format!("x: {}", "y".repeat(length))),
    ]
}

/// Parts of a body, framing among them.
fn part_of_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|data| {
            let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
            chunk.extend([data.as_slice(), b"\r\n"].concat());
            chunk
        }),
        Just(b"0\r\nsum: 1\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        (0_usize..18_000).prop_map(|length| format!("5;{}\r\nhello\r\n", "e".repeat(length)).into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

/// An answer, most often a sound one, with bytes of it changed.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![4 => Just("HTTP/1.1 200 OK"), 1 => Just("HTTP/1.0 200"), 1 => Just("HTTP/1.1 204 ")];
    let announced = prop_oneof![4 => Just(""), 1 => Just("HTTP/1.1 100 Continue\r\n\r\n")];
    let headers = proptest::collection::vec(header(), 0..5);
    let body = proptest::collection::vec(part_of_body(), 0..6);
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (announced, status, headers, body, changes).prop_map(|(announced, status, headers, body, changes)| {
        let mut bytes = format!("{announced}{status}\r\n{}\r\n\r\n", headers.join("\r\n")).into_bytes();
        bytes.extend(body.concat());
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![1_usize..8, 1_usize..20_000], 1..12)
}

proptest! {
    #[test]
    fn however_its_bytes_come_an_answer_is_the_same(
        bytes in answer(), sizes in sizes(), closes in any::<bool>(), hesitates in any::<bool>(),
    ) {
        prop_assert_eq!(seen(&bytes, &sizes, closes, hesitates), seen(&bytes, &[], closes, false));
    }

    #[test]
    fn however_its_bytes_come_what_is_no_answer_is_the_same(
        manner in any::<[u8; 4]>(), bytes in proptest::collection::vec(any::<u8>(), 0..4096), is_body in any::<bool>(),
    ) {
        let head: &[u8] = if is_body { b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" } else { b"HTTP/1.1 200 " };
        check_answer(&[&manner, head, &bytes].concat());
    }

    #[test]
    fn no_bytes_make_it_panic_or_go_on_for_ever(
        bytes in proptest::collection::vec(any::<u8>(), 0..4096), sizes in sizes(), is_body in any::<bool>(),
    ) {
        let head: &[u8] = if is_body { b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" } else { b"HTTP/1.1 200 " };
        let bytes = [head, &bytes].concat();
        let seen = seen(&bytes, &sizes, true, true);
        prop_assert_ne!(seen.end, End::Waiting);
        prop_assert!(seen.body.len() <= bytes.len());
    }
}
