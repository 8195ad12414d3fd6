//! Screens in a real terminal: however they end, the terminal is as it was and the run is sealed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use nix::sys::signal::Signal;
use schema::manifest::Status;
use sim::{Engine, Sim};

use crate::command::Desk;
use crate::e2e_run::{latest, slow_engine, start, target, wait_until};
use crate::pty::{CTRL_BACKSLASH, CTRL_C, CTRL_Z, ENTER, Life, Pty};

/// A race that goes on for longer than anybody waits, between engines that talk all the time.
struct Endless {
    desk: Desk,
    _sims: [Sim; 2],
    arguments: Vec<String>,
}

impl Endless {
    fn new() -> Self {
        let sims = [1, 2].map(|ttft| start(slow_engine(Engine::OpenAi, ttft, 100)));
        let mut arguments = vec!["race".to_owned(), target("hare", &sims[0]), target("hedgehog", &sims[1])];
        arguments.extend(["--max-tokens=100000", "--warmup=0"].map(str::to_owned));
        Self { desk: Desk::new(), _sims: sims, arguments }
    }

    fn pty(&self, columns: u16, rows: u16) -> Pty {
        Pty::spawn(&self.desk, &self.arguments(&[]), columns, rows)
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }

    /// Asserts that the run was sealed in that state, with all of its files as they were then.
    #[track_caller]
    fn check_sealed(&self, status: Status) {
        let run = latest(&self.desk);
        assert_eq!(run.manifest.status, status);
        assert_eq!(run.missing, [""; 0]);
        assert!(store::verify(&run).is_empty());
    }
}

/// A race is going on, then this happens: it is over, the run is kept, and the terminal is as it was.
#[track_caller]
fn check_ends(what: impl FnOnce(&Pty)) {
    let race = Endless::new();
    let pty = race.pty(100, 30);
    pty.wait_for("generating");
    what(&pty);
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    race.check_sealed(Status::Interrupted);
    assert!(pty.screen().contains("run kept in"), "{}", pty.screen());
}

/// Of each thread of a process its name and scheduling policy (`man 5 proc`: the 41st field of `stat`).
#[cfg(target_os = "linux")]
fn policies(process: nix::unistd::Pid) -> Vec<(String, u32)> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let stats = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    let read = |stat: String| {
        let (before, after) = stat.rsplit_once(')').unwrap();
        let name = before.split_once('(').unwrap().1.to_owned();
        (name, after.split_whitespace().nth(41 - 3).unwrap().parse().unwrap())
    };
    stats.map(read).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn who_draws_lets_all_others_go_first_and_hands_that_on_to_nobody() {
    const OTHER: u32 = 0;
    const IDLE: u32 = 5;
    let race = Endless::new();
    let pty = race.pty(100, 30);
    pty.wait_for("generating");
    let policies = policies(pty.process());
    for (name, expected) in
        [("screen", IDLE), ("run", OTHER), ("load-0", OTHER), ("recorder", OTHER), ("keyboard", OTHER)]
    {
        let found: Vec<u32> = policies.iter().filter(|(it, _)| it == name).map(|(_, policy)| *policy).collect();
        assert_eq!(found, [expected], "{name} of {policies:?}");
    }
    pty.keys("q");
    pty.end();
}

#[test]
fn pressed_once_ctrl_c_stops_sending_and_pressed_twice_it_gives_up() {
    check_ends(|pty| {
        pty.keys(CTRL_C);
        pty.wait_for("Ctrl-C gives them up");
        pty.keys(CTRL_C);
    });
}

#[test]
fn keys_that_give_up_do_so_at_once() {
    check_ends(|pty| pty.keys("q"));
    check_ends(|pty| pty.keys(CTRL_BACKSLASH));
}

#[test]
fn signals_end_a_run_in_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        check_ends(|pty| {
            pty.signal(signal);
            pty.wait_for("Ctrl-C gives them up");
            pty.signal(signal);
        });
    }
    check_ends(|pty| pty.signal(Signal::SIGQUIT));
    check_ends(|pty| pty.signal(Signal::SIGHUP));
}

