//! placeholder
use super::key_row::{KeyRow, Window};
use std::collections::HashMap;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key { pub(crate) window: Window, pub(crate) hash: u128 }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen { New, Variant, Duplicate { seq: u64 } }
#[derive(Clone, Copy, Debug)]
pub(crate) struct DedupeOptions { pub(crate) terminal_ms: u64, pub(crate) webhook_ms: u64, pub(crate) keys_max: u64 }
pub(crate) struct Dedupe { options: DedupeOptions, map: HashMap<u128, (u64, Vec<(u64, u64)>)> }
impl Dedupe {
    pub(crate) fn new(options: DedupeOptions) -> Self { Self { options, map: HashMap::new() } }
    fn window(&self, w: Window) -> u64 { match w { Window::Terminal => self.options.terminal_ms, Window::Webhook => self.options.webhook_ms } }
    pub(crate) fn look(&self, key: &Key, digest: u64, now: u64) -> Seen {
        match self.map.get(&key.hash) {
            Some((first, v)) if now.saturating_sub(*first) < self.window(key.window) => match v.iter().find(|x| x.0 == digest) { Some(x) => Seen::Duplicate { seq: x.1 }, None => Seen::Variant },
            _ => Seen::New,
        }
    }
    pub(crate) fn learn(&mut self, key: &Key, digest: u64, seq: u64, now: u64) -> KeyRow {
        if self.look(key, digest, now) == Seen::New { self.map.remove(&key.hash); }
        let e = self.map.entry(key.hash).or_insert((now, vec![]));
        e.1.push((digest, seq));
        KeyRow { hash: key.hash, digest, first_at: e.0, seq }
    }
    pub(crate) fn restore(&mut self, _w: Window, row: KeyRow, _now: u64) { self.map.entry(row.hash).or_insert((row.first_at, vec![])).1.push((row.digest, row.seq)); }
    pub(crate) fn advance(&mut self, _now: u64) {}
    pub(crate) fn oldest_seq(&self, _w: Window) -> u64 { 0 }
    pub(crate) fn first_at(&self, key: &Key) -> Option<u64> { self.map.get(&key.hash).map(|e| e.0) }
    pub(crate) fn len(&self) -> usize { self.map.len() }
    pub(crate) fn left(&self) -> u64 { 0 }
    pub(crate) fn set_options(&mut self, options: DedupeOptions) { self.options = options; }
}
