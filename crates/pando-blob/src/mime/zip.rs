//! Checks of what is packed in zip archives, by the names of their first entries.

use super::Head;
use super::scan::{Scan, find};

const ENTRIES_MAX: usize = 100;
/// From an entry's signature to the length of its name.
const NAME_LENGTH_AT: usize = 26;

pub(super) fn zip(head: Head<'_>) -> bool {
    matches!(head.bytes, [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..])
}

/// Microsoft Office 2007 and later: a folder of the program, after the usual first entry.
pub(super) fn office(head: Head<'_>, folder: &[u8]) -> bool {
    const FIRST: [&[u8]; 4] = [b"_rels/", b"docProps/", b"customXml/", b"[trash]/"];
    let mut entries = Entries(Scan(head.bytes)).take(ENTRIES_MAX);
    let Some(first) = entries.next() else { return false };
    let usual =
        first == b"[Content_Types].xml" || FIRST.iter().any(|start| first.starts_with(start));
    first.starts_with(folder) || (usual && entries.any(|name| name.starts_with(folder)))
}

/// A Java archive: its manifest first, or the mark of executable ones.
pub(super) fn java(head: Head<'_>) -> bool {
    executable_java(Scan(head.bytes)) == Some(true)
        || Entries(Scan(head.bytes))
            .next()
            .is_some_and(|name| name == b"META-INF/" || name == b"META-INF/MANIFEST.MF")
}

fn executable_java(mut scan: Scan<'_>) -> Option<bool> {
    scan.skip(NAME_LENGTH_AT);
    let name_bytes = scan.u16_le()?;
    scan.skip(usize::from(name_bytes) + 2);
    Some(scan.u16_le()? == 0xCAFE)
}

pub(super) fn android(head: Head<'_>) -> bool {
    const NAMES: [&[u8]; 5] = [
        b"AndroidManifest.xml",
        b"META-INF/com/android/build/gradle/app-metadata.properties",
        b"classes.dex",
        b"resources.arsc",
        b"res/drawable",
    ];
    begins_with_zipflinger(Scan(head.bytes)).is_some()
        || Entries(Scan(head.bytes)).take(ENTRIES_MAX).any(|name| NAMES.contains(&name))
}

/// Android's build tools write an empty first entry, to align the others.
fn begins_with_zipflinger(mut scan: Scan<'_>) -> Option<()> {
    find(scan.0, Entries::SIGNATURE)?;
    scan.skip(8).then_some(())?;
    let method = scan.u16_le()?;
    scan.skip(4).then_some(())?;
    let (checksum, packed, unpacked) = (scan.u32_le()?, scan.u32_le()?, scan.u32_le()?);
    let name_bytes = scan.u16_le()?;
    let extra_bytes = scan.u16_le()?;
    let empty = method == 0 && (checksum | packed | unpacked) == 0 && name_bytes == 0;
    (empty && scan.skip(usize::from(extra_bytes))).then_some(())
}

pub(super) fn google_earth(head: Head<'_>) -> bool {
    Entries(Scan(head.bytes)).take(ENTRIES_MAX).any(|name| name == b"doc.kml")
}

/// The names of entries whose headers are in sight.
struct Entries<'a>(Scan<'a>);

impl Entries<'_> {
    const SIGNATURE: &'static [u8] = b"PK\x03\x04";
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = find(self.0.0, Entries::SIGNATURE)?;
        self.0.skip(start + NAME_LENGTH_AT).then_some(())?;
        let length = usize::from(self.0.u16_le()?);
        self.0.skip(2).then_some(())?;
        // An entry without a name ends the search.
        self.0.0.get(..length).filter(|name| !name.is_empty())
    }
}
