//! Entries on their way: bytes that are quick to write, from which the stored form is made later.
//!
//! Numbers are little-endian; a text is its length in bytes (4) and then the bytes. Each entry
//! begins with the length of the rest (4), so that what cannot be read costs no others.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::Form;
use super::data::{message_of_request, request_data, truncated, without_secrets};

/// What is kept of the parts of a request; what is longer ends in `…` as three dots.
///
/// Source: PocketBase `apis/middlewares.go` (`logRequest`).
const METHOD_BYTES_MAX: usize = 50;
const URL_BYTES_MAX: usize = 3_000;
const HEADER_BYTES_MAX: usize = 2_000;

/// Bytes of a message at most. Source: PocketBase `core/log_model.go`.
const MESSAGE_BYTES_MAX: usize = 8_000;

/// PocketBase's levels are those of Go's `slog`.
const INFO: i64 = 0;
const ERROR: i64 = 8;

/// Digits of the time in an id: good until the year 5188.
const ID_TIME_DIGITS: usize = 9;
const ID_NUMBER_DIGITS: usize = 6;

/// How a request went.
#[derive(Debug, Clone, Copy)]
pub struct RequestEntry<'a> {
    /// When it was answered, in milliseconds of Unix time.
    pub at_ms: i64,
    pub took: Duration,
    pub method: &'a str,
    /// Path and query as they were sent.
    pub url: &'a str,
    pub status: u16,
    pub referer: &'a [u8],
    pub user_agent: &'a [u8],
    /// The name of the collection and, where it is logged, the id of who sent it.
    pub auth: Option<(&'a str, Option<&'a str>)>,
    /// The client's and the peer's, where they are logged.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// If it was refused: what the client was told, and more of it, as JSON.
    pub failure: Option<(&'a str, &'a str)>,
}

/// What the process has to say.
#[derive(Debug, Clone, Copy)]
pub struct MessageEntry<'a> {
    pub at_ms: i64,
    /// As in Go's `slog`: 4 is a warning, 8 an error.
    pub level: i64,
    pub message: &'a str,
    /// A JSON object.
    pub data: &'a str,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: String,
    /// In PocketBase's form.
    pub(crate) created: String,
    pub(crate) level: i64,
    pub(crate) message: String,
    pub(crate) data: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Request = 1,
    Message = 2,
}

impl RequestEntry<'_> {
    pub(super) fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_entry(Kind::Request, self.at_ms, number, out, |out| {
            let took = u64::try_from(self.took.as_nanos()).unwrap_or(u64::MAX);
            out.extend_from_slice(&took.to_le_bytes());
            out.extend_from_slice(&self.status.to_le_bytes());
            write_cut(out, self.method.as_bytes(), METHOD_BYTES_MAX);
            write_cut(out, without_secrets(self.url).as_bytes(), URL_BYTES_MAX);
            write_referer(out, self.referer);
            write_cut(out, self.user_agent, HEADER_BYTES_MAX);
            let (collection, id) = match self.auth {
                Some((collection, id)) => (collection, id),
                None => ("", None),
            };
            write_text(out, collection.as_bytes());
            write_optional(out, id, |out, id| write_text(out, id.as_bytes()));
            write_optional(out, self.addresses, |out, (client, peer)| {
                write_address(out, client);
                write_address(out, peer);
            });
            write_optional(out, self.failure, |out, (words, details)| {
                write_text(out, words.as_bytes());
                write_text(out, details.as_bytes());
            });
        });
    }
}

impl MessageEntry<'_> {
    pub(super) fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_entry(Kind::Message, self.at_ms, number, out, |out| {
            out.extend_from_slice(&self.level.to_le_bytes());
            write_text(out, self.message.as_bytes());
            write_text(out, self.data.as_bytes());
        });
    }
}

fn write_entry(
    kind: Kind,
    at_ms: i64,
    number: u32,
    out: &mut Vec<u8>,
    rest: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(kind as u8);
    out.extend_from_slice(&at_ms.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    rest(out);
    let length = length_of(out.len() - start - 4);
    out[start..start + 4].copy_from_slice(&length);
}

fn length_of(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&length_of(text.len()));
    out.extend_from_slice(text);
}

fn write_cut(out: &mut Vec<u8>, text: &[u8], bytes_max: usize) {
    const ELLIPSIS: &[u8] = b"...";
    if text.len() <= bytes_max {
        return write_text(out, text);
    }
    out.extend_from_slice(&length_of(bytes_max + ELLIPSIS.len()));
    out.extend_from_slice(&text[..bytes_max]);
    out.extend_from_slice(ELLIPSIS);
}