#[test]
fn a_run_that_is_quit_before_it_has_begun_leaves_the_terminal_as_it_was() {
    for keys in ["q", CTRL_C, "\u{3}\u{3}", "\u{3}\u{3}\u{3}\u{3}"] {
        let race = Endless::new();
        let pty = race.pty(80, 24);
        pty.wait_until("the screen is up", vt100::Screen::alternate_screen);
        pty.keys(keys);
        if keys == CTRL_C {
            pty.wait_for("Ctrl-C gives them up");
            pty.keys(CTRL_C);
        }
        assert_eq!(pty.end(), Life::Ended(130));
        pty.check_sane();
        race.check_sealed(Status::Interrupted);
    }
}

#[test]
fn a_terminal_that_is_closed_gives_the_run_up_and_the_run_is_kept() {
    let race = Endless::new();
    let mut pty = race.pty(100, 30);
    pty.wait_for("generating");
    pty.hang_up();
    assert!(matches!(pty.end(), Life::Ended(_)));
    race.check_sealed(Status::Interrupted);
}

#[test]
fn put_aside_and_taken_up_again_a_screen_is_as_it_was_and_the_terminal_was_free_meanwhile() {
    let race = Endless::new();
    let pty = Pty::spawn_in_shell(&race.desk, &race.arguments(&[]), 100, 30);
    pty.wait_for("generating");
    pty.keys(CTRL_Z);
    pty.wait_for("[aside]");
    pty.check_sane();
    pty.keys(ENTER);
    pty.wait_for("generating");
    pty.wait_until("the screen is up again", |screen| screen.alternate_screen() && screen.hide_cursor());
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    race.check_sealed(Status::Interrupted);
}

#[test]
fn without_anybody_who_could_take_it_up_again_nothing_is_put_aside() {
    // The first process of a terminal: nobody has job control over it.
    check_ends(|pty| {
        pty.keys(CTRL_Z);
        pty.wait_for("generating");
        pty.keys("q");
    });
}

#[test]
fn stopped_and_continued_from_outside_a_screen_is_drawn_anew() {
    check_ends(|pty| {
        pty.signal(Signal::SIGSTOP);
        pty.wait_for_life(Life::Stopped);
        let before = pty.sent().len();
        pty.signal(Signal::SIGCONT);
        let clears = |sent: &[u8]| sent[before..].windows(4).any(|bytes| bytes == b"\x1b[2J");
        pty.wait_for_bytes("the page is drawn anew", clears);
        pty.wait_for("generating");
        pty.keys("q");
    });
}

#[test]
fn a_terminal_may_change_its_size_at_any_time() {
    check_ends(|pty| {
        for (columns, rows) in [(250, 70), (20, 5), (1, 1), (40, 100), (100, 30)] {
            pty.resize(columns, rows);
            let bytes = pty.sent().len();
            pty.wait_for_bytes("it is drawn", |sent| sent.len() > bytes);
        }
        pty.wait_for("generating");
        pty.keys("q");
    });
}

#[test]
fn nothing_is_drawn_where_no_screen_is_wanted() {
    for (more, term) in [(&["--no-tui"][..], "xterm"), (&["--plain"], "xterm"), (&["--quiet"], "xterm"), (&[], "dumb")]
    {
        let race = Endless::new();
        let pty = Pty::spawn_as(&race.desk, term, &race.arguments(more), 80, 24);
        wait_until("the run has begun", || store::find(&race.desk.path().join("results"), "latest").is_ok());
        pty.keys("\u{3}\u{3}");
        assert_eq!(pty.end(), Life::Ended(130), "{more:?} {term}");
        assert!(!pty.sent().windows(8).any(|bytes| bytes == b"\x1b[?1049h"), "{more:?} {term}");
        pty.check_sane();
    }
}

