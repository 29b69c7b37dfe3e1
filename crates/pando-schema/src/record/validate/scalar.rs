//! The checks of number, date, json and geoPoint fields.
//!
//! Source: PocketBase `core/field_number.go`, `core/field_date.go`, `core/field_json.go`,
//! `core/field_geo_point.go`.

use crate::value::{check_json, general_format};
use crate::{DateTime, Field, FieldKind, Problem, Value};

const JSON_BYTES_DEFAULT: i64 = 1 << 20;

pub(super) fn number_problem(field: &Field, number: f64) -> Option<Problem> {
    let FieldKind::Number { min, max, only_int, required: wanted } = &field.kind else {
        return None;
    };
    if !number.is_finite() {
        let message = "The submitted number is not properly formatted.";
        return Some(Problem::new("validation_not_a_number", message));
    }
    if number == 0.0 {
        return wanted.then(Problem::required);
    }
    if *only_int && !whole(number) {
        let message = "Decimal numbers are not allowed.";
        return Some(Problem::new("validation_only_int_constraint", message));
    }
    if let Some(min) = min.filter(|min| number < *min) {
        let message = format!("Must be greater or equal than {}.", general_format(min));
        let value = Value::Number(min).to_json();
        return Some(
            Problem::new("validation_min_number_constraint", message).with_param("min", value),
        );
    }
    let max = max.filter(|max| number > *max)?;
    let message = format!("Must be less or equal than {}.", general_format(max));
    let value = Value::Number(max).to_json();
    Some(Problem::new("validation_max_number_constraint", message).with_param("max", value))
}

/// Whether a number survives a round trip through a 64-bit integer.
fn whole(number: f64) -> bool {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)
}

pub(super) fn date_problem(date: &str, min: &str, max: &str, wanted: bool) -> Option<Problem> {
    if date.is_empty() {
        return wanted.then(Problem::required);
    }
    // Time zones can push a date out of the years that can be read again.
    let beyond = if date.starts_with('-') { i64::MIN } else { i64::MAX };
    let moment = DateTime::parse(date).unwrap_or(DateTime::from_unix_ms(beyond));
    let limit = |text| DateTime::parse(text).filter(|limit| !limit.unset());
    let (code, wording, threshold) = if let Some(min) = limit(min).filter(|min| moment < *min) {
        ("validation_min_greater_equal_than_required", "Must be no less than", min)
    } else if let Some(max) = limit(max).filter(|max| moment > *max) {
        ("validation_max_less_equal_than_required", "Must be no greater than", max)
    } else {
        return None;
    };
    let message = format!("{wording} {}.", threshold.go_format());
    Some(Problem::new(code, message).with_param("threshold", threshold.rfc3339()))
}

pub(super) fn json_problem(text: &str, max_size: i64, wanted: bool) -> Option<Problem> {
    let size_max = if max_size <= 0 { JSON_BYTES_DEFAULT } else { max_size };
    // An unset field takes no space.
    if text != "null" && i64::try_from(text.len()).unwrap_or(i64::MAX) > size_max {
        let message = format!("The maximum allowed JSON size is {size_max} bytes.");
        return Some(
            Problem::new("validation_json_size_limit", message).with_param("maxSize", size_max),
        );
    }
    if !check_json(text) {
        return Some(Problem::new("validation_invalid_json", "Must be a valid json value."));
    }
    (wanted && matches!(text.trim(), "null" | "\"\"" | "[]" | "{}")).then(Problem::required)
}

pub(super) fn point_problem(lon: f64, lat: f64, wanted: bool) -> Option<Problem> {
    if lat == 0.0 && lon == 0.0 {
        return wanted.then(Problem::required);
    }
    if !(-90.0..=90.0).contains(&lat) {
        let message = "Latitude must be between -90 and 90 degrees.";
        return Some(Problem::new("validation_invalid_latitude", message));
    }
    if !(-180.0..=180.0).contains(&lon) {
        let message = "Longitude must be between -180 and 180 degrees.";
        return Some(Problem::new("validation_invalid_longitude", message));
    }
    None
}
