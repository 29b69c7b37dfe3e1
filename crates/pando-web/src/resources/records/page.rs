//! Which part of a list is asked for, and what the answer says around it.
//!
//! Source: PocketBase `tools/search/provider.go`.

use std::io::Write as _;

use crate::ApiError;
use crate::request::Query;

const PER_PAGE_DEFAULT: i64 = 30;
const PER_PAGE_MAX: i64 = 1_000;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub number: i64,
    pub size: i64,
    /// Whether all matching items are counted.
    pub counted: bool,
}

impl Page {
    /// Reads `page`, `perPage` and `skipTotal`. Fails where they are no numbers or flags.
    pub(crate) fn of(query: &Query) -> Result<Page, ApiError> {
        let skip = match query.first("skipTotal") {
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
            "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
            _ => return Err(ApiError::bad_request("")),
        };
        let number = |name| match query.first(name) {
            "" => Ok(0),
            text => text.parse::<i64>().map_err(|error| ApiError::bad_request("").caused_by(error)),
        };
        let size = match number("perPage")? {
            size if size <= 0 => PER_PAGE_DEFAULT,
            size => size.min(PER_PAGE_MAX),
        };
        Ok(Page { number: number("page")?.max(1), size, counted: !skip })
    }

    pub(crate) fn offset(self) -> i64 {
        self.size.saturating_mul(self.number - 1)
    }

    /// Writes the part of a list answer around its items; `total` is `None` if not counted.
    pub(crate) fn write_end(self, out: &mut Vec<u8>, total: Option<i64>) {
        let (items, pages) = match total {
            Some(total) => (total, (total + self.size - 1) / self.size),
            None => (-1, -1),
        };
        let Page { number, size, .. } = self;
        write!(
            out,
            ",\"page\":{number},\"perPage\":{size},\"totalItems\":{items},\"totalPages\":{pages}}}"
        )
        .expect("a Vec takes all writes");
    }
}
