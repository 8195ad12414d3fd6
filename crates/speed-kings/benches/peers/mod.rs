//! Other load generators: how they are had, and how they are told what to do.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a client is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) at_once: u32,
    pub(crate) requests: u32,
    /// Tokens of an answer.
    pub(crate) tokens: u32,
    pub(crate) stream: bool,
}

/// A load generator that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Reads the bytes of any HTTP answer, and does not look into them; as it comes, with a thread a processor.
    Oha,
    /// The same told to use one thread, which it does not do by itself.
    OhaOnOneThread,
    /// NVIDIA's.
    AiPerf,
    /// The vLLM project's.
    GuideLlm,
}

/// The versions measured.
const OHA: &str = "1.16.0";
const AIPERF: &str = "0.13.0";
const GUIDELLM: &str = "0.8.1";

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Oha, Self::OhaOnOneThread, Self::AiPerf, Self::GuideLlm];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Oha => "oha 1.16",
            Self::OhaOnOneThread => "oha 1.16, one thread",
            Self::AiPerf => "AIPerf 0.13",
            Self::GuideLlm => "GuideLLM 0.8",
        }
    }

    fn folder(self) -> PathBuf {
        let peers = std::env::var_os("SPEED_KINGS_PEERS").map(PathBuf::from);
        peers.unwrap_or_else(|| std::env::temp_dir().join("speed-kings-peers")).join(match self {
            Self::Oha | Self::OhaOnOneThread => "oha",
            Self::AiPerf => "aiperf",
            Self::GuideLlm => "guidellm",
        })
    }

    fn program(self) -> PathBuf {
        self.folder().join("bin").join(match self {
            Self::Oha | Self::OhaOnOneThread => "oha",
            Self::AiPerf => "aiperf",
            Self::GuideLlm => "guidellm",
        })
    }

    /// Installs it where it is not there yet.
    pub(crate) fn install(self) -> Result<(), String> {
        if self.program().exists() {
            return Ok(());
        }
        eprintln!("installing {} into {}", self.name(), self.folder().display());
        let folder = self.folder();
        match self {
            Self::Oha | Self::OhaOnOneThread => {
                let target = folder.join("target");
                let mut cargo = Command::new("cargo");
                cargo.args(["install", "--quiet", "--locked", "--no-default-features", "--features", "rustls"]);
                cargo.args(["--version", OHA, "oha", "--root"]).arg(&folder).env("CARGO_TARGET_DIR", &target);
                succeed(&mut cargo)?;
                // It is large, and done with; left behind it does no harm.
                drop(fs::remove_dir_all(target));
                Ok(())
            }
            Self::AiPerf => install_python(&folder, &format!("aiperf=={AIPERF}")),
            Self::GuideLlm => install_python(&folder, &format!("guidellm=={GUIDELLM}")),
        }
    }

    /// How it is told; files it needs or makes go into `folder`.
    pub(crate) fn command(self, url: &str, work: Work, folder: &Path) -> Command {
        match self {
            Self::Oha | Self::OhaOnOneThread => self.oha(url, work),
            Self::AiPerf => self.aiperf(url, work, folder),
            Self::GuideLlm => self.guidellm(url, work, folder),
        }
    }

    fn oha(self, url: &str, work: Work) -> Command {
        let mut command = Command::new(self.program());
        if self == Self::OhaOnOneThread {
            command.env("TOKIO_WORKER_THREADS", "1");
        }
        let (requests, at_once) = (work.requests.to_string(), work.at_once.to_string());
        let body = format!(
            r#"{{"model":"sim-vllm","messages":[{{"role":"user","content":"{}"}}],"max_tokens":{},"ignore_eos":true,"stream":{},"stream_options":{{"include_usage":true}}}}"#,
            prompt(0),
            work.tokens,
            work.stream
        );
        command.args(["--no-tui", "--output-format", "quiet", "-n", &requests, "-c", &at_once, "-m", "POST"]);
        command.args(["-T", "application/json", "-d", &body]).arg(format!("{url}/v1/chat/completions"));
        command
    }

    fn aiperf(self, url: &str, work: Work, folder: &Path) -> Command {
        let prompts = folder.join("prompts.jsonl");
        let lines = (0..64).fold(String::new(), |mut lines, number| {
            writeln!(lines, r#"{{"text":"{}"}}"#, prompt(number)).expect("a string takes every write");
            lines
        });
        fs::write(&prompts, lines).expect("the temporary folder can be written to");
        // It counts by the server, and yet wants a tokenizer: any will do.
        let tokenizer = folder.join("tokenizer");
        fs::create_dir(&tokenizer).expect("the temporary folder can be written to");
        fs::write(tokenizer.join("tokenizer.json"), TOKENIZER).expect("the temporary folder can be written to");
        fs::write(tokenizer.join("tokenizer_config.json"), TOKENIZER_CONFIG).expect("and again");
        let (requests, at_once) = (work.requests.to_string(), work.at_once.to_string());
        let mut command = Command::new(self.program());
        command.args(["profile", "-m", "sim-vllm", "-u", url, "--endpoint-type", "chat", "--streaming"]);
        command.args(["--concurrency", &at_once, "--request-count", &requests, "--use-server-token-count"]);
        command.args(["--custom-dataset-type", "single_turn", "--extra-inputs", "ignore_eos:true", "--ui", "none"]);
        command.args(["--extra-inputs", &format!("max_tokens:{}", work.tokens), "--input-file"]).arg(prompts);
        command.arg("--tokenizer").arg(tokenizer).arg("--output-artifact-dir").arg(folder.join("artifacts"));
        command
    }

    fn guidellm(self, url: &str, work: Work, folder: &Path) -> Command {
        let prompts = folder.join("prompts.csv");
        let lines = (0..work.requests).fold("prompt,output_tokens_count\n".to_owned(), |mut lines, number| {
            writeln!(lines, "{},{}", prompt(number), work.tokens).expect("a string takes every write");
            lines
        });
        fs::write(&prompts, lines).expect("the temporary folder can be written to");
        let mut command = Command::new(self.program());
        command.args(["run", "--backend", &format!("kind=openai_http,target={url},model=sim-vllm")]);
        command.args(["--profile", &format!("kind=concurrent,streams={}", work.at_once)]);
        command.args(["--constraint", &format!("kind=max_requests,count={}", work.requests)]);
        command.args(["--data", &format!("kind=csv_file,path={}", prompts.display()), "--disable-console"]);
        command.args(["--output", &format!("kind=json,path={}", folder.join("report.json").display())]);
        command.current_dir(folder);
        command
    }
}

/// The prompt of that number.
pub(crate) fn prompt(number: u32) -> String {
    format!("Tell me more about the weather at the place with the number {number} please.")
}

const TOKENIZER: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,"model":{"type":"WordLevel","vocab":{"[UNK]":0},"unk_token":"[UNK]"}}"#;
const TOKENIZER_CONFIG: &str =
    r#"{"tokenizer_class":"PreTrainedTokenizerFast","unk_token":"[UNK]","model_max_length":32768}"#;

fn install_python(folder: &Path, package: &str) -> Result<(), String> {
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    succeed(Command::new(folder.join("bin/pip")).args(["install", "--quiet", package]))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdout(Stdio::null()).status().map_err(|error| format!("`{name}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` ended with {status}")) }
}
