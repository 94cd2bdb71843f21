//! Which room (a module at the top of the core) may know which.
//!
//! Arrows go one way: a room names only rooms that stand above it in [`ROOMS`]. A new arrow is a change of the design:
//! it is entered here, and the commit says why.

use std::collections::BTreeSet;

use crate::sources::{Source, code, rust};

/// Each room, and the rooms that its code may name. Its tests may name any.
const ROOMS: [(&str, &[&str]); 20] = [
    // Leaves know nobody.
    ("error", &[]),
    ("limits", &[]),
    ("span", &[]),
    ("os", &[]),
    ("timestamp", &[]),
    // Bytes, JSON and forms know no nexo.
    ("simd", &[]),
    ("json", &["error", "limits", "span", "simd"]),
    ("form", &["simd"]),
    ("text", &["span", "json", "form"]),
    ("additional", &["error", "limits", "simd", "json", "form", "text"]),
    // Words and shapes know no queue, no rule and no engine.
    ("nexo", &["error", "span", "json", "form", "text", "additional"]),
    ("parse", &["error", "limits", "span", "simd", "json", "text", "nexo"]),
    ("classify", &["error", "limits", "simd", "nexo", "parse"]),
    ("shape", &["error", "limits", "span", "simd", "json", "nexo", "classify"]),
    ("message", &["limits", "nexo", "classify"]),
    ("report", &["error", "limits", "text", "nexo", "classify", "message"]),
    // Rules know words but neither a body nor a queue; a queue does not know what a message is.
    ("route", &["limits", "nexo"]),
    ("queue", &["limits", "os"]),
    ("delivery", &["limits", "os"]),
    // The one room that sees the others, and that none of them sees.
    ("engine", &["limits", "span", "os", "text", "nexo", "classify", "shape", "message", "route", "queue", "delivery"]),
];

/// The room that a file of the core belongs to; none if it is the root, which names them all.
fn room_of(path: &str) -> Option<&str> {
    let room = path.strip_prefix("core/src/")?.split('/').next()?.trim_end_matches(".rs");
    (room != "lib").then_some(room)
}

/// The rooms that a file names outside of its tests, each with its line.
fn named(source: &Source) -> Vec<(usize, String)> {
    let folders = source.path.matches('/').count() - "core/src/".matches('/').count();
    let to_the_root = "super::".repeat(folders + usize::from(!source.path.ends_with("/mod.rs")));
    let mut names = vec![];
    for (number, line) in source.product_lines() {
        for after in code(line).split("crate::").skip(1) {
            names.push((number, first_name(after)));
        }
        // A module inside of a file says `super` of that file, where what it names is no room.
        for after in code(line).split(&to_the_root).skip(1) {
            names.extend(Some((number, first_name(after))).filter(|(_, name)| allowed(name).is_some()));
        }
    }
    names
}

/// The name that a path goes on with. The root itself holds nothing but what it takes from `error`.
fn first_name(path: &str) -> String {
    let name: String = path.chars().take_while(|found| found.is_alphanumeric() || *found == '_').collect();
    if name.starts_with(char::is_uppercase) { "error".to_owned() } else { name }
}

/// The names of all rooms.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ROOMS.iter().map(|(name, _)| *name)
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

/// The arrows of a file that [`ROOMS`] does not have.
fn forbidden_arrows(source: &Source) -> Vec<String> {
    let Some(room) = room_of(&source.path) else { return vec![] };
    let Some(allowed) = allowed(room) else {
        return vec![source.complain(1, &format!("enter `{room}` in ROOMS, with the rooms that it may know"))];
    };
    let mut complaints = vec![];
    for (number, name) in named(source) {
        if name.is_empty() {
            complaints.push(source.complain(number, "write one `use crate::room` a room, so that arrows can be seen"));
        } else if name != room && !allowed.contains(&&*name) {
            let what =
                format!("`{room}` may not know `{name}`: find another way, or enter the arrow in ROOMS and say why");
            complaints.push(source.complain(number, &what));
        }
    }
    complaints
}

#[test]
fn arrows_between_rooms_are_those_of_the_table() {
    let sources: Vec<Source> = rust().into_iter().filter(|source| room_of(&source.path).is_some()).collect();
    let rooms: BTreeSet<&str> = sources.iter().filter_map(|source| room_of(&source.path)).collect();
    for (room, _) in ROOMS {
        assert!(rooms.contains(room), "ROOMS has `{room}`, which is no module of the core: take it out");
    }
    let complaints: Vec<String> = sources.iter().flat_map(forbidden_arrows).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    for (at, (room, allowed)) in ROOMS.iter().enumerate() {
        for known in *allowed {
            let above = ROOMS[..at].iter().any(|(other, _)| other == known);
            assert!(above, "`{room}` -> `{known}`: an arrow goes up in ROOMS");
        }
    }
}

#[test]
fn a_forbidden_arrow_is_found() {
    let count = |path: &str, text: &str| forbidden_arrows(&Source::new(path, text)).len();
    assert_eq!(count("core/src/queue/lane.rs", "use crate::limits::Limits;\nuse super::shared::Shared;\n"), 0);
    assert_eq!(
        count("core/src/queue/lane.rs", "use crate::nexo::View;\nlet view = crate::engine::Engine::view();\n"),
        2
    );
    assert_eq!(count("core/src/queue/lane.rs", "use super::super::nexo::View;\n"), 1);
    assert_eq!(count("core/src/queue/mod.rs", "use super::nexo::View;\n"), 1);
    assert_eq!(count("core/src/queue/mod.rs", "use crate::{limits, nexo};\n"), 1);
    assert_eq!(count("core/src/span.rs", "fn fail() -> Result<(), crate::Error>;\n"), 1);
    assert_eq!(count("core/src/span.rs", "/// See [`crate::nexo`].\nmod tests {\nuse crate::nexo::View;\n"), 0);
    assert_eq!(count("core/src/route/tests/errors.rs", "use crate::engine::Engine;\n"), 0);
    assert_eq!(count("core/src/attic.rs", "\n"), 1);
}
