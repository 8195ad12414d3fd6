//! Exchanges on the screen: those under way, then those that are over.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::exchange::Exchange;
use schema::progress::Progress;
use transport::Clock;
use tui::inspect::Inspect;
use tui::{Reaction, Screen, View};

use super::{Args, Round, bound, file};
use crate::commands::Context;
use crate::outcome::Failure;
use crate::stage::Stage;

/// News that wait to be drawn; a viewer that falls behind misses events, never an exchange.
const FEED: usize = 1 << 16;

/// What the thread that sends has to tell.
enum News {
    Moved(Progress),
    Over(usize, Box<Exchange>),
}

/// The screen with what is kept beside it.
struct Beside {
    screen: Inspect,
    news: Option<Receiver<News>>,
    over: Vec<Exchange>,
    save: Option<std::path::PathBuf>,
}

impl Beside {
    fn new(screen: Inspect, args: &Args) -> Self {
        Self { screen, news: None, over: Vec::new(), save: args.save.clone() }
    }

    fn take_in(&mut self) {
        for news in self.news.iter().flat_map(Receiver::try_iter) {
            match news {
                News::Moved(progress) => self.screen.fold(&progress),
                News::Over(index, exchange) => {
                    self.over.push((*exchange).clone());
                    self.screen.settle(index, *exchange);
                }
            }
        }
    }

    fn save(&mut self) {
        let path = self.save.clone().unwrap_or_else(file::usual);
        let said = match file::save(&path, &bound(self.over.clone())) {
            _ if self.over.is_empty() => "nothing is over yet".to_owned(),
            Ok(()) => format!("kept in {}", path.display()),
            Err(failure) => failure.report.to_string(),
        };
        self.screen.say(said);
    }
}

impl Screen for Beside {
    fn fold(&mut self, progress: &Progress) {
        self.screen.fold(progress);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.take_in();
        self.screen.draw(frame, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        if key.code == KeyCode::Char('s') && !self.screen.is_typing() {
            self.save();
            return Reaction::Stay;
        }
        self.screen.press(key)
    }
}

/// Shows exchanges that are over.
pub(super) fn show(exchanges: Vec<Exchange>, args: &Args, context: &Context) -> Result<(), Failure> {
    let mut beside = Beside::new(Inspect::of(exchanges.clone(), args.filter()).with_raw(args.raw), args);
    beside.over = exchanges;
    Stage::open(&args.screen, context)?.show(&mut beside, Clock::start())?;
    Ok(())
}

/// Sends the requests on a thread of their own while the screen shows how far they come, and shows them until it is left.
/// Whoever leaves it gives up what is under way.
pub(super) fn carry_out(round: Round, args: &Args, context: &Context) -> Result<Vec<Exchange>, Failure> {
    let clock = round.clock;
    let cancel = Arc::clone(&round.cancel);
    let screen = Inspect::waiting(&round.targets(), args.filter()).with_raw(args.raw);
    let (sender, news) = sync_channel(FEED);
    let mut beside = Beside { news: Some(news), ..Beside::new(screen, args) };
    let mut stage = Stage::open(&args.screen, context)?;
    let sending = std::thread::Builder::new().name("inspect".into()).spawn(move || {
        let over = sender.clone();
        round.carry_out(
            &mut |progress| drop(sender.try_send(News::Moved(progress))),
            // With nobody there to see it, it is in what is returned.
            &mut |index, exchange| drop(over.send(News::Over(index, Box::new(exchange.clone())))),
        )
    });
    let sending = sending.map_err(|error| miette::miette!("no thread for the requests: {error}"))?;
    let left = stage.show(&mut beside, clock);
    drop(stage);
    cancel.store(true, Ordering::Relaxed);
    drop(beside);
    let exchanges = sending.join().map_err(|_| miette::miette!("the thread of the requests has panicked"))?;
    left?;
    exchanges
}
