//! The embedded builder: sessions and origins, which servers manage, what pages read, and the picker.

pub mod authorize;
pub mod builder;
pub mod connections;
pub mod cors;
pub mod drafts;
pub mod exchange;
pub mod limits;
pub mod origins;
pub mod own;
pub mod page;
pub mod providers;
pub mod redemptions;
pub mod session;
pub mod sessions;
pub mod view;
