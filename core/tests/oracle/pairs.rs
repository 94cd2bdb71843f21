//! `key=value&key=value`, the form that hides in EventDetails, ReferenceID, AdditionalResponse and form posts.

/// Split at `&`, empty parts skipped; key and value at the first `=`, a part without one has an empty value.
pub fn pairs(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = Vec::new();
    for part in text.split(|&byte| byte == b'&') {
        if part.is_empty() {
            continue;
        }
        match part.iter().position(|&byte| byte == b'=') {
            Some(equals) => pairs.push((decode(&part[..equals]), decode(&part[equals + 1..]))),
            None => pairs.push((decode(part), Vec::new())),
        }
    }
    pairs
}

/// `+` is a space, `%XX` a byte, any other `%` stands for itself.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = if byte == b'%' { hex_pair(tail) } else { None };
        match (byte, escaped) {
            (_, Some(value)) => {
                decoded.push(value);
                rest = &tail[2..];
            }
            (b'+', None) => decoded.push(b' '),
            (_, None) => decoded.push(byte),
        }
    }
    decoded
}

/// The first value of this name, as text.
pub fn first(pairs: &[(Vec<u8>, Vec<u8>)], name: &str) -> Option<String> {
    pairs.iter().find(|(key, _)| key == name.as_bytes()).map(|(_, value)| text_view(value))
}

/// Bytes that are not UTF-8 read as U+FFFD.
pub fn text_view(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let high = char::from(*text.first()?).to_digit(16)?;
    let low = char::from(*text.get(1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}
