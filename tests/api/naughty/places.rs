//! Where something can be put: the parameters, headers and body fields of every operation, from the OpenAPI document.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// One operation of the document.
pub(super) struct Operation {
    document: Value,
    operation: Value,
}

impl Operation {
    /// The operation of a route; none where the document leaves it out.
    pub(super) fn of(method: &str, path: &str) -> Option<Self> {
        let document = <keyfob::api::openapi::Document as utoipa::OpenApi>::openapi();
        let document = serde_json::to_value(document).unwrap();
        let operation = document["paths"][path][method.to_lowercase()].clone();
        operation.is_object().then_some(Self { document, operation })
    }

    /// The names of the parameters in a query or in headers.
    pub(super) fn parameters(&self, place: &str) -> Vec<String> {
        let all = self.operation["parameters"].as_array().cloned().unwrap_or_default();
        let here = all.iter().filter(|parameter| parameter["in"] == place);
        here.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    }

    /// A pointer to each field of the body, those of `example` included.
    pub(super) fn fields(&self, example: &Value) -> BTreeSet<String> {
        let mut fields = BTreeSet::from([String::new()]);
        let schema = &self.operation["requestBody"]["content"]["application/json"]["schema"];
        self.collect(schema, "", &mut fields);
        leaves(example, "", &mut fields);
        fields
    }

    fn collect(&self, schema: &Value, at: &str, fields: &mut BTreeSet<String>) {
        if at.matches('/').count() > 3 {
            return;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            return self.collect(self.document.pointer(reference.trim_start_matches('#')).unwrap(), at, fields);
        }
        for variants in ["allOf", "oneOf", "anyOf"] {
            for variant in schema[variants].as_array().into_iter().flatten() {
                self.collect(variant, at, fields);
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            fields.insert(at.clone());
            self.collect(property, &at, fields);
        }
        if schema["items"].is_object() {
            fields.insert(format!("{at}/0"));
            self.collect(&schema["items"], &format!("{at}/0"), fields);
        }
        if schema["additionalProperties"].is_object() {
            fields.insert(format!("{at}/unforeseen"));
        }
    }
}

fn leaves(value: &Value, at: &str, fields: &mut BTreeSet<String>) {
    if !at.is_empty() {
        fields.insert(at.to_owned());
    }
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), fields)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), fields));
        }
        _ => {}
    }
}

/// The text of a body with another JSON text in one place, which is made where it is not there.
pub(super) fn with(body: &Value, pointer: &str, text: &str) -> String {
    const MARK: &str = "the place of what is put here";
    let mut body = body.clone();
    *place(&mut body, pointer) = json!(MARK);
    body.to_string().replacen(&format!("\"{MARK}\""), text, 1)
}

fn place<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Value {
    pointer.split('/').skip(1).fold(value, |value, name| {
        if let Ok(index) = name.parse::<usize>() {
            if !value.is_array() {
                *value = json!([]);
            }
            let items = value.as_array_mut().unwrap();
            while items.len() <= index {
                items.push(Value::Null);
            }
            return &mut items[index];
        }
        if !value.is_object() {
            *value = Map::new().into();
        }
        value.as_object_mut().unwrap().entry(name).or_insert(Value::Null)
    })
}
