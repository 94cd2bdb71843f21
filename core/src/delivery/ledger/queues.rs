//! Names of queues and their ids: an id belongs to a name for ever and is never given to another.

use std::collections::BTreeMap;

use super::super::store::{StoreError, StoreErrorKind, Table, Writer};
use super::codec::{Decoder, Encoder};

/// The number of lanes of a queue whose rows are not all in their lanes.
pub(super) const UNSETTLED: u32 = 0;

/// A queue as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueueRow {
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) lanes: u32,
}

impl QueueRow {
    pub(super) fn decode(key: &[u8], value: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(key).ok()?.to_owned();
        let mut from = Decoder(value);
        let (id, lanes) = (from.narrow()?, from.narrow()?);
        from.end().map(|()| Self { name, id, lanes })
    }
}

/// Writes queues under their names.
pub(super) fn write(writer: &mut dyn Writer, rows: &[QueueRow]) -> Result<(), StoreError> {
    for row in rows {
        let mut value = Encoder::default();
        value.number(row.id).number(row.lanes);
        writer.insert(Table::Queues, row.name.as_bytes(), &value.0)?;
    }
    Ok(())
}

/// What is known of queues, those included that are gone.
#[derive(Default)]
pub(super) struct Queues {
    ids: BTreeMap<String, u32>,
    /// By id: the name, and every number of lanes that the queue has had since the opening.
    known: BTreeMap<u32, (String, Vec<u32>)>,
    unwritten: Vec<QueueRow>,
    /// The one that inherits from those that are gone.
    default: Option<u32>,
}

impl Queues {
    /// Takes in what is stored. Ids that were given but never written keep their names.
    pub(super) fn restore(&mut self, stored: &[QueueRow]) {
        for (_, lanes) in self.known.values_mut() {
            lanes.clear();
        }
        for row in stored {
            self.ids.insert(row.name.clone(), row.id);
            self.known.insert(row.id, (row.name.clone(), vec![]));
        }
        self.unwritten.clear();
    }

    /// The id of a queue that is used from now on with so many lanes.
    pub(super) fn add(&mut self, name: &str, lanes: u32) -> Result<u32, StoreError> {
        let next = self.known.last_key_value().map_or(Some(1), |(last, _)| last.checked_add(1));
        let id = self.ids.get(name).copied().or(next);
        let id = id.ok_or_else(|| StoreError::new(StoreErrorKind::Full, "there have been too many queues"))?;
        self.ids.insert(name.to_owned(), id);
        let (_, had) = self.known.entry(id).or_insert_with(|| (name.to_owned(), vec![]));
        if !had.contains(&lanes) {
            had.push(lanes);
            // One that comes back with other lanes has rows in both: the next opening deals them out anew.
            let lanes = if had.len() > 1 { UNSETTLED } else { lanes };
            self.unwritten.push(QueueRow { name: name.to_owned(), id, lanes });
        }
        Ok(id)
    }

    /// What the next commit has to write.
    pub(super) fn unwritten(&self) -> Vec<QueueRow> {
        self.unwritten.clone()
    }

    /// These are written.
    pub(super) fn written(&mut self, rows: &[QueueRow]) {
        self.unwritten.retain(|row| !rows.contains(row));
    }

    /// The lanes in which a queue has the messages of an order hash.
    pub(super) fn lanes(&self, queue: u32, order_hash: u64) -> Vec<u32> {
        let lanes = self.known.get(&queue).map_or(&[][..], |(_, lanes)| lanes);
        lanes.iter().map(|lanes| lane_of(order_hash, *lanes)).collect()
    }

    pub(super) fn set_default(&mut self, queue: u32) {
        self.default = Some(queue);
    }

    pub(super) fn default_queue(&self) -> Option<u32> {
        self.default
    }

    /// The name of an id; empty if there is none.
    pub(super) fn name(&self, queue: u32) -> String {
        self.known.get(&queue).map_or_else(String::new, |(name, _)| name.clone())
    }
}

/// The lane of an order hash.
pub(super) fn lane_of(order_hash: u64, lanes: u32) -> u32 {
    (order_hash % u64::from(lanes.max(1))) as u32
}
