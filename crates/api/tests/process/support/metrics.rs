//! Reading what a server tells of itself.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::{Server, http::send};

/// One scrape.
pub(crate) struct Scrape(pub(crate) String);

impl Scrape {
    /// The whole number of a series, written as the text has it.
    pub(crate) fn value(&self, series: &str) -> Option<u64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(line.parse().unwrap())
    }

    /// The number of a series that has to be there.
    pub(crate) fn number(&self, series: &str) -> u64 {
        self.value(series).unwrap_or_else(|| panic!("no {series} in {}", self.0))
    }

    /// All series, without their numbers.
    pub(crate) fn series(&self) -> BTreeSet<&str> {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.rsplit_once(' ').unwrap().0).collect()
    }
}

impl Server {
    /// Where metrics are told.
    pub(crate) fn metrics_address(&self) -> SocketAddr {
        let told = self.log.iter().find(|line| line["msg"] == "Metrics are told").unwrap();
        told["address"].as_str().unwrap().parse().unwrap()
    }

    /// Reads them once.
    pub(crate) async fn scrape(&self) -> Scrape {
        let url = format!("http://{}/metrics", self.metrics_address());
        let answer = send(self.http.get(url)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Scrape(answer.text)
    }
}
