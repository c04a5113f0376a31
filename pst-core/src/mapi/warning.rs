//! What a conversion lost, guessed or found odd in an item.

use std::fmt;

/// A remark about one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Warning {
    /// What kind of remark it is.
    pub code: Code,
    /// One sentence.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Kinds of remarks. Their names do not change from version to version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that reports give it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

codes! {
    /// An address for which no Internet address is known.
    Address = "address",
    /// Several bodies became one, or one of two was kept.
    Body = "body",
    /// Something of a calendar, task or journal has no place in the target.
    Calendar = "calendar",
    /// Text in an unknown charset, or not all in the one it names.
    Charset = "charset",
    /// Something of a contact or distribution list has no place in the target.
    Contact = "contact",
    /// A part of the item could not be read and is missing; the run ends with status 1.
    Damaged = "damaged",
    /// A date that is missing or cannot be understood.
    Date = "date",
    /// The source marks the item as deleted.
    Deleted = "deleted",
    /// Messages nested deeper than the target takes.
    Depth = "depth",
    /// A transfer encoding that is not what it says.
    Encoding = "encoding",
    /// A header field that had to be changed or made anew.
    Header = "header",
    /// A file or folder name that had to be changed.
    Name = "name",
    /// An attachment without data, such as one that is only referred to.
    NoData = "no-data",
    /// An OLE object that was not taken apart.
    Object = "object",
    /// Text or fields outside of what the target can hold.
    Outside = "outside",
    /// Parts of a page that were removed for safety.
    Page = "page",
    /// A property that the target cannot hold.
    Property = "property",
    /// Requests for receipts that were taken out of mail that was read.
    Receipt = "receipt",
    /// A reminder of the past that was dismissed.
    Reminder = "reminder",
    /// A rich text body that is damaged.
    RichText = "rich-text",
    /// A signature that no longer verifies.
    Signature = "signature",
    /// A message that is not built as its format demands.
    Structure = "structure",
    /// Something of a winmail.dat that was not taken over.
    Tnef = "tnef",
}

impl Code {
    /// The kind of a name, if there is one.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|code| code.name() == name).copied()
    }

    /// A remark of this kind.
    pub fn with(self, text: impl Into<String>) -> Warning {
        Warning { code: self, text: text.into() }
    }
}
