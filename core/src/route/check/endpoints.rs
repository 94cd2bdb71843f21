//! `[endpoint.NAME]`.

use std::collections::BTreeMap;

use super::super::configuration::Endpoint;
use super::super::locate::{Fault, Part, Path};
use super::super::pattern::Patterns;
use super::super::raw::{Pairs, RawEndpoint, Table};
use crate::limits::Limits;

pub(super) fn endpoints(raw: &Pairs<Table<RawEndpoint>>, limits: &Limits) -> Result<Vec<Endpoint>, Fault> {
    let section = Path::root("endpoint");
    let mut sorted = BTreeMap::new();
    for (name, Table(raw)) in &raw.0 {
        let path = section.member(name.clone());
        if name.is_empty() {
            return Err(Fault::name(path, "an endpoint without a name"));
        }
        if sorted.insert(name.as_str(), endpoint(name, raw, &path)?).is_some() {
            let message = format!("two endpoints have the name `{name}`");
            return Err(Fault { path, part: Part::Repeated, message });
        }
    }
    let default = match sorted.remove(DEFAULT_ENDPOINT) {
        Some(default) => default,
        None => endpoint(DEFAULT_ENDPOINT, &RawEndpoint::default(), &section)?,
    };
    if sorted.len() >= limits.endpoints as usize {
        let message = format!("more endpoints than `limits.endpoints`, {} (`default` counts)", limits.endpoints);
        return Err(Fault::name(section, message));
    }
    Ok(std::iter::once(default).chain(sorted.into_values()).collect())
}

fn endpoint(name: &str, raw: &RawEndpoint, path: &Path) -> Result<Endpoint, Fault> {
    for (member, given) in [
        ("basic", !raw.basic.is_empty()),
        ("api_keys", !raw.api_keys.is_empty()),
        ("hmac_keys", !raw.hmac_keys.is_empty()),
        ("nexo_keys", !raw.nexo_keys.is_empty()),
        ("require_encryption", raw.require_encryption == Some(true)),
    ] {
        if given {
            return Err(Fault::name(
                path.member(member),
                format!("`{member}` is not built in: nothing would check it"),
            ));
        }
    }
    let patterns = |member: &'static str, texts: &[String], stars: bool| {
        for (index, text) in texts.iter().enumerate() {
            let checked = if stars || text.is_empty() { Patterns::new([text.as_str()]).map(drop) } else { Ok(()) };
            checked
                .map_err(|why| Fault::value(path.member(member).index(index), format!("`{member}`: `{text}` {why}")))?;
        }
        let texts = texts.iter().map(String::as_str);
        // OK because each was checked above: what is no pattern has been refused.
        Ok(if stars { Patterns::new(texts).unwrap_or_default() } else { Patterns::literal(texts) })
    };
    let merchant_accounts = patterns("merchant_accounts", &raw.merchant_accounts, false)?;
    let sale_ids = patterns("sale_ids", &raw.sale_ids, true)?;
    let poiids = patterns("poiids", &raw.poiids, true)?;
    let speaks_for_all = merchant_accounts.is_empty() && sale_ids.is_empty() && poiids.is_empty();
    Ok(Endpoint {
        name: name.to_owned(),
        third_party: raw.third_party.unwrap_or(false),
        speaks_for_all,
        merchant_accounts,
        sale_ids,
        poiids,
    })
}

/// The endpoint that is always there.
const DEFAULT_ENDPOINT: &str = "default";
