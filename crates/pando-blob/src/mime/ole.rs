//! Checks of Microsoft's compound files: old Office documents, installers, mails.
//!
//! Source: OpenOffice's description of the format and libmagic's `readcdf.c`. Files are cut, so
//! whatever of the directory is in sight has to do.

use super::Head;
use super::scan::find;

const MAGIC: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
const HEADER_BYTES: usize = 512;
const ENTRY_BYTES: usize = 128;
/// Largest sector size that is believed, as a power of two.
const SECTOR_POWER_MAX: u16 = 20;
const STORAGE: u8 = 1;
const STREAM: u8 = 2;
const ROOT: u8 = 5;
const INSTALLER_CLASS: [u8; 16] = [0x84, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
const SUMMARIES: [&[u8]; 2] = [b"\x05SummaryInformation", b"\x05DocumentSummaryInformation"];
/// The property of a summary that names the program which wrote it.
const PROGRAM_PROPERTY: u32 = 0x12;

/// What a compound file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    Unknown,
    Installer,
    Word,
    PowerPoint,
    Excel,
    Mail,
}

pub(super) fn ole(head: Head<'_>) -> bool {
    head.bytes.starts_with(MAGIC)
}

pub(super) fn installer(head: Head<'_>) -> bool {
    contents(head) == Contents::Installer
}

pub(super) fn word(head: Head<'_>) -> bool {
    is(head, Contents::Word, |head| {
        [6, 0, 7].iter().any(|first| {
            has_class(head, &[*first, 9, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46])
        })
    })
}

pub(super) fn excel(head: Head<'_>) -> bool {
    const STARTS: [&[u8]; 7] = [
        b"\x09\x08\x10\x00\x00\x06\x05\x00",
        b"\xFD\xFF\xFF\xFF\x10",
        b"\xFD\xFF\xFF\xFF\x1F",
        b"\xFD\xFF\xFF\xFF\x22",
        b"\xFD\xFF\xFF\xFF\x23",
        b"\xFD\xFF\xFF\xFF\x28",
        b"\xFD\xFF\xFF\xFF\x29",
    ];
    is(head, Contents::Excel, |head| {
        has_class(head, &[0x10, 8, 2, 0, 0, 0, 0, 0])
            || has_class(head, &[0x20, 8, 2, 0, 0, 0, 0, 0])
            || begins_with(head, &STARTS)
            || mentions(head, b"WksSSWorkBook")
    })
}

pub(super) fn powerpoint(head: Head<'_>) -> bool {
    const STARTS: [&[u8]; 3] = [b"\xA0\x46\x1D\xF0", b"\x00\x6E\x1E\xF0", b"\x0F\x00\xE8\x03"];
    const CLASSES: [[u8; 16]; 2] = [
        *b"\x10\x8D\x81\x64\x9B\x4F\xCF\x11\x86\xEA\x00\xAA\x00\xB9\x29\xE8",
        *b"\x70\xAE\x7B\xEA\x3B\xFB\xCD\x11\xA9\x03\x00\xAA\x00\x51\x0E\xA3",
    ];
    is(head, Contents::PowerPoint, |head| {
        CLASSES.iter().any(|class| has_class(head, class))
            || begins_with(head, &STARTS)
            || mentions(head, b"PowerPoint Document")
    })
}

pub(super) fn publisher(head: Head<'_>) -> bool {
    has_class(head, &[1, 0x12, 2, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0x46])
}

pub(super) fn mail(head: Head<'_>) -> bool {
    is(head, Contents::Mail, |head| {
        has_class(head, &[0x0B, 0x0D, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46])
    })
}

/// The directory decides; where it says nothing, `guess` does.
fn is(head: Head<'_>, wanted: Contents, guess: impl Fn(Head<'_>) -> bool) -> bool {
    match contents(head) {
        Contents::Unknown => guess(head),
        found => found == wanted,
    }
}

/// Whether the root storage, the first entry of the directory, has the class.
fn has_class(head: Head<'_>, class: &[u8]) -> bool {
    if head.bytes.len() < HEADER_BYTES {
        return false;
    }
    let sector_bytes: usize = if head.bytes[26..28] == [4, 0] { 4096 } else { 512 };
    let at = (1 + u64::from(u32_at(head.bytes, 48))) * sector_bytes as u64 + 80;
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    head.bytes.len() > at.saturating_add(16) && head.bytes[at..].starts_with(class)
}

