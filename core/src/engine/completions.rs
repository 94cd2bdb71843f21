//! Verdicts on what was submitted, for the host to read when it likes.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock};

use super::pending::lock;
use crate::delivery::Verdict;
use crate::os::Signal;

/// The verdict on a body that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The id that the host gave.
    pub id: u64,
    /// What to tell the sender.
    pub verdict: Verdict,
}

/// What is to be read, and a descriptor that is readable while there is something.
#[derive(Default)]
pub(super) struct Completions {
    unread: Mutex<Unread>,
    signal: OnceLock<Signal>,
}

#[derive(Default)]
struct Unread {
    list: VecDeque<Sized>,
    /// Whether the descriptor is readable.
    raised: bool,
}

/// A completion and what it holds of the limits until it is read.
pub(super) struct Sized {
    pub(super) completion: Completion,
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Completions {
    pub(super) fn push(&self, completion: Sized) {
        let mut unread = lock(&self.unread);
        unread.list.push_back(completion);
        self.raise(&mut unread);
    }

    /// Takes at most `max`, the oldest first.
    pub(super) fn take(&self, max: usize) -> Vec<Sized> {
        let mut unread = lock(&self.unread);
        let count = max.min(unread.list.len());
        let taken = unread.list.drain(..count).collect();
        if unread.list.is_empty()
            && unread.raised
            && let Some(signal) = self.signal.get()
        {
            signal.drain();
            unread.raised = false;
        }
        taken
    }

    #[cfg(unix)]
    pub(super) fn descriptor(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        if self.signal.get().is_none() {
            // Of two threads that come here at once one keeps its descriptor and the other closes its own.
            let _taken = self.signal.set(Signal::new()?);
        }
        let mut unread = lock(&self.unread);
        if !unread.list.is_empty() {
            self.raise(&mut unread);
        }
        // OK because it has been set above, and it is never taken out.
        Ok(self.signal.get().expect("a descriptor").descriptor())
    }

    fn raise(&self, unread: &mut Unread) {
        if let (false, Some(signal)) = (unread.raised, self.signal.get()) {
            signal.raise();
            unread.raised = true;
        }
    }
}
