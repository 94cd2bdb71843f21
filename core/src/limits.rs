//! Every bound of nexowire, in one place. Source: design, section 14.

/// What an engine refuses to go beyond. They can only be lowered: what is above [`Limits::MAX`] is refused by a
/// configuration, and counts as [`Limits::MAX`] where a body is parsed.
///
/// ```
/// use nexowire_core::limits::Limits;
///
/// let limits = Limits { body: 65_536, ..Limits::default() };
/// assert_eq!(limits.depth, 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one body.
    pub body: u32,
    /// Nested containers, the root's included.
    pub depth: u32,
    /// Members of all objects of one body together.
    pub members: u32,
    /// Routing rules.
    pub routes: u32,
    /// Queues.
    pub queues: u32,
    /// Lanes of one queue.
    pub lanes: u32,
    /// Capacity times lanes, over all queues.
    pub capacity: u32,
    /// Messages that one poll hands out.
    pub batch: u32,
    /// Items of one webhook body.
    pub items: u32,
    /// Messages that wait for a commit or for their completion to be read.
    pub pending: u32,
    /// Bytes of those.
    pub pending_bytes: u32,
    /// Open expectations.
    pub expectations: u32,
    /// Endpoints.
    pub endpoints: u32,
    /// Terminals on the board.
    pub board: u32,
    /// Bytes of the quarantine.
    pub quarantine_bytes: u32,
}

impl Limits {
    /// The highest that each may be, and what each is when nothing else is said.
    pub const MAX: Self = Self {
        body: 1 << 20,
        depth: 64,
        members: 65_536,
        routes: 65_536,
        queues: 1_024,
        lanes: 256,
        capacity: 16_777_216,
        batch: 4_096,
        items: 256,
        pending: 65_536,
        pending_bytes: 64 << 20,
        expectations: 1_048_576,
        endpoints: 1_024,
        board: 1_048_576,
        quarantine_bytes: 64 << 20,
    };

    /// The name of the first limit in which the two differ.
    ///
    /// ```
    /// use nexowire_core::limits::Limits;
    ///
    /// let lower = Limits { lanes: 4, ..Limits::MAX };
    /// assert_eq!(Limits::MAX.first_difference(&lower), Some("lanes"));
    /// assert_eq!(lower.first_difference(&lower), None);
    /// ```
    pub fn first_difference(&self, other: &Self) -> Option<&'static str> {
        macro_rules! differ {
            ($($name:ident)+) => {{
                // Takes the struct apart so that a limit that is added cannot be forgotten here.
                let Self { $($name),+ } = *self;
                $(if $name != other.$name {
                    return Some(stringify!($name));
                })+
                None
            }};
        }
        differ! {
            body depth members routes queues lanes capacity batch items pending pending_bytes expectations endpoints
            board quarantine_bytes
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::MAX
    }
}

/// Warnings that one configuration keeps; further ones say nothing new.
pub const WARNINGS_MAX: usize = 256;

/// Entries of a quarantine that is held in memory. Source: `drive.md`, Verdict.
pub const QUARANTINE_ENTRIES_MAX: usize = 1_024;

/// Dead letters that are held in memory. Source: `delivery.md`, 3.7.
pub const DEAD_LETTERS_MAX: usize = 1_024;

/// Messages of one transaction, unless one body has more. Source: `delivery.md`, 1.6.
pub const GROUP_MESSAGES_MAX: usize = 4_096;

/// Bytes of bodies of one transaction, unless one body has more.
pub const GROUP_BYTES_MAX: usize = 16 << 20;

/// Changes that are not urgent and are written all the same when there are so many. Source: `delivery.md`, section 5.
pub const UNWRITTEN_MAX: usize = 4_096;

/// Bytes of what a nack says, with which a dead letter is kept; a longer text is cut where a character ends.
pub const NACK_REASON_BYTES_MAX: usize = 1_024;

/// Keys that a configuration may ask to be remembered; each takes up to 64 bytes of memory.
pub const DEDUPE_KEYS_MAX: u32 = 1 << 30;

// A span has 30 bits of length and 32 of offset; a depth fits the bits of one word.
const _: () = assert!(Limits::MAX.body < 1 << 30);
const _: () = assert!(Limits::MAX.depth <= 64);