#[test]
fn what_is_recorded_is_what_was_on_the_screen() {
    let race = Endless::new();
    let pty = Pty::spawn(&race.desk, &race.arguments(&["--record=race.cast"]), 100, 30);
    pty.wait_for("generating");
    pty.keys("q");
    pty.end();
    assert!(String::from_utf8_lossy(&pty.sent()).contains("recorded in race.cast"), "{}", pty.screen());
    let cast = std::fs::read_to_string(race.desk.path().join("race.cast")).unwrap();
    let mut lines = cast.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!((&header["version"], &header["width"], &header["height"]), (&2.into(), &100.into(), &30.into()));
    let mut player = vt100::Parser::new(30.try_into().unwrap(), 100.try_into().unwrap(), 0);
    let mut shown = Vec::new();
    for event in lines {
        player.process(event[2].as_str().unwrap().as_bytes());
        shown.push(player.screen().contents());
    }
    assert!(shown.iter().any(|screen| screen.contains("generating") && screen.contains("hedgehog")));

    let pty = Pty::spawn(&race.desk, &race.arguments(&["--record=race.svg"]), 100, 30);
    pty.wait_for("generating");
    pty.keys("q");
    pty.end();
    let svg = std::fs::read_to_string(race.desk.path().join("race.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains(">hedgehog</text>"), "{svg}");
}

#[track_caller]
fn check_refused(more: &[&str], expected: &str) {
    let race = Endless::new();
    let pty = Pty::spawn(&race.desk, &race.arguments(more), 100, 24);
    assert_eq!(pty.end(), Life::Ended(2));
    assert!(pty.screen().contains(expected), "{}", pty.screen());
    assert!(!race.desk.path().join("results").exists(), "nothing was measured");
}

#[test]
fn recordings_that_cannot_be_are_refused_before_anything_is_measured() {
    check_refused(&["--record=race.gif"], "end the name in `.cast`");
    check_refused(&["--record=race"], "end the name in `.cast`");
    check_refused(&["--record=race.cast", "--no-tui"], "there is no screen to record");
    check_refused(&["--record=nowhere/race.cast"], "cannot be recorded into");
}

/// What a model may say to make a mess of a terminal.
const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}[H\u{1b}]0;owned\u{7}\u{1b}[31;41m\u{9b}5A",
    "\u{202e}reversed\u{202c} \u{2066}isolated\u{2069} ",
    "\r\r\u{8}\u{8}\u{7f}\u{b}\u{c}\u{0}",
    "👨\u{200d}👩\u{200d}👧\u{200d}👦 👍🏽 🇩🇪🇫🇷 ❤\u{fe0f} 1\u{fe0f}\u{20e3} ",
    "zero\u{200b}width\u{feff}\u{ad} z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b} ",
    "a_word_that_is_far_too_long_for_any_lane_of_any_screen_that_anybody_has_ever_put_on_a_wall_in_a_hall_of_theirs ",
    "日本語のとても長い文章がここにあります。한국어도 있습니다. ",
    "हिन्दी ខ្មែរ العربية עברית ภาษาไทย ⸻ ﷽ ",
    "\t| tab\tand │ borders ┃ of its own\n\n\u{2028}",
];

/// An engine that streams [`HOSTILE`] and never ends.
fn hostile_engine() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    format!("http://{address}/v1")
}

