//! Checks of sound formats that take more than a signature.

/// Only so much is searched for a frame, besides its header.
const SEARCH_BYTES: usize = 2048;
const HEADER_BYTES: usize = 4;
/// So many headers in a row settle it; at the end of what we see, so many.
const FRAMES_ENOUGH: usize = 10;
const FRAMES_ENOUGH_CUT: usize = 2;
/// Largest believable ID3 tag.
const TAG_BYTES_MAX: u32 = 10 * 1024 * 1024;

pub(super) fn mp3(head: super::Head<'_>) -> bool {
    const SHOCKWAVE: [u8; 10] = [0, 0, 1, 0x40, 0, 0, 0, 3, 0, 0];
    let bytes = head.bytes;
    let [first, second, _, ..] = bytes else { return false };
    if id3(bytes) {
        return true;
    }
    // Layer III of versions 1, 2 and 2.5, layer II of 1 and 2, layer I of 2.
    match u16::from_be_bytes([*first, *second]) & 0xFFFE {
        0xFFFA | 0xFFF2 | 0xFFE2 | 0xFFFC | 0xFFF4 => return true,
        _ => {}
    }
    // Both of these contain MP3 frames without being MP3.
    if bytes.starts_with(b"MO3") || bytes.starts_with(&SHOCKWAVE) {
        return false;
    }
    has_frames(bytes)
}

/// An ID3 tag of version 2.2 to 2.4 with a believable size.
fn id3(bytes: &[u8]) -> bool {
    let [b'I', b'D', b'3', 2..=4, 0, flags, a, b, c, d, ..] = *bytes else { return false };
    let size = [a, b, c, d].iter().fold(0, |size, byte| size << 7 | u32::from(*byte));
    flags & 0x0F == 0 && (a | b | c | d) & 0x80 == 0 && size > 0 && size < TAG_BYTES_MAX
}

/// Whether frames of layer III follow each other somewhere near the start.
fn has_frames(bytes: &[u8]) -> bool {
    let searched = bytes.len().min(SEARCH_BYTES + HEADER_BYTES).saturating_sub(HEADER_BYTES);
    let mut starts = bytes[..searched].iter().enumerate().filter(|(_, byte)| **byte == 0xFF);
    starts.any(|(at, _)| {
        let Some(frame) = Frame::at(bytes, at) else { return false };
        (at + frame.bytes <= bytes.len() && frame.continues(bytes, at))
            || (at == 0 && frame.bytes == bytes.len())
    })
}

struct Frame {
    header: [u8; HEADER_BYTES],
    /// Length with padding.
    bytes: usize,
}

impl Frame {
    /// Reads a header of layer III, MPEG 1, 2 or 2.5, with a fixed bit rate.
    fn at(bytes: &[u8], at: usize) -> Option<Frame> {
        let header: [u8; HEADER_BYTES] = *bytes.get(at..)?.first_chunk()?;
        let [sync, version, rates, emphasis] = header;
        let (bit_rate, sample_rate) = (rates >> 4, rates >> 2 & 3);
        let valid = sync == 0xFF
            && (version & 0xF0 == 0xF0 || version & 0xFE == 0xE2)
            && version >> 1 & 3 == 1
            && !matches!(bit_rate, 0 | 15)
            && sample_rate != 3
            && emphasis & 3 != 2;
        valid
            .then(|| Frame { header, bytes: frame_bytes(version, bit_rate, sample_rate) })
            .map(|frame| Frame { bytes: frame.bytes + usize::from(rates >> 1 & 1), ..frame })
    }

    /// Whether the frames after this one are of the same stream.
    fn continues(&self, bytes: &[u8], at: usize) -> bool {
        let mut next = at + self.bytes;
        for matched in 0..FRAMES_ENOUGH {
            if next + HEADER_BYTES > bytes.len() {
                return matched >= FRAMES_ENOUGH_CUT;
            }
            let Some(frame) = Frame::at(bytes, next) else { return false };
            let same_stream = (self.header[1] ^ frame.header[1]) & 0xFE == 0
                && (self.header[2] ^ frame.header[2]) & 0x0C == 0;
            if !same_stream {
                return false;
            }
            next += frame.bytes;
        }
        true
    }
}

/// Length of a frame without padding (ISO 11172-3).
fn frame_bytes(version: u8, bit_rate: u8, sample_rate: u8) -> usize {
    const MPEG1_KBPS: [usize; 15] =
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const MPEG2_KBPS: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let mpeg1 = version & 0x08 != 0;
    let mpeg25 = version & 0x10 == 0;
    let kbps = if mpeg1 { MPEG1_KBPS } else { MPEG2_KBPS }[usize::from(bit_rate)];
    let hertz = [44_100, 48_000, 32_000][usize::from(sample_rate)];
    let hertz = hertz >> usize::from(!mpeg1) >> usize::from(mpeg25);
    let samples = if version & 14 == 2 { 576 } else { 1152 };
    samples * kbps * 125 / hertz
}
