//! The JSON form of a field: the same in storage and in the API, keys in alphabetical order.
//!
//! Source: the `json` tags in PocketBase `core/field_*.go`; `core/fields_list.go`.

use serde_json::{Map, Value};

use crate::field::list::collect_fields;
use crate::load::{KeyMatch, Loader, Malformed, number_json};
use crate::{Field, FieldKind};

impl Field {
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
        put("id", self.id.as_str().into());
        put("name", self.name.as_str().into());
        put("system", self.system.into());
        put("hidden", self.hidden.into());
        put("presentable", self.presentable.into());
        put("type", self.kind.type_name().into());
        if !matches!(self.kind, FieldKind::Autodate { .. }) {
            put("help", self.help.as_str().into());
        }
        for (key, value) in self.kind.options() {
            put(key, value);
        }
        json.sort_keys();
        Value::Object(json)
    }

    /// Reads a field; `path` is its place in the whole JSON, for messages.
    pub(crate) fn from_json(value: &Value, path: &str) -> Result<Field, Malformed> {
        const WANTED: &str = "core.fieldWithType";
        let malformed = |detail: String| Malformed::new(value, WANTED, path).because(detail);
        let Ok(Some(loader)) = Loader::of(value, WANTED, String::new(), KeyMatch::Exact) else {
            return Err(malformed(format!("missing or unknown field type in {value}")));
        };
        let mut type_name = String::new();
        loader
            .text("type", &mut type_name)
            .map_err(|error| malformed(format!("failed to unmarshal field type: {error}")))?;
        let Some(kind) = FieldKind::blank(&type_name) else {
            return Err(malformed(format!("missing or unknown field type in {value}")));
        };
        let mut field = Field::new("", kind);
        load(&mut field, &loader)
            .map_err(|error| malformed(format!("failed to unmarshal field: {error}")))?;
        Ok(field)
    }

    /// Reads a list of fields; those without id get one.
    pub(crate) fn list_from_json(value: &Value, path: &str) -> Result<Vec<Field>, Malformed> {
        let items: &[Value] = match value {
            Value::Array(items) => items,
            Value::Null => &[],
            other => return Err(Malformed::new(other, "[]core.fieldWithType", path)),
        };
        let read = |(index, item)| Field::from_json(item, &format!("{path}/{index}"));
        let fields = items.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(collect_fields(fields))
    }
}

impl FieldKind {
    /// The options under their JSON names.
    fn options(&self) -> Vec<(&'static str, Value)> {
        let limit = |limit: &Option<f64>| limit.map_or(Value::Null, number_json);
        match self {
            FieldKind::Text { min, max, pattern, autogenerate_pattern, primary_key, required } => {
                vec![
                    ("min", (*min).into()),
                    ("max", (*max).into()),
                    ("pattern", pattern.as_str().into()),
                    ("autogeneratePattern", autogenerate_pattern.as_str().into()),
                    ("primaryKey", (*primary_key).into()),
                    ("required", (*required).into()),
                ]
            }
            FieldKind::Editor { max_size, convert_urls, required } => vec![
                ("maxSize", (*max_size).into()),
                ("convertURLs", (*convert_urls).into()),
                ("required", (*required).into()),
            ],
            FieldKind::Number { min, max, only_int, required } => vec![
                ("min", limit(min)),
                ("max", limit(max)),
                ("onlyInt", (*only_int).into()),
                ("required", (*required).into()),
            ],
            FieldKind::Bool { required } | FieldKind::GeoPoint { required } => {
                vec![("required", (*required).into())]
            }
            FieldKind::Email { except_domains, only_domains, required }
            | FieldKind::Url { except_domains, only_domains, required } => vec![
                ("exceptDomains", except_domains.clone().into()),
                ("onlyDomains", only_domains.clone().into()),
                ("required", (*required).into()),
            ],
            FieldKind::Date { min, max, required } => vec![
                ("min", min.as_str().into()),
                ("max", max.as_str().into()),
                ("required", (*required).into()),
            ],
            FieldKind::Autodate { on_create, on_update } => {
                vec![("onCreate", (*on_create).into()), ("onUpdate", (*on_update).into())]
            }
            FieldKind::Json { max_size, required } => {
                vec![("maxSize", (*max_size).into()), ("required", (*required).into())]
            }
            FieldKind::Password { pattern, min, max, cost, required } => vec![
                ("pattern", pattern.as_str().into()),
                ("min", (*min).into()),
                ("max", (*max).into()),
                ("cost", (*cost).into()),
                ("required", (*required).into()),
            ],
            FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
                self.choice_options()
            }
        }
    }

    /// The options of the kinds that can hold a list.
    fn choice_options(&self) -> Vec<(&'static str, Value)> {
        match self {
            FieldKind::Select { values, max_select, required } => vec![
                ("values", values.clone().into()),
                ("maxSelect", (*max_select).into()),
                ("required", (*required).into()),
            ],
            FieldKind::File { max_size, max_select, mime_types, thumbs, protected, required } => {
                vec![
                    ("maxSize", (*max_size).into()),
                    ("maxSelect", (*max_select).into()),
                    ("mimeTypes", mime_types.clone().into()),
                    ("thumbs", thumbs.clone().into()),
                    ("protected", (*protected).into()),
                    ("required", (*required).into()),
                ]
            }
            FieldKind::Relation {
                collection_id,
                cascade_delete,
                min_select,
                max_select,
                required,
            } => vec![
                ("collectionId", collection_id.as_str().into()),
                ("cascadeDelete", (*cascade_delete).into()),
                ("minSelect", (*min_select).into()),
                ("maxSelect", (*max_select).into()),
                ("required", (*required).into()),
            ],
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Number { .. }
            | FieldKind::Bool { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Date { .. }
            | FieldKind::Autodate { .. }
            | FieldKind::Json { .. }
            | FieldKind::GeoPoint { .. }
            | FieldKind::Password { .. } => Vec::new(),
        }
    }
}

