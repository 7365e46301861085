//! One text of a form against its field: what pasting adds is cut, and what is wrong is said in a sentence that never
//! repeats the text.

use super::file::{Cut, FieldType, Letters};
use super::pattern;
use super::placeholder::is_placeholder;
use super::provider::Field;
use super::shape::{MAX_BYTES, shape};

/// What is wrong: a stable code and a sentence.
pub(super) type Problem = (&'static str, String);

/// Checks a text, and spells it in the one way in which it is kept; `None` where it is blank, which means not set.
pub(super) fn check(field: &Field, text: &str, allow_http: bool) -> Result<Option<String>, Problem> {
    if text.len() > MAX_BYTES {
        return Err(("too_long", format!("{} must not exceed 8 KiB.", field.label)));
    }
    let text = spell(field, trim(text, field.value_type));
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().any(|c| is_forbidden(c, field.value_type)) {
        return Err(("control_character", format!("{} holds a control character or a line break.", field.label)));
    }
    if field.choices.is_none() && is_placeholder(&text, field.secret) {
        return Err(("placeholder", format!("{} looks like a placeholder: enter the value itself.", field.label)));
    }
    let text = shape(field.value_type, &text, allow_http)
        .map(std::borrow::Cow::into_owned)
        .map_err(|(code, sentence)| (code, format!("{} {sentence}.", field.label)))?;
    check_rules(field, &text)?;
    Ok(Some(text))
}

fn check_rules(field: &Field, text: &str) -> Result<(), Problem> {
    let matches = |pattern: &str| pattern::matches(pattern, text) == Some(true);
    if let Some(refusal) = field.refuse.iter().find(|refusal| matches(&refusal.pattern)) {
        return Err(("refused", refusal.help.clone()));
    }
    if field.pattern.as_deref().is_some_and(|pattern| !matches(pattern)) {
        return Err((
            "pattern",
            format!("{} is not as expected. {}", field.label, field.pattern_help.as_deref().unwrap_or_default()),
        ));
    }
    match &field.choices {
        Some(choices) if !choices.iter().any(|choice| choice == text) => {
            Err(("enum", format!("{} must be one of: {}.", field.label, choices.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Cuts what copying and pasting adds: white space and invisible characters around a text, carriage returns within.
fn trim(text: &str, value_type: FieldType) -> String {
    let added = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let text = text.trim_matches(added);
    if value_type != FieldType::Multiline {
        return text.to_owned();
    }
    let text = text.replace("\r\n", "\n");
    // A key out of a JSON file or a variable has its line breaks written out.
    if text.starts_with("-----BEGIN ") { text.replace("\\n", "\n").trim_end().to_owned() } else { text }
}

/// Spells an identifier as the provider does: without the address around it, in the letters that it is kept in.
fn spell(field: &Field, text: String) -> String {
    let text = match &field.cut {
        Some(Cut { before, after }) => pattern::cut(&text, before.as_deref(), after.as_deref()).to_owned(),
        None => text,
    };
    match field.letters {
        Some(Letters::Lower) => text.to_ascii_lowercase(),
        Some(Letters::Upper) => text.to_ascii_uppercase(),
        None => text,
    }
}

fn is_forbidden(c: char, value_type: FieldType) -> bool {
    let breaks = c == '\u{2028}' || c == '\u{2029}';
    let kept = value_type == FieldType::Multiline && matches!(c, '\n' | '\t');
    (c.is_control() || breaks) && !kept
}
