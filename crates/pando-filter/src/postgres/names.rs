//! The names of tables and columns, where those of PocketBase are not possible as they are.

use std::borrow::Cow;

/// Bytes of a name in PostgreSQL at most; longer ones would be cut, and could then be equal.
const NAME_BYTES_MAX: usize = 63;

/// Bytes kept of a name that is too long: room is left for the mark and 16 hexadecimal digits.
const NAME_BYTES_KEPT: usize = 46;

/// Columns that every table has: our own and those of the system.
const TAKEN: [&str; 8] = ["_b", "_n", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// The name in the database of a table, column or index. Different names stay different: `~`
/// is in no name of PocketBase's.
///
/// The system's own tables all start with `pg_` and would be found first.
pub fn name(name: &str) -> Cow<'_, str> {
    // An import may make a table without a name before it is told that there is none.
    let taken = name.is_empty() || name.starts_with("pg_") || TAKEN.contains(&name);
    if name.len() + usize::from(taken) > NAME_BYTES_MAX {
        let mut kept = NAME_BYTES_KEPT;
        while !name.is_char_boundary(kept) {
            kept -= 1;
        }
        let hash = crate::bucket::xxh64(name.as_bytes());
        return Cow::Owned(format!("{}~{hash:016x}", &name[..kept]));
    }
    if taken { Cow::Owned(format!("{name}~")) } else { Cow::Borrowed(name) }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn impossible_names_are_changed_and_stay_different() {
        assert_eq!(name("title"), "title");
        assert_eq!(name("_b"), "_b~");
        assert_eq!(name("pg_class"), "pg_class~");
        assert_eq!(name(""), "~");
        let long = "a".repeat(64);
        let other = format!("{}b", "a".repeat(63));
        assert_eq!(name(&long).len(), 63);
        assert_ne!(name(&long), name(&other));
        assert_eq!(name(&long[1..]), long[1..]);
        assert!(name(&"é".repeat(40)).len() <= 63);
    }
}
