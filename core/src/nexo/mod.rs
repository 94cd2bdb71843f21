//! The words and shapes of nexo messages. Knows no queue.

mod body;
mod conclude;
mod display;
mod draft;
mod event;
mod fields;
mod header;
mod input;
mod kind;
mod names;
mod ordinary;
mod ordinary_names;
mod receipt;
mod response;
mod summary;
mod transaction;
mod view;
pub(crate) mod webhook;
mod words;

pub use event::DisplayWord;
pub use fields::{Field, Fields, WebhookField, WordIds};
pub use input::InputAnswer;
pub use kind::{Envelope, Flags, Kind};
pub use receipt::{Receipt, ReceiptLine};
pub use summary::Texts;
pub use view::{View, Word};
pub use words::{
    Device, DisplayEvent, ErrorCondition, EventCode, EventToNotify, InfoQualify, MessageCategory, MessageClass,
    MessageType, OutputFormat, ResultWord, Vocabulary,
};

pub(crate) use body::body;
pub(crate) use conclude::{Known, conclude, conclude_known};
pub(crate) use display::is_pairs;
pub(crate) use draft::{Draft, string, text_or_boolean};
pub(crate) use event::boolean;
pub(crate) use fields::{ItemSpans, WordField};
pub(crate) use header::header;
pub(crate) use names::{BodyName, Seen, canonical, is_looked_for, namesakes};
pub(crate) use ordinary::ordinary;
