//! What is seen: the lines of the consumers, and a bar while the input is long.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::sync::{Mutex, MutexGuard};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::Place;

/// Input of fewer files and fewer bytes than this is over before a bar is read.
const LONG_FROM_FILES: usize = 2_000;
const LONG_FROM_BYTES: u64 = 16 << 20;

/// What the consumers write to, one batch at a time.
pub(super) struct Output {
    out: Mutex<BufWriter<Stdout>>,
    bar: ProgressBar,
    /// Lines and bar share a terminal, so that the bar has to step aside for each batch.
    shared: bool,
}

impl Output {
    pub(super) fn new(bar: ProgressBar) -> Self {
        let shared = io::stdout().is_terminal();
        Self { out: Mutex::new(BufWriter::new(io::stdout())), bar, shared }
    }

    pub(super) fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut out = self.lock()?;
        if !self.shared {
            return out.write_all(text);
        }
        self.bar.suspend(|| out.write_all(text).and_then(|()| out.flush()))
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        self.lock()?.flush()
    }

    fn lock(&self) -> io::Result<MutexGuard<'_, BufWriter<Stdout>>> {
        self.out.lock().map_err(|_| io::ErrorKind::Other.into())
    }
}

/// A bar that counts bytes, where standard error is a terminal; hidden for input that is short. Of standard input the
/// length is not known, and what somebody types needs no bar.
pub(super) fn progress(places: &[Place]) -> ProgressBar {
    let bytes: u64 = places.iter().filter_map(Place::length).sum();
    let endless = places.iter().any(|place| matches!(place, Place::StandardInput));
    if endless && io::stdin().is_terminal() || !endless && !is_long(places.len(), bytes) {
        return ProgressBar::hidden();
    }
    let (length, template) = match endless {
        true => (None, "{spinner} {bytes} read, {bytes_per_sec}"),
        false => (Some(bytes), "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    // OK because the templates are ours, and right.
    bar.with_style(ProgressStyle::with_template(template).expect("a template"))
}

fn is_long(places: usize, bytes: u64) -> bool {
    places >= LONG_FROM_FILES || bytes >= LONG_FROM_BYTES
}

#[cfg(test)]
mod tests {
    use super::is_long;

    #[test]
    fn one_long_file_is_long_input_too() {
        assert!(is_long(1, 60 << 20) && is_long(5_000, 1_000));
        assert!(!is_long(300, 300_000));
    }
}
