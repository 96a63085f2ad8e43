//! Streams of events: what the standard says, however they are cut.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    EventReader::new(1_000).read(text.as_bytes(), &mut events).unwrap();
    events
}

fn data(text: &str) -> Vec<String> {
    read(text).into_iter().map(|event| event.data).collect()
}

#[test]
fn lines_end_with_line_feed_carriage_return_or_both() {
    for text in [
        "data: a\n\ndata: b\n\n",
        "data: a\r\rdata: b\r\r",
        "data: a\r\n\r\ndata: b\r\n\r\n",
        "data: a\n\r\ndata: b\r\n\r",
    ] {
        assert_eq!(data(text), ["a", "b"], "{text:?}");
    }
}

#[test]
fn fields_are_read_as_the_standard_says() {
    assert_eq!(data("data: a\ndata:b\ndata:  c\n\n"), ["a\nb\n c"]);
    assert_eq!(data("data\n\n"), [""], "an empty line of data is data");
    assert_eq!(data(": a comment\n\nevent: x\n\nid: 1\n\n"), Vec::<String>::new(), "without data there is no event");
    assert_eq!(data("data: a\n"), Vec::<String>::new(), "half an event is none");
    assert_eq!(data("Data: a\ndata : b\nretry: 1\nunknown: c\ndata: d\n\n"), ["d"]);
    assert_eq!(
        data("\u{feff}data: a\n\n\u{feff}data: b\n\n"),
        ["a"],
        "only one byte order mark, only at the beginning"
    );
}

#[test]
fn an_id_stays_and_a_kind_does_not() {
    let events = read("id: 7\nevent: news\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid\ndata: d\n\n");
    let seen: Vec<_> = events.iter().map(|event| (event.id.as_str(), event.kind.as_str())).collect();
    assert_eq!(seen, [("7", "news"), ("7", ""), ("7", ""), ("", "")]);
}

#[test]
fn a_line_or_event_beyond_the_bound_ends_the_reading_and_keeps_no_memory() {
    let mut events = Vec::new();
    for text in [format!("data: {}", "a".repeat(100)), "data: aaaaaaaa\n".repeat(20), ":".repeat(101)] {
        let mut reader = EventReader::new(100);
        assert_eq!(reader.read(text.as_bytes(), &mut events), Err(EventError::TooLong), "{text:.20}");
        assert_eq!(reader.read(b"\n\ndata: a\n\n", &mut events), Err(EventError::TooLong));
        assert!(reader.line.capacity() == 0 && reader.event.data.capacity() == 0);
    }
    assert_eq!(EventReader::new(100).read(b"data: \xff\n", &mut events), Err(EventError::NotText));
    assert!(events.is_empty());
}

proptest! {
    #[test]
    fn how_the_bytes_are_cut_changes_nothing(
        lines in prop::collection::vec("(data|id|event|x|)(: ?| )?[a-zé\u{feff}:]{0,9}(\n|\r|\r\n)", 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let text = lines.concat();
        let bytes = text.as_bytes();
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let (mut reader, mut events) = (EventReader::new(1_000), Vec::new());
        for piece in places.windows(2) {
            reader.read(&bytes[piece[0]..piece[1]], &mut events).unwrap();
        }
        prop_assert_eq!(events, read(&text));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut events = Vec::new();
        let _ = EventReader::new(64).read(&bytes, &mut events);
        prop_assert!(events.iter().all(|event| event.data.len() <= 64));
    }
}
