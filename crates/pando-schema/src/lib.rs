//! Collections, fields, values and records: what they are and what is valid. Pure.

mod check;
mod collection;
mod datetime;
mod field;
mod load;
mod pattern;
mod picker;
mod problems;
mod random;
mod record;
mod schema;
mod settings;
mod value;
mod view;

pub use collection::{
    AuthAlert, AuthOptions, Collection, CollectionKind, CollectionRow, Column, Conversion, Derived,
    Draft, DraftError, EmailTemplate, ImportError, ImportPlan, ImportSave, Index, IndexColumn,
    MappedFields, Mfa, Missing, NewIndex, OAuth2, OAuth2Provider, Otp, PasswordAuth, Rules, Shape,
    StoredError, Surroundings, TableChanges, TokenOptions, import_failure, index_failure,
    oauth2_provider_known, plan_import, scaffolds, single_column_unique_index, system_collections,
};
pub use datetime::{DateTime, normalize_date};
pub use field::{Field, FieldKind};
pub use load::Malformed;
pub use pattern::{PatternError, compile_pattern};
pub use picker::{PickError, Picker};
pub use problems::{Problem, ProblemTree, Problems, sentence};
pub use random::{
    ALPHANUMERIC, GenerateError, LOWER_ALPHANUMERIC, random_by_pattern, random_id, random_text,
    random_text_of,
};
pub use record::{
    Access, Expanded, JsonShape, NewFile, PlainPassword, Record, StoreCheck, Upsert, check_text,
    email_valid, files_removed, unique_problems, validate,
};
pub use schema::Schema;
pub use settings::{
    Backups, Batch, CronError, CronMoment, CronSchedule, FilesMove, FilesMoveRefusal, FilesPhase,
    Logs, Meta, RateLimitRule, RateLimits, S3, Settings, Smtp, StoredSettingsError, TrustedProxy,
};
pub use value::{
    SqlValue, Value, compact_json, json_of, write_json_text, write_number, write_string,
};
pub use view::{
    ViewColumn, ViewQueryError, quote_names, same_fields, single_statement, view_columns,
    view_field_problem, view_fields, view_file_source, with_text_id,
};
