//! The documentation: `/openapi.json`, Swagger UI at `/api/docs` and Redoc at `/api/redoc`, served from the binary
//! alone. It reads no configuration: with `BACKEND_DOCS_ENABLED=false` the caller does not mount it.

pub mod openapi;
pub mod permissions;
pub mod schemas;
mod site;
pub mod words;

pub use site::{DocsError, DocsSite, configure};

/// What the two pages may load and do: files of this host, and styles that their scripts write into the page.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
