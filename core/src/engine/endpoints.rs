//! Names of endpoints, by the index that messages carry. An index outlives the reload that removes its endpoint, as
//! messages do.

use std::sync::Arc;

use arc_swap::ArcSwap;

/// More names than this are not told apart: a configuration has 1,024 at most, so that it takes many reloads.
const NAMES_MAX: usize = u16::MAX as usize;

/// Every name that an endpoint has had.
#[derive(Debug, Default)]
pub(super) struct EndpointNames(ArcSwap<Vec<Arc<str>>>);

impl EndpointNames {
    /// The index of a name, the same for the same name.
    pub(super) fn index(&self, name: &str) -> u16 {
        let find = |names: &[Arc<str>]| names.iter().position(|known| **known == *name);
        let found = find(&self.0.load());
        let index = found.unwrap_or_else(|| {
            self.0.rcu(|names| {
                let mut names = names.to_vec();
                if find(&names).is_none() && names.len() < NAMES_MAX {
                    names.push(name.into());
                }
                names
            });
            find(&self.0.load()).unwrap_or(NAMES_MAX)
        });
        index as u16
    }

    /// The name of an index.
    pub(super) fn name(&self, index: u16) -> Option<Arc<str>> {
        self.0.load().get(usize::from(index)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::EndpointNames;

    #[test]
    fn a_name_keeps_its_index() {
        let names = EndpointNames::default();
        assert_eq!([names.index("a"), names.index("b"), names.index("a")], [0, 1, 0]);
        assert_eq!(names.name(1).as_deref(), Some("b"));
        assert_eq!(names.name(2), None);
    }
}
