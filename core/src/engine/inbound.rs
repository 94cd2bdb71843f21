//! What arrives.

use bytes::Bytes;

use crate::message::BodySource;

/// A body and what came with it; all but the body may be left out.
///
/// ```
/// use nexowire_core::engine::Inbound;
///
/// let inbound = Inbound { endpoint: Some("shop-1"), tag: Some(7), ..Inbound::new(b"{}") };
/// assert_eq!(inbound.body.as_bytes(), b"{}");
/// ```
#[derive(Clone, Debug)]
pub struct Inbound<'a> {
    /// The bytes.
    pub body: BodySource<'a>,
    /// When it arrived, in whole milliseconds since 1970; left out: the engine's time. It is data and moves no clock.
    pub received_at: Option<u64>,
    /// The name of the endpoint; left out: `default`.
    pub endpoint: Option<&'a str>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `x-API-key`.
    pub api_key: Option<&'a str>,
    /// The header `Content-Encoding`.
    pub content_encoding: Option<&'a str>,
    /// Which way it came.
    pub source: Source,
    /// The host's own mark, given back with every message of this body.
    pub tag: Option<u64>,
}

/// Which way a body came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Somebody called the host.
    #[default]
    Webhook,
    /// The host called somebody, and this is the HTTP answer.
    Reply,
}

impl<'a> Inbound<'a> {
    /// A body that will be copied.
    pub fn new(body: &'a [u8]) -> Self {
        Self::from_source(BodySource::Copied(body))
    }

    /// A body that will be shared, without a copy.
    pub fn shared(body: Bytes) -> Self {
        Self::from_source(BodySource::Shared(body))
    }

    fn from_source(body: BodySource<'a>) -> Self {
        Self {
            body,
            received_at: None,
            endpoint: None,
            authorization: None,
            api_key: None,
            content_encoding: None,
            source: Source::Webhook,
            tag: None,
        }
    }

    /// Whether the body is as it was written: no encoding, an empty one, or `identity`.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.content_encoding.is_none_or(|encoding| {
            let encoding = encoding.trim();
            encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")
        })
    }
}
