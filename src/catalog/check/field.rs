//! The rules for one field of a form.

use serde_json::Value;

use super::Faults;
use crate::catalog::file::{Cut, Field, FieldType, VisibleWhen};
use crate::catalog::pattern;
use crate::catalog::shape::shape;
use crate::catalog::template::is_key;

/// Checks a field; `before` are the fields that stand before it.
pub(super) fn check(field: &Field, before: &[Field], at: &str, faults: &mut Faults) {
    faults.unless(is_key(&field.key), format!("{at}.key"), "must begin with a letter and hold a-z, 0-9, _ only");
    faults.text(format!("{at}.label"), &field.label);
    faults.text(format!("{at}.help"), &field.help);
    faults.text(format!("{at}.obtain"), &field.obtain);
    check_patterns(field, at, faults);
    check_spelling(field, at, faults);
    check_choices(field, at, faults);
    check_secret(field, at, faults);
    if let Some(default) = &field.default {
        let fits = fits(field, default);
        faults.unless(fits, format!("{at}.default"), "must fit the type, the pattern and the enum of its own field");
    }
    if let Some(key) = &field.project_of {
        let file = before.iter().find(|field| field.key == *key);
        let good = file.is_some_and(|file| file.secret && file.required && file.value_type == FieldType::Multiline);
        faults.unless(good, format!("{at}.project_of"), "must name a required secret of several lines before this one");
        let plain = field.value_type == FieldType::Text && !field.secret && field.visible_when.is_none();
        let problem = "is for a text that is no secret, always shown, and neither required nor with a default";
        faults.unless(plain && !field.required && field.default.is_none(), format!("{at}.project_of"), problem);
    }
    if let Some(condition) = &field.visible_when {
        check_visibility(condition, before, &format!("{at}.visible_when"), faults);
    }
}

fn is_text(field: &Field) -> bool {
    !matches!(field.value_type, FieldType::Integer | FieldType::Boolean)
}

fn check_patterns(field: &Field, at: &str, faults: &mut Faults) {
    let explained = field.pattern.is_some() == field.pattern_help.is_some();
    faults.unless(explained, format!("{at}.pattern_help"), "must stand beside a pattern, and only there");
    let patterned = field.pattern.is_some() || !field.refuse.is_empty();
    faults.unless(is_text(field) || !patterned, format!("{at}.pattern"), "is for texts only");
    if let Some(help) = &field.pattern_help {
        faults.text(format!("{at}.pattern_help"), help);
    }
    if let Some(pattern) = &field.pattern {
        faults.unless(pattern::matches(pattern, "").is_some(), format!("{at}.pattern"), "is no regular expression");
        faults.unless(
            is_common_pattern(pattern),
            format!("{at}.pattern"),
            "must also be a pattern of JSON Schema: no flags, \\A or \\z",
        );
    }
    for refusal in &field.refuse {
        let good = pattern::matches(&refusal.pattern, "").is_some();
        faults.unless(good, format!("{at}.refuse.pattern"), "is no regular expression");
        faults.text(format!("{at}.refuse.help"), &refusal.help);
    }
}

/// Whether a regular expression means the same in JSON Schema.
fn is_common_pattern(pattern: &str) -> bool {
    !pattern.replace("(?:", "").contains("(?") && !pattern.contains(r"\A") && !pattern.contains(r"\z")
}

fn check_spelling(field: &Field, at: &str, faults: &mut Faults) {
    let spelled = field.cut.is_some() || field.letters.is_some();
    let plain = is_text(field) && !field.secret && field.choices.is_none();
    faults.unless(plain || !spelled, format!("{at}.cut"), "is for texts that are no secret and have no enum");
    if let Some(Cut { before, after }) = &field.cut {
        let good = |pattern: &Option<String>| {
            pattern.as_deref().is_none_or(|pattern| pattern::matches(pattern, "") == Some(false))
        };
        let stated = before.is_some() || after.is_some();
        let problem = "must hold before or after: regular expressions that do not match nothing";
        faults.unless(stated && good(before) && good(after), format!("{at}.cut"), problem);
    }
}

