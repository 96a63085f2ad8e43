//! A small application on port 0: the documentation of a log-in and of one protected route, and these routes.

use std::{net::SocketAddr, sync::Arc, sync::mpsc, thread};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, rt::System, web};
use serde::{Deserialize, Serialize};
use sme_pulse_api::{
    docs::{
        self, DocsSite, openapi,
        schemas::{ErrorEnvelope, ValidationEnvelope},
    },
    error::ApiError,
};
use utoipa::{OpenApi, ToSchema};

/// The only token the route takes.
pub(crate) const TOKEN: &str = "a.token-of.the-test";

/// The caller.
#[derive(Serialize, ToSchema)]
struct Caller {
    id: i64,
    email: String,
}

/// Who wants in.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    #[schema(example = "ada@example.com")]
    email: String,
}

/// The way in.
#[derive(Serialize, ToSchema)]
struct Opened {
    access_token: &'static str,
}

#[derive(OpenApi)]
#[openapi(paths(log_in, whoami))]
struct Routes;

/// Opens a session.
#[utoipa::path(
    post, path = "/api/v1/log-in", operation_id = "logIn", tag = "callers", request_body = Credentials,
    responses(
        (status = 200, description = "The token", body = Opened),
        (status = 401, description = "Not known", body = ErrorEnvelope),
        (status = 422, description = "Wrong input", body = ValidationEnvelope),
    ),
)]
async fn log_in(body: web::Json<Credentials>) -> HttpResponse {
    if body.email == "ada@example.com" {
        HttpResponse::Ok().json(Opened { access_token: TOKEN })
    } else {
        HttpResponse::Unauthorized().json(serde_json::json!({ "error": "Incorrect email or password" }))
    }
}

/// Tells who calls.
#[utoipa::path(
    get, path = "/api/v1/whoami", operation_id = "whoami", tag = "callers",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The caller", body = Caller),
        (status = 401, description = "No valid token", body = ErrorEnvelope),
    ),
)]
async fn whoami(req: HttpRequest) -> HttpResponse {
    let sent = req.headers().get("authorization").and_then(|value| value.to_str().ok());
    if sent == Some(&format!("Bearer {TOKEN}")) {
        HttpResponse::Ok().json(Caller { id: 1, email: "ada@example.com".into() })
    } else {
        HttpResponse::Unauthorized().json(serde_json::json!({ "error": "Not authenticated" }))
    }
}

/// The document the application serves.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = openapi::base();
    document.merge(Routes::openapi());
    document
}

/// A running application; dropping it stops it.
pub(crate) struct TestApp {
    pub(crate) addr: SocketAddr,
    handle: ServerHandle,
}

impl TestApp {
    /// With the documentation mounted.
    pub(crate) fn start() -> Self {
        Self::start_with(Some(DocsSite::new(&document()).unwrap()))
    }

    /// With the documentation mounted or not.
    pub(crate) fn start_with(site: Option<DocsSite>) -> Self {
        let site = Arc::new(site);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let site = Arc::clone(&site);
                    App::new()
                        .route("/api/v1/log-in", web::post().to(log_in))
                        .route("/api/v1/whoami", web::get().to(whoami))
                        .configure(|cfg| site.iter().for_each(|site| docs::configure(cfg, site, None)))
                        .default_service(web::to(|| async { Err::<(), _>(ApiError::NotFound("Not Found")) }))
                })
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
                let addr = server.addrs()[0];
                let running = server.run();
                tell.send((addr, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (addr, handle) = told.recv().unwrap();
        Self { addr, handle }
    }

    /// An absolute address on this application.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The command is sent by the call itself; the thread of the server ends on its own.
        drop(self.handle.stop(false));
    }
}
