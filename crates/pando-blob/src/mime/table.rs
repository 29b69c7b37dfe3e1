//! The known types, in the order in which they are tried, each with the types within it.
//!
//! Source: the Go library `mimetype` 1.4.15, which PocketBase 0.40.6 uses.

use super::Head;
use super::binary::{self, brand, container, elf, jpeg_2000, matroska, meteo};
use super::markup::{self, has_root};
use super::text::netpbm;
use super::zip::office;
use super::{audio, csv, json, ole, script, text, zip};

/// A type, how to recognise it, and the more precise types it may turn out to be.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) mime: &'static str,
    pub(super) extension: &'static str,
    aliases: &'static [&'static str],
    test: Test,
    within: &'static [Kind],
}

#[derive(Debug)]
enum Test {
    /// The content starts with one of these.
    Start(&'static [&'static [u8]]),
    /// The content has this at this place.
    At(usize, &'static [u8]),
    Check(fn(Head<'_>) -> bool),
}

/// What everything is that nothing else matches.
static UNKNOWN: Kind = Kind {
    mime: "application/octet-stream",
    extension: "",
    aliases: &[],
    test: Test::At(0, b""),
    within: ROOTS,
};

/// The most precise type of the content.
pub(super) fn find(head: Head<'_>) -> &'static Kind {
    let mut kind = &UNKNOWN;
    while let Some(within) = kind.within.iter().find(|within| within.test.passes(head)) {
        kind = within;
    }
    kind
}

/// The other names of a type.
pub(super) fn aliases(mime: &str) -> impl Iterator<Item = &'static str> {
    by_name(ROOTS, mime).map_or(&[][..], |kind| kind.aliases).iter().copied()
}

fn by_name(kinds: &'static [Kind], mime: &str) -> Option<&'static Kind> {
    kinds
        .iter()
        .find_map(|kind| if kind.mime == mime { Some(kind) } else { by_name(kind.within, mime) })
}

impl Test {
    fn passes(&self, head: Head<'_>) -> bool {
        match self {
            Test::Start(starts) => starts.iter().any(|start| head.bytes.starts_with(start)),
            Test::At(at, bytes) => {
                head.bytes.get(*at..).is_some_and(|rest| rest.starts_with(bytes))
            }
            Test::Check(check) => check(head),
        }
    }
}

const fn start(
    mime: &'static str,
    extension: &'static str,
    starts: &'static [&'static [u8]],
) -> Kind {
    Kind { mime, extension, aliases: &[], test: Test::Start(starts), within: &[] }
}

const fn at(mime: &'static str, extension: &'static str, at: usize, bytes: &'static [u8]) -> Kind {
    Kind { mime, extension, aliases: &[], test: Test::At(at, bytes), within: &[] }
}

const fn check(mime: &'static str, extension: &'static str, check: fn(Head<'_>) -> bool) -> Kind {
    Kind { mime, extension, aliases: &[], test: Test::Check(check), within: &[] }
}

impl Kind {
    const fn alias(mut self, aliases: &'static [&'static str]) -> Kind {
        self.aliases = aliases;
        self
    }

    const fn within(mut self, within: &'static [Kind]) -> Kind {
        self.within = within;
        self
    }
}

/// What a file can be at first sight. MP3 and text come last because they look at most bytes.
static ROOTS: &[Kind] = &[
    start("image/x-xpixmap", ".xpm", &[b"/* XPM */"]),
    start("application/x-7z-compressed", ".7z", &[b"7z\xBC\xAF\x27\x1C"]),
    check("application/zip", ".zip", zip::zip)
        .alias(&["application/x-zip", "application/x-zip-compressed"])
        .within(ZIP),
    check("application/pdf", ".pdf", binary::pdf).alias(&["application/x-pdf"]),
    start("application/vnd.fdf", ".fdf", &[b"%FDF"]),
    check("application/x-ole-storage", "", ole::ole).within(OLE),
    start("application/postscript", ".ps", &[b"%!PS-Adobe-"]),
    start("image/vnd.adobe.photoshop", ".psd", &[b"8BPS"])
        .alias(&["image/x-psd", "application/photoshop"]),
    check("application/pkcs7-signature", ".p7s", binary::pkcs7),
    start("application/ogg", ".ogg", &[b"OggS\0"]).alias(&["application/x-ogg"]).within(OGG),
    start("image/png", ".png", &[b"\x89PNG\r\n\x1A\n"]).within(PNG),
    start("image/jpeg", ".jpg", &[b"\xFF\xD8\xFF"]),
    start("image/jxl", ".jxl", &[b"\xFF\x0A", b"\0\0\0\x0CJXL \r\n\x87\n"]),
    check("image/jp2", ".jp2", |head| jpeg_2000(head, b"jp2 ")),
    check("image/jpx", ".jpf", |head| jpeg_2000(head, b"jpx ")),
    check("image/jpm", ".jpm", |head| jpeg_2000(head, b"jpm ")).alias(&["video/jpm"]),
    start("image/jxs", ".jxs", &[b"\0\0\0\x0CJXS \r\n\x87\n"]),
    start("image/gif", ".gif", &[b"GIF87a", b"GIF89a"]),
    check("image/webp", ".webp", |head| container(head, b"RIFF", b"WEBP")),
    start("application/vnd.microsoft.portable-executable", ".exe", &[b"MZ"]),
    start("application/x-elf", "", &[b"\x7FELF"]).within(ELF),
    start("application/x-archive", ".a", &[b"!<arch>"])
        .alias(&["application/x-unix-archive"])
        .within(ARCHIVE),
    check("application/x-tar", ".tar", binary::tar),
    start("application/x-xar", ".xar", &[b"xar!"]),
    start("application/x-bzip2", ".bz2", &[b"BZh"]),
    start("application/fits", ".fits", &[b"SIMPLE  =                    T"]).alias(&["image/fits"]),
    start("image/tiff", ".tiff", &[b"II*\0", b"MM\0*"]),
    check("image/bmp", ".bmp", binary::bmp).alias(&["image/x-bmp", "image/x-ms-bmp"]),
    check("application/vnd.lotus-1-2-3", ".123", binary::lotus),
    start("image/x-icon", ".ico", &[b"\0\0\x01\0", b"\0\0\x02\0"]),
    start("audio/flac", ".flac", &[b"fLaC\0\0\0\x22"]),
    start("audio/midi", ".midi", &[b"MThd"]).alias(&[
        "audio/mid",
        "audio/sp-midi",
        "audio/x-mid",
        "audio/x-midi",
    ]),
    start("audio/ape", ".ape", &[b"MAC \x96\x0F\0\0\x34\0\0\0\x18\0\0\0\x90\xE3"]),
    start("audio/musepack", ".mpc", &[b"MPCK"]),
    start("audio/amr", ".amr", &[b"#!AMR"]).alias(&["audio/amr-nb"]),
    check("audio/wav", ".wav", |head| container(head, b"RIFF", b"WAVE")).alias(&[
        "audio/x-wav",
        "audio/vnd.wave",
        "audio/wave",
    ]),
    check("audio/aiff", ".aiff", |head| container(head, b"FORM", b"AIFF")).alias(&["audio/x-aiff"]),
    start("audio/basic", ".au", &[b".snd"]),
    check("video/mpeg", ".mpeg", binary::mpeg),
    check("video/quicktime", ".mov", binary::quick_time),
    check("video/mp4", ".mp4", binary::mp4).within(MP4),
    check("video/webm", ".webm", |head| matroska(head, b"webm")).alias(&["audio/webm"]),
    check("video/x-msvideo", ".avi", |head| container(head, b"RIFF", b"AVI LIST"))
        .alias(&["video/avi", "video/msvideo"]),
    start("video/x-flv", ".flv", &[b"FLV\x01"]),
    check("video/matroska", ".mkv", |head| matroska(head, b"matroska"))
        .alias(&["video/x-matroska"]),
    start(
        "video/x-ms-asf",
        ".asf",
        &[b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C"],
    )
    .alias(&["video/asf", "video/x-ms-wmv"]),
    check("audio/aac", ".aac", binary::aac),
    start("audio/x-unknown", ".voc", &[b"Creative Voice File"]),
    start("application/vnd.apple.mpegurl", ".m3u", &[b"#EXTM3U\n", b"#EXTM3U\r\n"])
        .alias(&["audio/mpegurl", "application/x-mpegurl"]),
    start("application/vnd.rn-realmedia-vbr", ".rmvb", &[b".RMF"]),
    start("application/gzip", ".gz", &[b"\x1F\x8B"]).alias(&[
        "application/x-gzip",
        "application/x-gunzip",
        "application/gzipped",
        "application/gzip-compressed",
        "application/x-gzip-compressed",
        "gzip/document",
    ]),
    check("application/x-java-applet", ".class", binary::class),
    start("application/x-shockwave-flash", ".swf", &[b"CWS", b"FWS", b"ZWS"]),
    check("application/x-chrome-extension", ".crx", binary::chrome_extension),
    check("font/ttf", ".ttf", binary::true_type).alias(&[
        "font/sfnt",
        "application/x-font-ttf",
        "application/font-sfnt",
    ]),
    start("font/woff", ".woff", &[b"wOFF"]),
    start("font/woff2", ".woff2", &[b"wOF2"]),
    check("font/otf", ".otf", binary::open_type),
    start("font/collection", ".ttc", &[b"ttcf\0\x01\0\0", b"ttcf\0\x02\0\0"]),
    check("application/vnd.ms-fontobject", ".eot", binary::embedded_open_type),
    start("application/wasm", ".wasm", &[b"\0asm"]),
    start("application/vnd.shx", ".shx", &[b"\0\0\x27\x0A"]).within(SHAPE),
    check("application/x-dbf", ".dbf", binary::dbase),
    at("application/dicom", ".dcm", 128, b"DICM"),
    start("application/vnd.rar", ".rar", &[b"Rar!\x1A\x07\0", b"Rar!\x1A\x07\x01\0"])
        .alias(&["application/x-rar-compressed", "application/x-rar"]),
    check("image/vnd.djvu", ".djvu", binary::djvu),
    at("application/x-mobipocket-ebook", ".mobi", 60, b"BOOKMOBI"),
    start("application/x-ms-reader", ".lit", &[b"ITOLITLS"]),
    start("image/bpg", ".bpg", &[b"BPG\xFB"]),
    start("application/cbor", ".cbor", &[b"\xD9\xD9\xF7"]),
    start("application/vnd.sqlite3", ".sqlite", &[b"SQLite format 3\0"])
        .alias(&["application/x-sqlite3"]),
    check("image/vnd.dwg", ".dwg", binary::dwg).alias(&[
        "image/x-dwg",
        "application/acad",
        "application/x-acad",
        "application/autocad_dwg",
        "application/dwg",
        "application/x-dwg",
        "application/x-autocad",
        "drawing/dwg",
    ]),
    start("application/vnd.nintendo.snes.rom", ".nes", &[b"NES\x1A"]),
    start("application/x-ms-shortcut", ".lnk", &[b"L\0\0\0\x01\x14\x02\0"]),
    check("application/x-mach-binary", ".macho", binary::mach_o),
    check("audio/qcelp", ".qcp", |head| container(head, b"RIFF", b"QLCM")),
    start("image/x-icns", ".icns", &[b"icns"]),
    start("image/vnd.radiance", ".hdr", &[b"#?RADIANCE\n"]),
    check("application/marc", ".mrc", binary::marc),
    at("application/x-msaccess", ".mdb", 4, b"Standard Jet DB"),
    at("application/x-msaccess", ".accdb", 4, b"Standard ACE DB"),
    check("application/zstd", ".zst", binary::zstd),
    start("application/vnd.ms-cab-compressed", ".cab", &[b"MSCF\0\0\0\0"]),
    start("application/x-rpm", ".rpm", &[b"\xED\xAB\xEE\xDB", b"drpm"]),
    start("application/x-xz", ".xz", &[b"\xFD7zXZ\0"]),
    start("application/lzip", ".lz", &[b"LZIP"]).alias(&["application/x-lzip"]),
    start("application/x-bittorrent", ".torrent", &[b"d8:announce"]),
    check("application/x-cpio", ".cpio", binary::cpio),
    check("application/tzif", "", binary::tzif),
    start("image/x-xcf", ".xcf", &[b"gimp xcf"]),
    at("image/x-gimp-pat", ".pat", 20, b"GPAT"),
    at("image/x-gimp-gbr", ".gbr", 20, b"GIMP"),
    start("model/gltf-binary", ".glb", &[b"glTF\x02\0\0\0", b"glTF\x01\0\0\0"]),
    check("application/x-installshield", ".cab", binary::install_shield),
    start("image/jxr", ".jxr", &[b"II\xBC\x01"]).alias(&["image/vnd.ms-photo"]),
    start("application/vnd.apache.parquet", ".parquet", &[b"PAR1"])
        .alias(&["application/x-parquet"]),
    start(
        "application/onenote",
        ".one",
        &[b"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3"],
    ),
    start("application/vnd.ms-htmlhelp", ".chm", &[b"ITSF\x03\0\0\0\x60\0\0\0"]),
    check("application/vnd.wordperfect", ".wpd", |head| {
        matches!(head.bytes, [0xFF, b'W', b'P', b'C', _, _, _, _, 1, 10, ..])
    }),
    start(
        "image/vnd.dxf",
        ".dxf",
        &[b"  0\nSECTION\n", b"  0\r\nSECTION\r\n", b"0\nSECTION\n", b"0\r\nSECTION\r\n"],
    ),
    check("application/grib", ".grb", |head| meteo(head, b"GRIB", [1, 2])),
    check("application/zlib", "", binary::zlib),
    start("application/x-os2-inf", ".inf", &[b"HSP\x01\x9B\0"]),
    start("application/x-os2-hlp", ".hlp", &[b"HSP\x10\x9B\0"]),
    check("application/vnd.framemaker", ".fm", binary::frame_maker),
    check("application/bufr", ".bufr", |head| meteo(head, b"BUFR", [3, 4])),
    check("application/x-bytecode.python", ".pyc", binary::python),
    check("application/vnd.tcpdump.pcap", ".pcap", binary::pcap),
    check("audio/mpeg", ".mp3", audio::mp3).alias(&["audio/x-mpeg", "audio/mp3"]),
    check("text/plain", ".txt", text::plain).within(TEXT),
];

/// Archives with a known set of entries; others are plain zip.
static ZIP: &[Kind] = &[
    check(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".docx",
        |head| office(head, b"word/"),
    ),
    check(
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ".pptx",
        |head| office(head, b"ppt/"),
    ),
    check("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", |head| {
        office(head, b"xl/")
    }),
    at("application/epub+zip", ".epub", 30, b"mimetypeapplication/epub+zip"),
    check("application/vnd.android.package-archive", ".apk", zip::android),
    check("application/java-archive", ".jar", zip::java).alias(&[
        "application/jar",
        "application/jar-archive",
        "application/x-java-archive",
    ]),
    at(
        "application/vnd.oasis.opendocument.text",
        ".odt",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.text",
    )
    .alias(&["application/x-vnd.oasis.opendocument.text"])
    .within(&[at(
        "application/vnd.oasis.opendocument.text-template",
        ".ott",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.text-template",
    )
    .alias(&["application/x-vnd.oasis.opendocument.text-template"])]),
    at(
        "application/vnd.oasis.opendocument.spreadsheet",
        ".ods",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    )
    .alias(&["application/x-vnd.oasis.opendocument.spreadsheet"])
    .within(&[at(
        "application/vnd.oasis.opendocument.spreadsheet-template",
        ".ots",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet-template",
    )
    .alias(&["application/x-vnd.oasis.opendocument.spreadsheet-template"])]),
    at(
        "application/vnd.oasis.opendocument.presentation",
        ".odp",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.presentation",
    )
    .alias(&["application/x-vnd.oasis.opendocument.presentation"])
    .within(&[at(
        "application/vnd.oasis.opendocument.presentation-template",
        ".otp",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.presentation-template",
    )
    .alias(&["application/x-vnd.oasis.opendocument.presentation-template"])]),
    at(
        "application/vnd.oasis.opendocument.graphics",
        ".odg",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.graphics",
    )
    .alias(&["application/x-vnd.oasis.opendocument.graphics"])
    .within(&[at(
        "application/vnd.oasis.opendocument.graphics-template",
        ".otg",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.graphics-template",
    )
    .alias(&["application/x-vnd.oasis.opendocument.graphics-template"])]),
    at(
        "application/vnd.oasis.opendocument.formula",
        ".odf",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.formula",
    )
    .alias(&["application/x-vnd.oasis.opendocument.formula"]),
    at(
        "application/vnd.oasis.opendocument.chart",
        ".odc",
        30,
        b"mimetypeapplication/vnd.oasis.opendocument.chart",
    )
    .alias(&["application/x-vnd.oasis.opendocument.chart"]),
    at("application/vnd.sun.xml.calc", ".sxc", 30, b"mimetypeapplication/vnd.sun.xml.calc"),
    check("application/vnd.google-earth.kmz", ".kmz", zip::google_earth),
    check("application/vnd.ms-visio.drawing.main+xml", ".vsdx", |head| office(head, b"visio/")),
];

/// Microsoft's compound files.
static OLE: &[Kind] = &[
    check("application/x-ms-installer", ".msi", ole::installer)
        .alias(&["application/x-windows-installer", "application/x-msi"]),
    check("application/vnd.ms-outlook", ".msg", ole::mail),
    check("application/vnd.ms-excel", ".xls", ole::excel).alias(&["application/msexcel"]),
    check("application/vnd.ms-publisher", ".pub", ole::publisher),
    check("application/vnd.ms-powerpoint", ".ppt", ole::powerpoint)
        .alias(&["application/mspowerpoint"]),
    check("application/msword", ".doc", ole::word).alias(&["application/vnd.ms-word"]),
];

static OGG: &[Kind] =
    &[check("audio/ogg", ".oga", binary::ogg_audio), check("video/ogg", ".ogv", binary::ogg_video)];

static PNG: &[Kind] =
    &[check("image/apng", ".apng", binary::animated_png).alias(&["image/vnd.mozilla.apng"])];

static ELF: &[Kind] = &[
    check("application/x-object", "", |head| elf(head, 1)),
    check("application/x-executable", "", |head| elf(head, 2)),
    check("application/x-sharedlib", ".so", |head| elf(head, 3)),
    check("application/x-coredump", "", |head| elf(head, 4)),
];

static ARCHIVE: &[Kind] =
    &[at("application/vnd.debian.binary-package", ".deb", 8, b"debian-binary")];

static SHAPE: &[Kind] = &[check("application/vnd.shp", ".shp", binary::shape)];

/// ISO media files, by their brand.
static MP4: &[Kind] = &[
    check("image/avif", ".avif", |head| brand(head, &[b"avif", b"avis"])),
    check("video/3gpp", ".3gp", |head| {
        brand(
            head,
            &[
                b"3gp1", b"3gp2", b"3gp3", b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3gs7", b"3ge6",
                b"3ge7", b"3gg6",
            ],
        )
    })
    .alias(&["video/3gp", "audio/3gpp"]),
    check("video/3gpp2", ".3g2", |head| {
        brand(head, &[b"3g24", b"3g25", b"3g26", b"3g2a", b"3g2b", b"3g2c", b"KDDI"])
    })
    .alias(&["video/3g2", "audio/3gpp2"]),
    check("audio/mp4", ".mp4", |head| {
        brand(head, &[b"F4A ", b"F4B ", b"M4B ", b"M4P ", b"MSNV", b"NDAS"])
    })
    .alias(&["audio/x-mp4a"]),
    check("video/quicktime", ".mqv", |head| brand(head, &[b"mqt "])),
    check("audio/x-m4a", ".m4a", |head| brand(head, &[b"M4A "])),
    check("video/x-m4v", ".m4v", |head| brand(head, &[b"M4V ", b"M4VH", b"M4VP"])),
    check("image/heic", ".heic", |head| brand(head, &[b"heic", b"heix"])),
    check("image/heic-sequence", ".heic", |head| brand(head, &[b"hevc", b"hevx"])),
    check("image/heif", ".heif", |head| brand(head, &[b"mif1", b"heim", b"heis", b"avic"])),
    check("image/heif-sequence", ".heif", |head| {
        brand(head, &[b"msf1", b"hevm", b"hevs", b"avcs"])
    }),
    check("video/mj2", ".mj2", |head| brand(head, &[b"mj2s", b"mjp2", b"MFSM", b"MGSV"])),
    check("video/vnd.dvb.file", ".dvb", |head| {
        brand(
            head,
            &[
                b"dby1", b"dsms", b"dts1", b"dts2", b"dts3", b"dxo ", b"dmb1", b"dmpf", b"drc1",
                b"dv1a", b"dv1b", b"dv2a", b"dv2b", b"dv3a", b"dv3b", b"dvr1", b"dvt1", b"emsg",
            ],
        )
    }),
];

/// Everything that is text.
static TEXT: &[Kind] = &[
    check("image/svg+xml", ".svg", markup::svg),
    check("text/html", ".html", markup::html),
    check("text/xml", ".xml", markup::xml).alias(&["application/xml"]).within(XML),
    check("text/x-php", ".php", script::php),
    check("text/javascript", ".js", script::javascript)
        .alias(&["application/x-javascript", "application/javascript"]),
    check("text/x-lua", ".lua", script::lua),
    check("text/x-perl", ".pl", script::perl),
    check("text/x-python", ".py", script::python)
        .alias(&["text/x-script.python", "application/x-python"]),
    check("text/x-ruby", ".rb", script::ruby).alias(&["application/x-ruby"]),
    check("application/json", ".json", json::json).within(JSON),
    check("application/x-ndjson", ".ndjson", json::lines),
    start("text/rtf", ".rtf", &[b"{\\rtf"]).alias(&["application/rtf"]),
    check("application/x-subrip", ".srt", text::srt).alias(&["application/x-srt", "text/x-srt"]),
    check("text/x-tcl", ".tcl", script::tcl).alias(&["application/x-tcl"]),
    check("text/csv", ".csv", csv::commas),
    check("text/tab-separated-values", ".tsv", csv::tabs),
    check("text/vcard", ".vcf", text::vcard),
    check("text/calendar", ".ics", text::calendar),
    start("application/warc", ".warc", &[b"WARC/1.0", b"WARC/1.1"]),
    check("text/vtt", ".vtt", text::vtt),
    check("text/x-shellscript", ".sh", script::shell).alias(&[
        "text/x-sh",
        "application/x-shellscript",
        "application/x-sh",
    ]),
    check("image/x-portable-bitmap", ".pbm", |head| netpbm(head, b"14")),
    check("image/x-portable-graymap", ".pgm", |head| netpbm(head, b"25")),
    check("image/x-portable-pixmap", ".ppm", |head| netpbm(head, b"36")),
    check("image/x-portable-arbitrarymap", ".pam", text::netpam),
    check("message/rfc822", ".eml", text::mail),
    check("text/vnd.familysearch.gedcom", ".ged", text::gedcom),
];

/// XML documents, by their root element.
static XML: &[Kind] = &[
    check("application/rss+xml", ".rss", |head| has_root(head, b"<rss", &[])).alias(&["text/rss"]),
    check("application/atom+xml", ".atom", |head| {
        has_root(head, b"<feed", &[br#"xmlns="http://www.w3.org/2005/Atom""#])
    }),
    check("model/x3d+xml", ".x3d", |head| {
        has_root(head, b"<X3D", &[br#"xmlns:xsd="http://www.w3.org/2001/XMLSchema-instance""#])
    }),
    check("application/vnd.google-earth.kml+xml", ".kml", |head| {
        has_root(
            head,
            b"<kml",
            &[
                br#"xmlns="http://www.opengis.net/kml/2.2""#,
                br#"xmlns="http://earth.google.com/kml/2.0""#,
                br#"xmlns="http://earth.google.com/kml/2.1""#,
                br#"xmlns="http://earth.google.com/kml/2.2""#,
            ],
        )
    }),
    check("application/x-xliff+xml", ".xlf", |head| {
        has_root(head, b"<xliff", &[br#"xmlns="urn:oasis:names:tc:xliff:document:1.2""#])
    }),
    check("model/vnd.collada+xml", ".dae", |head| {
        has_root(head, b"<COLLADA", &[br#"xmlns="http://www.collada.org/2005/11/COLLADASchema""#])
    }),
    check("application/gml+xml", ".gml", |head| {
        has_root(
            head,
            b"",
            &[
                br#"xmlns:gml="http://www.opengis.net/gml""#,
                br#"xmlns:gml="http://www.opengis.net/gml/3.2""#,
                br#"xmlns:gml="http://www.opengis.net/gml/3.3/exr""#,
            ],
        )
    }),
    check("application/gpx+xml", ".gpx", |head| {
        has_root(head, b"<gpx", &[br#"xmlns="http://www.topografix.com/GPX/1/1""#])
    }),
    check("application/vnd.garmin.tcx+xml", ".tcx", |head| {
        has_root(
            head,
            b"<TrainingCenterDatabase",
            &[br#"xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2""#],
        )
    }),
    check("application/x-amf", ".amf", |head| has_root(head, b"<amf", &[])),
    check("application/vnd.ms-package.3dmanufacturing-3dmodel+xml", ".3mf", |head| {
        has_root(
            head,
            b"<model",
            &[br#"xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02""#],
        )
    }),
    check("application/vnd.adobe.xfdf", ".xfdf", |head| {
        has_root(head, b"<xfdf", &[br#"xmlns="http://ns.adobe.com/xfdf/""#])
    }),
    check("application/owl+xml", ".owl", |head| {
        has_root(head, b"<Ontology", &[br#"xmlns="http://www.w3.org/2002/07/owl#""#])
    }),
    check("application/xhtml+xml", ".html", markup::xhtml),
    check("application/vnd.cyclonedx+xml", ".xml", |head| {
        has_root(head, b"<bom", &[br#"xmlns="http://cyclonedx.org/schema/bom/"#])
    }),
];

/// JSON documents, by what is in them.
static JSON: &[Kind] = &[
    check("application/geo+json", ".geojson", json::geo),
    check("application/json", ".har", json::har),
    check("model/gltf+json", ".gltf", json::gltf),
    check("application/vnd.cyclonedx+json", ".json", json::cyclone_dx),
];
