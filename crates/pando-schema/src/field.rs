//! The fields of a collection and their options.
//!
//! Source: PocketBase `core/field_*.go`.

mod column;
mod json;
pub(crate) mod list;
pub(crate) mod validate;

/// One field (column) of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub id: String,
    pub name: String,
    pub system: bool,
    pub hidden: bool,
    pub presentable: bool,
    /// A short text for people who fill the field in. Not stored by autodate fields.
    pub help: String,
    pub kind: FieldKind,
}

/// What a field holds, with the options of that kind. A zero limit stands for the kind's default.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    Text {
        min: i64,
        max: i64,
        pattern: String,
        autogenerate_pattern: String,
        primary_key: bool,
        required: bool,
    },
    Editor {
        max_size: i64,
        convert_urls: bool,
        required: bool,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
        only_int: bool,
        required: bool,
    },
    Bool {
        required: bool,
    },
    Email {
        except_domains: Vec<String>,
        only_domains: Vec<String>,
        required: bool,
    },
    Url {
        except_domains: Vec<String>,
        only_domains: Vec<String>,
        required: bool,
    },
    /// Limits are in PocketBase's date format; empty means none.
    Date {
        min: String,
        max: String,
        required: bool,
    },
    Autodate {
        on_create: bool,
        on_update: bool,
    },
    Select {
        values: Vec<String>,
        max_select: i64,
        required: bool,
    },
    File {
        max_size: i64,
        max_select: i64,
        mime_types: Vec<String>,
        thumbs: Vec<String>,
        protected: bool,
        required: bool,
    },
    Relation {
        collection_id: String,
        cascade_delete: bool,
        min_select: i64,
        max_select: i64,
        required: bool,
    },
    Json {
        max_size: i64,
        required: bool,
    },
    GeoPoint {
        required: bool,
    },
    Password {
        pattern: String,
        min: i64,
        max: i64,
        cost: i64,
        required: bool,
    },
}

impl FieldKind {
    /// The kind with that name and all options empty.
    pub fn blank(type_name: &str) -> Option<FieldKind> {
        let required = false;
        Some(match type_name {
            "text" => FieldKind::Text {
                min: 0,
                max: 0,
                pattern: String::new(),
                autogenerate_pattern: String::new(),
                primary_key: false,
                required,
            },
            "editor" => FieldKind::Editor { max_size: 0, convert_urls: false, required },
            "number" => FieldKind::Number { min: None, max: None, only_int: false, required },
            "bool" => FieldKind::Bool { required },
            "email" => {
                FieldKind::Email { except_domains: Vec::new(), only_domains: Vec::new(), required }
            }
            "url" => {
                FieldKind::Url { except_domains: Vec::new(), only_domains: Vec::new(), required }
            }
            "date" => FieldKind::Date { min: String::new(), max: String::new(), required },
            "autodate" => FieldKind::Autodate { on_create: false, on_update: false },
            "select" => FieldKind::Select { values: Vec::new(), max_select: 0, required },
            "file" => FieldKind::File {
                max_size: 0,
                max_select: 0,
                mime_types: Vec::new(),
                thumbs: Vec::new(),
                protected: false,
                required,
            },
            "relation" => FieldKind::Relation {
                collection_id: String::new(),
                cascade_delete: false,
                min_select: 0,
                max_select: 0,
                required,
            },
            "json" => FieldKind::Json { max_size: 0, required },
            "geoPoint" => FieldKind::GeoPoint { required },
            "password" => {
                FieldKind::Password { pattern: String::new(), min: 0, max: 0, cost: 0, required }
            }
            _ => return None,
        })
    }

    /// The name by which JSON calls the kind.
    pub fn type_name(&self) -> &'static str {
        match self {
            FieldKind::Text { .. } => "text",
            FieldKind::Editor { .. } => "editor",
            FieldKind::Number { .. } => "number",
            FieldKind::Bool { .. } => "bool",
            FieldKind::Email { .. } => "email",
            FieldKind::Url { .. } => "url",
            FieldKind::Date { .. } => "date",
            FieldKind::Autodate { .. } => "autodate",
            FieldKind::Select { .. } => "select",
            FieldKind::File { .. } => "file",
            FieldKind::Relation { .. } => "relation",
            FieldKind::Json { .. } => "json",
            FieldKind::GeoPoint { .. } => "geoPoint",
            FieldKind::Password { .. } => "password",
        }
    }
}

impl Field {
    /// A field with that name, an id still to be given, and nothing special.
    pub fn new(name: &str, kind: FieldKind) -> Field {
        Field {
            id: String::new(),
            name: name.to_owned(),
            system: false,
            hidden: false,
            presentable: false,
            help: String::new(),
            kind,
        }
    }

    /// True for a select, file or relation field that holds a list.
    pub fn multiple(&self) -> bool {
        match &self.kind {
            FieldKind::Select { max_select, .. }
            | FieldKind::File { max_select, .. }
            | FieldKind::Relation { max_select, .. } => *max_select > 1,
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
            | FieldKind::Password { .. } => false,
        }
    }
}
