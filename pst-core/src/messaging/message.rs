//! Messages with recipients, attachments and embedded messages ([MS-PST] 2.4.5, 2.4.6).

use super::store::{Store, held};
use crate::error::{Error, Result};
use crate::ltp::{PropContext, TableContext, pc};
use crate::mapi::message::attach_method;
use crate::mapi::{Attachment, MAX_DEPTH, Message, Prop, PropBag, tag};
use crate::ndb::{Bid, Nid, Node, Subnodes, nid_type};

/// Messages inside one item, on all levels together. Damage can make trees share subtrees, so that depth alone bounds
/// nothing.
const MAX_EMBEDDED: usize = 20_000;
/// Columns of tables that say nothing of the object itself.
const ROW_ONLY: [u16; 3] = [tag::LTP_ROW_ID.id(), tag::LTP_ROW_VER.id(), tag::LTP_PARENT_NID.id()];

/// One item being read.
#[derive(Default)]
struct Reading {
    errors: Vec<Error>,
    /// Data and subnodes of the messages around the place that is read, the item itself first.
    within: Vec<(Bid, Bid)>,
    /// Embedded messages so far.
    embedded: usize,
    /// Bytes that more values may have.
    room: u64,
}

impl Store {
    /// A message of the node tree, whole. Parts that could not be read are named in the second half.
    ///
    /// # Errors
    /// When the node is missing or its properties cannot be read at all.
    pub fn message(&self, nid: Nid) -> Result<(Message, Vec<Error>)> {
        let node = self.ndb().need(nid)?;
        let mut reading = Reading { room: self.room(), ..Reading::default() };
        let message = self.read_message(node.data, node.sub, &mut reading).map_err(|e| e.id(u64::from(nid.0)))?;
        if let Some(e) = self.nameless().filter(|_| has_named(&message)) {
            let text = format!("the names of its named properties are lost: {}", e.text());
            reading.errors.push(e.retold(e.kind(), text).within("name map"));
        }
        Ok((message, reading.errors))
    }

    /// The recursion over embedded messages ends at [`MAX_DEPTH`].
    fn read_message(&self, data: Bid, sub: Bid, reading: &mut Reading) -> Result<Message> {
        let pc = PropContext::open(self.ndb(), data, sub)?;
        let props = self.bag(&pc, &mut reading.errors, &mut reading.room);
        let subnodes = &pc.heap().subnodes;
        let recipients = self.recipients(subnodes, reading);
        reading.within.push((data, sub));
        let attachments = self.attachments(subnodes, reading);
        reading.within.pop();
        let mut message = Message { props, recipients, attachments };
        self.settle(&mut message);
        Ok(message)
    }

    fn recipients(&self, subnodes: &Subnodes, reading: &mut Reading) -> Vec<PropBag> {
        let Reading { errors, room, .. } = reading;
        let Some(node) = subnodes.find(Nid::RECIPIENT_TABLE) else { return Vec::new() };
        let table = match TableContext::open(self.ndb(), node.data, node.sub) {
            Ok(table) => table,
            Err(e) => {
                errors.push(e.within("recipient table"));
                return Vec::new();
            }
        };
        let mut out = Vec::with_capacity(table.len());
        let mut rows = table.rows();
        while let Some(row) = rows.next_row() {
            match row {
                Ok((_, row)) => {
                    let mut bag = PropBag(Vec::with_capacity(table.columns().len()));
                    for column in table.columns().iter().filter(|c| !ROW_ONLY.contains(&c.tag.id())) {
                        match table.cell(row, *column) {
                            Ok(Some(value)) => match room.checked_sub(held(&value)) {
                                Some(left) => {
                                    *room = left;
                                    bag.0.push(Prop { tag: column.tag, name: self.name(column.tag), value });
                                }
                                None => {
                                    errors
                                        .push(Error::damaged("recipient table", "its values are larger than the file"));
                                    return out;
                                }
                            },
                            Ok(None) => {}
                            Err(e) => errors.push(e.within("recipient")),
                        }
                    }
                    out.push(bag);
                }
                Err(e) => errors.push(e.within("recipient table")),
            }
        }
        out
    }

    fn attachments(&self, subnodes: &Subnodes, reading: &mut Reading) -> Vec<Attachment> {
        let mut order: Vec<Node> = Vec::new();
        if let Some(node) = subnodes.find(Nid::ATTACHMENT_TABLE) {
            match TableContext::open(self.ndb(), node.data, node.sub) {
                Ok(table) => {
                    for id in table.ids().iter().filter(|id| **id != 0) {
                        match subnodes.find(Nid(*id)) {
                            Some(node) => order.push(node),
                            None => reading.errors.push(
                                Error::damaged("attachment", "the attachment table names one that does not exist")
                                    .id(u64::from(*id)),
                            ),
                        }
                    }
                }
                Err(e) => reading.errors.push(e.within("attachment table")),
            }
        }
        let mut seen = vec![false; subnodes.0.len()];
        let place = |nid: Nid| subnodes.0.binary_search_by_key(&nid, |n| n.nid).ok();
        let mark = |seen: &mut bool| !std::mem::replace(seen, true);
        order.retain(|n| place(n.nid).and_then(|at| seen.get_mut(at)).is_some_and(mark));
        // Attachments that no row names are still somebody's data.
        let unnamed = |n: &&Node| place(n.nid).and_then(|at| seen.get(at)) == Some(&false);
        order.extend(subnodes.0.iter().filter(|n| n.nid.ty() == nid_type::ATTACHMENT).filter(unnamed));
        let mut out = Vec::with_capacity(order.len());
        for node in order {
            match self.attachment(node, reading) {
                Ok(attachment) => out.push(attachment),
                Err(e) => reading.errors.push(e.within("attachment").id(u64::from(node.nid.0))),
            }
        }
        out
    }

