//! The words and shapes of nexo messages. Knows no queue.

mod kind;
mod words;

pub use kind::{Envelope, Flags, Kind};
pub use words::{
    Device, DisplayEvent, ErrorCondition, EventCode, EventToNotify, InfoQualify, MessageCategory, MessageClass,
    MessageType, OutputFormat, ResultWord, Vocabulary,
};
