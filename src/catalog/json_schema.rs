//! The fields of a connection type as JSON Schema 2020-12, for forms and clients that other people write.
//!
//! The schema describes values as they are kept: trimmed, in one spelling. `values` has the last word; what
//! it alone knows (placeholders, refused look-alikes) is not in here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::file::{ConnectionType, Field, FieldType, VisibleWhen};
use super::shape::MAX_BYTES;

/// The schema of `{"settings": {…}, "secrets": {…}}`.
#[must_use]
pub fn json_schema(connection_type: &ConnectionType) -> Value {
    let (settings, secrets) = (group(connection_type, false), group(connection_type, true));
    let asked =
        [("settings", &settings), ("secrets", &secrets)].into_iter().filter(|(_, group)| !group.required.is_empty());
    let required: Vec<&str> = asked.map(|(name, _)| name).collect();
    let conditions: Vec<Value> =
        connection_type.fields.iter().filter_map(|field| condition(connection_type, field)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": connection_type.name,
        "description": connection_type.description,
        "type": "object",
        "properties": { "settings": settings, "secrets": secrets },
        "required": required,
        "additionalProperties": false,
        // JSON Schema wants at least one element: `true` accepts everything.
        "allOf": if conditions.is_empty() { vec![Value::Bool(true)] } else { conditions },
    })
}

/// The settings, or the secrets, of a connection type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    #[serde(rename = "type")]
    json_type: &'static str,
    properties: BTreeMap<&'a str, Property<'a>>,
    required: Vec<&'a str>,
    additional_properties: bool,
}

/// A field.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Property<'a> {
    #[serde(rename = "type")]
    json_type: &'static str,
    title: &'a str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    choices: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'a Value>,
    write_only: bool,
}

fn group(connection_type: &ConnectionType, secret: bool) -> Group<'_> {
    let fields: Vec<&Field> = connection_type.fields.iter().filter(|field| field.secret == secret).collect();
    let always = fields.iter().filter(|field| is_asked(field) && field.visible_when.is_none());
    Group {
        json_type: "object",
        required: always.map(|field| field.key.as_str()).collect(),
        properties: fields.iter().map(|field| (field.key.as_str(), property(field))).collect(),
        additional_properties: false,
    }
}

/// Whether a field has to be filled in by whoever sees it.
const fn is_asked(field: &Field) -> bool {
    field.required && field.default.is_none()
}

fn property(field: &Field) -> Property<'_> {
    let json_type = match field.value_type {
        FieldType::Boolean => "boolean",
        FieldType::Integer => "integer",
        _ => "string",
    };
    let text = json_type == "string";
    let pattern = field.pattern.as_ref().map(|pattern| format!("^(?:{pattern})$"));
    Property {
        json_type,
        title: &field.label,
        description: format!("{} {}", field.help, field.obtain),
        min_length: text.then_some(1),
        max_length: text.then_some(MAX_BYTES),
        format: (field.value_type == FieldType::Url).then_some("uri"),
        pattern: pattern.or_else(|| pattern_of(field.value_type).map(str::to_owned)),
        choices: field.choices.as_deref(),
        default: field.default.as_ref(),
        write_only: field.secret,
    }
}

const fn pattern_of(value_type: FieldType) -> Option<&'static str> {
    match value_type {
        FieldType::Url => Some("^https?://[^#]+$"),
        FieldType::Path => Some("^/([^/#][^#]*)?$"),
        FieldType::Statuses => Some("^[1-5](xx|[0-9]{2}(-[1-5][0-9]{2})?)(, ?[1-5](xx|[0-9]{2}(-[1-5][0-9]{2})?))*$"),
        _ => None,
    }
}

/// A field that is not always shown: asked for while it is, refused while it is not.
fn condition(connection_type: &ConnectionType, field: &Field) -> Option<Value> {
    let when = field.visible_when.as_ref()?;
    let (group, key) = (if field.secret { "secrets" } else { "settings" }, field.key.as_str());
    let shown = if is_asked(field) {
        json!({ "required": [group], "properties": { group: { "required": [key] } } })
    } else {
        json!({})
    };
    let mut all = Vec::new();
    add_conditions(connection_type, when, &mut all);
    Some(json!({
        "if": { "allOf": all },
        "then": shown,
        "else": { "properties": { group: { "properties": { key: false } } } },
    }))
}

/// What must hold for a field to be shown: the other field's value, and that the other field is shown itself.
fn add_conditions(connection_type: &ConnectionType, when: &VisibleWhen, all: &mut Vec<Value>) {
    let Some(other) = connection_type.field(&when.field) else { return };
    let key = other.key.as_str();
    let holds_by_default = other.default.as_ref().is_some_and(|default| when.holds(default));
    let value = match &when.matches {
        Some(pattern) => json!({ "pattern": format!("^(?:{pattern})$") }),
        None => json!({ "enum": when.is }),
    };
    all.push(if holds_by_default {
        json!({ "properties": { "settings": { "properties": { key: value } } } })
    } else {
        json!({ "required": ["settings"], "properties": { "settings": { "required": [key], "properties": { key: value } } } })
    });
    if let Some(when) = &other.visible_when {
        add_conditions(connection_type, when, all);
    }
}

