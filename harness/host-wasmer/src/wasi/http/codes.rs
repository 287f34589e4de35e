//! The errors of `wasi:http`.

use crate::abi::{record, variant};

record! {
    /// What a name server said.
    pub struct DnsErrorPayload {
        /// In words.
        rcode: Option<String>,
        /// In a number.
        info_code: Option<u16>,
    }
}

record! {
    /// What the other side of TLS said.
    pub struct TlsAlertPayload {
        /// In a number.
        id: Option<u8>,
        /// In words.
        message: Option<String>,
    }
}

record! {
    /// Which field was too large.
    pub struct FieldSizePayload {
        /// Its name.
        name: Option<String>,
        /// Its size in bytes.
        size: Option<u32>,
    }
}

variant! {
    /// Why a request or an answer failed. The cases are those of the interface, in its order; what they mean is said there.
    #[expect(missing_docs, reason = "the interface says what its cases mean")]
    pub enum ErrorCode {
        DnsTimeout,
        DnsError(DnsErrorPayload),
        DestinationNotFound,
        DestinationUnavailable,
        DestinationIpProhibited,
        DestinationIpUnroutable,
        ConnectionRefused,
        ConnectionTerminated,
        ConnectionTimeout,
        ConnectionReadTimeout,
        ConnectionWriteTimeout,
        ConnectionLimitReached,
        TlsProtocolError,
        TlsCertificateError,
        TlsAlertReceived(TlsAlertPayload),
        HttpRequestDenied,
        HttpRequestLengthRequired,
        HttpRequestBodySize(Option<u64>),
        HttpRequestMethodInvalid,
        HttpRequestUriInvalid,
        HttpRequestUriTooLong,
        HttpRequestHeaderSectionSize(Option<u32>),
        HttpRequestHeaderSize(Option<FieldSizePayload>),
        HttpRequestTrailerSectionSize(Option<u32>),
        HttpRequestTrailerSize(FieldSizePayload),
        HttpResponseIncomplete,
        HttpResponseHeaderSectionSize(Option<u32>),
        HttpResponseHeaderSize(FieldSizePayload),
        HttpResponseBodySize(Option<u64>),
        HttpResponseTrailerSectionSize(Option<u32>),
        HttpResponseTrailerSize(FieldSizePayload),
        HttpResponseTransferCoding(Option<String>),
        HttpResponseContentCoding(Option<String>),
        HttpResponseTimeout,
        HttpUpgradeFailed,
        HttpProtocolError,
        LoopDetected,
        ConfigurationError,
        InternalError(Option<String>),
    }
}
