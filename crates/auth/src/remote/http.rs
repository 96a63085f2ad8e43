//! One request over one connection: no redirects, no cookies, no proxies, no decompression, bounded heads.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, crypto::ring, pki_types::ServerName},
};

use super::address::Address;
use crate::BuildError;

/// Longest accepted head of an answer in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Why nothing came of a request. The text goes to the log and to those who watch over the service.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no connection: {0}")]
    Connection(#[from] io::Error),
    #[error("no usable answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer took too long")]
    Late,
    #[error("the answer was {0}")]
    Status(StatusCode),
    #[error("the answer is of another type")]
    Type,
    #[error("the answer is too long")]
    TooLong,
    #[error("the request cannot be made")]
    Request,
}

/// Asks one issuer.
pub(super) struct Client {
    address: Address,
    tls: Option<TlsConnector>,
    pub(super) timeout: Duration,
}

/// An answer whose head has been read; its connection lives as long.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    body: Incoming,
    _connection: Connection,
}

/// The task that moves a connection's bytes, ended with the answer.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Client {
    pub(super) fn new(address: Address, timeout: Duration) -> Result<Self, BuildError> {
        let tls = if address.secure { Some(connector()?) } else { None };
        Ok(Self { address, tls, timeout })
    }

    /// Asks for a resource and reads the head of a 200 of the right type, within the time.
    pub(super) async fn get(
        &self,
        resource: &str,
        mut headers: HeaderMap,
        types: &[&str],
    ) -> Result<Answer, HttpError> {
        let host = HeaderValue::try_from(&self.address.authority).map_err(|_| HttpError::Request)?;
        headers.insert(HOST, host);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sme-pulse-auth/", env!("CARGO_PKG_VERSION"))));
        let mut request =
            Request::get(self.address.path(resource)).body(Empty::new()).map_err(|_| HttpError::Request)?;
        *request.headers_mut() = headers;
        let answer = timeout(self.timeout, self.send(request)).await.map_err(|_| HttpError::Late)??;
        let media = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if types.contains(&media.as_str()) { Ok(answer) } else { Err(HttpError::Type) }
    }

    async fn send(&self, request: Request<Empty<Bytes>>) -> Result<Answer, HttpError> {
        let stream = TcpStream::connect((self.address.host.as_str(), self.address.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(self.address.host.clone()).map_err(|_| HttpError::Request)?;
                exchange(tls.connect(name, stream).await?, request).await
            }
        }
    }
}

impl Answer {
    /// The next bytes of the body; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(bytes) = frame?.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The whole body of at most so many bytes.
    pub(super) async fn whole(mut self, most: usize) -> Result<Vec<u8>, HttpError> {
        let mut whole = Vec::new();
        while let Some(bytes) = self.next().await? {
            if whole.len().saturating_add(bytes.len()) > most {
                return Err(HttpError::TooLong);
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(whole)
    }
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Answer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(stream)).await?;
    // What goes wrong with the connection is told to whoever reads the answer.
    let task = tokio::spawn(async move { drop(connection.await) });
    let connection = Connection(task.abort_handle());
    let (head, body) = sender.send_request(request).await?.into_parts();
    if head.status != StatusCode::OK {
        return Err(HttpError::Status(head.status));
    }
    Ok(Answer { headers: head.headers, body, _connection: connection })
}

/// Trusts the certificates that the system trusts. The implementation of the cryptography is named, so that it does not depend on what
/// other crates of the program have chosen.
fn connector() -> Result<TlsConnector, BuildError> {
    let failed = |error: tokio_rustls::rustls::Error| BuildError::Tls(error.to_string());
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(failed)?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
