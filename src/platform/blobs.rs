//! Workers KV.

use std::fmt::Display;
use std::time::Duration;

use async_trait::async_trait;
use worker::KvStore;
use worker::send::SendFuture;

use crate::ports::{BlobError, BlobStore, Keys};

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

    async fn list(&self, cursor: Option<&str>) -> Result<Keys, BlobError> {
        let list = self.0.list();
        let list = match cursor {
            Some(cursor) => list.cursor(cursor.to_owned()),
            None => list,
        };
        let page = SendFuture::new(list.execute()).await.map_err(failure)?;
        let keys = page.keys.into_iter().map(|key| key.name).collect();
        Ok(Keys { keys, cursor: page.cursor.filter(|_| !page.list_complete) })
    }
}

fn failure(error: impl Display) -> BlobError {
    BlobError(error.to_string())
}
