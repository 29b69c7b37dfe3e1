//! Checks of binary formats that take more than a signature at a fixed place.

use super::scan::{Scan, find};
use super::{Head, text, zip};

/// Only so much is searched for the signature of a PDF file.
const PDF_SEARCH_BYTES: usize = 1024;
const PNG_CHUNKS_MAX: usize = 32;
const TAR_HEADER_BYTES: usize = 512;

pub(super) fn pdf(head: Head<'_>) -> bool {
    find(&head.bytes[..head.bytes.len().min(PDF_SEARCH_BYTES)], b"%PDF-").is_some()
}

/// A PNG file with an animation control chunk before its first image.
pub(super) fn animated_png(head: Head<'_>) -> bool {
    let mut scan = Scan(head.bytes);
    scan.skip(8);
    for _ in 0..PNG_CHUNKS_MAX {
        let Some(length) = scan.0.first_chunk().map(|chunk| u32::from_be_bytes(*chunk)) else {
            return false;
        };
        scan.skip(4);
        if scan.0.starts_with(b"acTL") {
            return true;
        }
        if scan.0.starts_with(b"IDAT") || !scan.skip(length.wrapping_add(8) as usize) {
            return false;
        }
    }
    false
}

/// JPEG 2000 with the given brand.
pub(super) fn jpeg_2000(head: Head<'_>, brand: &[u8; 4]) -> bool {
    head.bytes.len() >= 24
        && matches!(&head.bytes[4..8], b"jP  " | b"jP2 ")
        && head.bytes[20..24] == *brand
}

/// A RIFF or IFF container (`form`) of a type. Something must follow the type.
pub(super) fn container(head: Head<'_>, form: &[u8; 4], kind: &[u8]) -> bool {
    head.bytes.len() > 8 + kind.len()
        && head.bytes.starts_with(form)
        && head.bytes[8..].starts_with(kind)
}

pub(super) fn bmp(head: Head<'_>) -> bool {
    head.bytes.starts_with(b"BM")
        && head.bytes.len() >= 18
        && matches!(le32(head, 14), 16 | 24 | 40 | 48 | 52 | 56 | 64 | 108 | 124)
}

pub(super) fn dwg(head: Head<'_>) -> bool {
    const VERSIONS: [&[u8; 4]; 15] = [
        b"1.40", b"1.50", b"2.10", b"1002", b"1003", b"1004", b"1006", b"1009", b"1012", b"1014",
        b"1015", b"1018", b"1021", b"1024", b"1032",
    ];
    head.bytes.strip_prefix(b"AC").is_some_and(|rest| VERSIONS.iter().any(|v| rest.starts_with(*v)))
}

pub(super) fn djvu(head: Head<'_>) -> bool {
    head.bytes.strip_prefix(b"AT&TFORM").and_then(|rest| rest.get(4..)).is_some_and(|rest| {
        [b"DJVM", b"DJVU", b"DJVI", b"THUM"].iter().any(|kind| rest.starts_with(*kind))
    })
}

/// A PKCS 7 signature, as PEM or DER.
pub(super) fn pkcs7(head: Head<'_>) -> bool {
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07";
    let der = |length_bytes: u8| {
        head.bytes.starts_with(&[0x30, 0x80 + length_bytes])
            && head.bytes[2 + usize::from(length_bytes)..].starts_with(SIGNED_DATA)
    };
    head.bytes.starts_with(b"-----BEGIN PKCS7") || (head.bytes.len() >= 20 && (0..=4).any(der))
}

pub(super) fn lotus(head: Head<'_>) -> bool {
    if head.bytes.len() <= 20 {
        return false;
    }
    match head.bytes[..4] {
        [0, 0, 2, 0] => head.bytes[6] != 0 && head.bytes[7] == 0,
        [0, 0, 0x1A, 0] => (1..32).contains(&head.bytes[20]),
        _ => false,
    }
}

