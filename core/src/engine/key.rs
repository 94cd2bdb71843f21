//! placeholder
use crate::delivery::{Key, Window};
use crate::nexo::{Kind, View};
pub(super) fn key(view: View<'_>, endpoint: &str, hash_key: &[u8; 16]) -> Option<(Key, u64)> {
    use std::hash::{Hash, Hasher};
    let mut h = std::hash::DefaultHasher::new();
    (view.body(), endpoint, hash_key).hash(&mut h);
    let window = if view.fields().kind == Kind::StandardWebhook { Window::Webhook } else { Window::Terminal };
    Some((Key { window, hash: u128::from(h.finish()) }, 0))
}
