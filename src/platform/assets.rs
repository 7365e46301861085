//! The static files that are deployed with the Worker.

use std::fmt::Display;

use async_trait::async_trait;
use worker::send::{SendFuture, SendWrapper};
use worker::{Env, Fetcher};

use crate::ports::{AssetError, Assets};

/// The binding. Without one the rest works: the catalogue's texts are all that is read through it.
pub(super) struct Static(Option<SendWrapper<Fetcher>>);

impl Static {
    pub(super) fn new(env: &Env) -> Self {
        Self(env.assets("ASSETS").ok().map(SendWrapper::new))
    }
}

#[async_trait]
impl Assets for Static {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AssetError> {
        let binding = self.0.as_ref().ok_or_else(|| failure("no binding ASSETS"))?;
        SendFuture::new(read(binding, path)).await
    }
}

async fn read(binding: &Fetcher, path: &str) -> Result<Option<Vec<u8>>, AssetError> {
    // The host is of no account: the binding looks at the path alone.
    let mut response = binding.fetch(format!("https://assets.invalid{path}"), None).await.map_err(failure)?;
    match response.status_code() {
        200 => response.bytes().await.map(Some).map_err(failure),
        404 => Ok(None),
        status => Err(failure(format!("status {status}"))),
    }
}

fn failure(error: impl Display) -> AssetError {
    AssetError(error.to_string())
}
