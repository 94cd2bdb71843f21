//! The walk over what nearly every message is. It goes by tables, and leaves to the exact walk whatever is odd.

use super::display::is_pairs;
use super::names::BodyName;
use super::ordinary_names::{Action, BODIES, BODY, Level, NAMES, SKIP, STEPS, UNKNOWN, meaning};
use super::{Device, Draft, Envelope, Field, Vocabulary};
use crate::json::{Name, Outlined, Outliner, Value, Walk};
use crate::span::{Encoding, Span};
use crate::text::Text;

/// Passes the root and notes its fields, as the exact walk would. `None` says nothing, and the draft is spoilt then.
///
/// What it accepts has one envelope with a header and one body, no looked-for name twice, no escapes, and strings where
/// texts are looked for, or what the field is meant to be.
#[inline(always)]
pub(crate) fn ordinary<'a, O: Outliner>(mut walker: Outlined<'a, '_, O>, draft: &mut Draft) -> Option<()> {
    if walker.has_escapes() || walker.peek() != b'{' {
        return None;
    }
    walker.open().ok()?;
    let (mut level, mut around, mut seen, mut in_array) = (Level::Root, 0_u64, 0_u64, false);
    let mut row = &STEPS[Level::Root as usize];
    loop {
        let first = walker.peek();
        if first == b'}' {
            leave(&mut walker, level == Level::Output && in_array)?;
            if level == Level::Root {
                break;
            }
            (level, around) = (Level::of(around as u8), around >> 8);
            row = &STEPS[level as usize];
            continue;
        }
        if first != b'"' {
            return None;
        }
        let (opening, closing) = walker.name_quotes().ok()?;
        let (field, step) = row[walker.find_name(&NAMES, opening + 1, closing)];
        if let Some(field) = field {
            // The commonest of all.
            if seen >> field as u8 & 1 == 1 {
                return None;
            }
            seen |= 1 << field as u8;
            let span = if walker.peek() == b'"' { plain_string(&mut walker) } else { text(&mut walker, field)? };
            draft.fields.set(field, Some(span));
            continue;
        }
        if step == SKIP {
            walker.pass().ok()?;
            continue;
        }
        let name = Span::between(opening as u32, closing as u32);
        let (action, bit) = if step == UNKNOWN { (Action::Odd, BODY) } else { meaning(step) };
        let next = if step == UNKNOWN {
            let Some(body_name) = BodyName::of(Name { raw: name.of(walker.text()), span: name }) else {
                walker.pass().ok()?;
                continue;
            };
            note_body(&walker, draft, name, body_name);
            Some(Level::of_body(body_name))
        } else {
            enter(&mut walker, draft, action, name, &mut in_array)
        };
        let again = seen >> bit & 1;
        seen |= 1 << bit;
        let next = next.filter(|_| again == 0)?;
        if next == Level::Root {
            continue;
        }
        if walker.peek() != b'{' {
            return None;
        }
        walker.open().ok()?;
        (level, around) = (next, around << 8 | level as u64);
        row = &STEPS[level as usize];
    }
    (walker.is_at_end() && is_whole(draft, walker.text())).then_some(())
}

/// Goes out of an object, and of an array around it in which it must be the only one.
#[inline(always)]
fn leave<O: Outliner>(walker: &mut Outlined<'_, '_, O>, in_array: bool) -> Option<()> {
    walker.close();
    if in_array {
        if walker.peek() != b']' {
            return None;
        }
        walker.close();
    }
    Some(())
}

/// Whether the fields are those of an ordinary message; what else they say is noted.
#[inline(always)]
fn is_whole(draft: &mut Draft, text: &[u8]) -> bool {
    if let Some(reference) = draft.fields.get(Field::ReferenceId) {
        draft.is_notification |= is_pairs(Text::at(text, reference));
    }
    let has = |field| draft.fields.get(field).is_some();
    draft.has_header && draft.body_name.is_some() && (has(Field::Amount) || !has(Field::Currency))
}

/// What a member means that is no field. The level of its members is the answer, or the root's if it was passed; `None`
/// if it is odd.
#[inline(always)]
fn enter<O: Outliner>(
    walker: &mut Outlined<'_, '_, O>,
    draft: &mut Draft,
    action: Action,
    name: Span,
    in_array: &mut bool,
) -> Option<Level> {
    Some(match action {
        Action::Enter(next) => next,
        Action::Header => {
            draft.has_header = true;
            Level::Header
        }
        Action::Body(number) => {
            let (body_name, next) = BODIES[usize::from(number) % BODIES.len()];
            note_body(walker, draft, name, body_name);
            next
        }
        Action::Request => {
            draft.fields.envelope = Envelope::Request;
            Level::Envelope
        }
        Action::Response => {
            draft.fields.envelope = Envelope::Response;
            Level::Envelope
        }
        Action::Output => {
            *in_array = walker.peek() == b'[';
            if *in_array {
                walker.open().ok()?;
            }
            Level::Output
        }
        Action::Device => {
            if walker.peek() != b'"' {
                return None;
            }
            let device = Text::at(walker.text(), plain_string(walker));
            draft.is_notification |= device.equals(Device::CashierDisplay.word().as_bytes());
            Level::Root
        }
        Action::Amount => {
            let amount = text(walker, Field::Amount)?;
            draft.fields.set(Field::Amount, Some(amount));
            Level::Root
        }
        Action::Once => {
            walker.pass().ok()?;
            Level::Root
        }
        Action::Field(_) | Action::Odd => return None,
    })
}

/// Notes the body that the walker stands on.
#[inline(always)]
fn note_body<O: Outliner>(walker: &Outlined<'_, '_, O>, draft: &mut Draft, name: Span, body_name: BodyName) {
    let start = walker.position();
    draft.body_name = Some(body_name);
    draft.fields.set(Field::BodyMember, Some(name));
    draft.fields.set(Field::Body, Some(Span::within(start, start + 1, Encoding::Plain)));
}

/// Passes a string of a text without escapes.
#[inline(always)]
fn plain_string<O: Outliner>(walker: &mut Outlined<'_, '_, O>) -> Span {
    let (opening, closing) = walker.quotes();
    Span::between(opening as u32, closing as u32)
}

/// Passes a field's text: a string, or what else an amount and a flag are. Anything else is odd.
#[inline(always)]
fn text<O: Outliner>(walker: &mut Outlined<'_, '_, O>, field: Field) -> Option<Span> {
    let (value, behind) = scalar(*walker);
    *walker = behind;
    match (field, value?) {
        (_, Value::String(span))
        | (Field::Amount, Value::Number(span))
        | (Field::MaintenanceRequiredFlag, Value::Boolean(span)) => Some(span),
        _ => None,
    }
}

/// Passes anything but a container. The walker comes and goes by value, so that it can stay in registers elsewhere.
#[cold]
#[inline(never)]
fn scalar<'a, 'o, O: Outliner>(mut walker: Outlined<'a, 'o, O>) -> (Option<Value>, Outlined<'a, 'o, O>) {
    let value = match walker.peek() {
        b'{' | b'[' => None,
        _ => walker.value().ok(),
    };
    (value, walker)
}
