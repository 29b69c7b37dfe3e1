//! Parses and writes `CREATE INDEX` statements.
//!
//! Source: PocketBase `tools/dbutils/index.go`, `tools/tokenizer`.

use std::sync::LazyLock;

use regex::Regex;

/// The parts of a `CREATE INDEX` statement; empty where they are missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    pub schema_name: String,
    pub index_name: String,
    pub table_name: String,
    pub columns: Vec<IndexColumn>,
    /// The condition of a partial index.
    pub condition: String,
    pub unique: bool,
    /// `IF NOT EXISTS`.
    pub optional: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct IndexColumn {
    /// A column or an expression.
    pub name: String,
    pub collate: String,
    /// `ASC`, `DESC` or empty.
    pub sort: String,
}

/// What may surround a name.
const NAME_TRIM: &[char] = &['`', '"', '\'', '[', ']', '\r', '\n', '\t', '\x0c', '\x0b', ' '];

// White space and word characters are ASCII's here, as they are in Go's expressions.
static INDEX: LazyLock<Regex> = LazyLock::new(|| {
    let space = r"[\t\n\x0C\r ]";
    let name = r"[^\t\n\x0C\r ]*";
    let head = format!(r"create{space}+(unique{space}+)?{space}*index{space}*");
    let optional = format!(r"(if{space}+not{space}+exists{space}+)?");
    let names = format!(r"({name}){space}+on{space}+({name}){space}*");
    // The columns end at the first parenthesis behind which nothing follows but a condition.
    let rest = format!(r"\(((?s:.)*?)\)(?:{space}+where{space}+((?s:.)*))?{space}*$");
    Regex::new(&format!("(?i){head}{optional}{names}{rest}")).expect("the expression is constant")
});
static COLUMN: LazyLock<Regex> = LazyLock::new(|| {
    let space = r"[\t\n\x0C\r ]";
    Regex::new(&format!(
        r"(?im)^((?s:.)+?)(?:{space}+collate{space}+([0-9A-Za-z_]+))?(?:{space}+(asc|desc))?$"
    ))
    .expect("the expression is constant")
});

impl Index {
    /// Reads a statement. What is no `CREATE INDEX` gives an invalid index, not an error.
    pub fn parse(statement: &str) -> Index {
        let Some(found) = INDEX.captures(statement) else { return Index::default() };
        let group = |index: usize| found.get(index).map_or("", |group| group.as_str());
        let mut index = Index {
            unique: !group(1).trim().is_empty(),
            optional: !group(2).trim().is_empty(),
            table_name: group(4).trim_matches(NAME_TRIM).to_owned(),
            condition: group(6).trim().to_owned(),
            ..Index::default()
        };
        match split(group(3), '.').unwrap_or_default().as_slice() {
            [schema, name] => {
                index.schema_name = schema.trim_matches(NAME_TRIM).to_owned();
                index.index_name = name.trim_matches(NAME_TRIM).to_owned();
            }
            [name] => index.index_name = name.trim_matches(NAME_TRIM).to_owned(),
            // No name has three parts.
            [..] => {}
        }
        let columns = split(group(5), ',').unwrap_or_default();
        index.columns = columns.into_iter().filter_map(parse_column).collect();
        index
    }

    /// Whether there is all that a statement needs.
    pub fn valid(&self) -> bool {
        !self.index_name.is_empty() && !self.table_name.is_empty() && !self.columns.is_empty()
    }

    /// The statement in PocketBase's layout; empty for an invalid index.
    pub fn build(&self) -> String {
        if !self.valid() {
            return String::new();
        }
        let mut sql = String::from("CREATE ");
        sql.push_str(if self.unique { "UNIQUE INDEX " } else { "INDEX " });
        if self.optional {
            sql.push_str("IF NOT EXISTS ");
        }
        if !self.schema_name.is_empty() {
            sql.push_str(&format!("`{}`.", self.schema_name));
        }
        sql.push_str(&format!("`{}` ON `{}` (", self.index_name, self.table_name));
        let columns: Vec<String> = self.columns.iter().filter_map(IndexColumn::build).collect();
        if self.columns.len() > 1 {
            sql.push_str(&format!("\n  {}\n", columns.join(",\n  ")));
        } else {
            sql.push_str(&columns.join(""));
        }
        sql.push(')');
        if !self.condition.is_empty() {
            sql.push_str(&format!(" WHERE {}", self.condition));
        }
        sql
    }

    /// Whether the index makes the values of `column` alone unique.
    pub fn single_unique(&self, column: &str) -> bool {
        self.unique && matches!(self.columns.as_slice(), [only] if same_text(&only.name, column))
    }
}

impl IndexColumn {
    fn build(&self) -> Option<String> {
        let name = self.name.trim();
        if name.is_empty() {
            return None;
        }
        let expression = self.name.contains(['(', ' ']);
        let mut sql = if expression { name.to_owned() } else { format!("`{name}`") };
        if !self.collate.is_empty() {
            sql.push_str(&format!(" COLLATE {}", self.collate));
        }
        if !self.sort.is_empty() {
            sql.push_str(&format!(" {}", self.sort.to_uppercase()));
        }
        Some(sql)
    }
}

fn parse_column(text: &str) -> Option<IndexColumn> {
    let found = COLUMN.captures(text)?;
    let group = |index: usize| found.get(index).map_or("", |group| group.as_str());
    let name = group(1).trim_matches(NAME_TRIM);
    if name.is_empty() {
        return None;
    }
    Some(IndexColumn {
        name: name.to_owned(),
        collate: group(2).trim().to_owned(),
        sort: group(3).to_uppercase(),
    })
}

/// The first of `indexes` that makes the values of `column` alone unique.
pub fn single_column_unique_index(indexes: &[String], column: &str) -> Option<Index> {
    indexes.iter().map(|index| Index::parse(index)).find(|index| index.single_unique(column))
}

/// Equality without regard to case, as names in a database compare.
pub(crate) fn same_text(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Splits at `separator` outside quotes and parentheses; `None` if those do not balance.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        if !escaped {
            match (c, quote) {
                ('(', None) => depth += 1,
                (')', None) => depth = depth.saturating_sub(1),
                ('\'' | '"' | '`', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                _ => {}
            }
        }
        escaped = c == '\\';
        if c == separator && depth == 0 && quote.is_none() {
            parts.push(&text[start..index]);
            start = index + c.len_utf8();
            // The separator ends the token, and with it what escapes.
            escaped = false;
        }
    }
    if depth > 0 || quote.is_some() {
        return None;
    }
    parts.push(&text[start..]);
    Some(parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect())
}

#[cfg(test)]
mod tests;
