//! The customer's answer to an InputRequest.

use super::receipt::{elements, member, scalar};
use super::{Field, View};
use crate::json;

/// `InputResult.Input`: what the customer did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputAnswer {
    /// `InputCommand`: what was asked for, as `GetConfirmation`.
    pub input_command: Option<String>,
    /// `ConfirmedFlag`: yes or no.
    pub confirmed: Option<bool>,
    /// `TextInput`, `DigitInput` or `Password`: what was typed.
    pub typed: Option<String>,
    /// `MenuEntryNumber`: the entries that were chosen, as they are written; some terminals set 1 or 0 for every entry.
    pub menu_entries: Vec<String>,
    /// `FunctionKey`: the number of the key that was pressed.
    pub function_key: Option<String>,
}

impl View<'_> {
    /// The customer's answer; `None` if the message has no `InputResult.Input`.
    pub fn input_answer(self) -> Option<InputAnswer> {
        let start = self.fields.get(Field::Input)?.start();
        let input = json::Cursor::over_valid_from(self.body, start).raw().ok()?;
        let flag = member(input, "/ConfirmedFlag");
        let menu = json::pointer(input, "/MenuEntryNumber").map(elements).unwrap_or_default();
        Some(InputAnswer {
            input_command: member(input, "/InputCommand"),
            confirmed: flag.and_then(|flag| flag.parse().ok()),
            typed: ["/TextInput", "/DigitInput", "/Password"].into_iter().find_map(|at| member(input, at)),
            menu_entries: menu.into_iter().filter_map(scalar).collect(),
            function_key: member(input, "/FunctionKey"),
        })
    }
}
