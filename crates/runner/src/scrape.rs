//! Reads what servers say of themselves while a run goes on: their metrics pages, and a page about GPUs.
//!
//! ```text
//! begin, every interval, when asked, end ─▶ all pages at once ─▶ transport ─▶ wire ─▶ the recorder's queue
//! ```
//!
//! Invariants: it works on a thread of its own, with connections of its own, never on a load thread; a page that
//! fails is a reading that says why, and a note the first time; a key goes to its target's own origin only.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

use schema::plan::{HttpChoice, Plan, TimeLimits, TransportPlan};
use schema::progress::Progress;
use schema::server::ServerSample;
use schema::target::{AuthScheme, Credentialed, TargetName};
use schema::text::Untrusted;
use schema::units::Nanos;
use secrecy::ExposeSecret as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use transport::{Clock, Connector, Fetched, Proxy, SetupError, fetch};
use url::Url;
use wire::prometheus::{PAGE_BYTES, server_sample};

use crate::error::RunError;
use crate::recorder::Message;

/// A page that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(3);

/// Pages are not read oftener than this, whatever the plan says.
const OFTENEST: Nanos = Nanos::from_millis(10);

/// From the last request to the last reading: some engines count a request a moment after its last byte.
const SETTLE: Duration = Duration::from_millis(250);

/// Bytes of a failure's reason that are kept.
const REASON_BYTES: usize = 300;

/// Readings that may be asked for and not yet taken.
const ASKS: usize = 4;

/// Pages to be read, before it begins.
pub(crate) struct Scrape {
    connector: Connector,
    every: Duration,
    pages: Vec<Page>,
}

/// One address and those it speaks of.
#[derive(Debug)]
struct Page {
    url: Url,
    headers: Vec<(String, String)>,
    targets: Vec<TargetName>,
    /// What to do about a page that is not served.
    advice: &'static str,
    /// Whether a failure was noted.
    noted: bool,
    /// Whether it ever said something we know.
    known: bool,
    /// Readings that succeeded.
    read: u64,
}

/// Readings being taken.
pub(crate) struct Scraper {
    asker: Asker,
    thread: JoinHandle<()>,
}

/// Asks for readings between those of the interval. As long as there is one, readings go on.
#[derive(Clone)]
pub(crate) struct Asker(mpsc::Sender<SyncSender<()>>);

impl Scrape {
    /// What `plan` wants read; `None` where it wants nothing, or no target has such a page.
    pub(crate) fn prepare(
        plan: &Plan,
        targets: &[Credentialed],
        proxy: Option<Proxy>,
        clock: Clock,
    ) -> Result<Option<Self>, SetupError> {
        let Some(every) = plan.scrape_ns else { return Ok(None) };
        let pages = pages(plan, targets);
        if pages.is_empty() {
            return Ok(None);
        }
        let limits = TimeLimits { connect_ns: LIMIT.into(), first_token_ns: LIMIT.into(), ..TimeLimits::default() };
        // Engines serve these pages over HTTP/1.1, whatever else they speak.
        let transport =
            TransportPlan { http: HttpChoice::Http1, user_space_stamps: true, limits, ..plan.transport.clone() };
        let connector = Connector::new(&transport, proxy, clock)?;
        Ok(Some(Self { connector, every: every.max(OFTENEST).into(), pages }))
    }

    /// Begins, and returns when the first reading is in the queue.
    pub(crate) fn start(self, recorder: SyncSender<Message>) -> Result<Scraper, RunError> {
        let name = "metrics";
        let not_started = |source| RunError::Thread { thread: name, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(not_started)?;
        let (asks, asked) = mpsc::channel(ASKS);
        let work = move || tokio::task::LocalSet::new().block_on(&runtime, self.work(asked, &recorder));
        let thread = std::thread::Builder::new().name(name.into()).spawn(work).map_err(not_started)?;
        let scraper = Scraper { asker: Asker(asks), thread };
        // A page that is slow to connect and slow to answer.
        scraper.asker.reading(2 * LIMIT);
        Ok(scraper)
    }

    async fn work(mut self, mut asked: mpsc::Receiver<SyncSender<()>>, recorder: &SyncSender<Message>) {
        let mut ticks = interval_at(Instant::now() + self.every, self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.reading(recorder).await,
                ask = asked.recv() => match ask {
                    Some(answer) => {
                        self.reading(recorder).await;
                        let _nobody_waits = answer.try_send(());
                    }
                    None => break,
                },
            }
        }
        tokio::time::sleep(SETTLE).await;
        self.reading(recorder).await;
        self.pages.iter().filter_map(Page::unknown).for_each(|note| tell(recorder, Progress::Note(note)));
    }

    /// Reads all pages at once, and hands on what they say.
    async fn reading(&mut self, recorder: &SyncSender<Message>) {
        let mut reads = JoinSet::new();
        for (number, page) in self.pages.iter().enumerate() {
            let (connector, url, headers) = (self.connector.clone(), page.url.clone(), page.headers.clone());
            reads.spawn_local(async move { (number, read(&connector, &url, &headers).await) });
        }
        while let Some(result) = reads.join_next().await {
            let (number, sample) = result.expect("reading a page does not panic");
            self.pages[number].hand_on(sample, recorder);
        }
    }
}

