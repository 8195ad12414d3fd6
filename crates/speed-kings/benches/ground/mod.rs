//! A simulated engine and a benchmark as processes of their own, watched from outside.

pub(crate) mod processors;
pub(crate) mod truth;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

/// The program under measurement.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_speed-kings");

/// A process that ends with this value.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A simulated engine in a process of its own, pacing each stream by its own timer.
pub(crate) struct Engine {
    process: Process,
    /// Where it listens.
    pub(crate) url: String,
}

impl Engine {
    /// Starts one; `log` is its ground truth.
    pub(crate) fn start(ttft: &str, itl: &str, log: Option<&Path>) -> Self {
        let log = log.map(|path| path.to_str().expect("a temporary folder's name is text"));
        let log: Vec<&str> = log.into_iter().flat_map(|path| ["--log", path]).collect();
        Self::started(&[&["--ttft", ttft, "--itl", itl], &log[..]].concat())
    }

    /// Starts one of that pace.
    pub(crate) fn paced(pace: &str) -> Self {
        Self::started(&["--pace", pace])
    }

    fn started(arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["sim", "--engine", "vllm", "--port", "0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the engine says where it listens");
        let at = line.find("http://").expect("a line with the URL");
        let url = line[at..].split_whitespace().next().expect("a URL").to_owned();
        Self { process: Process(child), url }
    }

    /// Asks it to stop, so that its log is complete.
    pub(crate) fn stop(self) {
        let pid = self.process.0.id().to_string();
        drop(Command::new("kill").args(["-INT", &pid]).status());
        let mut process = self.process;
        drop(process.0.wait());
    }
}

/// Other work that keeps every core busy.
pub(crate) fn keep_cores_busy() -> Vec<Process> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("a shell starts");
    (0..cores).map(|_| Process(spin())).collect()
}

/// What a benchmark cost this machine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Largest resident set, bytes.
    pub(crate) peak_bytes: u64,
    /// User and system time.
    pub(crate) cpu: Duration,
    /// From start to end.
    pub(crate) wall: Duration,
}

/// Runs `benchmark` to its end and returns the run's folder, what it cost, and what it printed.
pub(crate) fn benchmark(out: &Path, arguments: &[&str]) -> (PathBuf, Spent, String) {
    let (spent, text) = watched(Command::new(PROGRAM).arg("benchmark").args(arguments).arg("--out").arg(out));
    let folder = fs::read_dir(out).ok().and_then(|mut all| all.next()).and_then(Result::ok).map(|entry| entry.path());
    (folder.unwrap_or_else(|| panic!("no run was kept:\n{text}")), spent, text)
}

/// Runs a command to its end and returns what it cost and what it printed.
pub(crate) fn watched(command: &mut Command) -> (Spent, String) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let watcher = watch(child.id());
    let output = child.wait_with_output().expect("the program ends");
    let spent = watcher.join().expect("the watcher ends");
    (spent, String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// Watches a process that has just begun, until it is gone.
pub(crate) fn watch(pid: u32) -> JoinHandle<Spent> {
    let begun = Instant::now();
    std::thread::spawn(move || {
        let mut spent = Spent::default();
        while let Some((peak_bytes, cpu)) = usage(pid) {
            spent = Spent { peak_bytes: spent.peak_bytes.max(peak_bytes), cpu, wall: begun.elapsed() };
            sleep(Duration::from_millis(50));
        }
        spent
    })
}

/// Peak resident bytes and processor time of a process that is still going on.
fn usage(pid: u32) -> Option<(u64, Duration)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().split(' ').next()?.parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some((kib * 1024, Duration::from_millis(ticks * 10)))
}

/// A fresh folder below the system's temporary one, removed with this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("speed-kings-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