#[cfg(test)]
mod tests {
    use jsonschema::Validator;

    use super::*;
    use crate::catalog::read::files;
    use crate::catalog::values::{Part, check};
    use crate::domain::values::{Secrets, Settings};

    /// A form in which one answer decides what else is asked.
    fn form() -> ConnectionType {
        let field = |key: &str, more: Value| {
            let mut field = json!({ "key": key, "label": key, "help": "x", "obtain": "x", "type": "text" });
            field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            field
        };
        let when = |field: &str, is: Value| json!({ "field": field, "is": is });
        serde_json::from_value(json!({
            "key": "k", "name": "n", "description": "d",
            "guide": { "url": "x", "steps": ["x"], "least_permissions": "x", "rotation": "x", "not_proven": "x" },
            "request": { "base_url": "https://a.example", "auth": { "scheme": "none" } },
            "fields": [
                field("how", json!({ "enum": ["key", "password"], "default": "key" })),
                field("fine", json!({ "type": "boolean", "visible_when": when("how", json!(["password"])) })),
                field("key", json!({ "secret": true, "required": true, "visible_when": when("how", json!(["key"])) })),
                field("user", json!({ "required": true, "visible_when": when("how", json!(["password"])) })),
                field("number", json!({ "type": "integer", "visible_when": when("fine", json!([true])) })),
                field("path", json!({ "type": "path", "pattern": "/[a-z]+", "pattern_help": "x" })),
                field("statuses", json!({ "type": "statuses" })),
            ],
        }))
        .unwrap()
    }

    fn validator(connection_type: &ConnectionType) -> Validator {
        jsonschema::draft202012::new(&json_schema(connection_type)).unwrap()
    }

    /// Whether the door accepts what the schema judges.
    fn accepted(connection_type: &ConnectionType, values: &Value) -> bool {
        let settings: Settings = serde_json::from_value(values["settings"].clone()).unwrap();
        let Ok(secrets) = serde_json::from_value::<Secrets>(values["secrets"].clone()) else { return false };
        check(&connection_type.into(), settings, secrets, (Part::Whole, false)).is_ok()
    }

    #[test]
    fn the_schema_and_the_door_agree() {
        let connection_type = form();
        let validator = validator(&connection_type);
        for (settings, secrets, good) in [
            (json!({}), json!({}), false),
            (json!({}), json!({ "key": "k1" }), true),
            (json!({ "how": "key" }), json!({ "key": "k1" }), true),
            (json!({ "how": "other" }), json!({ "key": "k1" }), false),
            (json!({ "how": "key", "user": "ann" }), json!({ "key": "k1" }), false),
            (json!({ "how": "password", "user": "ann" }), json!({}), true),
            (json!({ "how": "password" }), json!({}), false),
            (json!({ "how": "password", "user": "ann" }), json!({ "key": "k1" }), false),
            (json!({ "how": "password", "user": "ann", "fine": true, "number": 7 }), json!({}), true),
            (json!({ "how": "password", "user": "ann", "fine": false, "number": 7 }), json!({}), false),
            (json!({ "how": "password", "user": "ann", "number": 7 }), json!({}), false),
            (json!({ "fine": true }), json!({ "key": "k1" }), false),
            (json!({ "path": "/x" }), json!({ "key": "k1" }), true),
            (json!({ "path": "/x9" }), json!({ "key": "k1" }), false),
            (json!({ "statuses": "200-299, 3xx" }), json!({ "key": "k1" }), true),
            (json!({ "statuses": "9xx" }), json!({ "key": "k1" }), false),
            (json!({ "colour": "red" }), json!({ "key": "k1" }), false),
            (json!({ "key": "k1" }), json!({}), false),
            (json!({}), json!({ "key": 7 }), false),
            (json!({ "how": "password", "user": 7 }), json!({}), false),
        ] {
            let values = json!({ "settings": settings, "secrets": secrets });
            assert_eq!(validator.is_valid(&values), good, "schema: {values}");
            assert_eq!(accepted(&connection_type, &values), good, "door: {values}");
        }
    }

    #[test]
    fn every_connection_type_has_a_schema_that_is_one() {
        for connection_type in files().iter().flat_map(|provider| &provider.connection_types) {
            let schema = json_schema(connection_type);
            assert!(jsonschema::draft202012::meta::is_valid(&schema), "{}", connection_type.key);
            assert!(!validator(connection_type).is_valid(&json!({})), "{}", connection_type.key);
        }
    }

    #[test]
    fn secrets_are_write_only_and_apart_from_settings() {
        let files = files();
        let http = files.iter().find(|file| file.key == "http").unwrap();
        let schema = json_schema(http.connection_types.iter().find(|of| of.key == "bearer").unwrap());
        assert_eq!(schema["properties"]["secrets"]["properties"]["token"]["writeOnly"], json!(true));
        assert_eq!(schema["properties"]["settings"]["properties"]["token"], Value::Null);
        assert_eq!(schema["required"], json!(["settings", "secrets"]));
    }
}
