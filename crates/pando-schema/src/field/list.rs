//! Adds fields to a collection's list: a field replaces the one with its id, or, when it brings
//! none, the one with its name.
//!
//! Source: PocketBase `core/fields_list.go`.

use crate::Field;

/// How many suffixes are tried to make a generated id unique, as in PocketBase.
const ID_SUFFIX_MAX: u32 = 1000;

/// Adds `field`, in place of the one that it replaces or else at the end. A field without id gets
/// the id of the field it replaces, or one made from its kind and name.
pub(crate) fn add_field(fields: &mut Vec<Field>, mut field: Field) {
    let same = if field.id.is_empty() {
        field.id = default_id(fields, &field);
        let same = fields.iter().position(|old| !field.name.is_empty() && old.name == field.name);
        if let Some(index) = same {
            field.id.clone_from(&fields[index].id);
        }
        same
    } else {
        fields.iter().position(|old| old.id == field.id)
    };
    match same {
        Some(index) => fields[index] = field,
        None => fields.push(field),
    }
}

/// The list that comes from adding all `fields` one after the other.
pub(crate) fn collect_fields(fields: impl IntoIterator<Item = Field>) -> Vec<Field> {
    let mut list = Vec::new();
    for field in fields {
        add_field(&mut list, field);
    }
    list
}

fn default_id(fields: &[Field], field: &Field) -> String {
    let base = format!("{}{}", field.kind.type_name(), crc32(&field.name));
    let taken = |id: &str| fields.iter().any(|old| old.id == id);
    let mut id = base.clone();
    for suffix in 2..ID_SUFFIX_MAX {
        if !taken(&id) {
            break;
        }
        id = format!("{base}{suffix}");
    }
    id
}

/// The IEEE CRC-32 of `text`, from which PocketBase makes default ids.
pub(crate) fn crc32(text: &str) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    let mut crc = !0_u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = (crc >> 1) ^ (POLYNOMIAL * carry);
        }
    }
    !crc
}

#[cfg(test)]
mod tests;