pub(super) fn frame_maker(head: Head<'_>) -> bool {
    let named = head.bytes.starts_with(b"<MakerFile")
        || head.bytes.starts_with(b"<MakerDictionary")
        || super::scan::starts_with_any_case(head.bytes, b"<BOOKFILE");
    named && head.bytes[..head.bytes.len().min(512)].contains(&0)
}

pub(super) fn ogg_audio(head: Head<'_>) -> bool {
    ogg(head, &[b"\x7FFLAC", b"\x01vorbis", b"OpusHead", b"Speex   "])
}

pub(super) fn ogg_video(head: Head<'_>) -> bool {
    ogg(head, &[b"\x80theora", b"fishead\0", b"\x01video\0\0\0"])
}

fn ogg(head: Head<'_>, codecs: &[&[u8]]) -> bool {
    head.bytes.len() >= 37 && codecs.iter().any(|codec| head.bytes[28..].starts_with(codec))
}

pub(super) fn quick_time(head: Head<'_>) -> bool {
    const ATOMS: [&[u8]; 5] = [b"moov\0", b"mdat\0", b"free\0", b"skip\0", b"pnot\0"];
    if head.bytes.len() < 12 {
        return false;
    }
    if matches!(&head.bytes[4..12], b"ftypqt  " | b"ftypmoov") {
        return head.bytes[0] == 0;
    }
    ATOMS.contains(&&head.bytes[4..9]) || head.bytes.starts_with(b"\0\0\0\x08wide")
}

pub(super) fn mp4(head: Head<'_>) -> bool {
    head.bytes.len() >= 12 && head.bytes[0] == 0 && head.bytes[4..8] == *b"ftyp"
}

/// An ISO media file with one of the major brands.
pub(super) fn brand(head: Head<'_>, brands: &[&[u8; 4]]) -> bool {
    head.bytes.len() >= 12 && brands.iter().any(|brand| head.bytes[8..12] == **brand)
}

/// A Matroska file whose document type is `kind`.
pub(super) fn matroska(head: Head<'_>, kind: &[u8]) -> bool {
    if !head.bytes.starts_with(b"\x1A\x45\xDF\xA3") {
        return false;
    }
    let Some(at) = find(head.bytes, b"\x42\x82") else { return false };
    let Some(length) = head.bytes.get(at + 2) else { return false };
    // The length of the name is a number of 1 to 8 bytes; the first tells how many.
    let length_bytes = (length.leading_zeros() as usize + 1).min(8);
    head.bytes.get(at + 2 + length_bytes..).is_some_and(|rest| rest.starts_with(kind))
}

pub(super) fn mpeg(head: Head<'_>) -> bool {
    matches!(head.bytes, [0, 0, 1, 0xB0..=0xBF, ..])
}

pub(super) fn aac(head: Head<'_>) -> bool {
    matches!(head.bytes, [0xFF, 0xF1 | 0xF9, ..])
}

/// Java classes and Mach-O programs for several machines share their signature.
pub(super) fn class(head: Head<'_>) -> bool {
    head.bytes.starts_with(b"\xCA\xFE\xBA\xBE") && head.bytes.get(7).is_some_and(|byte| *byte > 30)
}

pub(super) fn mach_o(head: Head<'_>) -> bool {
    let fat = head.bytes.starts_with(b"\xCA\xFE\xBA\xBE")
        && head.bytes.get(7).is_some_and(|byte| *byte < 0x14);
    fat || matches!(
        head.bytes,
        [0xFE, 0xED, 0xFA, 0xCE | 0xCF, ..] | [0xCE | 0xCF, 0xFA, 0xED, 0xFE, ..]
    )
}

/// ELF files of a type: 1 object, 2 program, 3 library, 4 core dump.
pub(super) fn elf(head: Head<'_>, kind: u8) -> bool {
    head.bytes.get(16..18).is_some_and(|bytes| bytes == [kind, 0] || bytes == [0, kind])
}

