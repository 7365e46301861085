//! Connections over HTTP: one file a concern.

pub mod bulk;
pub mod consequence;
pub mod copy;
pub mod create;
pub mod credentials;
pub mod delete;
pub mod effective;
pub mod history;
pub mod layers;
pub mod list;
pub mod plan;
pub mod record;
pub mod replace;
pub mod report;
pub mod reveal;
pub mod test;
pub mod test_credentials;
pub mod tested;
pub mod update;
pub mod values;
pub mod view;
pub mod whose;
