//! How far the start of a lab is: a line for each node on a terminal, plain lines elsewhere.

use std::{collections::BTreeMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pando_lab::{Progress, Rung};

use crate::output;

const TICK: Duration = Duration::from_millis(100);

pub(super) struct Starting {
    bars: MultiProgress,
    nodes: BTreeMap<String, ProgressBar>,
}

impl Starting {
    pub(super) fn new(rung: Rung) -> Starting {
        output::failure(&format!("starting {rung}: {}\n", rung.title()));
        Starting { bars: MultiProgress::new(), nodes: BTreeMap::new() }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        match progress {
            Progress::Swept(count) => {
                self.line(&format!("stopped {count} processes that an earlier lab had left"));
            }
            Progress::Installing(packages) => {
                self.line(&format!("installing {}", packages.join(" ")));
            }
            Progress::Begun | Progress::Planned(_) | Progress::Waiting(_) => {}
            Progress::Preparing(node) => self.set(node, "is prepared"),
            Progress::Starting(node) => self.set(node, "starts"),
            Progress::Ready(node, time) => {
                let text = format!("{node} is ready ({:.1} s)", time.as_secs_f64());
                if let Some(bar) = self.nodes.remove(node) {
                    bar.finish_and_clear();
                }
                self.line(&text);
            }
        }
    }

    fn set(&mut self, node: &str, text: &str) {
        if self.bars.is_hidden() {
            return;
        }
        let bar = self.nodes.entry(node.to_owned()).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            bar.set_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_message(format!("{node} {text}"));
    }

    fn line(&self, text: &str) {
        if self.bars.is_hidden() || self.bars.println(text).is_err() {
            output::failure(&format!("{text}\n"));
        }
    }

    pub(super) fn finish(self) {
        for bar in self.nodes.values() {
            bar.finish_and_clear();
        }
    }
}
