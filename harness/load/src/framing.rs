//! Where an HTTP/1.1 answer ends: an incremental reader of the framing rules of RFC 9112, section 6.

use std::mem::MaybeUninit;

use httparse::Status;

/// The longest answer that is taken: 2 MiB. The whole of an answer is kept until it has been checked, on each of the connections
/// of a load, and twice where it comes in chunks.
pub const MAX_ANSWER: usize = 2 << 20;

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// The most header fields (and trailer fields) of an answer.
const MAX_FIELDS: usize = 64;

/// An answer that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// The head or the trailer is not HTTP.
    #[error("not a well-formed HTTP/1.1 answer: {0}")]
    Syntax(#[from] httparse::Error),
    /// A chunk has no valid size line or no line end after its data.
    #[error("a chunk of the body is malformed")]
    Chunk,
    /// `Content-Length` is not a number or given twice with different values.
    #[error("the content-length is not a number, or there are two different ones")]
    Length,
    /// A final transfer coding other than `chunked`, or one next to a `Content-Length`.
    #[error("the transfer-encoding is not `chunked` alone, or stands beside a content-length")]
    TransferEncoding,
    /// Status 101: nobody asked for another protocol.
    #[error("the answer switches to another protocol")]
    Upgrade,
    /// Longer than [`MAX_ANSWER`], or the head longer than 64 KiB.
    #[error("the answer is longer than the generator takes (2 MiB, 64 KiB for the head)")]
    TooLong,
    /// The connection ended before the answer did.
    #[error("the connection was closed in the middle of the answer, after {received} bytes of it")]
    Truncated {
        /// How many bytes of the answer had come.
        received: usize,
    },
}

/// How an answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the head, which begins at `Framing::at`.
    Head,
    /// In a body that ends at this offset.
    Length(usize),
    /// Before the size line of a chunk.
    ChunkSize,
    /// In the data of a chunk of which so many bytes are still to come.
    ChunkData(usize),
    /// Before the line end that follows a chunk's data.
    ChunkEnd,
    /// In the trailer fields after the last chunk.
    Trailer,
    /// In a body that ends with the connection.
    UntilClose,
    /// The answer ended at `Framing::at`.
    Complete,
}

/// Reads the framing of one answer as its bytes come in.
///
/// The caller keeps all bytes of the answer from its beginning in one buffer, appends to it, and calls
/// [`advance`](Self::advance) with the whole buffer each time.
#[derive(Debug)]
pub struct Framing {
    state: State,
    /// Everything before this offset is understood.
    at: usize,
    no_body: bool,
    status: u16,
    keep_alive: bool,
    /// The offset of the body in the buffer, when it stands there in one piece.
    body_start: usize,
    /// The body put together, when it came in chunks.
    chunks: Option<Vec<u8>>,
}

impl Framing {
    /// A reader for the answer to a request, which `to_head` tells to be a `HEAD` request.
    pub fn new(to_head: bool) -> Self {
        Self { state: State::Head, at: 0, no_body: to_head, status: 0, keep_alive: true, body_start: 0, chunks: None }
    }

    /// Reads on in `received`, all bytes of the answer so far, and tells whether the answer is complete.
    ///
    /// # Errors
    /// [`FramingError`] if this is no answer, or one that is too long. The connection is of no more use then.
    pub fn advance(&mut self, received: &[u8]) -> Result<bool, FramingError> {
        loop {
            let went_on = match self.state {
                State::Head => self.head(received)?,
                State::Length(end) => self.length(received, end),
                State::ChunkSize => self.chunk_size(received)?,
                State::ChunkData(left) => self.chunk_data(received, left),
                State::ChunkEnd => self.chunk_end(received)?,
                State::Trailer => self.trailer(received)?,
                State::UntilClose => false,
                State::Complete => return Ok(true),
            };
            if !went_on {
                return if received.len() > MAX_ANSWER { Err(FramingError::TooLong) } else { Ok(false) };
            }
        }
    }

    /// Takes note that the connection has ended after `received`.
    ///
    /// # Errors
    /// [`FramingError::Truncated`] if more of the answer was due.
    pub fn end_of_stream(&mut self, received: &[u8]) -> Result<(), FramingError> {
        match self.state {
            State::Complete => Ok(()),
            State::UntilClose => {
                self.at = received.len();
                self.state = State::Complete;
                Ok(())
            }
            _ => Err(FramingError::Truncated { received: received.len() }),
        }
    }

    /// The status code; 0 before the head is complete.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection can be used for another request after this answer.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// How many bytes of the buffer belong to the answer, once it is complete. More in the buffer is nothing that was
    /// asked for.
    pub fn end(&self) -> usize {
        self.at
    }

    /// The body of a complete answer, without the chunks' framing.
    pub fn body<'a>(&'a self, received: &'a [u8]) -> &'a [u8] {
        match &self.chunks {
            Some(chunks) => chunks,
            None => received.get(self.body_start..self.at).unwrap_or_default(),
        }
    }

