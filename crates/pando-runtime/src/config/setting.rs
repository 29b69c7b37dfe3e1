//! The types that a key can have: how each is read from TOML and from text, and shown.

use toml::Value;

use super::{ByteSize, Seconds, Secret};

/// The type of a key.
pub trait Setting: Sized {
    /// What an operator must write, to end the sentence "must be …".
    const EXPECTS: &'static str;
    /// Whether the value is hidden, and may come from `<key>_file`.
    const SECRET: bool = false;

    /// From the file. `None` if the value is not what [`Setting::EXPECTS`] says.
    fn from_toml(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::from_text)
    }

    /// From the environment or a flag.
    fn from_text(text: &str) -> Option<Self>;

    /// For `config show` and the reference page; secrets hidden.
    fn to_toml(&self) -> Value;
}

impl Setting for String {
    const EXPECTS: &'static str = "a text";

    fn from_text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn to_toml(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Setting for bool {
    const EXPECTS: &'static str = "true or false";

    fn from_toml(value: &Value) -> Option<bool> {
        value.as_bool()
    }

    /// The spellings of Go's `strconv.ParseBool`, which PocketBase's flags accept.
    fn from_text(text: &str) -> Option<bool> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        }
    }

    fn to_toml(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Setting for u32 {
    const EXPECTS: &'static str = "a whole number from 0 to 4294967295";

    fn from_toml(value: &Value) -> Option<u32> {
        value.as_integer().and_then(|number| u32::try_from(number).ok())
    }

    fn from_text(text: &str) -> Option<u32> {
        text.parse().ok()
    }

    fn to_toml(&self) -> Value {
        Value::Integer(i64::from(*self))
    }
}

impl Setting for ByteSize {
    const EXPECTS: &'static str = "a size, such as \"64 MiB\"";

    fn from_toml(value: &Value) -> Option<ByteSize> {
        match value {
            Value::Integer(bytes) => u64::try_from(*bytes).ok().map(ByteSize),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn from_text(text: &str) -> Option<ByteSize> {
        text.parse().ok()
    }

    fn to_toml(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Setting for Seconds {
    const EXPECTS: &'static str = "a duration, such as \"30s\" or \"5min\"";

    fn from_toml(value: &Value) -> Option<Seconds> {
        match value {
            Value::Integer(seconds) => u64::try_from(*seconds)
                .ok()
                .filter(|s| s.checked_mul(1_000).is_some())
                .map(Seconds::new),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn from_text(text: &str) -> Option<Seconds> {
        text.parse().ok()
    }

    fn to_toml(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Setting for Vec<String> {
    const EXPECTS: &'static str = "a list of texts, such as [\"a\", \"b\"]";

    fn from_toml(value: &Value) -> Option<Vec<String>> {
        value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// Items are separated by commas, as in PocketBase's `--origins`.
    fn from_text(text: &str) -> Option<Vec<String>> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Some(items.map(str::to_owned).collect())
    }

    fn to_toml(&self) -> Value {
        Value::Array(self.iter().cloned().map(Value::String).collect())
    }
}

impl Setting for Secret {
    const EXPECTS: &'static str = "a text";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Secret> {
        Some(Secret::new(text))
    }

    fn to_toml(&self) -> Value {
        Value::String(self.to_string())
    }
}
