//! scratch
fn main() {
    let engine: sim::Engine = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut config = sim::Config::new(engine);
    config.keep_log = true;
    if let Some(itl) = std::env::args().nth(2) {
        config.pace = sim::Pace::Fixed { ttft: "50ms".parse().unwrap(), itl: itl.parse().unwrap() };
        config.keep_log = false;
    }
    config.listen.set_port(18999);
    let sim = sim::Sim::start(config).unwrap();
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {
        eprintln!("open {} bytes {} requests {}", sim.open_connections(), sim.bytes_written(), sim.requests());
    }
    sim.wait_idle(std::time::Duration::from_secs(1));
    for e in sim.log().iter().take(6) { eprintln!("{e:?}"); }
}
