//! Configurations, small enough that everything collides.

use crate::Random;
use nexowire_core::route::{Configuration, NoResolver, StoreSource};

/// The queues: `a` is the default, the dead letters of `b` go to `d`.
pub(crate) const QUEUES: [&str; 3] = ["a", "b", "d"];
pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;
pub(crate) const D: usize = 2;
/// Messages that may wait for a commit.
pub(crate) const PENDING: usize = 12;
/// Windows of duplicates of terminals' messages and of webhooks, in milliseconds.
pub(crate) const WINDOWS: [u64; 2] = [20_000, 40_000];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Refuse,
    Spill,
    Drop,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) lanes: [u32; 3],
    pub(crate) capacity: [u32; 3],
    pub(crate) full: [Full; 3],
    pub(crate) ack_wait: u64,
    pub(crate) max_attempts: u32,
    pub(crate) retry: u64,
    /// Whether the third terminal is out of the endpoint's limits.
    pub(crate) scope: bool,
    /// Whether there is a queue `b`.
    pub(crate) has_b: bool,
}

impl Setup {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut setup = Self {
            lanes: [(); 3].map(|()| 1 + random.below(3) as u32),
            capacity: [(); 3].map(|()| 1 + random.below(3) as u32),
            full: [Full::Spill; 3],
            ack_wait: 0,
            max_attempts: 1,
            retry: 0,
            scope: false,
            has_b: !random.one_in(4),
        };
        setup.vary(random);
        setup
    }

    /// What a reload may change.
    pub(crate) fn vary(&mut self, random: &mut Random) {
        let any = [Full::Refuse, Full::Spill, Full::Drop];
        self.full = [random.of(&any), random.of(&any), random.of(&any[1..])];
        self.ack_wait = random.of(&[0, 2_000, 5_000]);
        self.max_attempts = 1 + random.below(3) as u32;
        self.retry = random.of(&[500, 1_000]);
        self.scope = random.one_in(2);
    }

    pub(crate) fn has(&self, queue: usize) -> bool {
        queue != B || self.has_b
    }

    pub(crate) fn pause(&self, failures: u32) -> u64 {
        (self.retry << (failures - 1)).min(2_000)
    }

    pub(crate) fn configuration(&self) -> Configuration {
        let queue = |index: usize| {
            let when_full = ["refuse", "spill", "drop-oldest"][self.full[index] as usize];
            let dead_letter = if index == B { "dead_letter = \"d\"\n" } else { "" };
            format!(
                "[[queue]]\nname = \"{}\"\nlanes = {}\ncapacity = {}\nwhen_full = \"{when_full}\"\n{dead_letter}",
                QUEUES[index], self.lanes[index], self.capacity[index]
            )
        };
        let queues: String = (0..3).filter(|&index| self.has(index)).map(queue).collect();
        let rules =
            "[[rule]]\nqueue = [\"a\", \"b\"]\nkind = \"response\"\n[[rule]]\nqueue = \"b\"\nkind = \"event\"\n";
        let text = format!(
            "default_queue = \"a\"\nclock = \"manual\"\n[limits]\npending = {PENDING}\n\
             [delivery]\nack_wait = \"{}ms\"\nmax_attempts = {}\nretry = \"{}ms\"\nretry_max = \"2s\"\n\
             [dedupe]\nterminal = \"{}ms\"\nwebhook = \"{}ms\"\n{queues}{}[endpoint.default]\npoiids = [{}]\n",
            self.ack_wait,
            self.max_attempts,
            self.retry,
            WINDOWS[0],
            WINDOWS[1],
            if self.has_b { rules } else { "" },
            if self.scope { "\"T1\", \"T2\"" } else { "" },
        );
        Configuration::parse_with(&text, &NoResolver, StoreSource::Host)
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}
