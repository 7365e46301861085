//! The Workers platform: the only code that knows `worker`, wasm-bindgen and js-sys.
//!
//! Router and bindings are made once an isolate; a request is converted, answered, and converted back.

mod assets;
mod blobs;
mod convert;
mod database;
mod network;
mod sign;
mod socket;
mod world;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::response::IntoResponse;
use tower::ServiceExt;
use worker::send::SendWrapper;
use worker::worker_sys::web_sys::Request;
use worker::{Context, Env, Response, ScheduleContext, ScheduledEvent, event};

use crate::api::error::ApiError;
use crate::app::deferred::Deferred;
use crate::app::{App, Ports};
use crate::config::Config;
use crate::jobs;
use crate::router::router;

/// What an isolate keeps.
struct Isolate {
    app: App,
    router: Router,
}

/// The isolate's app and router, made at the first request, or why there are none.
fn isolate(env: &Env) -> &'static Result<Isolate, String> {
    static ISOLATE: OnceLock<Result<Isolate, String>> = OnceLock::new();
    ISOLATE.get_or_init(|| {
        let app = app(env)?;
        Ok(Isolate { router: router(app.clone()), app })
    })
}

fn app(env: &Env) -> Result<App, String> {
    let variable = |name: &str| env.var(name).ok().map(|value| value.to_string());
    let config = Config::read(variable).map_err(|error| error.to_string())?;
    if let Err(error) = &config.ring {
        world::log(&serde_json::json!({ "start": "without master keys", "failure": error.to_string() }).to_string());
    }
    let missing = |error: worker::Error| error.to_string();
    let ports = Ports {
        database: Arc::new(database::D1::new(&env.d1("DATABASE").map_err(missing)?)),
        blobs: Arc::new(blobs::Kv(env.kv("BLOBS").map_err(missing)?)),
        assets: Arc::new(assets::Static::new(env)),
        network: Arc::new(network::Fetch),
        connect: Arc::new(socket::Tcp),
        sign: Arc::new(sign::WebCrypto),
        clock: Arc::new(world::Clock),
        random: Arc::new(world::Random),
        unicode: Arc::new(world::Unicode),
        log: Arc::new(world::Console),
        throttle: Arc::new(world::Throttle(env.rate_limiter("AUTHENTICATION_FAILURES").map_err(missing)?)),
    };
    Ok(App::new(ports, config))
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let mut answer = match isolate(&env) {
        Ok(isolate) => {
            let request = convert::request(request).await?;
            isolate.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
        }
        Err(failure) => {
            world::log(&serde_json::json!({ "start": "refused", "failure": failure }).to_string());
            ApiError::Misconfigured.into_response()
        }
    };
    let deferred = answer.extensions_mut().remove::<Deferred>();
    let answer = convert::response(answer).await;
    if let Some(deferred) = deferred {
        context.wait_until(deferred.run());
    }
    answer
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Ok(isolate) = isolate(&env) {
        jobs::run(&isolate.app).await;
    }
}

/// Lets a JavaScript value pass where threads could, which an isolate has not.
fn sendable<T>(value: T) -> SendWrapper<T> {
    SendWrapper::new(value)
}
