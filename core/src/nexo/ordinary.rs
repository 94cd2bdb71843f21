//! The walk over what nearly every message is. It goes by tables, and leaves to the exact walk whatever is odd.

use super::display::is_pairs;
use super::names::BodyName;
use super::ordinary_names::{
    Action, BODIES, BODY_BITS, ENVELOPE_BITS, FIRST_BODY, HEADER, Level, NAMES, OTHER_BODY, RESPONSE, SKIP, STEPS,
    UNKNOWN, meaning,
};
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
    // The quotes of the body's name, and where its value begins; and the name, if it is not one of the commonest.
    let (mut body, mut other_body) = ((0, 0, 0), None);
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
        walker.begin_here();
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
        let (bit, next) = if step == UNKNOWN {
            let name = Span::between(opening as u32, closing as u32);
            let Some(name) = BodyName::of(Name { raw: name.of(walker.text()), span: name }) else {
                walker.pass().ok()?;
                continue;
            };
            other_body = Some(name);
            (OTHER_BODY, Level::of_body(name))
        } else {
            let (action, bit) = meaning(step);
            (bit, act(&mut walker, draft, action, &mut in_array)?)
        };
        body = if BODY_BITS >> bit & 1 == 1 { (opening, closing, walker.position()) } else { body };
        if seen >> bit & 1 == 1 {
            return None;
        }
        seen |= 1 << bit;
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
    (walker.is_at_end() && is_whole(&walker, draft, seen, body, other_body)).then_some(())
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

/// Whether what came is what an ordinary message has; what else it says is noted. `body` is where the quotes of the
/// body's name are, and its value.
#[inline(always)]
fn is_whole<O: Outliner>(
    walker: &Outlined<'_, '_, O>,
    draft: &mut Draft,
    seen: u64,
    (opening, closing, value): (usize, usize, usize),
    other_body: Option<BodyName>,
) -> bool {
    let bodies = seen & BODY_BITS;
    if bodies.count_ones() != 1 || (seen & ENVELOPE_BITS).count_ones() != 1 {
        return false;
    }
    let number = bodies.trailing_zeros() - u32::from(FIRST_BODY);
    draft.body_name = BODIES.get(number as usize).copied().or(other_body);
    draft.fields.set(Field::BodyMember, Some(Span::between(opening as u32, closing as u32)));
    draft.fields.set(Field::Body, Some(Span::within(value, value + 1, Encoding::Plain)));
    draft.fields.envelope = if seen >> RESPONSE & 1 == 1 { Envelope::Response } else { Envelope::Request };
    draft.has_header = seen >> HEADER & 1 == 1;
    if let Some(reference) = draft.fields.get(Field::ReferenceId) {
        draft.is_notification |= is_pairs(Text::at(walker.text(), reference));
    }
    let has = |field| draft.fields.get(field).is_some();
    draft.has_header && (has(Field::Amount) || !has(Field::Currency))
}

/// Does what a member asks for that is no field. The level of its members is the answer, or the root's if it was passed;
/// `None` if it is odd.
#[inline(always)]
fn act<O: Outliner>(
    walker: &mut Outlined<'_, '_, O>,
    draft: &mut Draft,
    action: Action,
    in_array: &mut bool,
) -> Option<Level> {
    // Nearly always, so that no other action is jumped to.
    if let Action::Enter(next) = action {
        return Some(next);
    }
    Some(match action {
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
        Action::Enter(_) | Action::Field(_) | Action::Odd => return None,
    })
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
