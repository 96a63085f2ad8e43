//! Server-sent events (HTML living standard, section 9.2), read strictly and within bounds: lines and events have a longest length, and
//! text is UTF-8.

use std::mem;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The last `id` that was sent; without one empty.
    pub id: String,
    /// Its `event`; without one empty, which means `message`.
    pub kind: String,
    /// Its `data` lines with line feeds between.
    pub data: String,
}

/// Why a stream is not read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A line or event beyond the bound.
    #[error("an event is too long")]
    TooLong,
    /// A line that is not UTF-8.
    #[error("an event is not UTF-8")]
    NotText,
}

/// Reads a stream of events, however its bytes are cut into pieces. After an error it reads nothing any more.
#[derive(Debug)]
pub struct EventReader {
    longest: usize,
    line: Vec<u8>,
    /// The last byte was a carriage return, so that a line feed after it ends no second line.
    after_return: bool,
    /// No line has ended yet: a byte order mark may stand at the beginning.
    first: bool,
    event: Event,
    /// There has been a `data` line.
    has_data: bool,
    failed: Option<EventError>,
}

impl EventReader {
    /// A reader that takes lines and events of at most so many bytes.
    pub const fn new(longest: usize) -> Self {
        Self {
            longest,
            line: Vec::new(),
            after_return: false,
            first: true,
            event: Event { id: String::new(), kind: String::new(), data: String::new() },
            has_data: false,
            failed: None,
        }
    }

    /// Takes in the next bytes and adds the events that they complete.
    pub fn read(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), EventError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.read_lines(bytes, events);
        if let Err(error) = result {
            self.failed = Some(error);
            self.line = Vec::new();
            self.event = Event::default();
        }
        result
    }

    fn read_lines(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), EventError> {
        while let Some(first) = bytes.first() {
            if mem::take(&mut self.after_return) && *first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                return self.extend(bytes);
            };
            let (rest, ending) = bytes.split_at(end);
            self.extend(rest)?;
            self.after_return = ending.first() == Some(&b'\r');
            bytes = ending.get(1..).unwrap_or_default();
            let line = mem::take(&mut self.line);
            events.extend(self.end_line(&line)?);
            self.line = line;
            self.line.clear();
        }
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), EventError> {
        if self.line.len().saturating_add(bytes.len()) > self.longest {
            return Err(EventError::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, line: &[u8]) -> Result<Option<Event>, EventError> {
        let line = std::str::from_utf8(line).map_err(|_| EventError::NotText)?;
        let line = if mem::take(&mut self.first) { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                let so_far = self.event.data.len().saturating_add(1);
                if so_far.saturating_add(value.len()) > self.longest {
                    return Err(EventError::TooLong);
                }
                if mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.event.id),
            "event" => value.clone_into(&mut self.event.kind),
            // Comments have an empty name; what is not known is ignored, `retry` as well: our own waiting times hold.
            _ => {}
        }
        Ok(None)
    }

    /// An event without data is none. The id stays for the events that follow.
    fn dispatch(&mut self) -> Option<Event> {
        let next = Event { id: self.event.id.clone(), ..Event::default() };
        let event = mem::replace(&mut self.event, next);
        mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
