//! The fixed list of the console's files and of the addresses at which the page answers. Anything else below
//! `/console` has no route, so no name from a client ever reaches a file.

use std::sync::Arc;

use actix_web::web::{Bytes, ServiceConfig};

use super::CONTENT_SECURITY_POLICY;
use crate::{asset::Asset, metrics::HttpMetrics};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

const PAGE: &str = include_str!("../../assets/console/index.html");

/// The addresses of the page's views: links, reloads and mails lead to them.
pub const VIEWS: [&str; 12] = [
    "/console",
    "/console/sign-in",
    "/console/forgot-password",
    "/console/reset-password",
    "/console/invitation",
    "/console/confirm-sign-up",
    "/console/people",
    "/console/invitations",
    "/console/audit",
    "/console/organization",
    "/console/sessions",
    "/console/account",
];

macro_rules! files {
    ($($kind:ident $name:literal),+ $(,)?) => {
        /// Path, content type and text of every file that the page loads.
        const FILES: &[(&str, &str, &str)] =
            &[$((concat!("/console/assets/", $name), $kind, include_str!(concat!("../../assets/console/", $name)))),+];
    };
}

files! {
    SVG "icon.svg",
    STYLE "console.css",
    SCRIPT "account.js",
    SCRIPT "api.js",
    SCRIPT "audit.js",
    SCRIPT "dialog.js",
    SCRIPT "dom.js",
    SCRIPT "factor.js",
    SCRIPT "form.js",
    SCRIPT "format.js",
    SCRIPT "http.js",
    SCRIPT "invitation.js",
    SCRIPT "invitations.js",
    SCRIPT "link.js",
    SCRIPT "list.js",
    SCRIPT "main.js",
    SCRIPT "me.js",
    SCRIPT "organization.js",
    SCRIPT "passwords.js",
    SCRIPT "people.js",
    SCRIPT "person.js",
    SCRIPT "rights.js",
    SCRIPT "router.js",
    SCRIPT "session.js",
    SCRIPT "sessions.js",
    SCRIPT "sign-in.js",
    SCRIPT "step-up.js",
    SCRIPT "tabs.js",
}

/// Everything the console serves, built once and shared by all workers.
#[derive(Debug)]
pub struct ConsoleSite {
    files: Vec<(&'static str, Arc<Asset>)>,
}

impl ConsoleSite {
    /// The page at each of its addresses, and its files.
    pub fn new() -> Self {
        let asset = |kind, text: &'static str| {
            Arc::new(Asset::plain(kind, Bytes::from_static(text.as_bytes())).under(CONTENT_SECURITY_POLICY))
        };
        let page = asset(HTML, PAGE);
        let views = VIEWS.iter().map(|path| (*path, Arc::clone(&page)));
        let files = FILES.iter().map(|(path, kind, text)| (*path, asset(kind, text)));
        Self { files: views.chain(files).collect() }
    }

    /// The paths that [`configure`] mounts, without trailing slash; each is public and answers GET and HEAD.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.files.iter().map(|(path, _)| *path)
    }
}

impl Default for ConsoleSite {
    fn default() -> Self {
        Self::new()
    }
}

/// Mounts every path with and without trailing slash, for GET and HEAD; other methods are 405.
pub fn configure(cfg: &mut ServiceConfig, site: &ConsoleSite, metrics: Option<&HttpMetrics>) {
    for (path, file) in &site.files {
        file.mount(cfg, path, metrics);
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/console")
    }

    #[test]
    fn every_file_of_the_folder_is_served_and_the_page_at_its_views_alone() {
        let present: BTreeSet<String> = fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "index.html")
            .map(|name| format!("/console/assets/{name}"))
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|(path, ..)| (*path).to_owned()).collect();
        assert_eq!(listed, present);
        assert_eq!(ConsoleSite::new().paths().count(), VIEWS.len() + FILES.len());
    }

    #[test]
    fn the_page_loads_only_files_that_are_served_and_holds_no_inline_code() {
        assert!(!PAGE.contains("://") && !PAGE.contains("style=") && !PAGE.contains(" on"), "{PAGE}");
        for script in PAGE.split("<script").skip(1) {
            assert!(script.split_once('>').unwrap().1.starts_with("</script>"), "an inline script");
        }
        let named: BTreeSet<&str> = PAGE.split('"').filter(|text| text.starts_with("/console/assets/")).collect();
        let served: BTreeSet<&str> = FILES.iter().map(|(path, ..)| *path).collect();
        assert_eq!(named, served, "what is not named is found late, what is not served is not found");
    }

    #[test]
    fn scripts_import_only_files_beside_them_and_write_no_markup() {
        for (path, _, text) in FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT) {
            for import in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from")) {
                let from = import.split('"').nth(1).unwrap();
                let name = from.strip_prefix("./").unwrap();
                assert!(folder().join(name).is_file(), "{path}: {from}");
            }
            for sink in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "srcdoc",
                "localStorage",
            ] {
                assert!(!text.contains(sink), "{path} uses {sink}");
            }
            assert!(text.starts_with("// "), "{path} does not say what it owns");
            assert!(text.lines().count() <= 400, "{path} is too long");
        }
    }
}
