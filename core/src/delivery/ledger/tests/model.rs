//! The ledger's rules said once more, as plainly as can be: no rows, no bytes, nothing remembered twice.

use std::collections::BTreeMap;

use super::*;

/// What everybody who has it shares.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    rows: u64,
    messages: Vec<u64>,
    consumed: Option<u64>,
}

impl Body {
    fn live(&self) -> u64 {
        self.bytes.len() as u64 + self.rows * ROW_BYTES
    }
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) owner: u64,
    pub(super) order_hash: u64,
    pub(super) queues: Vec<u32>,
    pub(super) repeats: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) options: LedgerOptions,
    /// By id: names of all queues that there have been.
    pub(super) names: Vec<String>,
    /// Id and lanes; the first is the default.
    pub(super) queues: Vec<(u32, u32)>,
    pub(super) bodies: BTreeMap<u64, Body>,
    pub(super) messages: BTreeMap<u64, Message>,
    /// By queue and number; whether it came from a queue that is gone.
    pub(super) pending: BTreeMap<(u32, u64), (DeliveryState, bool)>,
    /// By number and queue: when, how often, and whether it came from a queue that is gone.
    pub(super) dead: BTreeMap<(u64, u32), (u64, u32, bool)>,
    /// Whose body it is.
    pub(super) entries: BTreeMap<u64, u64>,
    pub(super) keys: [BTreeMap<u64, KeyRow>; 2],
    pub(super) last_seq: u64,
    pub(super) clock: u64,
    pub(super) left: (u64, u64),
}

impl Model {
    pub(super) fn new(options: LedgerOptions) -> Self {
        Self {
            options,
            names: vec![],
            queues: vec![],
            bodies: BTreeMap::new(),
            messages: BTreeMap::new(),
            pending: BTreeMap::new(),
            dead: BTreeMap::new(),
            entries: BTreeMap::new(),
            keys: [BTreeMap::new(), BTreeMap::new()],
            last_seq: 0,
            clock: 0,
            left: (0, 0),
        }
    }

    pub(super) fn lane(&self, queue: u32, seq: u64) -> u32 {
        let lanes = self.queues.iter().find(|(id, _)| *id == queue).map_or(1, |(_, lanes)| *lanes);
        (self.messages.get(&seq).map_or(0, |message| message.order_hash) % u64::from(lanes)) as u32
    }

    pub(super) fn open(&mut self, queues: &[(String, u32)]) {
        self.queues.clear();
        for (name, lanes) in queues {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
            let id = self.names.iter().position(|known| known == name).unwrap() as u32 + 1;
            self.queues.push((id, *lanes));
        }
        let heir = self.queues[0].0;
        for ((queue, seq), (state, _)) in self.pending.clone() {
            if self.queues.iter().all(|(id, _)| *id != queue) {
                self.pending.remove(&(queue, seq));
                self.pending.entry((heir, seq)).or_insert((state, true)).1 = true;
            }
        }
    }

    pub(super) fn commit(&mut self, group: &Group<'_>) {
        let messages = group.messages.iter().map(|new| (new.record.seq, new.body));
        let mut bodies: Vec<_> = messages.chain(group.quarantined.iter().map(|new| (new.seq, new.body))).collect();
        bodies.sort_unstable_by_key(|(seq, _)| *seq);
        let mut owners = BTreeMap::new();
        for (seq, body) in bodies {
            let owner = if let StoredBody::Of(other) = body { owners[&other] } else { seq };
            owners.insert(seq, owner);
            self.take_body(owner, body);
        }
        for new in &group.messages {
            let seq = new.record.seq;
            let owner = owners[&seq];
            self.bodies.get_mut(&owner).unwrap().messages.push(seq);
            let queues: Vec<u32> = new.queues.iter().map(|(queue, _)| *queue).collect();
            for queue in &queues {
                self.pending.insert((*queue, seq), (DeliveryState::default(), false));
            }
            if let Some((window, row)) = new.key {
                self.keys[window as usize].insert(row.seq, row);
            }
            let repeats = new.record.origin_seq.is_some();
            self.messages.insert(seq, Message { owner, order_hash: new.order_hash, queues, repeats });
            self.last_seq = self.last_seq.max(seq);
        }
        for new in &group.quarantined {
            self.entries.insert(new.seq, owners[&new.seq]);
            self.last_seq = self.last_seq.max(new.seq);
        }
        self.last_seq = self.last_seq.max(group.last_seq);
        self.clock = self.clock.max(group.now);
        group.changes.iter().for_each(|change| self.change(group.now, change));
        self.let_go(group);
    }

