//! Items on their way in.

use super::client::Ews;
use super::folders::{FolderId, folder_id};
use super::items::{Field, ItemId, KEY, each};
use super::refusal::Refusal;
use crate::error::Result;
use crate::mapi::message::flag;
use crate::mapi::{Message, fast_transfer};
use crate::pipeline::Mime;
use std::io::Write;

/// PidTagMessageFlags: without it, what is created is a draft for ever.
const MESSAGE_FLAGS: Field = Field::Tag(0x0E07, "Integer");
/// PidTagMessageDeliveryTime: without it, an item has come now.
const DELIVERY_TIME: Field = Field::Tag(0x0E06, "SystemTime");
/// PidTagClientSubmitTime.
const SUBMIT_TIME: Field = Field::Tag(0x0039, "SystemTime");

/// An item with all of its properties.
pub struct Upload<'a> {
    /// The item.
    pub message: &'a Message,
    /// It is hidden (folder-associated).
    pub associated: bool,
    /// The item in whose place it comes.
    pub replaces: Option<&'a ItemId>,
}

/// A message as MIME, and what MIME has no place for.
pub struct Mail<'a> {
    /// The message.
    pub mime: &'a Mime,
    /// Its class, unless that is IPM.Note.
    pub class: Option<&'a str>,
    /// When it was delivered, seconds since 1970 UTC.
    pub received: Option<i64>,
    /// When it was sent.
    pub submitted: Option<i64>,
    /// Its categories.
    pub categories: &'a [String],
    /// What it is found by again ([`KEY`]).
    pub key: Option<&'a str>,
}

/// What became of each item: its id there, or why it was refused.
pub type Stored = Vec<std::result::Result<ItemId, Refusal>>;

impl Ews {
    /// Puts items into a folder as they are (UploadItems). They are encoded while they are sent.
    ///
    /// # Errors
    /// When the connection breaks: nobody knows then which of them are there. When one cannot be encoded, none is sent.
    pub fn upload(&mut self, folder: &str, items: &[Upload<'_>]) -> Result<Stored> {
        let options = fast_transfer::Options::default();
        let lengths: Vec<u64> =
            items.iter().map(|item| fast_transfer::length(item.message, &options)).collect::<Result<_>>()?;
        let asked = self.ask("UploadItems", |it| {
            it.element("m:UploadItems", &[], |it| {
                it.element("m:Items", &[], |it| {
                    for (item, length) in items.iter().zip(lengths) {
                        let action = if item.replaces.is_some() { "Update" } else { "CreateNew" };
                        let associated = if item.associated { "true" } else { "false" };
                        it.element("t:Item", &[("CreateAction", action), ("IsAssociated", associated)], |it| {
                            it.empty("t:ParentFolderId", &[("Id", folder)]);
                            if let Some(replaced) = item.replaces {
                                replaced.write(it);
                            }
                            let (message, options) = (item.message, options.clone());
                            it.encoded("t:Data", &[], length, move |out| {
                                fast_transfer::encode(message, out, &options).map(drop)
                            });
                        });
                    }
                });
            });
        })?;
        let id = |message| ItemId::of(&message).ok_or_else(Refusal::silence);
        Ok(answered(items.len(), asked, id))
    }

    /// Puts mail into a folder as MIME (CreateItem). Folders may be named here.
    ///
    /// # Errors
    /// As [`Ews::upload`].
    pub fn create(&mut self, folder: FolderId<'_>, items: &[Mail<'_>]) -> Result<Stored> {
        let lengths: Vec<u64> = items.iter().map(|item| length(item.mime)).collect::<Result<_>>()?;
        let mailbox = self.shared();
        let asked = self.ask("CreateItem", |it| {
            it.element("m:CreateItem", &[("MessageDisposition", "SaveOnly")], |it| {
                it.element("m:SavedItemFolderId", &[], |it| folder_id(it, folder, mailbox.as_deref()));
                it.element("m:Items", &[], |it| {
                    for (item, length) in items.iter().zip(lengths) {
                        it.element("t:Message", &[], |it| item.write(it, length));
                    }
                });
            });
        })?;
        let id = |message| ItemId::of(&message).ok_or_else(Refusal::silence);
        Ok(answered(items.len(), asked, id))
    }
}

impl<'a> Mail<'a> {
    /// In the order of ItemType and MessageType in Types.xsd; any other is refused.
    fn write(&self, it: &mut super::document::Document<'a>, length: u64) {
        let mime = self.mime;
        it.encoded("t:MimeContent", &[("CharacterSet", "UTF-8")], length, move |out| mime.write_to(out));
        if let Some(class) = self.class {
            it.text("t:ItemClass", &[], class);
        }
        if !self.categories.is_empty() {
            it.element("t:Categories", &[], |it| self.categories.iter().for_each(|c| it.text("t:String", &[], c)));
        }
        let flags = &self.mime.flags;
        let read = flags.seen.unwrap_or(false);
        let mut bits = if read { flag::READ } else { 0 };
        if flags.draft {
            bits |= flag::UNSENT;
        }
        MESSAGE_FLAGS.set(it, &bits.to_string());
        for (field, time) in [(DELIVERY_TIME, self.received), (SUBMIT_TIME, self.submitted)] {
            if let Some(time) = time.and_then(|t| jiff::Timestamp::from_second(t).ok()) {
                field.set(it, &time.to_string());
            }
        }
        if let Some(key) = self.key {
            KEY.set(it, key);
        }
        // Some servers know the read state from here only.
        it.text("t:IsRead", &[], if read { "true" } else { "false" });
    }
}

/// What each of so many items became; a refusal of the whole request is that of each.
pub(super) fn answered(
    count: usize,
    asked: super::client::Asked,
    taken: impl Fn(super::element::Element) -> std::result::Result<ItemId, Refusal>,
) -> Stored {
    match asked {
        Ok(messages) => each(count, messages, taken),
        Err(refusal) => vec![Err(refusal); count],
    }
}

/// The length of a message, which may be in parts.
fn length(mime: &Mime) -> Result<u64> {
    struct Count(u64);
    impl Write for Count {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0 += data.len() as u64;
            Ok(data.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    mime.write_to(&mut count)?;
    Ok(count.0)
}
