//! Connections over HTTP: one file a concern.

pub mod create;
pub mod credentials;
pub mod delete;
pub mod history;
pub mod list;
pub mod record;
pub mod replace;
pub mod report;
pub mod reveal;
pub mod test;
pub mod tested;
pub mod update;
pub mod values;
pub mod view;
