//! Who asks: people of organizations that are spread evenly over all there are. Those who write are of other organizations
//! than those who read, so that what is read stays as it was.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, ensure};

use super::USERS;
use super::caller::Sender;
use super::routes::Route;
use crate::server::Server;
use crate::{refresh, requests};

/// Organizations that read, at the most.
const READING: u32 = 500;
/// Connections, each with its own share of the people.
pub(super) const CONNECTIONS: u32 = 8;

/// New customers so far: no two have the same name, no two requests the same key.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Access tokens, and refresh tokens of a few.
pub(super) struct People {
    /// Everybody who reads, owners first.
    pub(super) readers: Vec<String>,
    owners: usize,
    writers: Vec<String>,
    refreshing: Vec<String>,
}

impl People {
    pub(super) fn sign_in(server: &Server, organizations: u32) -> anyhow::Result<Self> {
        let count = (organizations / 2).clamp(1, READING);
        // Even, so that odd numbers read and even ones write, at whatever size.
        let stride = (organizations / 2 / count).max(1) * 2;
        let mut people =
            Self { readers: Vec::new(), owners: usize::try_from(count)?, writers: Vec::new(), refreshing: Vec::new() };
        for user in 1..=USERS {
            for place in 0..count {
                let (access, refresh) = log_in(server, place * stride + 1, user)?;
                people.readers.push(access);
                if people.refreshing.len() < usize::try_from(CONNECTIONS)? {
                    people.refreshing.push(refresh);
                }
            }
        }
        for place in 0..count {
            people.writers.push(log_in(server, place * stride + 2, 1)?.0);
        }
        Ok(people)
    }

    /// As many senders of this route as there are connections.
    pub(super) fn callers(&self, address: SocketAddr, route: Route) -> Vec<Sender> {
        (0..CONNECTIONS).filter_map(|number| self.caller(address, route, usize::try_from(number).ok()?)).collect()
    }

    fn caller(&self, address: SocketAddr, route: Route, number: usize) -> Option<Sender> {
        let owners = self.readers.get(..self.owners)?;
        let sender = match route {
            Route::Health => repeating(requests::get(address, "/health", None)),
            Route::Me => repeating(requests::get(address, "/auth/me", owners.get(number % owners.len()).map(|t| &**t))),
            Route::Refresh => refreshing(address, self.refreshing.get(number)?.clone()),
            Route::Create | Route::CreateOnce => {
                creating(address, share(&self.writers, number), route == Route::CreateOnce)
            }
            Route::MeCold | Route::LogIn => return None,
            Route::Customers | Route::Search | Route::Users | Route::Audit => {
                let path = route.path()?;
                let share = share(owners, number);
                let requests: Vec<_> = share.iter().map(|token| requests::get(address, path, Some(token))).collect();
                let mut turns = requests.into_iter().cycle();
                Sender::from(move |_: &[u8]| Ok(turns.next()))
            }
        };
        Some(sender)
    }
}

/// Each of these tokens asks once who it is, on as many connections as otherwise.
pub(super) fn once(address: SocketAddr, tokens: &[String]) -> Vec<Sender> {
    let of = |number: usize| {
        let share = share(tokens, number);
        let requests: Vec<_> = share.iter().map(|token| requests::get(address, "/auth/me", Some(token))).collect();
        let mut turns = requests.into_iter();
        Sender::from(move |_: &[u8]| Ok(turns.next()))
    };
    (0..CONNECTIONS).filter_map(|number| usize::try_from(number).ok().map(of)).collect()
}

/// Everybody of whom nobody else takes care, or the first one if there are fewer than connections.
fn share(tokens: &[String], number: usize) -> Vec<String> {
    let step = usize::try_from(CONNECTIONS).unwrap_or(1);
    let own: Vec<String> = tokens.iter().skip(number).step_by(step).cloned().collect();
    if own.is_empty() { tokens.iter().take(1).cloned().collect() } else { own }
}

fn repeating(request: Vec<u8>) -> Sender {
    Sender::from(move |_: &[u8]| Ok(Some(request.clone())))
}

/// Goes on with the newest token. One that is asked with twice, because a round ended, gives the same successor again.
fn refreshing(address: SocketAddr, mut token: String) -> Sender {
    Sender::from(move |last: &[u8]| {
        if !last.is_empty() {
            token = refresh::token_in(last)?;
        }
        Ok(Some(requests::refresh(address, &token)))
    })
}

fn creating(address: SocketAddr, tokens: Vec<String>, once: bool) -> Sender {
    let mut turns = tokens.into_iter().cycle();
    Sender::from(move |_: &[u8]| {
        let Some(token) = turns.next() else { return Ok(None) };
        let key = MADE.fetch_add(1, Ordering::Relaxed);
        let body = format!(
            r#"{{"name":"New customer {key}","email":"buyer@example.com","phone":"0912345678","address":"1 Main Street","credit_term":30}}"#
        );
        Ok(Some(requests::create(address, "/api/v1/customers", &body, &token, once.then(|| format!("made-{key:020}")))))
    })
}

fn log_in(server: &Server, organization: u32, user: u32) -> anyhow::Result<(String, String)> {
    let body = format!(r#"{{"email":"u{user}.o{organization}.s1@example.com","password":"123456"}}"#);
    let (status, body) = server.ask(&requests::login(server.address, &body))?;
    ensure!(status == 200, "the log-in of organization {organization} was answered {status}");
    let answer: serde_json::Value = serde_json::from_slice(&body).context("the log-in answer is not JSON")?;
    let access = answer.get("access_token").and_then(serde_json::Value::as_str).context("no access token")?;
    Ok((access.to_owned(), refresh::token_in(&body)?))
}
