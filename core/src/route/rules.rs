//! Checks rules: names, queues, and what they ask for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::check::{undeclared_queue, unknown_word};
use super::configuration::{Endpoint, Rule};
use super::locate::{Fault, Path};
use super::matcher::{Matcher, RuleWord, TextMember, WordMember};
use super::pattern::Patterns;
use super::raw::{Bools, RawRule, Table, Words};
use super::resolver::Resolver;
use super::suggest::did_you_mean;
use crate::limits::Limits;
use crate::nexo::{
    DisplayEvent, Envelope, ErrorCondition, EventCode, EventToNotify, Kind, MessageCategory, MessageClass, MessageType,
    ResultWord, Vocabulary,
};

/// Checks the rules of a configuration. Words that no vocabulary has go to `odd`.
pub(super) fn check(
    raw: &[Table<RawRule>],
    queues: &HashMap<&str, u16>,
    endpoints: &[Endpoint],
    limits: &Limits,
    resolver: &dyn Resolver,
    odd: &mut Vec<Fault>,
) -> Result<Vec<Rule>, Fault> {
    let endpoints = endpoints.iter().enumerate().map(|(index, endpoint)| (&*endpoint.name, index as u16)).collect();
    let list = Path::root("rule");
    let mut names = HashSet::new();
    let mut rules = Vec::with_capacity(raw.len());
    for (index, Table(raw)) in raw.iter().enumerate() {
        let path = list.index(index);
        if index >= limits.routes as usize {
            return Err(Fault::value(path, format!("more rules than `limits.routes`, {}", limits.routes)));
        }
        let name = raw.name.clone().unwrap_or_else(|| format!("rule {}", index + 1));
        if name.is_empty() {
            return Err(Fault::value(path.member("name"), "the name of a rule is empty"));
        }
        if !names.insert(name.clone()) {
            return Err(Fault::value(path.member("name"), format!("two rules have the name `{name}`")));
        }
        let mut rule = RuleCheck { path, endpoints: &endpoints, resolver, odd, matchers: Vec::new() };
        let queues = rule.queues(raw, queues)?;
        rule.matchers(raw)?;
        let matchers = rule.matchers;
        rules.push(Rule { name, queues, goes_on: raw.goes_on.unwrap_or(false), matchers });
    }
    Ok(rules)
}

/// One rule that is being checked.
struct RuleCheck<'a> {
    path: Path,
    endpoints: &'a HashMap<&'a str, u16>,
    resolver: &'a dyn Resolver,
    odd: &'a mut Vec<Fault>,
    matchers: Vec<Matcher>,
}