fn begins_with(head: Head<'_>, starts: &[&[u8]]) -> bool {
    head.bytes.len() >= 520 && starts.iter().any(|start| head.bytes[512..].starts_with(start))
}

/// Whether the text stands in the file in UTF-16, its last byte aside.
fn mentions(head: Head<'_>, text: &[u8]) -> bool {
    const FROM: usize = 1152;
    let mut wide: Vec<u8> = text.iter().flat_map(|byte| [*byte, 0]).collect();
    wide.pop();
    head.bytes.len() > FROM && find(&head.bytes[FROM..], &wide).is_some()
}

fn contents(head: Head<'_>) -> Contents {
    Compound::parse(head.bytes).map_or(Contents::Unknown, |compound| compound.contents())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// The structure of a compound file, as far as it is in sight.
struct Compound<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    short_sector_bytes: usize,
    /// Streams shorter than this are in the short-stream pool.
    long_from_bytes: u32,
    /// For each sector the next one of its chain.
    next: Vec<u32>,
    first_short_table: u32,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: Vec<u8>,
    kind: u8,
    first: u32,
    size: u32,
    class: [u8; 16],
}

impl<'a> Compound<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Compound<'a>> {
        let power = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        if bytes.len() < HEADER_BYTES
            || power(30) > SECTOR_POWER_MAX
            || power(32) > SECTOR_POWER_MAX
        {
            return None;
        }
        let mut compound = Compound {
            bytes,
            sector_bytes: 1 << power(30),
            short_sector_bytes: 1 << power(32),
            long_from_bytes: u32_at(bytes, 56),
            next: Vec::new(),
            first_short_table: u32_at(bytes, 60),
            entries: Vec::new(),
        };
        if compound.sector_bytes < ENTRY_BYTES {
            return None;
        }
        // The header lists the first 109 sectors of the table; a file that needs more is so large
        // that they are out of sight.
        for at in (76..HEADER_BYTES).step_by(4) {
            let Some(sector) = compound.sector(u32_at(bytes, at)) else { break };
            compound.next.extend(sector.chunks_exact(4).map(|chunk| u32_at(chunk, 0)));
            if sector.len() < compound.sector_bytes {
                break;
            }
        }
        let directory = compound.chain(u32_at(bytes, 48));
        compound.entries = directory.chunks_exact(ENTRY_BYTES).map(Entry::parse).collect();
        Some(compound)
    }

    fn contents(&self) -> Contents {
        let root =
            self.entries.iter().find(|entry| entry.kind == ROOT && (entry.first as i32) >= 0);
        if root.is_some_and(|root| root.class == INSTALLER_CLASS) {
            return Contents::Installer;
        }
        for name in SUMMARIES {
            let entry = self.entries.iter().find(|e| e.kind == STREAM && e.name == name);
            if let Some(summary) = entry.and_then(|entry| self.stream(entry, root)) {
                return self.contents_by_summary(&summary);
            }
        }
        self.entries.iter().find_map(Entry::contents).unwrap_or(Contents::Unknown)
    }

    /// What the program that wrote the file tells, or else the names of the streams.
    fn contents_by_summary(&self, summary: &[u8]) -> Contents {
        const PROGRAMS: [(&[u8], Contents); 8] = [
            (b"WORD", Contents::Word),
            (b"EXCEL", Contents::Excel),
            (b"POWERPOINT", Contents::PowerPoint),
            (b"ADVANCED INSTALLER", Contents::Installer),
            (b"INSTALLSHIELD", Contents::Installer),
            (b"MICROSOFT PATCH COMPILER", Contents::Installer),
            (b"NANT", Contents::Installer),
            (b"WINDOWS INSTALLER", Contents::Installer),
        ];
        const NAMES: [(&[u8], Contents); 4] = [
            (b"BOOK", Contents::Excel),
            (b"WORDDOCUMENT", Contents::Word),
            (b"POWERPOINT", Contents::PowerPoint),
            (b"DIGITALSIGNATURE", Contents::Installer),
        ];
        let containing = |text: &[u8], known: &[(&[u8], Contents)]| {
            let text = text.to_ascii_uppercase();
            known.iter().find(|(word, _)| find(&text, word).is_some()).map(|(_, found)| *found)
        };
        program(summary)
            .and_then(|program| containing(&program, &PROGRAMS))
            .or_else(|| self.entries.iter().find_map(|entry| containing(&entry.name, &NAMES)))
            .unwrap_or(Contents::Unknown)
    }

    fn stream(&self, entry: &Entry, root: Option<&Entry>) -> Option<Vec<u8>> {
        let mut stream = match root {
            Some(root) if entry.size < self.long_from_bytes => self.short_chain(entry.first, root),
            _ => self.chain(entry.first),
        };
        if entry.size > 0 {
            stream.truncate(entry.size as usize);
        }
        (!stream.is_empty()).then_some(stream)
    }

    /// A sector, or what is in sight of it.
    fn sector(&self, index: u32) -> Option<&'a [u8]> {
        let start = (1 + u64::from(index)) * self.sector_bytes as u64;
        let rest = self.bytes.get(usize::try_from(start).ok()?..)?;
        Some(&rest[..rest.len().min(self.sector_bytes)]).filter(|sector| sector.len() >= 4)
    }

    /// The sectors that follow each other from `index`. Never longer than the head.
    fn chain(&self, mut index: u32) -> Vec<u8> {
        let mut chain = Vec::new();
        while let (Some(next), Some(sector)) = (self.next.get(index as usize), self.sector(index)) {
            chain.extend_from_slice(sector);
            if chain.len() >= self.bytes.len() {
                break;
            }
            index = *next;
        }
        chain
    }

    /// A chain of short sectors, which lie in the root entry's stream.
    fn short_chain(&self, mut index: u32, root: &Entry) -> Vec<u8> {
        let mut pool = self.chain(root.first);
        if root.size > 0 {
            pool.truncate(root.size as usize);
        }
        let table = self.chain(self.first_short_table);
        let mut chain = Vec::new();
        while chain.len() < pool.len() {
            let start = (index as usize).saturating_mul(self.short_sector_bytes);
            let end = start.saturating_add(self.short_sector_bytes);
            let Some(sector) = pool.get(start..end) else { break };
            chain.extend_from_slice(sector);
            let Some(next) = table.chunks_exact(4).nth(index as usize) else { break };
            index = u32_at(next, 0);
        }
        chain
    }
}

