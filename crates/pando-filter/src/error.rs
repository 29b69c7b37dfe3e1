//! Why a filter, rule or sort cannot be applied to a collection.

use crate::parse::ParseError;
use crate::quote::Quoted;

/// The messages are PocketBase's: the one for a wrong rule is shown to its author.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FilterError {
    #[error("{0}")]
    Parse(ParseError),
    #[error("invalid left operand {} - {cause}", Quoted(.literal))]
    Left { literal: String, cause: Box<FilterError> },
    #[error("invalid right operand {} - {cause}", Quoted(.literal))]
    Right { literal: String, cause: Box<FilterError> },
    #[error("max filter expressions limit reached")]
    ExpressionLimit,
    #[error("failed to resolve field {}", Quoted(.0))]
    Unresolved(String),
    #[error("unknown field {}", Quoted(.0))]
    UnknownField(String),
    #[error("non-filterable field {}", Quoted(.0))]
    Hidden(String),
    #[error("field {} is not a valid relation", Quoted(.0))]
    NoRelation(String),
    #[error("failed to load field {} collection", Quoted(.0))]
    RelationCollection(String),
    #[error("max nested relations reached for field {}", Quoted(.0))]
    RelationDepth(String),
    #[error("failed to load back relation field {} collection", Quoted(.0))]
    BackCollection(String),
    #[error("missing back relation field {}", Quoted(.0))]
    BackMissing(String),
    #[error("invalid back relation field {}", Quoted(.0))]
    BackInvalid(String),
    #[error("non-filterable back relation field {}", Quoted(.0))]
    BackHidden(String),
    #[error("invalid collection reference of a back relation field {}", Quoted(.0))]
    BackReference(String),
    #[error("invalid @collection field path in {}", Quoted(.0))]
    CollectionPath(String),
    #[error("failed to load collection {} from field path {}", Quoted(.name), Quoted(.path))]
    NoCollection { name: String, path: String },
    #[error("failed to load collection {} from data field {}", Quoted(.id), Quoted(.field))]
    NoBodyCollection { id: String, field: String },
    #[error(
        "{} fields can be accessed only when allowHiddenFields is enabled or by superusers",
        Quoted(.0)
    )]
    ClosedCollection(String),
    #[error("field {} doesn't support multivalue operations", Quoted(.0))]
    NotMultiple(String),
    #[error("unknown modifier in {}", Quoted(.0))]
    UnknownModifier(String),
    #[error("invalid modifier sequence {name}:{modifier}")]
    ModifierSequence { name: String, modifier: &'static str },
    #[error("unsafe name {}", Quoted(.0))]
    UnsafeName(String),
    #[error("unknown function {}", Quoted(.0))]
    UnknownFunction(String),
    #[error("[{function}] {message}")]
    Arguments { function: &'static str, message: String },
    #[error("failed to build {} ListRule join subquery filter expression: {cause}", Quoted(.collection))]
    JoinedRule { collection: String, cause: Box<FilterError> },
    #[error("max sort expressions limit reached")]
    SortLimit,
    #[error("max sort field length limit reached")]
    SortLength,
    #[error("invalid sort field {}", Quoted(.0))]
    Sort(String),
}

impl From<ParseError> for FilterError {
    fn from(error: ParseError) -> FilterError {
        FilterError::Parse(error)
    }
}
