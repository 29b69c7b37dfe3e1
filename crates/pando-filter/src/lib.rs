//! The filter, sort and rule language: parse, check, turn into SQL, evaluate in memory. Pure.

mod bucket;
mod compare;
mod compiled;
mod condition;
mod error;
mod expr;
#[cfg(test)]
mod fixture;
mod go_json;
mod join;
mod macros;
mod parse;
pub mod postgres;
mod query;
mod quote;
mod request;
mod resolve;
mod scalar;
mod sql;
mod stored;
mod term;

pub use bucket::{BUCKETS, bucket};
pub use compiled::{Author, Compiled, compile};
pub use error::FilterError;
pub use expr::{Comparator, Comparison, Expr, Item, Join, Operand, Operator};
pub use parse::{
    NESTING_MAX, ParseError, SEARCH_FILTER_BYTES_MAX, TEXT_BYTES_MAX, parse, parse_search,
};
pub use query::{Columns, Origin, Query, check_rule};
pub use request::{Purpose, RequestContext, header_name};
pub use resolve::EXPRESSIONS_MAX;
pub use sql::{Dialect, Ident, Sql};

pub use pando_schema::SqlValue;
