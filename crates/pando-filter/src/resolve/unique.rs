//! Whether an index makes a single field unique, so that at most one record refers to another.

use pando_schema::Collection;

/// How a collection makes the values of a field unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unique {
    /// Among all records.
    Whole,
    /// Among the records that the index covers, or by another collation.
    Partly,
}

/// Whether an index makes that field, alone, unique.
pub(super) fn unique_column(collection: &Collection, field: &str) -> Option<Unique> {
    collection.indexes.iter().find_map(|index| unique_index_column(index, field))
}

fn unique_index_column(index: &str, field: &str) -> Option<Unique> {
    let lower = index.to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    if words.next() != Some("create") || words.next() != Some("unique") {
        return None;
    }
    let open = index.find('(')?;
    let close = index.rfind(')')?;
    let columns = index.get(open + 1..close)?;
    let quotes: &[char] = &['`', '"', '\'', '[', ']', ' ', '\n', '\r', '\t'];
    let mut parts = columns.split_whitespace();
    let named = parts.next()?.trim_matches(quotes).eq_ignore_ascii_case(field);
    if columns.contains([',', '(', ')']) || !named {
        return None;
    }
    let plain = parts.all(|part| matches!(part.to_ascii_lowercase().as_str(), "asc" | "desc"));
    let whole = plain && index[close + 1..].trim().is_empty();
    Some(if whole { Unique::Whole } else { Unique::Partly })
}

#[cfg(test)]
mod tests {
    use super::{Unique, unique_index_column};

    #[test]
    fn only_a_plain_unique_index_of_one_column_counts_for_all_records() {
        let check = |columns: &str, expected| {
            let index = format!("CREATE UNIQUE INDEX `a` ON `b` {columns}");
            assert_eq!(unique_index_column(&index, "user"), expected, "{columns}");
        };
        check("(`user`)", Some(Unique::Whole));
        check("( user DESC )", Some(Unique::Whole));
        check("(`user` COLLATE NOCASE)", Some(Unique::Partly));
        check("(`user`) WHERE `user` != ''", Some(Unique::Partly));
        check("(`user`, `kind`)", None);
        check("(`kind`)", None);
        check("(lower(`user`))", None);
        assert_eq!(unique_index_column("CREATE INDEX `a` ON `b` (`user`)", "user"), None);
    }
}