    fn take_body(&mut self, owner: u64, body: StoredBody<'_>) {
        let bytes = if let StoredBody::Own(bytes) = body { bytes.to_vec() } else { vec![] };
        let new = Body { bytes, rows: 0, messages: vec![], consumed: None };
        self.bodies.entry(owner).or_insert(new).rows += 1;
    }

    fn change(&mut self, now: u64, change: &Change) {
        match change {
            Change::Done { queue, seq, .. } => drop(self.pending.remove(&(*queue, *seq))),
            Change::State { queue, seq, attempt, failures, due, .. } => {
                if let Some((state, _)) = self.pending.get_mut(&(*queue, *seq)) {
                    *state = DeliveryState { attempt: *attempt, failures: *failures, due: *due };
                }
            }
            Change::Dead { queue, seq, attempts, .. } => {
                if let Some((_, gone)) = self.pending.remove(&(*queue, *seq)) {
                    self.dead.insert((*seq, *queue), (now, *attempts, gone));
                }
            }
            Change::QuarantineLeft { seq } => drop(self.entries.remove(seq)),
            Change::DeadLeft { queue, seq } => drop(self.dead.remove(&(*seq, *queue))),
        }
    }

    /// How many deliveries, dead letters and entries hold a body.
    fn holders(&self, owner: u64) -> (usize, usize, usize) {
        let has = |seq: &u64| self.messages[seq].owner == owner;
        let pending = self.pending.keys().filter(|(_, seq)| has(seq)).count();
        let dead = self.dead.keys().filter(|(seq, _)| has(seq)).count();
        (pending, dead, self.entries.values().filter(|other| **other == owner).count())
    }

    fn consume(&mut self, now: u64) {
        for owner in self.bodies.keys().copied().collect::<Vec<_>>() {
            if self.holders(owner) == (0, 0, 0) {
                let body = self.bodies.get_mut(&owner).unwrap();
                body.consumed = body.consumed.or(Some(now));
                if body.messages.is_empty() {
                    self.bodies.remove(&owner);
                }
            }
        }
    }

    fn excess(&self) -> u64 {
        self.counts().live_bytes.saturating_sub(self.options.max_bytes - self.options.max_bytes / 16)
    }

    fn let_go(&mut self, group: &Group<'_>) {
        let ago = |time: u64| group.now.saturating_sub(time);
        let before = ago(self.options.dead_letter_retention_ms);
        let dead = self.dead.len();
        self.dead.retain(|_, (died_at, ..)| *died_at >= before);
        self.left.1 += (dead - self.dead.len()) as u64;
        while self.counts().quarantine_bytes > self.options.quarantine_bytes {
            self.entries.pop_first();
            self.left.0 += 1;
        }
        self.consume(group.now);
        let consumed = self.bodies.iter().filter_map(|(owner, body)| Some((body.consumed?, *owner)));
        let mut consumed: Vec<_> = consumed.collect();
        consumed.sort_unstable();
        consumed.retain(|(time, owner)| {
            let goes = *time < ago(self.options.retention_ms) || self.excess() > 0;
            if goes {
                self.bodies.remove(owner);
                self.messages.retain(|_, message| message.owner != *owner);
            }
            !goes
        });
        let windows = [self.options.terminal_window_ms, self.options.webhook_window_ms];
        for (at, window) in windows.into_iter().enumerate() {
            while let Some(first) = self.keys[at].first_entry() {
                if *first.key() >= group.forget_keys_before[at] && first.get().first_at >= ago(window) {
                    break;
                }
                first.remove();
            }
        }
        if consumed.is_empty() {
            self.make_room();
            self.consume(group.now);
        }
    }

    fn make_room(&mut self) {
        let mut excess = self.excess();
        let mut oldest: Vec<_> = self.dead.iter().map(|(&(seq, queue), row)| (row.0, seq, queue)).collect();
        oldest.sort_unstable();
        for (_, seq, queue) in oldest {
            let owner = self.messages[&seq].owner;
            let (pending, dead, entries) = self.holders(owner);
            if excess > 0 && pending == 0 && entries == 0 {
                self.dead.remove(&(seq, queue));
                self.left.1 += 1;
                excess = excess.saturating_sub(if dead == 1 { self.bodies[&owner].live() } else { 0 });
            }
        }
    }

    pub(super) fn counts(&self) -> LedgerCounts {
        let owners: std::collections::BTreeSet<u64> = self.entries.values().copied().collect();
        LedgerCounts {
            live_bytes: self.bodies.values().map(Body::live).sum(),
            bodies: self.bodies.len() as u64,
            quarantined: self.entries.len() as u64,
            quarantine_bytes: owners.iter().map(|owner| self.bodies[owner].bytes.len() as u64).sum(),
            quarantine_left: self.left.0,
            dead_letters: self.dead.len() as u64,
            dead_letters_left: self.left.1,
        }
    }
}
