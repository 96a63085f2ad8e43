//! Just enough of HTTP/1.1 to know where an answer ends and what its status is.

use std::io::Read;

use anyhow::{Context as _, bail, ensure};

const BUFFER: usize = 64 * 1024;

/// Length in bytes and status of the first complete answer in `bytes`; `None` while it is incomplete.
pub(crate) fn first(bytes: &[u8]) -> anyhow::Result<Option<(usize, u16)>> {
    let Some(head_end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = bytes.get(..head_end).unwrap_or_default();
    ensure!(head.starts_with(b"HTTP/1.1 "), "an answer is not HTTP/1.1");
    let status = number(head.get(9..12).unwrap_or_default()).context("an answer has no status")?;
    let Some(length) = content_length(head) else { bail!("an answer has no length") };
    let total = head_end + 4 + length;
    Ok((bytes.len() >= total).then_some((total, u16::try_from(status).unwrap_or_default())))
}

/// Status and body of the next answer, waiting for it.
pub(crate) fn read(stream: &mut impl Read) -> anyhow::Result<(u16, Vec<u8>)> {
    let (mut received, mut buffer) = (Vec::new(), vec![0; BUFFER]);
    loop {
        let count = stream.read(&mut buffer).context("cannot receive")?;
        ensure!(count > 0, "the server closed the connection");
        received.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let Some((total, status)) = first(&received)? else { continue };
        let head = find(&received, b"\r\n\r\n").unwrap_or_default();
        return Ok((status, received.get(head + 4..total).unwrap_or_default().to_vec()));
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let named = |line: &&[u8]| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
    let line = head.split(|&byte| byte == b'\n').find(named)?;
    number(line.get(NAME.len()..)?.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_counted_only_when_it_is_complete() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP";
        assert_eq!(first(whole).unwrap(), Some((40, 200)));
        assert_eq!(first(&whole[..39]).unwrap(), None);
        assert_eq!(first(&whole[..20]).unwrap(), None);
    }

    #[test]
    fn an_answer_of_unknown_length_is_an_error() {
        assert!(first(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(first(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
