//! `[summary]`.

use std::collections::BTreeMap;

use super::super::locate::{Fault, Part, Path};
use super::super::raw::Pairs;
use super::super::suggest::{did_you_mean, expected_one_of};
use crate::nexo::{DisplayEvent, ErrorCondition, EventToNotify, ResultWord, Vocabulary};

pub(super) fn summary(raw: Pairs<String>, odd: &mut Vec<Fault>) -> Result<BTreeMap<String, String>, Fault> {
    let section = Path::root("summary");
    let mut summary = BTreeMap::new();
    for (word, text) in raw.0 {
        let path = section.member(word.clone());
        if !summary_words().any(|known| known == word) {
            let message = format!("`summary` knows no word `{word}`{}", did_you_mean(&word, summary_words()));
            odd.push(Fault::name(path.clone(), message));
        }
        for placeholder in text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
            if !PLACEHOLDERS.contains(&placeholder) {
                let hint = expected_one_of(placeholder, PLACEHOLDERS);
                odd.push(Fault::value(path.clone(), format!("nothing is filled in for `{{{placeholder}}}`{hint}")));
            }
        }
        if summary.insert(word.clone(), text).is_some() {
            let message = format!("`summary` has two texts for `{word}`");
            return Err(Fault { path, part: Part::Repeated, message });
        }
    }
    Ok(summary)
}

/// The words that a summary is made for.
fn summary_words() -> impl Iterator<Item = &'static str> {
    fn words<V: Vocabulary>() -> impl Iterator<Item = &'static str> {
        V::ALL.iter().map(|variant| variant.word())
    }
    words::<EventToNotify>()
        .chain(words::<DisplayEvent>())
        .chain(words::<ResultWord>())
        .chain(words::<ErrorCondition>())
}

/// What a text of `[summary]` may hold in braces.
const PLACEHOLDERS: [&str; 5] = ["poiid", "sale_id", "details", "result", "condition"];