/// Nobody minds when the other side goes away.
fn answer(mut stream: TcpStream) -> Option<()> {
    let mut request = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut head) = (String::new(), String::new());
    while request.read_line(&mut line).ok()? > 2 {
        head.push_str(&line.to_ascii_lowercase());
        line.clear();
    }
    if !head.starts_with("post /v1/chat/completions") {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
    request.take(length).read_to_end(&mut Vec::new()).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n").ok()?;
    for piece in HOSTILE.iter().cycle() {
        let event = serde_json::json!({ "choices": [{ "index": 0, "delta": { "content": piece } }] });
        stream.write_all(format!("data: {event}\n\n").as_bytes()).ok()?;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    None
}

#[test]
fn lanes_stay_aligned_whatever_models_say() {
    let desk = Desk::new();
    let engine = hostile_engine();
    let targets = ["one", "two"].map(|name| format!("--target={name}=openai-compatible@{engine},model=m"));
    let pty = Pty::spawn(&desk, &["race", &targets[0], &targets[1], "--max-tokens=100000", "--warmup=0"], 90, 30);
    pty.wait_for("हि");
    // Until all of it was drawn many times over.
    let drawn = pty.sent().len() + 200_000;
    pty.wait_for_bytes("much was drawn", |sent| sent.len() > drawn);
    pty.wait_until("both lanes stand straight", |screen| {
        let rows: Vec<u16> = (0..30).filter(|row| symbol(screen, *row, 0) == "│").collect();
        let edges = [0, 44, 45, 89];
        rows.len() > 10 && rows.iter().all(|row| edges.iter().all(|column| symbol(screen, *row, *column) == "│"))
    });
    pty.wait_for("RACE");
    for command in ["\u{1b}]0;", "\u{9b}5A", "\u{1b}[31;41m"] {
        let is_sent = pty.sent().windows(command.len()).any(|bytes| bytes == command.as_bytes());
        assert!(!is_sent, "{command:?} is no command of ours");
    }
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
}

fn symbol(screen: &vt100::Screen, row: u16, column: u16) -> &str {
    screen.cell(row, column).map_or("", vt100::Cell::contents)
}

/// Whatever ends it, and whenever: the process ends, the terminal is as it was, and each run that was begun is sealed.
#[track_caller]
fn check_every_end(arguments: &[&str], later: &str) {
    for (moment, ends) in [("", &["keys", "INT", "TERM", "QUIT", "HUP", "closed"][..]), (later, &["keys", "closed"])] {
        for end in ends {
            let desk = Desk::new();
            let mut pty = Pty::spawn(&desk, arguments, 100, 30);
            pty.wait_until("the screen is up", vt100::Screen::alternate_screen);
            pty.wait_for(moment);
            let again_and_again = |signal: Signal| (0..3).for_each(|_| pty.signal(signal));
            match *end {
                "keys" => pty.keys("\u{3}\u{3}\u{3}"),
                "INT" => again_and_again(Signal::SIGINT),
                "TERM" => again_and_again(Signal::SIGTERM),
                "QUIT" => pty.signal(Signal::SIGQUIT),
                "HUP" => pty.signal(Signal::SIGHUP),
                _ => pty.hang_up(),
            }
            let life = pty.end();
            assert!(matches!(life, Life::Ended(_)), "{arguments:?}, {end} at {moment:?}: {life:?}");
            if *end != "closed" {
                pty.check_sane();
            }
            let results = desk.path().join("results");
            for run in std::fs::read_dir(&results).into_iter().flatten().flatten() {
                let Ok(run) = store::Run::open(&run.path()) else { continue };
                assert_ne!(run.manifest.status, Status::Running, "{arguments:?}, {end} at {moment:?}");
            }
        }
    }
}

#[test]
fn a_race_ends_in_order_at_any_time() {
    check_every_end(&["race", "--mock=vllm,tgi", "--max-tokens=400"], "generating");
}

#[test]
fn a_watched_benchmark_ends_in_order_at_any_time() {
    check_every_end(&["benchmark", "--mock=vllm", "--requests=200"], "done");
}

#[test]
fn a_demo_ends_in_order_at_any_time() {
    check_every_end(&["demo", "--mock", "--scenario=1"], "SIMULATED");
}

#[test]
fn a_conversation_ends_in_order_at_any_time() {
    check_every_end(&["conversation", "--mock"], "SIMULATED");
}

#[test]
fn a_rush_ends_in_order_at_any_time() {
    check_every_end(&["rush", "--mock", "--crowd-size=20"], "SIMULATED");
}

#[test]
fn a_prompt_that_is_typed_ends_in_order_at_any_time() {
    check_every_end(&["try-it", "--mock"], "");
}

#[test]
fn an_inspection_ends_in_order_at_any_time() {
    check_every_end(&["inspect", "--mock=vllm"], "SIMULATED");
}

#[test]
fn a_key_pressed_in_the_moment_of_a_resize_is_heard() {
    let race = Endless::new();
    let pty = race.pty(100, 30);
    pty.wait_for("generating");
    for round in 0_u16..10 {
        pty.resize(101 + round, 30);
        pty.keys("c");
        pty.wait_for("as the engines told it");
        pty.resize(101 + round, 31);
        pty.keys("c");
        pty.wait_for("generating");
    }
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
}
