//! The bar on standard error; nothing where that is not a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use runtime_lab::run::ProgressObserver;

/// A bar that indicatif hides unless standard error is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }
}

impl ProgressObserver for Bar {
    fn begin(&mut self, runs: usize) {
        self.0.set_length(runs as u64);
    }

    fn run(&mut self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.inc(1);
    }

    fn end(&mut self) {
        self.0.finish_and_clear();
    }
}
