//! Finds the columns and tables that a SELECT names.
//!
//! Source: PocketBase `core/view.go` (`identifiersParser`).

use std::sync::LazyLock;

use regex::Regex;

use super::ViewQueryError;
use super::split::{Separator, split};

static COMMENT: LazyLock<Regex> = LazyLock::new(|| constant(r"(?m)/\*[\s\S]*?\*/|--.+$"));
static JOIN: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)[\t\n\f\r\ ]+
          (?:(?:full|left|right)[\t\n\f\r\ ]+outer[\t\n\f\r\ ]+
            |(?:full|cross|inner|outer|left|right)[\t\n\f\r\ ]+)?
          join[\t\n\f\r\ ]",
    )
});
static END: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)[\t\n\f\r\ ]+
          (?:where|group[\t\n\f\r\ ]+by|having|order|limit|with)[\t\n\f\r\ ]",
    )
});

/// What stands for any kind of join, and for any clause that names nothing new. A query that
/// itself contains the words is read as PocketBase reads it.
const JOIN_MARK: &str = "__pb_join__";
const END_MARK: &str = "__pb_discard__";

/// The columns and tables of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outline {
    pub(super) columns: Vec<Name>,
    pub(super) tables: Vec<Name>,
}

/// A column or table: what is named, and the name by which the query calls it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub(super) original: String,
    pub(super) alias: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    Before,
    Select,
    From,
    Join,
}

impl Outline {
    pub(super) fn parse(query: &str) -> Result<Outline, ViewQueryError> {
        let text = query.trim().trim_matches(';');
        let text = COMMENT.replace_all(text, " ");
        let text = JOIN.replace_all(&text, format!(" {JOIN_MARK} "));
        let text = END.replace_all(&text, format!(" {END_MARK} "));
        let (mut selected, mut from, mut joined) = (String::new(), String::new(), String::new());
        let mut clause = Clause::Before;
        let mut skip = false;
        for word in split(&text, &[',', ' ', '\n', '\t'], Separator::Keep)? {
            match word.trim().to_lowercase().as_str() {
                "select" => (clause, skip) = (Clause::Select, false),
                "from" => (clause, skip) = (Clause::From, false),
                "distinct" => {}
                JOIN_MARK => {
                    if clause == Clause::Join {
                        joined.push(',');
                    }
                    (clause, skip) = (Clause::Join, false);
                }
                END_MARK => skip = true,
                lower => {
                    skip |= clause == Clause::Join && lower == "on";
                    let part = match clause {
                        Clause::Select => &mut selected,
                        Clause::From => &mut from,
                        Clause::Join => &mut joined,
                        Clause::Before => continue,
                    };
                    if !skip {
                        part.push(' ');
                        part.push_str(word);
                    }
                }
            }
        }
        let columns = names(&selected)?;
        let mut tables = names(&from)?;
        tables.extend(names(&joined)?);
        Ok(Outline { columns, tables })
    }
}

fn names(list: &str) -> Result<Vec<Name>, ViewQueryError> {
    let entries = split(list, &[','], Separator::Drop)?;
    entries.into_iter().map(Name::parse).collect()
}

impl Name {
    fn parse(entry: &str) -> Result<Name, ViewQueryError> {
        let (original, alias) = match *split(entry, &[' ', '\n', '\t'], Separator::Drop)? {
            [original, word, alias] if word.eq_ignore_ascii_case("as") => (original, alias),
            [_, word, _] => return Err(ViewQueryError::NotAs(word.to_owned())),
            [original, alias] => (original, alias),
            [only] => (only, only.rsplit('.').next().unwrap_or(only)),
            ref parts => {
                return Err(ViewQueryError::Parts(
                    parts.iter().copied().map(str::to_owned).collect(),
                ));
            }
        };
        Ok(Name {
            original: unquoted(original, &['`', '"', '[', ']', ';']),
            // SQLite takes a name in single quotes where only a name can stand.
            alias: unquoted(alias, &['`', '"', '[', ']', ';', '\'']),
        })
    }
}

/// A name without the quotes around its parts.
fn unquoted(name: &str, quotes: &[char]) -> String {
    let parts: Vec<&str> = name.split('.').map(|part| part.trim_matches(quotes)).collect();
    parts.join(".")
}

fn constant(expression: &str) -> Regex {
    Regex::new(expression).expect("the expression is constant")
}
