//! Recordings of a terminal as asciicasts, version 2: a line of JSON that says what was recorded, then a line an event.
//! Format: <https://docs.asciinema.org/manual/asciicast/v2/>.

use std::time::Duration;

use serde_json::Value;

/// The first line of a recording of a terminal of `columns` × `rows`.
pub fn header(columns: u16, rows: u16, title: &str) -> String {
    let title = Value::from(title);
    format!(
        "{{\"version\": 2, \"width\": {columns}, \"height\": {rows}, \"title\": {title}, \"env\": {{\"TERM\": \
         \"xterm-256color\"}}}}\n"
    )
}

/// `text` was sent to the terminal, so long after the beginning.
pub fn output(at: Duration, text: &str) -> String {
    event(at, "o", text)
}

/// The terminal was given another size.
pub fn resized(at: Duration, columns: u16, rows: u16) -> String {
    event(at, "r", &format!("{columns}x{rows}"))
}

/// To the millisecond: players do no better.
fn event(at: Duration, kind: &str, text: &str) -> String {
    format!("[{:.3}, \"{kind}\", {}]\n", at.as_secs_f64(), Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_a_line_of_what_it_is_and_a_line_an_event() {
        let cast = [
            header(80, 24, "a \"race\""),
            output(Duration::from_micros(1_234_567), "\u{1b}[1mé\n"),
            resized(Duration::from_secs(2), 100, 30),
        ];
        insta::assert_snapshot!(cast.concat(), @r#"
        {"version": 2, "width": 80, "height": 24, "title": "a \"race\"", "env": {"TERM": "xterm-256color"}}
        [1.235, "o", "\u001b[1mé\n"]
        [2.000, "r", "100x30"]
        "#);
    }
}
