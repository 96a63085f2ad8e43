//! The fixed list of documentation files and their mounting. A path that is not in the list has no route, so no
//! name from a client ever reaches a file.

use std::{collections::HashSet, sync::Arc};

use actix_web::web::{self, Bytes};
use utoipa::openapi::OpenApi;

use super::CONTENT_SECURITY_POLICY;
use crate::{asset::Asset, metrics::HttpMetrics};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const PNG: &str = "image/png";

/// Our own pages and scripts.
const OWN: [(&str, &str, &str); 5] = [
    ("/api/docs", HTML, include_str!("../../assets/pages/swagger-ui.html")),
    ("/api/redoc", HTML, include_str!("../../assets/pages/redoc.html")),
    ("/api/docs/assets/swagger-initializer.js", SCRIPT, include_str!("../../assets/pages/swagger-initializer.js")),
    ("/api/docs/assets/redoc-initializer.js", SCRIPT, include_str!("../../assets/pages/redoc-initializer.js")),
    (
        "/api/docs/assets/redoc.standalone.js.LICENSE.txt",
        TEXT,
        include_str!("../../assets/redoc/redoc.standalone.js.LICENSE.txt"),
    ),
];

/// What is taken from Swagger UI's distribution; the rest of it is not served.
const SWAGGER_UI: [(&str, &str, &str); 5] = [
    ("/api/docs/assets/swagger-ui-bundle.js", SCRIPT, "swagger-ui-bundle.js"),
    ("/api/docs/assets/swagger-ui.css", STYLE, "swagger-ui.css"),
    ("/api/docs/assets/index.css", STYLE, "index.css"),
    ("/api/docs/assets/favicon-16x16.png", PNG, "favicon-16x16.png"),
    ("/api/docs/assets/favicon-32x32.png", PNG, "favicon-32x32.png"),
];

const REDOC: &[u8] = include_bytes!("../../assets/redoc/redoc.standalone.js.gz");

/// Why the documentation cannot be built. Each is a fault of the build, never of a request.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// The document has no JSON form.
    #[error("the OpenAPI document cannot be written as JSON")]
    Document(#[from] serde_json::Error),
    /// Two operations have one id, or one has none: links to them and generated clients would mix them up.
    #[error("the operation id {0:?} is missing or used twice")]
    OperationId(String),
    /// A file that the pages need is not in the binary, or is damaged.
    #[error("the documentation file {0} is missing or damaged")]
    Asset(&'static str),
}

/// Everything the documentation serves, built once and shared by all workers.
#[derive(Debug)]
pub struct DocsSite {
    files: Vec<(&'static str, Arc<Asset>)>,
}

impl DocsSite {
    /// Writes the document as JSON once; checks the operation ids and that every file is there.
    pub fn new(openapi: &OpenApi) -> Result<Self, DocsError> {
        check_operation_ids(openapi)?;
        let document = Bytes::from(openapi.to_json()?);
        let mut files = vec![("/openapi.json", Asset::plain("application/json", document))];
        files.extend(OWN.map(|(path, kind, text)| {
            let file = Asset::plain(kind, Bytes::from_static(text.as_bytes()));
            (path, if kind == HTML { file.under(CONTENT_SECURITY_POLICY) } else { file })
        }));
        for (path, kind, name) in SWAGGER_UI {
            files.push((path, swagger_ui(name, kind)?));
        }
        let redoc = "/api/docs/assets/redoc.standalone.js";
        files.push((redoc, Asset::gzip(SCRIPT, Bytes::from_static(REDOC)).ok_or(DocsError::Asset(redoc))?));
        Ok(Self { files: files.into_iter().map(|(path, file)| (path, Arc::new(file))).collect() })
    }

    /// The paths that [`configure`] mounts, without trailing slash; each is public and answers GET and HEAD.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.files.iter().map(|(path, _)| *path)
    }
}

fn check_operation_ids(openapi: &OpenApi) -> Result<(), DocsError> {
    let mut seen = HashSet::new();
    for item in openapi.paths.paths.values() {
        let (reads, writes) = ([&item.get, &item.head, &item.options], [&item.put, &item.post, &item.delete]);
        let rare = [&item.patch, &item.trace, &item.query];
        for operation in [reads, writes, rare].into_iter().flatten().flatten() {
            let id = operation.operation_id.as_deref().unwrap_or_default();
            if id.is_empty() || !seen.insert(id) {
                return Err(DocsError::OperationId(id.to_owned()));
            }
        }
    }
    Ok(())
}

fn swagger_ui(name: &'static str, content_type: &'static str) -> Result<Asset, DocsError> {
    let config = Arc::new(utoipa_swagger_ui::Config::default());
    let found = utoipa_swagger_ui::serve(name, config).ok().flatten().ok_or(DocsError::Asset(name))?;
    let bytes = match found.bytes {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    };
    if found.gzpipped {
        Asset::gzip(content_type, bytes).ok_or(DocsError::Asset(name))
    } else {
        Ok(Asset::plain(content_type, bytes))
    }
}

/// Mounts every path with and without trailing slash, for GET and HEAD; other methods are 405.
pub fn configure(cfg: &mut web::ServiceConfig, site: &DocsSite, metrics: Option<&HttpMetrics>) {
    for (path, file) in &site.files {
        file.mount(cfg, path, metrics);
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::{
        HttpMethod, PathItem, PathsBuilder,
        path::{Operation, OperationBuilder},
    };

    use super::*;
    use crate::docs::openapi::base;

    fn document(ids: [&str; 2]) -> OpenApi {
        let operation = |id: &str| -> Operation { OperationBuilder::new().operation_id(Some(id)).build() };
        let mut document = base();
        document.paths = PathsBuilder::new()
            .path("/a", PathItem::new(HttpMethod::Get, operation(ids[0])))
            .path("/b", PathItem::new(HttpMethod::Post, operation(ids[1])))
            .build();
        document
    }

    #[test]
    fn operation_ids_must_be_there_and_differ() {
        assert!(DocsSite::new(&document(["readA", "writeB"])).is_ok());
        assert!(matches!(DocsSite::new(&document(["same", "same"])), Err(DocsError::OperationId(id)) if id == "same"));
        assert!(matches!(DocsSite::new(&document(["readA", ""])), Err(DocsError::OperationId(_))));
    }
}
