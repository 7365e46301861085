//! The embedded builder: sessions and origins, which servers manage, and what pages read.

pub mod authorize;
pub mod connections;
pub mod cors;
pub mod exchange;
pub mod limits;
pub mod origins;
pub mod own;
pub mod providers;
pub mod redemptions;
pub mod sessions;
pub mod view;
