//! Base64 as WHATWG Infra forgives it. Source: <https://infra.spec.whatwg.org/#forgiving-base64-decode>.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The standard's steps, in its order; `None` is its "failure".
pub fn forgiving_decode(data: &[u8]) -> Option<Vec<u8>> {
    // 1. Remove all ASCII whitespace, which Infra says is tab, line feed, form feed, carriage return and space.
    let mut data: Vec<u8> = data.iter().copied().filter(|byte| !b"\t\n\x0c\r ".contains(byte)).collect();
    // 2. If the length divides by 4 and it ends in one or two `=`, remove them.
    if data.len().is_multiple_of(4) {
        for _ in 0..2 {
            if data.last() == Some(&b'=') {
                data.pop();
            }
        }
    }
    // 3. A remainder of 1 cannot be: six bits are no byte.
    if data.len() % 4 == 1 {
        return None;
    }
    // 4. to 10. Six bits a letter; what is left over at the end, four bits or two, is discarded.
    let mut bits = Vec::new();
    for byte in data {
        let value = ALPHABET.iter().position(|&letter| letter == byte)?;
        bits.extend((0..6).rev().map(|bit| (value >> bit) & 1 == 1));
    }
    Some(bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit))).collect())
}

/// With padding, on one line.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for letter in 0..4 {
            let value = (bits >> (18 - 6 * letter)) & 63;
            text.push(if letter <= chunk.len() { char::from(ALPHABET[value]) } else { '=' });
        }
    }
    text
}
