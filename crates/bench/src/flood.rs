//! A great many clients in bounded time: pipelined log-ins that fail validation, each from an address of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::{reply, requests};

const PIPELINE: u32 = 64;
const FIRST: u32 = u32::from_be_bytes([11, 0, 0, 0]);
const REPORT_EVERY: u32 = 100_000;

/// Sends one request from each of `addresses` distinct clients and expects the 422 that shows it was counted.
pub(crate) fn run(target: SocketAddr, addresses: u32, mut progress: impl FnMut(u32)) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(target).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut received = Vec::new();
    let mut done = 0;
    while done < addresses {
        let batch = PIPELINE.min(addresses - done);
        let each = (done..done + batch).map(|index| Ipv4Addr::from(FIRST + index));
        let requests: Vec<u8> = each.flat_map(|client| requests::forwarded_login(target, "{}", client)).collect();
        stream.write_all(&requests).context("cannot send")?;
        receive(&mut stream, &mut received, batch)?;
        if (done + batch) / REPORT_EVERY > done / REPORT_EVERY {
            progress(done + batch);
        }
        done += batch;
    }
    Ok(())
}

fn receive(stream: &mut TcpStream, received: &mut Vec<u8>, mut missing: u32) -> anyhow::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    while missing > 0 {
        let count = stream.read(&mut buffer).context("cannot receive")?;
        ensure!(count > 0, "the server closed the connection");
        received.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let mut used = 0;
        while let Some((length, status)) = reply::first(received.get(used..).unwrap_or_default())? {
            ensure!(status == 422, "an invalid log-in from a new address was answered {status}");
            used += length;
            missing = missing.checked_sub(1).context("more answers than requests")?;
            if used == received.len() {
                break;
            }
        }
        received.drain(..used);
    }
    Ok(())
}