impl RuleCheck<'_> {
    fn queues(&self, raw: &RawRule, declared: &HashMap<&str, u16>) -> Result<Vec<u16>, Fault> {
        let Some(Words(names)) = &raw.queue else {
            return Err(Fault::value(self.path.clone(), "a rule without `queue`"));
        };
        let path = self.path.member("queue");
        self.not_empty("queue", names)?;
        let mut queues = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let Some(&queue) = declared.get(name.as_str()) else {
                return Err(undeclared_queue(path.index(index), name, declared));
            };
            // A queue gets a message once, so naming it twice asks for nothing more.
            if !queues.contains(&queue) {
                queues.push(queue);
            }
        }
        Ok(queues)
    }

    /// In the order of the documents, which is the order in which `explain` names them.
    fn matchers(&mut self, raw: &RawRule) -> Result<(), Fault> {
        self.kind(raw.kind.as_ref())?;
        self.endpoint(raw.endpoint.as_ref())?;
        self.envelope(raw.envelope.as_ref())?;
        self.words::<MessageClass>(WordMember::Class, raw.class.as_ref())?;
        self.words::<MessageCategory>(WordMember::Category, raw.category.as_ref())?;
        self.words::<MessageType>(WordMember::Type, raw.message_type.as_ref())?;
        self.words::<EventToNotify>(WordMember::Event, raw.event.as_ref())?;
        self.words::<DisplayEvent>(WordMember::DisplayEvent, raw.display_event.as_ref())?;
        self.words::<ResultWord>(WordMember::Result, raw.result.as_ref())?;
        self.words::<ErrorCondition>(WordMember::ErrorCondition, raw.error_condition.as_ref())?;
        self.words::<EventCode>(WordMember::EventCode, raw.event_code.as_ref())?;
        if let Some(Bools(values)) = &raw.success {
            self.not_empty("success", values)?;
            self.matchers.push(Matcher::Success(values.clone()));
        }
        if let Some(Words(names)) = &raw.merchant_account {
            self.not_empty("merchant_account", names)?;
            self.no_empty_text("merchant_account", names)?;
            let set = Patterns::literal(names.iter().map(String::as_str));
            self.matchers.push(Matcher::Text(TextMember::MerchantAccount, Arc::new(set)));
        }
        if let Some(Bools(values)) = &raw.live {
            self.not_empty("live", values)?;
            self.matchers.push(Matcher::Live(values.clone()));
        }
        self.patterns(TextMember::Poiid, raw.poiid.as_ref(), raw.poiid_file.as_ref())?;
        self.patterns(TextMember::SaleId, raw.sale_id.as_ref(), None)
    }

    fn kind(&mut self, raw: Option<&Words>) -> Result<(), Fault> {
        let Some(Words(words)) = raw else { return Ok(()) };
        self.not_empty("kind", words)?;
        let mut kinds = Vec::with_capacity(words.len());
        for (index, word) in words.iter().enumerate() {
            match Kind::ROUTED.into_iter().find(|kind| kind.word() == word) {
                Some(kind) => kinds.push(kind),
                None => {
                    let path = self.path.member("kind").index(index);
                    return Err(unknown_word(path, "kind", word, Kind::ROUTED.map(Kind::word)));
                }
            }
        }
        self.matchers.push(Matcher::Kind(kinds));
        Ok(())
    }

    fn envelope(&mut self, raw: Option<&Words>) -> Result<(), Fault> {
        let Some(Words(words)) = raw else { return Ok(()) };
        self.not_empty("envelope", words)?;
        let known = [Envelope::Request, Envelope::Response];
        let mut envelopes = Vec::with_capacity(words.len());
        for (index, word) in words.iter().enumerate() {
            match known.into_iter().find(|envelope| envelope.word() == word) {
                Some(envelope) => envelopes.push(envelope),
                None => {
                    let path = self.path.member("envelope").index(index);
                    return Err(unknown_word(path, "envelope", word, known.map(Envelope::word)));
                }
            }
        }
        self.matchers.push(Matcher::Envelope(envelopes));
        Ok(())
    }

    /// A name that is not declared is odd and no more: rules may be written before the endpoint that they are for.
    fn endpoint(&mut self, raw: Option<&Words>) -> Result<(), Fault> {
        let Some(Words(names)) = raw else { return Ok(()) };
        self.not_empty("endpoint", names)?;
        self.no_empty_text("endpoint", names)?;
        let mut indexes = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            match self.endpoints.get(name.as_str()) {
                Some(&endpoint) => indexes.push(endpoint),
                None => {
                    let hint = did_you_mean(name, self.endpoints.keys().copied());
                    let message = format!("the endpoint `{name}` is not declared, so nothing fits it{hint}");
                    self.odd.push(Fault::value(self.path.member("endpoint").index(index), message));
                }
            }
        }
        self.matchers.push(Matcher::Endpoint(indexes));
        Ok(())
    }

    fn words<V: Vocabulary>(&mut self, member: WordMember, raw: Option<&Words>) -> Result<(), Fault> {
        let Some(Words(words)) = raw else { return Ok(()) };
        self.not_empty(member.name(), words)?;
        self.no_empty_text(member.name(), words)?;
        let mut all = Vec::with_capacity(words.len());
        for (index, word) in words.iter().enumerate() {
            let rule_word = match V::from_word(word.as_bytes()) {
                Some(variant) => RuleWord::Known(variant.id()),
                None => {
                    let hint = did_you_mean(word, V::ALL.iter().map(|variant| variant.word()));
                    let message = format!("`{}`: {} has no `{word}`{hint}", member.name(), V::NAME);
                    self.odd.push(Fault::value(self.path.member(member.name()).index(index), message));
                    RuleWord::Unknown(word.as_bytes().into())
                }
            };
            if !all.contains(&rule_word) {
                all.push(rule_word);
            }
        }
        self.matchers.push(Matcher::Word(member, all));
        Ok(())
    }

    /// The patterns of a member, together with those of files.
    fn patterns(&mut self, member: TextMember, raw: Option<&Words>, files: Option<&Words>) -> Result<(), Fault> {
        if raw.is_none() && files.is_none() {
            return Ok(());
        }
        let here = raw.map_or(&[][..], |words| &words.0);
        if raw.is_some() {
            self.not_empty(member.name(), here)?;
        }
        for (index, text) in here.iter().enumerate() {
            Patterns::new([text.as_str()]).map_err(|why| {
                let path = self.path.member(member.name()).index(index);
                Fault::value(path, format!("`{}`: `{text}` {why}", member.name()))
            })?;
        }
        let texts = self.read_files(files)?;
        let lines = texts.iter().flat_map(|text| lines(text)).map(|(_, line)| line);
        // OK because each was checked, here and in the files: what is no pattern has been refused.
        let set = Patterns::new(here.iter().map(String::as_str).chain(lines)).unwrap_or_default();
        if set.is_empty() {
            let message = "no file of `poiid_file` holds a POIID, so the rule fits nothing";
            self.odd.push(Fault::value(self.path.member("poiid_file"), message));
        }
        self.matchers.push(Matcher::Text(member, Arc::new(set)));
        Ok(())
    }

    /// The texts of all files of `poiid_file`, every line checked.
    fn read_files(&self, files: Option<&Words>) -> Result<Vec<String>, Fault> {
        let Some(Words(files)) = files else { return Ok(Vec::new()) };
        self.not_empty("poiid_file", files)?;
        let mut texts = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            let fault = |why: String| {
                let path = self.path.member("poiid_file").index(index);
                Fault::value(path, format!("`poiid_file`: `{file}`: {why}"))
            };
            let text = self.resolver.file(file).map_err(fault)?;
            for (number, line) in lines(&text) {
                Patterns::new([line]).map_err(|why| fault(format!("line {number}: `{line}` {why}")))?;
            }
            texts.push(text);
        }
        Ok(texts)
    }

    /// An empty list would fit nothing, and nobody means that.
    fn not_empty<T>(&self, member: &'static str, list: &[T]) -> Result<(), Fault> {
        if list.is_empty() {
            return Err(Fault::value(self.path.member(member), format!("`{member}` is an empty list")));
        }
        Ok(())
    }

    fn no_empty_text(&self, member: &'static str, texts: &[String]) -> Result<(), Fault> {
        match texts.iter().position(String::is_empty) {
            Some(index) => {
                Err(Fault::value(self.path.member(member).index(index), format!("`{member}` holds an empty text")))
            }
            None => Ok(()),
        }
    }
}

/// The lines of a file with their numbers, blank ones left out.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.trim_start_matches('\u{feff}').lines().enumerate();
    numbered.map(|(index, line)| (index + 1, line.trim())).filter(|(_, line)| !line.is_empty())
}