/// Another URL.
fn write_referer(out: &mut Vec<u8>, referer: &[u8]) {
    if !referer.contains(&b'?') {
        return write_cut(out, referer, HEADER_BYTES_MAX);
    }
    let referer = String::from_utf8_lossy(referer);
    write_cut(out, without_secrets(&referer).as_bytes(), HEADER_BYTES_MAX);
}

fn write_optional<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        write(out, value);
    }
}

fn write_address(out: &mut Vec<u8>, address: IpAddr) {
    out.push(u8::from(address.is_ipv4()));
    let wide = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    out.extend_from_slice(&wide.octets());
}

/// The entries in some bytes, as they are to be stored. What is none, as a disk may have it, is left
/// out.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
    form: Form<'a>,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(bytes: &'a [u8], form: Form<'a>) -> Entries<'a> {
        Entries { rest: bytes, form }
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let length = u32::from_le_bytes(self.rest.first_chunk().copied()?);
            let length = usize::try_from(length).ok()?;
            let (entry, rest) = self.rest[4..].split_at_checked(length)?;
            self.rest = rest;
            if let Some(entry) = read_entry(&mut Bytes(entry), self.form) {
                return Some(entry);
            }
        }
    }
}

/// A request as it is read back.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) took_ns: u64,
    pub(super) status: u16,
    pub(super) method: &'a [u8],
    pub(super) url: &'a [u8],
    pub(super) referer: &'a [u8],
    pub(super) user_agent: &'a [u8],
    pub(super) auth: &'a [u8],
    pub(super) auth_id: Option<&'a [u8]>,
    pub(super) addresses: Option<(IpAddr, IpAddr)>,
    pub(super) failure: Option<(&'a [u8], &'a [u8])>,
}

fn read_entry(bytes: &mut Bytes<'_>, form: Form<'_>) -> Option<Entry> {
    let kind = bytes.take(1)?[0];
    let at_ms = i64::from_le_bytes(bytes.array()?);
    let number = u32::from_le_bytes(bytes.array()?);
    let (level, message, data) = match kind {
        kind if kind == Kind::Request as u8 => {
            let request = read_request(bytes)?;
            let level = if request.failure.is_some() { ERROR } else { INFO };
            (level, message_of_request(&request), request_data(&request, form.server))
        }
        kind if kind == Kind::Message as u8 => {
            let level = i64::from_le_bytes(bytes.array()?);
            let message = String::from_utf8_lossy(bytes.text()?).into_owned();
            (level, message, String::from_utf8_lossy(bytes.text()?).into_owned())
        }
        _ => return None,
    };
    Some(Entry {
        id: id(at_ms, number),
        created: pando_schema::DateTime::from_unix_ms(at_ms).stored(),
        level,
        message: cut(message),
        data: truncated(data, form.data_bytes_max),
    })
}

fn read_request<'a>(bytes: &mut Bytes<'a>) -> Option<Request<'a>> {
    Some(Request {
        took_ns: u64::from_le_bytes(bytes.array()?),
        status: u16::from_le_bytes(bytes.array()?),
        method: bytes.text()?,
        url: bytes.text()?,
        referer: bytes.text()?,
        user_agent: bytes.text()?,
        auth: bytes.text()?,
        auth_id: bytes.optional(Bytes::text)?,
        addresses: bytes.optional(|bytes| Some((bytes.address()?, bytes.address()?)))?,
        failure: bytes.optional(|bytes| Some((bytes.text()?, bytes.text()?)))?,
    })
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn address(&mut self) -> Option<IpAddr> {
        let v4 = self.take(1)?[0] == 1;
        let wide = Ipv6Addr::from(self.array::<16>()?);
        Some(match wide.to_ipv4_mapped() {
            Some(address) if v4 => IpAddr::V4(address),
            _ => IpAddr::V6(wide),
        })
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Bytes<'a>) -> Option<T>) -> Option<Option<T>> {
        match self.take(1)?[0] {
            0 => Some(None),
            _ => read(self).map(Some),
        }
    }
}

/// Fifteen characters that grow with time: entries are put at the end of the index of ids, and not
/// all over it. Two entries have the same one if they are the same.
fn id(at_ms: i64, number: u32) -> String {
    let mut digits = [b'0'; ID_TIME_DIGITS + ID_NUMBER_DIGITS];
    let (time, count) = digits.split_at_mut(ID_TIME_DIGITS);
    write_base36(u64::try_from(at_ms).unwrap_or_default(), time);
    write_base36(number.into(), count);
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// The last digits of a number.
fn write_base36(mut number: u64, digits: &mut [u8]) {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(number % 36).unwrap_or_default()];
        number /= 36;
    }
}

fn cut(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    }
    message
}
