//! Properties of the reader of answers.

use proptest::prelude::*;
use tare_load::framing::{Framing, FramingError, MAX_ANSWER};

/// What a reader makes of an answer: its status, body, length, and whether the connection may be kept.
type Read = Result<(u16, Vec<u8>, usize, bool), FramingError>;

/// Feeds the bytes in segments that end at the given offsets, then the end of the stream.
fn read(bytes: &[u8], cuts: &[usize]) -> Read {
    let mut framing = Framing::new(false);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    for end in ends {
        if framing.advance(&bytes[..end])? {
            break;
        }
    }
    framing.end_of_stream(bytes)?;
    Ok((framing.status(), framing.body(bytes).to_vec(), framing.end(), framing.keep_alive()))
}

/// How a server says where the body ends.
#[derive(Debug, Clone, Copy)]
enum Framed {
    ByLength,
    InChunks(usize),
    ByClosing,
}

fn answer(status: u16, interim: bool, body: &[u8], framed: Framed) -> Vec<u8> {
    let mut bytes = Vec::new();
    if interim {
        bytes.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n");
    }
    bytes.extend_from_slice(format!("HTTP/1.1 {status} Some Words\r\nserver: test\r\n").as_bytes());
    match framed {
        Framed::ByLength => {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(body);
        }
        Framed::InChunks(size) => {
            bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in body.chunks(size) {
                bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\nx-trailer: 1\r\n\r\n");
        }
        Framed::ByClosing => {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(body);
        }
    }
    bytes
}

fn framed() -> impl Strategy<Value = Framed> {
    prop_oneof![Just(Framed::ByLength), (1..100_usize).prop_map(Framed::InChunks), Just(Framed::ByClosing)]
}

proptest! {
    #[test]
    fn segmentation_does_not_matter(
        status in 200..600_u16,
        interim: bool,
        body in prop::collection::vec(any::<u8>(), 0..500),
        framed in framed(),
        cuts in prop::collection::vec(any::<usize>(), 0..50),
    ) {
        prop_assume!(status != 204 && status != 304);
        let bytes = answer(status, interim, &body, framed);
        let kept = !matches!(framed, Framed::ByClosing);
        prop_assert_eq!(read(&bytes, &cuts), Ok((status, body, bytes.len(), kept)));
    }

    #[test]
    fn a_part_of_an_answer_is_never_taken_for_the_whole(
        body in prop::collection::vec(any::<u8>(), 1..200),
        chunk in prop::option::of(1..50_usize),
        cut: prop::sample::Index,
    ) {
        let bytes = answer(200, false, &body, chunk.map_or(Framed::ByLength, Framed::InChunks));
        let received = cut.index(bytes.len());
        prop_assert_eq!(read(&bytes[..received], &[]), Err(FramingError::Truncated { received }));
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_are_read_alike(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            // Bytes that get further than the first one.
            "HTTP/1\\.1 [1-5][0-9]{2} \r\n(content-length: [0-9]{1,3}\r\n|transfer-encoding: (chunked|gzip)\r\n|connection: close\r\n){0,3}\r\n([0-9a-f]{0,3}\r?\n?){0,20}"
                .prop_map(String::into_bytes),
        ],
        cuts in prop::collection::vec(any::<usize>(), 0..50),
    ) {
        prop_assert_eq!(read(&bytes, &cuts), read(&bytes, &[]));
    }
}

#[test]
fn framing_that_cannot_be_trusted_is_refused() {
    for (head, error) in [
        ("content-length: 1\r\ncontent-length: 2", FramingError::Length),
        ("content-length: +1", FramingError::Length),
        ("content-length: 1, 1", FramingError::Length),
        ("content-length:", FramingError::Length),
        ("transfer-encoding: gzip", FramingError::TransferEncoding),
        ("transfer-encoding: gzip, chunked", FramingError::TransferEncoding),
        ("transfer-encoding: chunked\r\ncontent-length: 1", FramingError::TransferEncoding),
        ("content-length: 99999999999", FramingError::TooLong),
        ("content-length: 99999999999999999999999", FramingError::Length),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        assert_eq!(read(bytes.as_bytes(), &[]), Err(error), "{head}");
    }
    assert_eq!(read(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n", &[]), Err(FramingError::Upgrade));
    assert_eq!(
        read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokk\r\n", &[]),
        Err(FramingError::Chunk)
    );
}

#[test]
fn garbage_is_refused_at_its_first_wrong_byte() {
    let version = FramingError::Syntax(httparse::Error::Version);
    assert_eq!(Framing::new(false).advance(b"SSH-2.0-x"), Err(version.clone()));
    // An interim answer does not open the door to it.
    assert_eq!(read(b"HTTP/1.1 100 Continue\r\n\r\nSSH-2.0-x", &[25]), Err(version));
}

#[test]
fn endless_answers_are_cut_off() {
    let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
    bytes.resize(70_000, b'a');
    assert_eq!(read(&bytes, &[]), Err(FramingError::TooLong));
    let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    bytes.resize(MAX_ANSWER + 1, b'a');
    assert_eq!(read(&bytes, &[]), Err(FramingError::TooLong));
}

#[test]
fn a_connection_is_kept_as_its_version_and_options_say() {
    for (version, options, kept) in [
        ("1.1", "", true),
        ("1.1", "connection: close\r\n", false),
        ("1.1", "connection: Upgrade, Close\r\n", false),
        ("1.1", "connection: close\r\nconnection: keep-alive\r\n", false),
        ("1.0", "", false),
        ("1.0", "connection: Keep-Alive\r\n", true),
    ] {
        let bytes = format!("HTTP/{version} 200 OK\r\n{options}content-length: 0\r\n\r\n");
        let (.., kept_alive) = read(bytes.as_bytes(), &[]).expect("an answer");
        assert_eq!(kept_alive, kept, "HTTP/{version} {options}");
    }
}