impl Scraper {
    /// To be given to who wants readings; it must be gone before [`Scraper::finish`].
    pub(crate) fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// Takes a last reading and ends. Whether it went well: `false` after a panic.
    pub(crate) fn finish(self) -> bool {
        drop(self.asker);
        self.thread.join().is_ok()
    }
}

impl Asker {
    /// Takes a reading now and waits until it is in the queue, but no longer than `patience`.
    pub(crate) fn reading(&self, patience: Duration) {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        // Full: several readings are due already.
        if self.0.try_send(answer).is_ok() {
            let _in_time = answered.recv_timeout(patience);
        }
    }
}

impl Page {
    fn hand_on(&mut self, sample: ServerSample, recorder: &SyncSender<Message>) {
        match &sample.failed {
            Some(why) if !self.noted => {
                self.noted = true;
                let (whose, why) = (self.whose(), why.for_terminal());
                let note = format!("the metrics of {whose} cannot be read at {}: {why}{}", self.url, self.advice);
                tell(recorder, Progress::Note(note));
            }
            Some(_) => {}
            None => {
                self.read += 1;
                self.known |= !sample.engine.is_empty() || !sample.gpus.is_empty();
            }
        }
        let sample = Arc::new(sample);
        for target in &self.targets {
            // The recorder outlives this thread, unless it panicked; then nothing matters here.
            drop(recorder.send(Message::Sample(target.clone(), Arc::clone(&sample))));
        }
    }

    /// A note on a page that was read and never said anything we know.
    fn unknown(&self) -> Option<String> {
        let silent = self.read > 0 && !self.known;
        silent.then(|| format!("the metrics page of {} at {} has no name that is known here", self.whose(), self.url))
    }

    fn whose(&self) -> String {
        self.targets.iter().map(TargetName::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn tell(recorder: &SyncSender<Message>, progress: Progress) {
    // As above.
    drop(recorder.send(Message::Progress(progress)));
}

/// Every page once, with all the targets it speaks of.
fn pages(plan: &Plan, targets: &[Credentialed]) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    for credentialed in targets {
        let target = &credentialed.target;
        let Some(url) = &target.metrics_url else { continue };
        let headers = headers(credentialed, url);
        match pages.iter_mut().find(|page| page.url == *url && page.headers == headers) {
            Some(page) => page.targets.push(target.name.clone()),
            None => pages.push(Page::new(url, headers, vec![target.name.clone()], advice(&target.provider))),
        }
    }
    if let Some(url) = &plan.gpu_metrics {
        let all = targets.iter().map(|credentialed| credentialed.target.name.clone()).collect();
        pages.push(Page::new(url, Vec::new(), all, ""));
    }
    pages
}

impl Page {
    fn new(url: &Url, headers: Vec<(String, String)>, targets: Vec<TargetName>, advice: &'static str) -> Self {
        Self { url: url.clone(), headers, targets, advice, noted: false, known: false, read: 0 }
    }
}

/// The target's headers and key, where the page is of the same origin as what is measured.
fn headers(credentialed: &Credentialed, url: &Url) -> Vec<(String, String)> {
    let target = &credentialed.target;
    if target.url.origin() != url.origin() {
        return Vec::new();
    }
    let key = credentialed.key.as_ref().map(|key| key.expose_secret().trim());
    let signed = key.and_then(|key| match target.auth {
        AuthScheme::None => None,
        AuthScheme::Bearer => Some(("authorization".to_owned(), format!("Bearer {key}"))),
        AuthScheme::XApiKey => Some(("x-api-key".to_owned(), key.to_owned())),
    });
    target.headers.iter().cloned().chain(signed).collect()
}

const fn advice(provider: &str) -> &'static str {
    match provider.as_bytes() {
        b"llamacpp" => "; llama-server serves them when started with `--metrics`",
        b"sglang" => "; SGLang serves them when started with `--enable-metrics`",
        _ => "",
    }
}

/// One reading of one page, whatever comes of it.
async fn read(connector: &Connector, url: &Url, headers: &[(String, String)]) -> ServerSample {
    let asked = connector.clock().now();
    let fetched = fetch(connector, url, headers, PAGE_BYTES).await;
    let at = connector.clock().now();
    let understood = match fetched {
        Ok(fetched) => understand(&fetched),
        Err(failure) => Err(format!("{}: {}", failure.class, failure.message.raw())),
    };
    let sample = understood.unwrap_or_else(|why| ServerSample {
        failed: Some(Untrusted::bounded(why, REASON_BYTES)),
        ..ServerSample::default()
    });
    ServerSample { at_ns: at, took_ns: at - asked, ..sample }
}

fn understand(fetched: &Fetched) -> Result<ServerSample, String> {
    if fetched.status != 200 {
        return Err(format!("it answers with status {}", fetched.status));
    }
    let page = std::str::from_utf8(&fetched.body).map_err(|_| "it is not text".to_owned())?;
    server_sample(page).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
