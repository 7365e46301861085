//! A definition at the door: the settings of a connection whose secrets are elsewhere, or are still to be entered.

use std::collections::BTreeSet;

use super::{ConnectionType, Door, MAX_TOTAL_BYTES, Part, Secrets, Settings, ValueProblem, pointer, total_bytes};

/// Settings that keep every rule of their connection type, and the secrets that go with them.
#[derive(Debug)]
pub struct Definition {
    /// The settings, defaults filled in.
    pub settings: Settings,
    /// The fields of secrets that are required with these settings, and not there.
    pub missing: BTreeSet<String>,
}

/// Checks settings against their connection type, where these fields have a secret. `allow_http` is for development only.
///
/// # Errors
/// Every problem that was found, in the order of their places.
pub fn check_definition(
    connection_type: &ConnectionType,
    settings: Settings,
    secret_fields: &BTreeSet<String>,
    (part, allow_http): (Part<'_>, bool),
) -> Result<Definition, Vec<ValueProblem>> {
    if total_bytes(&settings, &Secrets::default()) > MAX_TOTAL_BYTES {
        let detail = "All values together must not exceed 64 KiB.";
        return Err(vec![ValueProblem::new("/settings".to_owned(), "too_long", detail)]);
    }
    let mut door = Door { connection_type, part, allow_http, problems: BTreeSet::new() };
    let mut settings = door.settings(settings);
    let missing = door.absences(&mut settings, secret_fields);
    // Where a secret decides, only who enters it can be told.
    let needs_none = !connection_type.fields.iter().any(|field| field.secret);
    if door.problems.is_empty() && needs_none {
        door.places(&settings, &Secrets::default());
    }
    let problems: Vec<_> = door.problems.into_iter().collect();
    if problems.is_empty() { Ok(Definition { settings, missing }) } else { Err(problems) }
}

impl Door<'_> {
    /// Goes through the form as for values, but secrets may be missing: tells which.
    fn absences(&mut self, settings: &mut Settings, secret_fields: &BTreeSet<String>) -> BTreeSet<String> {
        let mut missing = BTreeSet::new();
        for field in &self.connection_type.fields {
            let is_set = settings.contains_key(&field.key) || secret_fields.contains(&field.key);
            if self.part.leaves_out(&field.key) {
                if is_set {
                    let detail = format!("{} is entered for each customer: leave it out here.", field.label);
                    self.refuse(pointer(field), "customer_specific", detail);
                }
            } else if !self.is_visible(field, settings) {
                if self.part.inherits(&field.key) {
                    settings.remove(&field.key);
                } else if is_set {
                    let detail = format!("{} does not go with the other values: leave it out.", field.label);
                    self.refuse(pointer(field), "not_visible", detail);
                }
            } else if is_set || self.is_shown_to_some(field) {
                // It is there, or only some customers are asked for it.
            } else if let Some(default) = &field.default {
                settings.insert(field.key.clone(), default.clone());
            } else if field.required && field.secret {
                missing.insert(field.key.clone());
            } else if field.required && !self.is_refused(field) && !self.depends_on_refused(field) {
                self.refuse(pointer(field), "missing", format!("{} is required.", field.label));
            }
        }
        missing
    }
}
