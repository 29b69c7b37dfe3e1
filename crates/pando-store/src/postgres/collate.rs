//! How SQLite compares texts.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collate {
    Binary,
    NoCase,
    RightTrim,
}

impl Collate {
    /// By its name in SQLite.
    pub(super) fn parse(name: &str) -> Option<Collate> {
        match name.to_ascii_uppercase().as_str() {
            "BINARY" => Some(Collate::Binary),
            "NOCASE" => Some(Collate::NoCase),
            "RTRIM" => Some(Collate::RightTrim),
            _ => None,
        }
    }
}