fn check_choices(field: &Field, at: &str, faults: &mut Faults) {
    let Some(choices) = &field.choices else { return };
    faults.unless(!choices.is_empty(), format!("{at}.enum"), "must hold at least one value");
    faults.unless(field.value_type == FieldType::Text, format!("{at}.enum"), "is for fields of type text only");
    faults.unique(&format!("{at}.enum"), choices.iter().map(String::as_str));
    for choice in choices {
        faults.text(format!("{at}.enum"), choice);
        let fits = field.pattern.as_deref().is_none_or(|pattern| pattern::matches(pattern, choice) != Some(false));
        faults.unless(fits, format!("{at}.enum.{choice}"), "does not match the pattern");
    }
}

fn check_secret(field: &Field, at: &str, faults: &mut Faults) {
    if field.secret {
        let takes_secret = matches!(field.value_type, FieldType::Text | FieldType::Multiline | FieldType::Url);
        faults.unless(takes_secret, format!("{at}.secret"), "is for fields of type text, multiline or url only");
        faults.unless(field.default.is_none(), format!("{at}.default"), "must not stand beside a secret");
        faults.unless(field.choices.is_none(), format!("{at}.enum"), "must not stand beside a secret");
        let hidden = field.destination && field.value_type != FieldType::Url;
        faults.unless(!hidden, format!("{at}.destination"), "can be a secret only where it is a whole URL");
    }
    if let Some(reason) = &field.secret_in_url {
        faults.text(format!("{at}.secret_in_url"), reason);
    }
}

/// Whether a value can be the value of a field.
fn fits(field: &Field, value: &Value) -> bool {
    match (field.value_type, value) {
        (FieldType::Integer, Value::Number(number)) => number.is_i64(),
        (FieldType::Boolean, Value::Bool(_)) => true,
        (FieldType::Integer | FieldType::Boolean, _) => false,
        (_, Value::String(text)) => text_fits(field, text),
        _ => false,
    }
}

fn text_fits(field: &Field, text: &str) -> bool {
    let shaped = shape(field.value_type, text, false).is_ok_and(|spelled| spelled == text);
    let whole =
        field.cut.as_ref().is_none_or(|cut| pattern::cut(text, cut.before.as_deref(), cut.after.as_deref()) == text);
    let patterned = field.pattern.as_deref().is_none_or(|pattern| pattern::matches(pattern, text) == Some(true));
    let refused = field.refuse.iter().any(|refusal| pattern::matches(&refusal.pattern, text) == Some(true));
    let chosen = field.choices.as_ref().is_none_or(|choices| choices.iter().any(|choice| choice == text));
    shaped && whole && patterned && !refused && chosen && !text.is_empty()
}

fn check_visibility(condition: &VisibleWhen, before: &[Field], at: &str, faults: &mut Faults) {
    let Some(other) = before.iter().find(|field| field.key == condition.field) else {
        faults.push(format!("{at}.field"), "must name a field that stands before this one");
        return;
    };
    let closed = !other.secret && (other.choices.is_some() || other.value_type == FieldType::Boolean);
    if let Some(matched) = &condition.matches {
        let plain = is_text(other) && !other.secret && condition.is.is_empty();
        faults.unless(plain, format!("{at}.matches"), "is for a text that is no secret, in the place of is");
        let good = is_common_pattern(matched) && pattern::matches(matched, "") == Some(false);
        let problem = "must be a pattern of JSON Schema too, and not match nothing";
        faults.unless(good, format!("{at}.matches"), problem);
        return;
    }
    faults.unless(closed, format!("{at}.field"), "must name a boolean, or a field with an enum");
    faults.unless(!condition.is.is_empty(), format!("{at}.is"), "must hold at least one value");
    let possible = condition.is.iter().all(|value| fits(other, value));
    faults.unless(possible, format!("{at}.is"), "must hold values that the other field can have");
}
