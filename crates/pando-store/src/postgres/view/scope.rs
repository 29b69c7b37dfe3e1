//! What names mean at a place of a query.

use super::ViewRefused;
use super::tree::{ColumnName, Expr};
use super::typed::{Affinity, Kind, Typed};

/// A column of a table or of a query.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) typed: Typed,
    /// The same as a column of a table before it, by USING.
    pub(super) merged: bool,
}

/// A table, view or query that a query reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// What the query calls it.
    pub(super) name: Option<String>,
    pub(super) columns: Vec<Column>,
    /// `_n`
    pub(super) row: Option<String>,
    /// The columns of its primary key, and the name of the second of them.
    pub(super) key: Option<[String; 2]>,
    /// What brings its rows into the order in which SQLite reads them.
    pub(super) order: Vec<String>,
    /// What the statement calls it.
    pub(super) alias: String,
}

/// How rows become rows of the result.
#[derive(Debug, Clone, Default)]
pub(super) struct Grouping {
    /// The expressions of GROUP BY.
    pub(super) by: Vec<(Expr, Typed)>,
    /// Tables of which a group has one row.
    pub(super) whole_tables: Vec<usize>,
    /// The order in which the row comes first that stands for its group.
    pub(super) order: Vec<String>,
}

/// The tables of a query, inside those of the queries around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'s> {
    pub(super) outer: Option<&'s Scope<'s>>,
    pub(super) tables: Vec<Table>,
    /// Expressions of the result by their names.
    pub(super) aliases: Vec<(String, Expr)>,
    pub(super) windows: Vec<(String, super::tree::Window)>,
    /// `None` where an expression is about one row.
    pub(super) grouping: Option<Grouping>,
}

/// What a name stands for.
pub(super) enum Meaning<'s> {
    /// A column of the table at that place of a scope.
    Column(Typed, &'s Scope<'s>, usize),
    /// The expression and where it is one of the result.
    Alias(&'s Expr, &'s Scope<'s>),
    Nothing,
}

impl<'s> Scope<'s> {
    pub(super) fn inside(outer: Option<&'s Scope<'s>>) -> Scope<'s> {
        Scope { outer, ..Scope::default() }
    }

    /// The same place, where an expression is about one row.
    pub(super) fn of_rows(&self) -> Scope<'s> {
        Scope { grouping: None, ..self.clone() }
    }

    pub(super) fn find(&self, name: &ColumnName) -> Meaning<'_> {
        let mut scope = self;
        loop {
            if let Some((typed, index)) = scope.column(name) {
                return Meaning::Column(typed, scope, index);
            }
            let alias = scope.aliases.iter().find(|(alias, _)| same(alias, &name.column));
            if let Some((_, expr)) = alias.filter(|_| name.table.is_none()) {
                return Meaning::Alias(expr, scope);
            }
            match scope.outer {
                Some(outer) => scope = outer,
                None => return Meaning::Nothing,
            }
        }
    }

    fn column(&self, name: &ColumnName) -> Option<(Typed, usize)> {
        let of_that_name = |table: &&Table| match (&name.table, &table.name) {
            (Some(wanted), Some(name)) => same(wanted, name),
            (Some(_), None) => false,
            (None, _) => true,
        };
        let mut tables = self.tables.iter().enumerate().filter(|(_, table)| of_that_name(table));
        let found = tables.clone().find_map(|(index, table)| {
            let mut columns = table.columns.iter();
            let shown = |column: &&Column| name.table.is_some() || !column.merged;
            let column =
                columns.find(|column| same(&column.name, &name.column) && shown(column))?;
            Some((column.typed.clone(), index))
        });
        let row = ["rowid", "_rowid_", "oid"].iter().any(|row| same(row, &name.column));
        found.or_else(|| {
            tables.find(|_| row).and_then(|(index, table)| {
                let row = Typed::new(Kind::Int, table.row.clone()?);
                Some((row.with_affinity(Affinity::Numeric), index))
            })
        })
    }

    /// The order in which SQLite reads the rows.
    pub(super) fn row_order(&self) -> Vec<String> {
        self.tables.iter().flat_map(|table| table.order.iter().cloned()).collect()
    }
}

pub(super) fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Characters of a query that a refusal shows at most.
const PART_CHARS_MAX: usize = 100;

pub(super) fn refused(part: impl Into<String>, reason: impl Into<String>) -> ViewRefused {
    let mut part = part.into();
    if let Some((end, _)) = part.char_indices().nth(PART_CHARS_MAX) {
        part.truncate(end);
        part.push('…');
    }
    ViewRefused { part, reason: reason.into() }
}
