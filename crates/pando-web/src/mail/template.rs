//! Mail templates: what stands in braces becomes what it names.
//!
//! Each place is filled once, so what a user wrote into a record is never taken for a
//! placeholder itself.
//!
//! Source: PocketBase `mails/record.go` (`resolveEmailTemplate`).

use pando_schema::{EmailTemplate, Field, FieldKind, Meta, Record, Value};

/// A name without braces and what stands for it, which goes into HTML as it is.
pub(crate) type Placeholder<'a> = (&'static str, &'a str);

/// Subject and body of a mail about `record`.
pub(crate) fn resolve(
    template: &EmailTemplate,
    meta: &Meta,
    record: &Record,
    own: &[Placeholder<'_>],
) -> (String, String) {
    let find = |name: &str| -> Option<String> {
        if let Some((_, value)) = own.iter().find(|(own, _)| *own == name) {
            return Some((*value).to_owned());
        }
        match name {
            "APP_NAME" => Some(meta.app_name.clone()),
            "APP_URL" => Some(meta.app_url.clone()),
            _ => field_text(record, name.strip_prefix("RECORD:")?),
        }
    };
    (fill(&template.subject, find), fill(&template.body, find))
}

/// `text` with every `{name}` replaced that `find` knows.
fn fill(text: &str, find: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let found = rest.find('}').and_then(|end| Some((find(&rest[1..end])?, end)));
        match found {
            Some((value, end)) => {
                filled.push_str(&value);
                rest = &rest[end + 1..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

/// What a mail shows of a field; `None` if it is hidden or there is none.
fn field_text(record: &Record, name: &str) -> Option<String> {
    let index = record.collection.field_index(name)?;
    let field: &Field = &record.collection.fields[index];
    if field.hidden {
        return None;
    }
    let text = match &record.values[index] {
        Value::Bool(on) => on.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) | Value::Json(text) => text.clone(),
        // Not shown by PocketBase either.
        Value::List(_) => String::new(),
        point @ Value::GeoPoint { .. } => {
            let mut json = Vec::new();
            point.write_json(&mut json);
            String::from_utf8_lossy(&json).into_owned()
        }
    };
    Some(match field.kind {
        FieldKind::Autodate { .. }
        | FieldKind::Date { .. }
        | FieldKind::Bool { .. }
        | FieldKind::Number { .. } => text,
        _ => escaped(&text),
    })
}

/// `text` as HTML shows it.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '\'' => html.push_str("&#39;"),
            '"' => html.push_str("&#34;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_filled_once() {
        let find = |name: &str| match name {
            "A" => Some("{B}".to_owned()),
            "B" => Some("b".to_owned()),
            _ => None,
        };
        let cases = [
            ("", ""),
            ("{A}{B}", "{B}b"),
            ("{C} {{B}} { B} {", "{C} {b} { B} {"),
            ("é{B}é}", "ébé}"),
            ("{{A}", "{{B}"),
        ];
        for (text, expected) in cases {
            assert_eq!(fill(text, find), expected, "{text}");
        }
    }

    #[test]
    fn markup_in_values_is_shown_as_text() {
        assert_eq!(escaped(r#"<a href="x">&'é"#), "&lt;a href=&#34;x&#34;&gt;&amp;&#39;é");
    }
}
