//! The spellings in which a secret may hide.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A secret in every spelling, each with its name.
pub(super) fn spellings(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |order: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let form = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    let json = in_json(secret);
    let mut spellings = vec![
        ("as it is", secret.as_bytes().to_vec()),
        ("in lower case", secret.to_lowercase().into_bytes()),
        ("in hexadecimal", hex(secret, false).into_bytes()),
        ("in hexadecimal capitals", hex(secret, true).into_bytes()),
        ("as a list of bytes", list(secret.as_bytes()).into_bytes()),
        ("percent-encoded", percent.clone().into_bytes()),
        ("percent-encoded in lower case", percent.to_lowercase().into_bytes()),
        ("percent-encoded as a path", in_path(secret).into_bytes()),
        ("form-encoded", form.into_bytes()),
        ("in JSON", json.clone().into_bytes()),
        ("in JSON in JSON", in_json(&json).into_bytes()),
        ("in ASCII JSON", json_ascii(&json).into_bytes()),
        ("in JSON, every character escaped", escaped(secret, false).into_bytes()),
        ("in JSON, every character escaped in capitals", escaped(secret, true).into_bytes()),
        ("in HTML", in_html(secret).into_bytes()),
        ("as Rust shows it", format!("{secret:?}").trim_matches('"').as_bytes().to_vec()),
        ("in UTF-16", utf16(u16::to_le_bytes)),
        ("in UTF-16, big-endian", utf16(u16::to_be_bytes)),
        ("backwards", secret.chars().rev().collect::<String>().into_bytes()),
    ];
    spellings.extend((0..3).map(|offset| ("in Base64", base64(&STANDARD_NO_PAD, secret, offset))));
    spellings.extend((0..3).map(|offset| ("in base64url", base64(&URL_SAFE_NO_PAD, secret, offset))));
    spellings
}

/// The characters that a secret has in Base64 whatever stands around it, so many bytes into a group of three.
fn base64(engine: &impl Engine, secret: &str, offset: usize) -> Vec<u8> {
    let bytes = [&[0; 2][..offset], secret.as_bytes()].concat();
    let whole = bytes.len() / 3 * 3;
    let encoded = engine.encode(&bytes[..whole]).into_bytes();
    encoded[if offset == 0 { 0 } else { 4 }..].to_vec()
}

fn hex(secret: &str, capitals: bool) -> String {
    let digits = |byte: u8| if capitals { format!("{byte:02X}") } else { format!("{byte:02x}") };
    secret.bytes().map(digits).collect::<Vec<_>>().concat()
}

fn list(bytes: &[u8]) -> String {
    format!("{bytes:?}").trim_matches(['[', ']']).to_owned()
}

fn in_path(secret: &str) -> String {
    let mut url = url::Url::parse("https://a.dev").unwrap();
    url.set_path(secret);
    url.path().trim_start_matches('/').to_owned()
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn escaped(secret: &str, capitals: bool) -> String {
    let escape = |unit| if capitals { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
    secret.encode_utf16().map(escape).collect::<Vec<_>>().concat()
}

fn in_html(secret: &str) -> String {
    let pairs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];
    pairs.iter().fold(secret.to_owned(), |text, (plain, entity)| text.replace(plain, entity))
}

fn json_ascii(json: &str) -> String {
    let escape = |unit: u16| match char::from_u32(unit.into()).filter(char::is_ascii) {
        Some(c) => c.to_string(),
        None => format!("\\u{unit:04x}"),
    };
    json.encode_utf16().map(escape).collect::<Vec<_>>().concat()
}

#[test]
fn a_secret_within_anything_else_is_found_in_every_spelling() {
    let secret = "Canäry \"1\" 💳";
    for around in ["", "a", "ab", "abc"] {
        let text = format!("{around}{secret}{around}");
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let found = spellings(secret)
                .iter()
                .any(|(_, needle)| encoded.contains(std::str::from_utf8(needle).unwrap_or("\0")));
            assert!(found, "{encoded}");
        }
    }
    assert!(spellings(secret).iter().all(|(_, needle)| needle.len() >= 8));
}
