//! Messages of any version as a tree, and the result for a reader of another version: the evolution table of the
//! derive's page, as code.

use std::collections::BTreeMap;

use datagrammar::DecodeError;

/// A value of any field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(u64),
    Text(String),
    /// The number of the file behind a descriptor.
    File(u64),
    Maybe(Option<Box<Self>>),
    List(Vec<Self>),
    Message(Node),
}

impl Value {
    /// Returns whether it holds no unknown message that was dropped.
    pub(crate) fn can_be_sent(&self) -> bool {
        match self {
            Self::Maybe(Some(value)) => value.can_be_sent(),
            Self::List(values) => values.iter().all(Self::can_be_sent),
            Self::Message(node) => node.tag != 0 && node.fields.iter().all(Self::can_be_sent),
            Self::Number(_) | Self::Text(_) | Self::File(_) | Self::Maybe(None) => true,
        }
    }
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The tag, or 0 for an unknown message that was dropped.
    pub(crate) tag: u32,
    pub(crate) fields: Vec<Value>,
    /// The frame that the sender wrote. No bytes if it cannot write any.
    pub(crate) frame: Vec<u8>,
    pub(crate) is_unknown: bool,
}

/// Ignores the frames, except of unknown messages: a reader writes known messages in its own version.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        let frames = !self.is_unknown || self.frame == other.frame;
        frames
            && (self.tag, &self.fields, self.is_unknown)
                == (other.tag, &other.fields, other.is_unknown)
    }
}

/// The declarations of a version.
pub(crate) type Schema = BTreeMap<&'static str, Type>;

pub(crate) struct Type {
    pub(crate) other: Option<Other>,
    pub(crate) variants: BTreeMap<u32, Variant>,
}

/// The reaction of a reader to a message with an unknown tag.
#[derive(Clone, Copy)]
pub(crate) enum Other {
    Kept,
    Dropped,
}

pub(crate) struct Variant {
    pub(crate) is_extensible: bool,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    /// The message type of a nested field.
    pub(crate) nested: Option<&'static str>,
    pub(crate) default: Option<Value>,
}

/// The error of a reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Refusal {
    UnknownTag(u32),
    TrailingBytes,
    FdUnclear,
}

impl Refusal {
    /// Returns the refusal for an error, at any depth.
    pub(crate) fn of(error: DecodeError) -> Self {
        match error {
            DecodeError::Nested { error, .. } => Self::of(*error),
            DecodeError::UnknownTag(tag) => Self::UnknownTag(tag),
            DecodeError::TrailingBytes { .. } => Self::TrailingBytes,
            DecodeError::FdUnclear => Self::FdUnclear,
            other => panic!("{other}"),
        }
    }
}

/// Returns the descriptors of a value, depth first.
pub(crate) fn files(value: &Value, found: &mut Vec<u64>) {
    match value {
        Value::File(file) => found.push(*file),
        Value::Maybe(Some(value)) => files(value, found),
        Value::List(values) => values.iter().for_each(|value| files(value, found)),
        Value::Message(node) => node.fields.iter().for_each(|value| files(value, found)),
        Value::Number(_) | Value::Text(_) | Value::Maybe(None) => {}
    }
}

/// A reader of another version.
pub(crate) struct Reader<'s> {
    schema: &'s Schema,
    /// Whether a nested message had an unknown part, and whether descriptors were taken after it.
    unknown: bool,
    taken_after: bool,
    /// The number of descriptors that belong to unknown parts.
    left: usize,
}

impl<'s> Reader<'s> {
    /// Returns the message as the reader sees it.
    pub(crate) fn read(schema: &'s Schema, node: &Node) -> Result<Node, Refusal> {
        let mut reader = Self { schema, unknown: false, taken_after: false, left: 0 };
        let read = reader.message(node, "Top", true)?;
        match reader.left > 0 && reader.taken_after {
            true => Err(Refusal::FdUnclear),
            false => Ok(read),
        }
    }

    fn message(&mut self, node: &Node, of: &str, is_outermost: bool) -> Result<Node, Refusal> {
        let schema = self.schema;
        let Type { other, variants } = &schema[of];
        let Some(variant) = variants.get(&node.tag) else {
            let other = other.ok_or(Refusal::UnknownTag(node.tag))?;
            self.leave_out(&node.fields, is_outermost);
            let (tag, frame) = match other {
                Other::Kept => (node.tag, node.frame.clone()),
                Other::Dropped => (0, Vec::new()),
            };
            return Ok(Node { tag, fields: Vec::new(), frame, is_unknown: true });
        };
        let mut fields = Vec::new();
        for (at, field) in variant.fields.iter().enumerate() {
            fields.push(match (node.fields.get(at), &field.default) {
                (Some(value), _) => self.value(value, field)?,
                (None, Some(default)) => default.clone(),
                (None, None) => panic!("a new field without `default` breaks the rules"),
            });
        }
        let more = node.fields.get(variant.fields.len()..).unwrap_or_default();
        if !more.is_empty() {
            if !variant.is_extensible {
                return Err(Refusal::TrailingBytes);
            }
            self.leave_out(more, is_outermost);
        }
        Ok(Node { fields, ..node.clone() })
    }

    fn value(&mut self, value: &Value, field: &Field) -> Result<Value, Refusal> {
        Ok(match value {
            Value::File(_) => {
                self.taken_after |= self.unknown;
                value.clone()
            }
            Value::Maybe(Some(value)) => Value::Maybe(Some(Box::new(self.value(value, field)?))),
            Value::List(values) => {
                let values: Result<_, _> =
                    values.iter().map(|value| self.value(value, field)).collect();
                Value::List(values?)
            }
            Value::Message(node) => {
                let of = field.nested.expect("a message in a nested field");
                Value::Message(self.message(node, of, false)?)
            }
            Value::Number(_) | Value::Text(_) | Value::Maybe(None) => value.clone(),
        })
    }

    fn leave_out(&mut self, values: &[Value], is_outermost: bool) {
        let mut found = Vec::new();
        values.iter().for_each(|value| files(value, &mut found));
        self.left += found.len();
        self.unknown |= !is_outermost;
    }
}
