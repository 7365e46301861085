//! D1. Rows are one column of JSON text, so that a row is one crossing between JS and wasm.

use async_trait::async_trait;
use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::D1Database;
use worker::send::{SendFuture, SendWrapper};

use crate::ports::{Database, DatabaseError, Param, Rows, Statement};

/// What D1 says before the columns of a unique constraint.
const UNIQUE: &str = "UNIQUE constraint failed: ";

/// A text from here on crosses as bytes: the glue copies texts character by character.
const LONG: u32 = 256;

/// The binding.
pub(super) struct D1 {
    binding: SendWrapper<Binding>,
    encoder: SendWrapper<TextEncoder>,
}

mod binding {
    use js_sys::{Array, JsString, Promise, Uint8Array};
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        /// A D1 database.
        pub(super) type Binding;
        /// A prepared statement.
        pub(super) type Prepared;

        #[wasm_bindgen(method, structural, catch)]
        pub(super) fn prepare(this: &Binding, sql: &str) -> Result<Prepared, JsValue>;
        #[wasm_bindgen(method, structural, catch)]
        pub(super) fn batch(this: &Binding, statements: Array) -> Result<Promise, JsValue>;
        #[wasm_bindgen(method, structural, catch, variadic)]
        pub(super) fn bind(this: &Prepared, values: Array) -> Result<Prepared, JsValue>;

        /// What one statement returned.
        pub(super) type Outcome;
        /// What D1 says about it.
        pub(super) type Meta;
        /// A row of one column.
        pub(super) type Row;

        #[wasm_bindgen(method, getter, structural)]
        pub(super) fn results(this: &Outcome) -> Option<Array>;
        #[wasm_bindgen(method, getter, structural)]
        pub(super) fn meta(this: &Outcome) -> Meta;
        #[wasm_bindgen(method, getter, structural)]
        pub(super) fn rows_read(this: &Meta) -> Option<f64>;
        #[wasm_bindgen(method, getter, structural)]
        pub(super) fn row(this: &Row) -> JsValue;

        /// The platform's UTF-8 encoder.
        pub(super) type TextEncoder;

        #[wasm_bindgen(constructor)]
        pub(super) fn new() -> TextEncoder;
        #[wasm_bindgen(method)]
        pub(super) fn encode(this: &TextEncoder, text: &JsString) -> Uint8Array;
        #[wasm_bindgen(method, js_name = encodeInto)]
        pub(super) fn encode_into(this: &TextEncoder, text: &JsString, buffer: &mut [u8]) -> Encoded;

        /// How far an encoder came before its buffer was full.
        pub(super) type Encoded;

        #[wasm_bindgen(method, getter, structural)]
        pub(super) fn read(this: &Encoded) -> u32;
    }
}
use binding::{Binding, Outcome, Row, TextEncoder};

impl D1 {
    pub(super) fn new(database: &D1Database) -> Self {
        let binding: &JsValue = database.as_ref();
        let binding = super::sendable(binding.clone().unchecked_into());
        Self { binding, encoder: super::sendable(TextEncoder::new()) }
    }

    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, JsValue> {
        let prepared = Array::new();
        for statement in statements {
            let values: Array = statement.params.iter().map(value).collect();
            prepared.push(&self.binding.prepare(&statement.sql)?.bind(values)?.into());
        }
        let results: Array = JsFuture::from(self.binding.batch(prepared)?).await?.dyn_into()?;
        Ok(results.iter().map(|result| self.rows(result.unchecked_ref())).collect())
    }

    fn rows(&self, outcome: &Outcome) -> Rows {
        let results = outcome.results().unwrap_or_default();
        let rows = results.iter().map(|row| self.text(&row.unchecked_ref::<Row>().row())).collect();
        let meta = outcome.meta();
        Rows { rows, rows_read: count(meta.rows_read()) }
    }

    /// A column as JSON text: what SQLite made JSON is text already, a number is its own JSON.
    fn text(&self, value: &JsValue) -> String {
        match value.dyn_ref::<JsString>() {
            Some(text) if text.length() >= LONG => String::from_utf8(self.utf8(text)).unwrap_or_default(),
            Some(text) => text.into(),
            None => value.as_f64().map_or_else(|| "null".to_owned(), |number| whole(number).to_string()),
        }
    }

    /// The bytes of a text, straight into wasm memory where it has one byte a character, as nearly all of ours have: the
    /// other way leaves a buffer of the same size to the collector.
    fn utf8(&self, text: &JsString) -> Vec<u8> {
        let length = text.length();
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        if self.encoder.encode_into(text, &mut bytes).read() == length {
            bytes
        } else {
            self.encoder.encode(text).to_vec()
        }
    }
}

#[async_trait]
impl Database for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        SendFuture::new(self.run(statements)).await.map_err(|error| failure(&error))
    }
}

/// A parameter as D1 takes it: integers as doubles (a `BigInt` is refused), NULL as null (never undefined).
fn value(param: &Param) -> JsValue {
    match param {
        Param::Null => JsValue::NULL,
        #[expect(clippy::cast_precision_loss, reason = "the port promises integers within 2^53")]
        Param::Integer(number) => JsValue::from_f64(*number as f64),
        Param::Text(text) => JsValue::from_str(text),
    }
}

fn count(number: Option<f64>) -> u64 {
    u64::try_from(whole(number.unwrap_or(0.0))).unwrap_or(0)
}

/// A number of a column or of D1: all are whole. (The code that writes fractions is 14 KB.)
#[expect(clippy::cast_possible_truncation, reason = "a whole number")]
fn whole(number: f64) -> i64 {
    number as i64
}

/// The message of what D1 threw, and of its cause, which is where the constraint stands.
fn failure(error: &JsValue) -> DatabaseError {
    let message = |error: &js_sys::Error| String::from(error.message());
    let mut messages = Vec::new();
    let mut next = error.dyn_ref::<js_sys::Error>().cloned();
    while let Some(error) = next.take().filter(|_| messages.len() < 3) {
        messages.push(message(&error));
        next = error.cause().dyn_into().ok();
    }
    let text = messages.join(": ");
    match text.split_once(UNIQUE) {
        Some((_, rest)) => DatabaseError::Unique(rest.split(": ").next().unwrap_or_default().to_owned()),
        None => DatabaseError::Failed(text),
    }
}
