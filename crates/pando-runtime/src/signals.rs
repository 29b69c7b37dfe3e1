//! Signals: SIGTERM and SIGINT stop the process, a second one ends it at once, SIGHUP reloads.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::Lifecycle;

/// Starts to watch the signals. Call it before anything that must be drained starts.
pub fn watch_signals(life: &Lifecycle) -> std::io::Result<()> {
    let signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        hangup: signal(SignalKind::hangup())?,
    };
    #[expect(clippy::disallowed_methods, reason = "it must outlive the drain, which it can end")]
    drop(tokio::spawn(signals.follow(life.clone())));
    Ok(())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    async fn follow(mut self, life: Lifecycle) {
        loop {
            let name = tokio::select! {
                biased;
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.hangup.recv() => {
                    info!("SIGHUP: reading certificates again");
                    life.reload();
                    continue;
                }
            };
            if life.leaving.is_cancelled() {
                warn!("{name} again: ending at once");
                std::process::exit(1);
            }
            info!("{name}: stopping");
            life.leave();
        }
    }
}