    fn head(&mut self, received: &[u8]) -> Result<bool, FramingError> {
        // Parsing starts over with every segment: heads nearly always come in one, and what is no head is found out at
        // its first wrong byte.
        let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            &received[self.at..],
            &mut fields,
        )?;
        let Status::Complete(length) = parsed else { return self.partial_head(received) };
        self.at += length;
        self.status = response.code.unwrap_or(0);
        let head = Head::read(&response)?;
        self.enter_body(&head)?;
        Ok(true)
    }

    fn partial_head(&self, received: &[u8]) -> Result<bool, FramingError> {
        if received.len() - self.at > MAX_HEAD { Err(FramingError::TooLong) } else { Ok(false) }
    }

    /// Section 6.3 of RFC 9112.
    fn enter_body(&mut self, head: &Head) -> Result<(), FramingError> {
        if self.status == 101 {
            return Err(FramingError::Upgrade);
        }
        if (100..200).contains(&self.status) {
            return Ok(());
        }
        self.keep_alive = head.keep_alive();
        self.body_start = self.at;
        self.state = if self.no_body || matches!(self.status, 204 | 304) {
            State::Complete
        } else if head.chunked {
            self.chunks = Some(Vec::new());
            State::ChunkSize
        } else if let Some(length) = head.content_length {
            let end = self.at.checked_add(length).filter(|&end| end <= MAX_ANSWER).ok_or(FramingError::TooLong)?;
            State::Length(end)
        } else {
            self.keep_alive = false;
            State::UntilClose
        };
        Ok(())
    }

    fn length(&mut self, received: &[u8], end: usize) -> bool {
        if received.len() < end {
            return false;
        }
        self.at = end;
        self.state = State::Complete;
        true
    }

    fn chunk_size(&mut self, received: &[u8]) -> Result<bool, FramingError> {
        match httparse::parse_chunk_size(&received[self.at..]).map_err(|_| FramingError::Chunk)? {
            Status::Partial => self.partial_head(received),
            Status::Complete((line, size)) => {
                let size = usize::try_from(size).ok().filter(|&size| size <= MAX_ANSWER);
                let size = size.ok_or(FramingError::TooLong)?;
                self.at += line;
                self.state = if size == 0 { State::Trailer } else { State::ChunkData(size) };
                Ok(true)
            }
        }
    }

    fn chunk_data(&mut self, received: &[u8], left: usize) -> bool {
        let here = left.min(received.len() - self.at);
        if let Some(chunks) = &mut self.chunks {
            chunks.extend_from_slice(&received[self.at..self.at + here]);
        }
        self.at += here;
        self.state = if here == left { State::ChunkEnd } else { State::ChunkData(left - here) };
        here == left
    }

    fn chunk_end(&mut self, received: &[u8]) -> Result<bool, FramingError> {
        match &received[self.at..] {
            [b'\r', b'\n', ..] => {
                self.at += 2;
                self.state = State::ChunkSize;
                Ok(true)
            }
            [] | [b'\r'] => Ok(false),
            _ => Err(FramingError::Chunk),
        }
    }

    fn trailer(&mut self, received: &[u8]) -> Result<bool, FramingError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        match httparse::parse_headers(&received[self.at..], &mut fields)? {
            Status::Partial => self.partial_head(received),
            Status::Complete((length, _)) => {
                self.at += length;
                self.state = State::Complete;
                Ok(true)
            }
        }
    }
}

/// What the head of an answer says about its framing.
struct Head {
    /// Whether `Connection` says that it is kept or closed, if it does; once closed is said, that holds.
    connection: Option<bool>,
    /// What is meant if it says neither: HTTP/1.1 keeps connections, HTTP/1.0 does not.
    keeps_by_default: bool,
    chunked: bool,
    content_length: Option<usize>,
}

impl Head {
    fn read(response: &httparse::Response<'_, '_>) -> Result<Self, FramingError> {
        let mut head = Self {
            connection: None,
            keeps_by_default: response.version == Some(1),
            chunked: false,
            content_length: None,
        };
        let mut coded = false;
        for field in &*response.headers {
            // Told apart by length first: nearly all fields are of no interest here.
            match field.name.len() {
                10 if field.name.eq_ignore_ascii_case("connection") => head.connection(field.value),
                14 if field.name.eq_ignore_ascii_case("content-length") => head.length(field.value)?,
                17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                    head.chunked = field.value.trim_ascii().eq_ignore_ascii_case(b"chunked") && !coded;
                    coded = true;
                }
                _ => {}
            }
        }
        if coded && (!head.chunked || head.content_length.is_some()) {
            return Err(FramingError::TransferEncoding);
        }
        Ok(head)
    }

    fn keep_alive(&self) -> bool {
        self.connection.unwrap_or(self.keeps_by_default)
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                self.connection = Some(false);
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.connection.get_or_insert(true);
            }
        }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), FramingError> {
        // Digits alone: `parse` would also take a plus sign.
        let digits = value.trim_ascii();
        let length = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or(FramingError::Length)?;
        if self.content_length.is_some_and(|other| other != length) {
            return Err(FramingError::Length);
        }
        self.content_length = Some(length);
        Ok(())
    }
}
