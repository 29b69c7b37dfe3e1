//! Small checks with PocketBase's codes and wording, for the settings of collections and fields.
//!
//! Except for [`required`], an empty or zero value passes.
//!
//! Source: the validation library that PocketBase uses (`length.go`, `minmax.go`, `match.go` …).

use serde_json::Value;

use crate::Problem;

/// The largest integer that JSON clients keep exact.
pub(crate) const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

pub(crate) type Checked = Result<(), Problem>;

pub(crate) fn required(text: &str) -> Checked {
    ensure(!text.is_empty(), Problem::required)
}

/// Between `min` and `max` bytes.
pub(crate) fn length(text: &str, min: usize, max: usize) -> Checked {
    if text.is_empty() || (min..=max).contains(&text.len()) {
        return Ok(());
    }
    let problem = if min == max {
        let message = format!("the length must be exactly {min}");
        Problem::new("validation_length_invalid", message)
    } else {
        let message = format!("the length must be between {min} and {max}");
        Problem::new("validation_length_out_of_range", message)
    };
    Err(problem.with_param("min", min).with_param("max", max))
}

/// Letters, digits and underscores.
pub(crate) fn word(text: &str) -> Checked {
    ensure(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), bad_format)
}

pub(crate) fn bad_format() -> Problem {
    Problem::new("validation_match_invalid", "must be in a valid format")
}

pub(crate) fn one_of(text: &str, choices: &[&str]) -> Checked {
    ensure(text.is_empty() || choices.contains(&text), || {
        Problem::new("validation_in_invalid", "must be a valid value")
    })
}

pub(crate) fn none_of(text: &str, excluded: &[&str]) -> Checked {
    ensure(text.is_empty() || !excluded.contains(&text), || {
        Problem::new("validation_not_in_invalid", "must not be in list")
    })
}

pub(crate) fn at_least(number: i64, min: i64) -> Checked {
    ensure(number == 0 || number >= min, || {
        let message = format!("must be no less than {min}");
        Problem::new("validation_min_greater_equal_than_required", message)
            .with_param("threshold", min)
    })
}

pub(crate) fn at_most(number: i64, max: i64) -> Checked {
    ensure(number == 0 || number <= max, || {
        let message = format!("must be no greater than {max}");
        Problem::new("validation_max_less_equal_than_required", message)
            .with_param("threshold", max)
    })
}

pub(crate) fn within(number: i64, min: i64, max: i64) -> Checked {
    at_least(number, min)?;
    at_most(number, max)
}

pub(crate) fn nonzero(number: i64) -> Checked {
    ensure(number != 0, Problem::required)
}

/// For a value that another option rules out.
pub(crate) fn must_be_empty(empty: bool) -> Checked {
    ensure(empty, || Problem::new("validation_empty", "must be blank"))
}

/// For a value that may not change.
pub(crate) fn unchanged<T: PartialEq>(value: T, before: T) -> Checked {
    ensure(value == before, || Problem::new("validation_values_mismatch", "Values don't match."))
}

/// `_via_` marks back relations in filters.
pub(crate) fn no_via(text: &str) -> Checked {
    ensure(!text.to_lowercase().contains("_via_"), || {
        Problem::new("validation_found_via", r#"The value cannot contain "_via_"."#)
    })
}

pub(crate) fn pattern(text: &str) -> Checked {
    if text.is_empty() {
        return Ok(());
    }
    crate::pattern::compile_pattern(text)
        .map(|_| ())
        .map_err(|error| Problem::new("validation_invalid_regex", error.to_string()))
}

pub(crate) fn url(text: &str) -> Checked {
    ensure(text.is_empty() || crate::record::url_host(text).is_some(), || {
        Problem::new("validation_is_url", "must be a valid URL")
    })
}

/// A problem whose message names one value.
pub(crate) fn naming(
    code: &'static str,
    message: String,
    name: &str,
    value: impl Into<Value>,
) -> Problem {
    Problem::new(code, message).with_param(name, value)
}

pub(crate) fn ensure(holds: bool, problem: impl FnOnce() -> Problem) -> Checked {
    if holds { Ok(()) } else { Err(problem()) }
}
