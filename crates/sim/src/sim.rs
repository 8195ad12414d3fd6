//! A simulated engine that runs: threads, listener, shutdown.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::connection::serve;
use crate::encryption::Encryption;
use crate::error::SimError;
use crate::journal::{Entry, Journal};
use crate::socket::Stamped;
use crate::state::State;

/// Connections the kernel keeps waiting to be accepted: a rush arrives all at once.
const BACKLOG: u32 = 4_096;

/// Accepted connections on their way to another thread; when it is full, accepting waits.
const HAND_OVER: usize = 1_024;

/// Pause after a failed accept: usually too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A running simulated engine, on operating-system threads and runtimes of its own, so that a client
/// in the same process is not disturbed. Dropping it stops it.
#[derive(Debug)]
pub struct Sim {
    addr: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
    log_writer: Option<JoinHandle<()>>,
}

impl Sim {
    /// Starts `config`; it listens when this returns.
    pub fn start(config: Config) -> Result<Self, SimError> {
        config.pace.check()?;
        check_headers(&config)?;
        let (listen, threads) = (config.listen, config.threads.max(1));
        let (journal, log_writer) = Journal::open(&config)?;
        let encryption = config.tls.then(|| Encryption::new(listen)).transpose();
        let encryption = encryption.map_err(|source| SimError::Certificate { listen, source })?;
        let state = Arc::new(State::new(config, journal, encryption));
        let mut sim = Self { addr: listen, state, stop: CancellationToken::new(), threads: Vec::new(), log_writer };
        let mut others = Vec::new();
        for index in 1..threads {
            let (sender, receiver) = mpsc::channel(HAND_OVER);
            others.push(sender);
            let state = Arc::clone(&sim.state);
            sim.spawn(index, move || async move {
                tokio::join!(take_over(receiver, Arc::clone(&state)), hold(&state));
            })?;
        }
        // One message: the address, or why there is none.
        let (report, started) = sync_channel(1);
        let state = Arc::clone(&sim.state);
        sim.spawn(0, move || async move {
            match listen_on(listen) {
                Err(error) => drop(report.send(Err(error))),
                Ok(listener) => {
                    drop(report.send(listener.local_addr()));
                    let accepting = accept(listener, others, Arc::clone(&state));
                    tokio::join!(accepting, state.drive(), stall(&state));
                }
            }
        })?;
        let died = || io::Error::other("the thread ended early");
        let addr = started.recv().unwrap_or_else(|_| Err(died()));
        sim.addr = addr.map_err(|source| SimError::Bind { listen, source })?;
        Ok(sim)
    }

    /// Runs what `work` makes on a thread with a runtime of its own, until stopped.
    fn spawn<W: Future<Output = ()>>(
        &mut self,
        index: usize,
        work: impl FnOnce() -> W + Send + 'static,
    ) -> Result<(), SimError> {
        let threads = |source| SimError::Threads { source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(threads)?;
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new().name(format!("sim-{index}")).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = work() => {}
                }
            });
        });
        self.threads.push(thread.map_err(threads)?);
        Ok(())
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://HOST:PORT` or `https://HOST:PORT`, without a path.
    pub fn url(&self) -> String {
        let scheme = if self.state.encryption.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The certificate that its connections are encrypted with, as PEM, if they are.
    pub fn certificate(&self) -> Option<&str> {
        self.state.encryption.as_ref().map(|encryption| encryption.certificate.as_str())
    }

    /// What all its connections share, for [`crate::serve_connection`].
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// The ground truth of all finished answers to requests to generate, if the configuration keeps
    /// it. An answer's entries stand together, in order; see [`Sim::wait_idle`].
    pub fn log(&self) -> Vec<Entry> {
        self.state.journal.entries()
    }

    /// As [`Sim::log`], and forgets it.
    pub fn take_log(&self) -> Vec<Entry> {
        self.state.journal.take()
    }

    /// Waits until no answer is under way, so that the log is complete; `false` when that takes
    /// longer than `limit`. A client has its last bytes a moment before the server is done with them.
    pub fn wait_idle(&self, limit: Duration) -> bool {
        self.state.wait_idle(limit)
    }

    /// Requests of every kind that have come in.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// Connections open now.
    pub fn open_connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.state.bytes.load(Ordering::Relaxed)
    }

    /// Requests in service now; under a pace without a queue, those being answered.
    pub fn running(&self) -> usize {
        self.state.occupancy().running
    }

    /// Requests queued now.
    pub fn waiting(&self) -> usize {
        self.state.occupancy().waiting
    }

    /// Stops promptly, closing every connection, frees the port and finishes the file log.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.cancel();
        self.state.thaw();
        for thread in self.threads.drain(..) {
            // A panic there has been reported by its thread.
            drop(thread.join());
        }
        if let Some(writer) = self.log_writer.take() {
            self.state.journal.close();
            drop(writer.join());
        }
    }
}

/// Refuses headers that would break the framing.
fn check_headers(config: &Config) -> Result<(), SimError> {
    let is_token = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    let bad = config.headers.iter().find(|(name, value)| !is_token(name) || value.chars().any(char::is_control));
    bad.map_or(Ok(()), |(name, _)| Err(SimError::Header { name: name.chars().take(80).collect() }))
}

fn listen_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port just given up may be taken at once.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Accepts connections and deals them out, this thread's own share included.
async fn accept(listener: TcpListener, others: Vec<mpsc::Sender<std::net::TcpStream>>, state: Arc<State>) {
    let shares = others.len() + 1;
    let mut turn = 0;
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        match others.get(turn) {
            None => drop(tokio::spawn(welcome(tcp, Arc::clone(&state)))),
            Some(other) => {
                if let Ok(tcp) = tcp.into_std() {
                    // Fails only while stopping.
                    drop(other.send(tcp).await);
                }
            }
        }
        turn = (turn + 1) % shares;
    }
}

/// Serves a connection, encrypted where that was asked for.
async fn welcome(tcp: TcpStream, state: Arc<State>) {
    let socket = Stamped::new(tcp);
    let Some(encryption) = &state.encryption else { return serve(socket, state).await };
    // Whoever fails the handshake knows why.
    if let Ok(encrypted) = encryption.welcome(socket).await {
        serve(encrypted, Arc::clone(&state)).await;
    }
}

/// Stalls this thread, which does the engine's work.
async fn stall(state: &State) {
    let length = state.stall().await;
    state.stalled(length);
}

/// Stalls this thread.
async fn hold(state: &State) {
    let _length = state.stall().await;
}

/// Serves the connections another thread accepted.
async fn take_over(mut accepted: mpsc::Receiver<std::net::TcpStream>, state: Arc<State>) {
    while let Some(tcp) = accepted.recv().await {
        if let Ok(tcp) = TcpStream::from_std(tcp) {
            drop(tokio::spawn(welcome(tcp, Arc::clone(&state))));
        }
    }
    std::future::pending::<()>().await;
}