impl Entry {
    fn parse(bytes: &[u8]) -> Entry {
        let name_bytes = usize::from(u16::from_le_bytes([bytes[64], bytes[65]])).min(64);
        let units = bytes[..name_bytes].chunks_exact(2).take_while(|unit| **unit != [0, 0]);
        let mut class = [0; 16];
        class.copy_from_slice(&bytes[80..96]);
        Entry {
            name: units.map(|unit| unit[0]).collect(),
            kind: bytes[66],
            first: u32_at(bytes, 116),
            size: u32_at(bytes, 120),
            class,
        }
    }

    /// What the name alone tells.
    fn contents(&self) -> Option<Contents> {
        match (self.kind, self.name.as_slice()) {
            (STREAM, b"Book" | b"Workbook") => Some(Contents::Excel),
            (STREAM, b"WordDocument") => Some(Contents::Word),
            (STREAM, b"PowerPoint Document") => Some(Contents::PowerPoint),
            (STREAM, b"__properties_version1.0") => Some(Contents::Mail),
            (STORAGE, b"__recip_version1.0_#00000000") => Some(Contents::Mail),
            _ => None,
        }
    }
}

/// The printable part of the program's name in a summary.
fn program(summary: &[u8]) -> Option<Vec<u8>> {
    const SECTION_AT: usize = 0x1C + 16;
    const VECTOR: u32 = 0x1000;
    let section = summary.get(u32_at(summary.get(..SECTION_AT + 4)?, SECTION_AT) as usize..)?;
    let (section_bytes, count) = (u32_at(section, 0) as usize, u32_at(section, 4) as usize);
    let section = section.get(..section_bytes)?;
    let properties = section.get(8..count.checked_mul(8)?.checked_add(8)?)?;
    let property = properties.chunks_exact(8).find(|p| u32_at(p, 0) == PROGRAM_PROPERTY)?;
    let value = section.get(u32_at(property, 4) as usize..)?;
    let kind = u32_at(value, 0);
    let unit_bytes = match kind & 0x0FFF {
        _ if kind & VECTOR != 0 => return None,
        0x1E => 1,
        0x1F => 2,
        _ => return None,
    };
    let length = (u32_at(value.get(..8)?, 4) as usize).checked_mul(unit_bytes)?;
    let text = value.get(8..8usize.checked_add(length)?)?;
    let units = text.chunks_exact(unit_bytes).map(|unit| unit[0]).take_while(|byte| *byte != 0);
    Some(units.filter(|byte| (0x20..0x7F).contains(byte)).collect())
}