fn load(field: &mut Field, loader: &Loader<'_>) -> Result<(), Malformed> {
    loader.text("id", &mut field.id)?;
    loader.text("name", &mut field.name)?;
    loader.flag("system", &mut field.system)?;
    loader.flag("hidden", &mut field.hidden)?;
    loader.flag("presentable", &mut field.presentable)?;
    if !matches!(field.kind, FieldKind::Autodate { .. }) {
        loader.text("help", &mut field.help)?;
    }
    load_options(&mut field.kind, loader)
}

fn load_options(kind: &mut FieldKind, loader: &Loader<'_>) -> Result<(), Malformed> {
    match kind {
        FieldKind::Text { min, max, pattern, autogenerate_pattern, primary_key, required } => {
            loader.int("min", min)?;
            loader.int("max", max)?;
            loader.text("pattern", pattern)?;
            loader.text("autogeneratePattern", autogenerate_pattern)?;
            loader.flag("primaryKey", primary_key)?;
            loader.flag("required", required)
        }
        FieldKind::Editor { max_size, convert_urls, required } => {
            loader.int("maxSize", max_size)?;
            loader.flag("convertURLs", convert_urls)?;
            loader.flag("required", required)
        }
        FieldKind::Number { min, max, only_int, required } => {
            loader.optional_number("min", min)?;
            loader.optional_number("max", max)?;
            loader.flag("onlyInt", only_int)?;
            loader.flag("required", required)
        }
        FieldKind::Bool { required } | FieldKind::GeoPoint { required } => {
            loader.flag("required", required)
        }
        FieldKind::Email { except_domains, only_domains, required }
        | FieldKind::Url { except_domains, only_domains, required } => {
            loader.texts("exceptDomains", except_domains)?;
            loader.texts("onlyDomains", only_domains)?;
            loader.flag("required", required)
        }
        FieldKind::Date { min, max, required } => {
            loader.date("min", min)?;
            loader.date("max", max)?;
            loader.flag("required", required)
        }
        FieldKind::Autodate { on_create, on_update } => {
            loader.flag("onCreate", on_create)?;
            loader.flag("onUpdate", on_update)
        }
        FieldKind::Json { max_size, required } => {
            loader.int("maxSize", max_size)?;
            loader.flag("required", required)
        }
        FieldKind::Password { pattern, min, max, cost, required } => {
            loader.text("pattern", pattern)?;
            loader.int("min", min)?;
            loader.int("max", max)?;
            loader.int("cost", cost)?;
            loader.flag("required", required)
        }
        FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
            load_choice_options(kind, loader)
        }
    }
}

fn load_choice_options(kind: &mut FieldKind, loader: &Loader<'_>) -> Result<(), Malformed> {
    match kind {
        FieldKind::Select { values, max_select, required } => {
            loader.texts("values", values)?;
            loader.int("maxSelect", max_select)?;
            loader.flag("required", required)
        }
        FieldKind::File { max_size, max_select, mime_types, thumbs, protected, required } => {
            loader.int("maxSize", max_size)?;
            loader.int("maxSelect", max_select)?;
            loader.texts("mimeTypes", mime_types)?;
            loader.texts("thumbs", thumbs)?;
            loader.flag("protected", protected)?;
            loader.flag("required", required)
        }
        FieldKind::Relation { collection_id, cascade_delete, min_select, max_select, required } => {
            loader.text("collectionId", collection_id)?;
            loader.flag("cascadeDelete", cascade_delete)?;
            loader.int("minSelect", min_select)?;
            loader.int("maxSelect", max_select)?;
            loader.flag("required", required)
        }
        FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Number { .. }
        | FieldKind::Bool { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Json { .. }
        | FieldKind::GeoPoint { .. }
        | FieldKind::Password { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
