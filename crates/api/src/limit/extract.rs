//! The client's key, through the extractor trait of `actix-governor`.

use std::net::{IpAddr, Ipv4Addr};

use actix_governor::KeyExtractor;
use actix_web::dev::ServiceRequest;

use crate::{client_ip::ClientKey, edge::RequestContext, error::ApiError};

/// Keys a budget by the client: the address that the edge resolved, else the socket peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientKeyExtractor;

impl KeyExtractor for ClientKeyExtractor {
    type Key = ClientKey;
    type KeyExtractionError = ApiError;

    /// Never fails: requests without any address share one budget, so that nothing is unlimited.
    fn extract(&self, request: &ServiceRequest) -> Result<Self::Key, Self::KeyExtractionError> {
        let resolved = RequestContext::of(request.request()).map(|context| context.client_ip());
        let address = resolved.or_else(|| request.peer_addr().map(|peer| peer.ip()));
        Ok(ClientKey::from(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}