pub(super) fn dbase(head: Head<'_>) -> bool {
    const TYPES: [u8; 22] = [
        0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x42, 0x62, 0x7B, 0x82, 0x83, 0x87, 0x8A, 0x8B,
        0x8E, 0xB3, 0xCB, 0xE5, 0xF5, 0xF4, 0xFB,
    ];
    let bytes = head.bytes;
    bytes.len() >= 68
        && TYPES.contains(&bytes[0])
        && (1..=12).contains(&bytes[2])
        && (1..=31).contains(&bytes[3])
        && bytes[12..14] == [0, 0]
        && bytes[30..32] == [0, 0]
        && bytes[28] <= 1
}

pub(super) fn marc(head: Head<'_>) -> bool {
    head.bytes.len() >= 24
        && head.bytes[20..24] == *b"4500"
        && head.bytes[..5].iter().all(u8::is_ascii_digit)
        && head.bytes[..head.bytes.len().min(2048)].contains(&0x1E)
}

pub(super) fn tzif(head: Head<'_>) -> bool {
    head.bytes.len() >= 44
        && head.bytes.starts_with(b"TZif")
        && matches!(head.bytes[4], 0 | b'2' | b'3')
        && head.bytes[36..40] != [0; 4]
}

/// Python's compiled files: version, CR LF, flags. Those of Python 2 and before have no flags.
pub(super) fn python(head: Head<'_>) -> bool {
    let [low, high, b'\r', b'\n', rest @ ..] = head.bytes else { return false };
    let Some(flags) = rest.first_chunk().map(|chunk| u32::from_le_bytes(*chunk)) else {
        return false;
    };
    let magic = u16::from_le_bytes([*low, *high]);
    let before_flags = matches!(
        magic,
        5892 | 11913 | 20121 | 50428 | 50429 | 50823 | 50824 | 60202 | 60203 | 60717 | 60718 | 62011
            ..=62211
    ) || matches!(magic, 3000..=3394);
    before_flags
        || (flags <= 3 && (matches!(high, 13 | 14) || matches!(magic, 240 | 256 | 336 | 384 | 416)))
}

pub(super) fn chrome_extension(head: Head<'_>) -> bool {
    if !head.bytes.starts_with(b"Cr24") || head.bytes.len() < 16 {
        return false;
    }
    let at = 16 + u64::from(le32(head, 8)) + u64::from(le32(head, 12));
    let archive = usize::try_from(at).ok().and_then(|at| head.bytes.get(at..));
    archive.is_some_and(|bytes| zip::zip(Head { bytes, ..head }))
}

pub(super) fn zstd(head: Head<'_>) -> bool {
    head.bytes.len() >= 4
        && matches!(le32(head, 0), 0xFD2F_B522..=0xFD2F_B528 | 0x184D_2A50..=0x184D_2A5F)
}

/// A zlib stream, unless it could as well be text.
pub(super) fn zlib(head: Head<'_>) -> bool {
    let [b'x', second, ..] = *head.bytes else { return false };
    u16::from_be_bytes([b'x', second]).is_multiple_of(31) && !text::plain(head)
}

pub(super) fn cpio(head: Head<'_>) -> bool {
    head.bytes.len() >= 6
        && (head.bytes.starts_with(&[0xC7, 0x71])
            || matches!(&head.bytes[..6], b"070707" | b"070701" | b"070702"))
}

pub(super) fn install_shield(head: Head<'_>) -> bool {
    matches!(head.bytes, [b'I', b'S', b'c', b'(', _, _, 0, 1 | 2 | 4, ..])
}

pub(super) fn pcap(head: Head<'_>) -> bool {
    matches!(
        head.bytes,
        [0xA1, 0xB2, 0xC3, 0xD4, ..]
            | [0xA1, 0xB2, 0x3C, 0x4D, ..]
            | [0xD4, 0xC3, 0xB2, 0xA1, ..]
            | [0x4D, 0x3C, 0xB2, 0xA1, ..]
    )
}

/// Weather data in one of two editions, told by the eighth byte.
pub(super) fn meteo(head: Head<'_>, name: &[u8; 4], editions: [u8; 2]) -> bool {
    head.bytes.starts_with(name) && head.bytes.get(7).is_some_and(|byte| editions.contains(byte))
}

