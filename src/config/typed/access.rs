//! What the reader hands to serde's visitors: items of lists, keys of mappings, names of variants. It judges nothing itself.

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::super::node::{Entry, Node};
use super::OPTIONS;
use super::error::{Error, join};
use super::read::Reader;

/// The items of a list.
pub struct Items<'a, 'r> {
    pub items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    pub list: &'r Reader<'a>,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((index, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.list.child(item, format!("{}[{index}]", self.list.path), &item.place)).map(Some)
    }
}

/// A key of a mapping: from the file, standing in for a missing one, or the gathered options.
#[derive(Clone)]
pub enum Field<'a> {
    Written(&'a Entry),
    /// Written with dots, as librdkafka spells the field of this name.
    Spelt(&'a Entry, &'static str),
    Absent(&'static str),
    Options(Vec<&'a Entry>),
}

/// The keys of a mapping and their values.
pub struct Fields<'a, 'r> {
    fields: std::vec::IntoIter<Field<'a>>,
    value: Option<Field<'a>>,
    map: &'r Reader<'a>,
}

impl<'a, 'r> Fields<'a, 'r> {
    pub fn new(fields: Vec<Field<'a>>, map: &'r Reader<'a>) -> Self {
        Self { fields: fields.into_iter(), value: None, map }
    }
}

impl<'a> MapAccess<'a> for Fields<'a, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.value = self.fields.next();
        let key = match &self.value {
            None => return Ok(None),
            Some(Field::Written(entry)) => entry.key.as_str(),
            Some(Field::Absent(name) | Field::Spelt(_, name)) => name,
            Some(Field::Options(_)) => OPTIONS,
        };
        let key: StrDeserializer<'_, Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let map = self.map;
        match self.value.take() {
            Some(Field::Written(entry)) => {
                seed.deserialize(map.child(&entry.value, join(&map.path, &entry.key), &entry.place))
            }
            Some(Field::Spelt(entry, name)) => {
                seed.deserialize(map.child(&entry.value, join(&map.path, name), &entry.place))
            }
            Some(Field::Absent(name)) => seed.deserialize(map.stand_in(name)),
            Some(Field::Options(entries)) => seed.deserialize(Gathered { entries, map }),
            None => Err(Error::needs("a value")),
        }
    }
}

/// Options that stand beside the known keys, read as if they were a mapping of their own.
struct Gathered<'a, 'r> {
    entries: Vec<&'a Entry>,
    map: &'r Reader<'a>,
}

impl<'a> Deserializer<'a> for Gathered<'a, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Fields::new(self.entries.into_iter().map(Field::Written).collect(), self.map))
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'a>> bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The name of an enum's variant.
pub struct Variant<'a>(pub &'a str);

impl<'a> EnumAccess<'a> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'a> VariantAccess<'a> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'a>>(self, _: S) -> Result<S::Value, Error> {
        Err(Error::needs("one of its names"))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::needs("one of its names"))
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(Error::needs("one of its names"))
    }
}
