//! Runs the binary in a folder of its own, with an empty environment.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder and an environment to run the binary in.
pub(crate) struct Desk {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the binary left behind.
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// With an environment variable more.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a file in the folder.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary, ready to be run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_speed-kings"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path()).env("XDG_CONFIG_HOME", self.path().join("user-config"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output().unwrap();
        let folder = self.path().display().to_string();
        let text = |bytes: &[u8]| lines(&String::from_utf8(bytes.to_vec()).unwrap().replace(&folder, "[FOLDER]"));
        Outcome { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Outcome {
    /// Both streams and the status, for snapshots.
    pub(crate) fn all(&self) -> String {
        let status = self.status.map_or("none".to_owned(), |status| status.to_string());
        format!("status: {status}\n--- stdout ---\n{}--- stderr ---\n{}", self.out, self.err)
    }
}

/// The text without blanks at the ends of lines, which no snapshot should depend on.
fn lines(text: &str) -> String {
    text.split('\n').map(str::trim_end).collect::<Vec<_>>().join("\n")
}