/// A tar archive, by the checksum of its first header.
pub(super) fn tar(head: Head<'_>) -> bool {
    let Some(header) = head.bytes.get(..TAR_HEADER_BYTES) else { return false };
    // Gentoo's binary packages are tar archives of another type.
    if find(&header[..100], b"/gpkg-1\0").is_some() {
        return false;
    }
    let checksum = &header[148..156];
    let trimmed = |byte: &&u8| matches!(byte, b' ' | 0);
    let start = checksum.iter().take_while(trimmed).count();
    let end = checksum.len() - checksum.iter().rev().take_while(trimmed).count();
    let Some(digits) = checksum.get(start..end).filter(|digits| !digits.is_empty()) else {
        return false;
    };
    let digits = digits.split(|byte| *byte == 0).next().unwrap_or(digits);
    let Some(recorded) = octal(digits) else { return false };
    // The field itself counts as spaces. Some old programs summed signed bytes.
    let counted = || {
        header
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte })
    };
    recorded == counted().map(i64::from).sum::<i64>()
        || recorded == counted().map(|byte| i64::from(byte.cast_signed())).sum::<i64>()
}

fn octal(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        matches!(digit, b'0'..=b'7').then(|| value << 3 | i64::from(digit - b'0'))
    })
}

pub(super) fn true_type(head: Head<'_>) -> bool {
    const TABLES: &[&[u8; 4]] = &[
        b"acnt", b"ankr", b"avar", b"bdat", b"bhed", b"bloc", b"bsln", b"cmap", b"cvar", b"cvt ",
        b"EBSC", b"fdsc", b"feat", b"fmtx", b"fond", b"fpgm", b"fvar", b"gasp", b"gcid", b"glyf",
        b"gvar", b"hdmx", b"head", b"hhea", b"hmtx", b"hvgl", b"hvpm", b"just", b"kern", b"kerx",
        b"lcar", b"loca", b"ltag", b"maxp", b"meta", b"mort", b"morx", b"name", b"opbd", b"OS/2",
        b"GSUB", b"GPOS", b"BASE", b"JSTF", b"GDEF", b"MATH", b"CBDT", b"CBLC", b"CFF ", b"CFF2",
        b"COLR", b"CPAL", b"DSIG", b"EBDT", b"EBLC", b"HVAR", b"LTSH", b"MERG", b"MVAR", b"PCLT",
        b"post", b"prep", b"sbix", b"STAT", b"SVG ", b"VDMX", b"vhea", b"vmtx", b"VORG", b"VVAR",
    ];
    head.bytes.starts_with(&[0, 1, 0, 0])
        && head.bytes.get(12..16).is_some_and(|first| TABLES.iter().any(|table| first == *table))
}

pub(super) fn open_type(head: Head<'_>) -> bool {
    head.bytes.len() > 48
        && head.bytes.starts_with(b"OTTO\0")
        && find(&head.bytes[12..48], b"CFF ").is_some()
}

pub(super) fn embedded_open_type(head: Head<'_>) -> bool {
    head.bytes.len() > 35
        && head.bytes[34..36] == *b"LP"
        && matches!(head.bytes[8..11], [2, 0, 1] | [1, 0, 0] | [2, 0, 2])
}

/// Shape files have a header in mixed byte orders, and a type that must be known.
pub(super) fn shape(head: Head<'_>) -> bool {
    head.bytes.len() >= 112
        && head.bytes[4..24].iter().all(|byte| *byte == 0)
        && le32(head, 28) == 1000
        && matches!(le32(head, 108), 0 | 1 | 3 | 5 | 8 | 11 | 13 | 15 | 18 | 21 | 23 | 25 | 28 | 31)
}

/// The little-endian number at `at`, which must be in sight.
fn le32(head: Head<'_>, at: usize) -> u32 {
    let bytes = &head.bytes[at..at + 4];
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
