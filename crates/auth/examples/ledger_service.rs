//! A whole service that trusts the tokens of SME Pulse: it checks them itself, follows the rotation of keys, and refuses a token
//! within a second after its session has ended. It never sees the issuer's database.
//!
//! ```sh
//! ISSUER_URL=https://auth.example.com ISSUER_KEY=smes_… cargo run -p sme-pulse-auth --features actix,remote --example ledger_service
//! ```

use std::{env, error::Error, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, ResponseError, http::StatusCode, web};
use sme_pulse_auth::{
    AccessError, BuildError, Principal,
    guard::{Authenticate, CurrentUser, OptionalUser, Requirement, authenticator},
    remote::{FeedLoss, Remote},
    token::Verifier,
};
use sme_pulse_domain::role::Role;

/// This service's own permission, and who has it.
struct CloseBooks;

impl Requirement for CloseBooks {
    fn is_met_by(caller: &Principal) -> bool {
        caller.roles().contains(Role::Owner) || caller.roles().contains(Role::Accountant)
    }
}

/// This service's own error: the reason is for the log, the status for the client.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused(#[from] AccessError);

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self.0 {
            AccessError::Forbidden { .. } | AccessError::StepUpRequired { .. } => StatusCode::FORBIDDEN,
            AccessError::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            AccessError::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

async fn greet(caller: OptionalUser<Refused>) -> String {
    caller.principal().map_or("hello, stranger".to_owned(), |caller| format!("hello, user {}", caller.user_id()))
}

async fn close_books(caller: CurrentUser<CloseBooks, Refused>) -> HttpResponse {
    HttpResponse::Ok().body(format!("the books of organization {} are closed", caller.scope().org()))
}

/// Trusts the tokens of this issuer; the key is that of an operator's service account.
pub(crate) fn verifier(issuer: Remote, key: String) -> Result<Verifier, BuildError> {
    let remote = issuer.follow_revocations(key, FeedLoss::RefuseAfter(Duration::from_secs(10)));
    Verifier::builder().issuer("sme-pulse").audience("sme-pulse-api").remote(remote).build()
}

/// The routes, for any server and any test.
pub(crate) fn configure(config: &mut web::ServiceConfig, callers: web::Data<dyn Authenticate>) {
    config
        .app_data(callers)
        .route("/health", web::get().to(async || "ok"))
        .route("/greeting", web::get().to(greet))
        .route("/books/close", web::post().to(close_books));
}

/// Serves until it is told to stop.
pub(crate) fn serve(
    verifier: Verifier,
    address: &str,
) -> std::io::Result<(actix_web::dev::Server, Vec<std::net::SocketAddr>)> {
    let callers = authenticator(verifier);
    let app = move || App::new().configure(|config| configure(config, callers.clone()));
    let server = HttpServer::new(app).workers(2).bind(address)?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = verifier(Remote::at(&env::var("ISSUER_URL")?), env::var("ISSUER_KEY")?)?;
    tokio::time::timeout(Duration::from_secs(30), verifier.ready()).await?;
    let (server, _) = serve(verifier, "127.0.0.1:8080")?;
    Ok(server.await?)
}
