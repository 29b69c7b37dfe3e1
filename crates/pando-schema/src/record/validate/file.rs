//! The checks of file fields.
//!
//! Source: PocketBase `core/field_file.go`, `core/validators/file.go`.

mod aliases;

use crate::{Field, FieldKind, NewFile, Problem};

const SIZE_BYTES_DEFAULT: i64 = 5 << 20;
const NAME_BYTES_MAX: usize = 150;

/// How much of a file name that was never uploaded an answer repeats.
const SHOWN_BYTES_MAX: usize = 250;
/// How much of an uploaded file's name an answer repeats.
const ORIGINAL_NAME_BYTES_MAX: usize = 300;

pub(super) fn file_problem(
    field: &Field,
    names: &[String],
    old_names: &[String],
    new_files: &[NewFile],
) -> Option<Problem> {
    let FieldKind::File { max_size, max_select, mime_types, required: wanted, .. } = &field.kind
    else {
        return None;
    };
    if names.is_empty() {
        return wanted.then(Problem::required);
    }
    let upload = |name: &String| new_files.iter().find(|file| file.name == *name);
    let unknown: Vec<&str> = names
        .iter()
        .filter(|name| upload(name).is_none() && !old_names.contains(name))
        .map(|name| cut(name, SHOWN_BYTES_MAX))
        .collect();
    if !unknown.is_empty() {
        let message = format!("Invalid new files: [{}].", unknown.join(" "));
        return Some(
            Problem::new("validation_invalid_file", message).with_param("invalidFiles", unknown),
        );
    }
    let count_max = (*max_select).max(1);
    if i64::try_from(names.len()).unwrap_or(i64::MAX) > count_max {
        let message = format!("The maximum allowed files is {count_max}.");
        return Some(
            Problem::new("validation_too_many_files", message).with_param("maxSelect", count_max),
        );
    }
    let size_max = if *max_size <= 0 { SIZE_BYTES_DEFAULT } else { *max_size };
    names.iter().filter_map(upload).find_map(|file| upload_problem(file, size_max, mime_types))
}

fn upload_problem(file: &NewFile, size_max: i64, mime_types: &[String]) -> Option<Problem> {
    let name = file.name.as_str();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let mut problem = Problem::new(
            "validation_length_out_of_range",
            format!("The length must be between 1 and {NAME_BYTES_MAX}."),
        );
        problem.params.insert("min".to_owned(), 1.into());
        problem.params.insert("max".to_owned(), NAME_BYTES_MAX.into());
        return Some(problem);
    }
    if name.len() < 2 || name.starts_with(['.', '/', '\\']) || name.contains(['/', '\\']) {
        return Some(Problem::new("validation_match_invalid", "Must be in a valid format."));
    }
    if file.size_bytes > size_max.unsigned_abs() {
        let shown = shortened(&file.original_name);
        let message = format!(
            "Failed to upload {shown} - the maximum allowed file size is {size_max} bytes."
        );
        let mut problem =
            Problem::new("validation_file_size_limit", message).with_param("file", shown);
        problem.params.insert("maxSize".to_owned(), size_max.into());
        return Some(problem);
    }
    if !mime_types.is_empty() && !mime_types.iter().any(|allowed| mime_is(&file.mime, allowed)) {
        let message = format!("{name:?} mime type must be one of: {}", mime_types.join(", "));
        return Some(Problem::new("validation_invalid_mime_type", message));
    }
    None
}

/// Whether a found MIME type is the `allowed` one or is also called so, parameters aside.
fn mime_is(found: &str, allowed: &str) -> bool {
    let essence = |mime: &str| {
        let (essence, _) = mime.split_once(';').unwrap_or((mime, ""));
        essence.trim().to_ascii_lowercase()
    };
    let (found, allowed) = (essence(found), essence(allowed));
    found == allowed || aliases::ALIASES.contains(&(&found, &allowed))
}

fn shortened(name: &str) -> String {
    if name.len() > ORIGINAL_NAME_BYTES_MAX {
        format!("{}...", cut(name, ORIGINAL_NAME_BYTES_MAX))
    } else {
        name.to_owned()
    }
}

/// At most `length` bytes from the start, not cutting a character in two.
fn cut(text: &str, length: usize) -> &str {
    &text[..text.floor_char_boundary(length)]
}
