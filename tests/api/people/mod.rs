//! People: how they sign in to the dashboard, what a session is worth, and when it ends.

mod access;
mod sessions;
