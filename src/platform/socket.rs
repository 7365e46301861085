//! Lines that leave. The guard in `egress` has let them pass.
//!
//! The sockets of the platform are used directly: the crate `worker` unwraps what `startTls` says, and a panic would end
//! every request of the isolate.

use async_trait::async_trait;
use bytes::Bytes;
use js_sys::{JsString, Number, Object, Reflect, Uint8Array};
use url::Host;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use worker::send::{SendFuture, SendWrapper};
use worker::worker_sys::web_sys::{ReadableStreamDefaultReader, WritableStreamDefaultWriter};
use worker::worker_sys::{self, Socket};

use crate::ports::{Connect, Line, NetworkError};

/// The platform's TCP.
pub(super) struct Tcp;

#[async_trait]
impl Connect for Tcp {
    async fn connect(&self, host: &Host, port: u16) -> Result<Box<dyn Line>, NetworkError> {
        // What the platform says of a failure would tell absent hosts from filtered ones.
        let open = SendFuture::new(connect(host.to_string(), port)).await.map_err(|_| NetworkError)?;
        Ok(Box::new(open))
    }
}

async fn connect(host: String, port: u16) -> Result<Open, JsValue> {
    let (address, options) = (Object::new(), Object::new());
    Reflect::set(&address, &"hostname".into(), &JsString::from(host))?;
    Reflect::set(&address, &"port".into(), &Number::from(port))?;
    Reflect::set(&options, &"secureTransport".into(), &"starttls".into())?;
    let open = Open::new(worker_sys::connect(address.into(), options.into())?)?;
    JsFuture::from(open.0.socket.opened()?).await?;
    Ok(open)
}

/// An open socket; closed when it is dropped, since an invocation may hold only six at once.
struct Open(SendWrapper<Streams>);

struct Streams {
    socket: Socket,
    reader: ReadableStreamDefaultReader,
    writer: WritableStreamDefaultWriter,
    is_left: bool,
}

impl Open {
    fn new(socket: Socket) -> Result<Self, JsValue> {
        let reader = socket.readable()?.get_reader().dyn_into()?;
        let writer = socket.writable()?.get_writer()?;
        Ok(Self(super::sendable(Streams { socket, reader, writer, is_left: false })))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.is_left {
            return;
        }
        if let Ok(closed) = self.0.socket.close() {
            // Nobody waits for it, and how it ends is of no account.
            spawn_local(async move { drop(JsFuture::from(closed).await) });
        }
    }
}

#[async_trait]
impl Line for Open {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), NetworkError> {
        let written = self.0.writer.write_with_chunk(&Uint8Array::from(bytes));
        SendFuture::new(JsFuture::from(written)).await.map(drop).map_err(|_| NetworkError)
    }

    async fn receive(&mut self) -> Result<Bytes, NetworkError> {
        let read = self.0.reader.read();
        SendFuture::new(received(read)).await.map_err(|_| NetworkError)
    }

    async fn start_tls(mut self: Box<Self>) -> Result<Box<dyn Line>, NetworkError> {
        self.0.reader.release_lock();
        self.0.writer.release_lock();
        let secure = self.0.socket.start_tls().and_then(Open::new).map_err(|_| NetworkError)?;
        // The socket is the new one's now.
        self.0.is_left = true;
        Ok(Box::new(secure))
    }
}

async fn received(read: js_sys::Promise) -> Result<Bytes, JsValue> {
    let read = JsFuture::from(read).await?;
    if Reflect::get(&read, &"done".into())?.is_truthy() {
        return Ok(Bytes::new());
    }
    let chunk: Uint8Array = Reflect::get(&read, &"value".into())?.dyn_into()?;
    Ok(chunk.to_vec().into())
}
