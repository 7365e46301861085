//! Workers KV.

use std::fmt::Display;
use std::time::Duration;

use async_trait::async_trait;
use worker::KvStore;
use worker::send::SendFuture;

use crate::ports::{BlobError, BlobStore};

/// The binding.
pub(super) struct Kv(pub(super) KvStore);

#[async_trait]
impl BlobStore for Kv {
    async fn put(&self, key: &str, blob: Vec<u8>) -> Result<(), BlobError> {
        let put = self.0.put_bytes(key, &blob).map_err(failure)?;
        SendFuture::new(put.execute()).await.map_err(failure)
    }

    async fn get(&self, key: &str, cache: Option<Duration>) -> Result<Option<Vec<u8>>, BlobError> {
        let get = self.0.get(key);
        let get = match cache {
            Some(cache) => get.cache_ttl(cache.as_secs()),
            None => get,
        };
        SendFuture::new(get.bytes()).await.map_err(failure)
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        SendFuture::new(self.0.delete(key)).await.map_err(failure)
    }
}

fn failure(error: impl Display) -> BlobError {
    BlobError(error.to_string())
}