    fn attachment(&self, node: Node, reading: &mut Reading) -> Result<Attachment> {
        let pc = PropContext::open(self.ndb(), node.data, node.sub)?;
        let method = pc.get(tag::ATTACH_METHOD.id())?.and_then(|v| v.as_i32()).unwrap_or(attach_method::NONE);
        let mut out = Attachment::default();
        for record in pc.records() {
            let is_object = record.tag == tag::ATTACH_DATA_OBJECT && record.raw != 0;
            if is_object && method == attach_method::EMBEDDED {
                match self.embedded(&pc, record.raw, reading) {
                    Ok(message) => out.embedded = message.map(Box::new),
                    Err(e) => reading.errors.push(e.within("embedded message").id(u64::from(node.nid.0))),
                }
                continue;
            }
            match pc.value(*record) {
                Ok(value) => {
                    let Some(left) = reading.room.checked_sub(held(&value)) else {
                        return Err(Error::damaged("attachment", "the values of the item are larger than the file"));
                    };
                    reading.room = left;
                    out.props.0.push(Prop { tag: record.tag, name: self.name(record.tag), value });
                }
                Err(e) => reading.errors.push(e.within("attachment").id(u64::from(node.nid.0))),
            }
        }
        Ok(out)
    }

    fn embedded(&self, pc: &PropContext<'_>, raw: u32, reading: &mut Reading) -> Result<Option<Message>> {
        if reading.within.len() > MAX_DEPTH {
            let text = format!("messages are nested more than {MAX_DEPTH} deep; this one is left out");
            return Err(Error::new(crate::Kind::Limit, text));
        }
        let (nid, _) = pc::object(pc.heap(), raw)?;
        let node = pc
            .heap()
            .subnodes
            .find(Nid(nid))
            .ok_or_else(|| Error::damaged("subnode", "the embedded message does not exist").id(u64::from(nid)))?;
        if reading.within.contains(&(node.data, node.sub)) {
            return Err(Error::damaged("subnode", "the embedded message is inside itself").id(u64::from(nid)));
        }
        reading.embedded += 1;
        if reading.embedded > MAX_EMBEDDED {
            let text = format!("an item holds more than {MAX_EMBEDDED} messages; this one is left out");
            return Err(Error::new(crate::Kind::Limit, text));
        }
        self.read_message(node.data, node.sub, reading).map(Some)
    }
}

/// True if an item has named properties, be it in messages inside.
fn has_named(message: &Message) -> bool {
    let named = |bag: &PropBag| bag.0.iter().any(|p| p.tag.is_named());
    named(&message.props)
        || message.recipients.iter().any(named)
        || message.attachments.iter().any(|a| named(&a.props) || a.embedded.as_deref().is_some_and(has_named))
}

/// What a list shows of an item.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// PidTagMessageClass.
    pub class: String,
    /// The subject without its prefix mark.
    pub subject: String,
    /// Name or address of the sender.
    pub from: String,
    /// Delivery time, else submit time, FILETIME.
    pub time: Option<u64>,
    /// True if read.
    pub read: bool,
}

impl Store {
    /// The few properties that a list shows, without recipients and attachments.
    ///
    /// # Errors
    /// When the item's properties cannot be read.
    pub fn summary(&self, nid: Nid) -> Result<Summary> {
        let node = self.ndb().need(nid)?;
        let pc = PropContext::open(self.ndb(), node.data, node.sub).map_err(|e| e.id(u64::from(nid.0)))?;
        let page = pc.get(tag::MESSAGE_CODEPAGE.id())?.and_then(|v| v.as_i32()).and_then(|p| u32::try_from(p).ok());
        let text = |t: crate::mapi::PropTag| -> Result<Option<String>> {
            Ok(pc.get(t.id())?.and_then(|v| self.text_of(&v, page)))
        };
        let time = |t: crate::mapi::PropTag| -> Result<Option<u64>> { Ok(pc.get(t.id())?.and_then(|v| v.as_time())) };
        let mut subject = text(tag::SUBJECT)?.unwrap_or_default();
        // A mark and the length of the prefix.
        if subject.starts_with('\u{1}') {
            let rest = subject.char_indices().nth(2).map_or(subject.len(), |(at, _)| at);
            subject.drain(..rest);
        }
        let from = match text(tag::SENT_REPRESENTING_NAME)? {
            Some(name) => Some(name),
            None => text(tag::SENDER_NAME)?,
        };
        let flags = pc.get(tag::MESSAGE_FLAGS.id())?.and_then(|v| v.as_i32()).unwrap_or_default();
        let time = match time(tag::MESSAGE_DELIVERY_TIME)? {
            Some(delivered) => Some(delivered),
            None => time(tag::CLIENT_SUBMIT_TIME)?,
        };
        Ok(Summary {
            class: text(tag::MESSAGE_CLASS)?.unwrap_or_default(),
            subject,
            from: from.unwrap_or_default(),
            time,
            read: flags & crate::mapi::message::flag::READ != 0,
        })
    }
}
