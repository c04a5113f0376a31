//! What the server shows of its items, and how it finds them.

use super::{State, Stored, encoded, fine, folder_of, no, page, xml};
use crate::xml::{Node, safe};

/// The name of a property, as the server keeps it.
pub(super) fn name_of(uri: &Node) -> String {
    match uri.attribute("PropertyTag") {
        Some(tag) => tag.to_owned(),
        None => {
            let set = uri.attribute("PropertySetId").unwrap();
            match uri.attribute("PropertyId") {
                Some(id) => format!("{set}/{:x}", id.parse::<u32>().unwrap()),
                None => format!("{set}/{}", uri.attribute("PropertyName").unwrap()),
            }
        }
    }
}

impl Stored {
    /// A property by the name that [`name_of`] gives.
    pub(super) fn property(&self, name: &str) -> Option<String> {
        if let Some(value) = self.properties.get(name) {
            return Some(value.clone());
        }
        let Some(blob) = &self.blob else {
            return match name {
                "0x1035" => field(&self.mime, "message-id"),
                "0x0037" => Some(self.subject()),
                _ => None,
            };
        };
        let Some(tag) = name.strip_prefix("0x") else {
            let (set, name) = name.split_once('/')?;
            let digits: Vec<u8> = uuid::Uuid::parse_str(set).unwrap().to_bytes_le().to_vec();
            let set: String = digits.iter().map(|b| format!("{b:02x}")).collect();
            return blob.text(&format!("{set}/{name}"));
        };
        let tag = tag.to_ascii_lowercase();
        let (_, value) = blob.props.iter().find(|(n, _)| n.split_once(':').is_some_and(|(id, _)| id == tag))?;
        Some(match blob.text(&tag) {
            Some(text) => text,
            None if value.len() == 4 => u32::from_le_bytes(value[..].try_into().unwrap()).to_string(),
            None => encoded(value),
        })
    }

    pub(super) fn time(&self, name: &str) -> String {
        if let Some(value) = self.properties.get(name) {
            return value.clone();
        }
        let key = format!("{}:0040", name.trim_start_matches("0x").to_ascii_lowercase());
        let Some(value) = self.blob.as_ref().and_then(|b| b.props.get(&key)) else {
            return "2001-01-01T00:00:00Z".into();
        };
        let ticks = i64::from_le_bytes(value[..].try_into().unwrap());
        jiff::Timestamp::from_second(ticks / 10_000_000 - 11_644_473_600).unwrap().to_string()
    }

    /// The element that it is, and what it shows beside MIME.
    pub(super) fn shape(&self) -> (&str, String) {
        match self.element.as_str() {
            "" | "Message" => ("Message", String::new()),
            element => (element, self.inner.iter().map(xml).collect()),
        }
    }

    pub fn subject(&self) -> String {
        match &self.blob {
            Some(blob) => blob.text("0037").unwrap_or_default(),
            None => {
                let said = self.inner.iter().find(|n| n.name == "Subject").map(|n| n.text.clone());
                said.or_else(|| field(&self.mime, "subject"))
                    .or_else(|| field(&self.mime, "summary"))
                    .unwrap_or_default()
            }
        }
    }
}

pub(super) fn field(mime: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(mime);
    text.lines()
        .take_while(|l| !l.trim().is_empty())
        .find_map(|l| l.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()))
}

pub(super) fn find_item(state: &State, request: &Node) -> Vec<String> {
    let Some(folder) = folder_of(state, &request.child("ParentFolderIds").unwrap().children[0]) else {
        return vec![no("ErrorFolderNotFound")];
    };
    let hidden = request.attribute("Traversal") == Some("Associated");
    let only = request.at("Restriction/IsEqualTo").map(|r| {
        let value = r.at("FieldURIOrConstant/Constant").unwrap().attribute("Value").unwrap();
        (name_of(r.child("ExtendedFieldURI").unwrap()), value.to_owned())
    });
    let mut fields = Vec::new();
    request.child("ItemShape").unwrap().all("ExtendedFieldURI", &mut fields);
    let fits = |i: &&Stored| {
        let one = only.as_ref().is_none_or(|(name, value)| i.property(name).as_ref() == Some(value));
        i.folder == folder && i.associated == hidden && one
    };
    let items: Vec<&Stored> = state.items.iter().filter(fits).collect();
    let (some, head) = page(state, request, "IndexedPageItemView", &items);
    let shown: String = some
        .iter()
        .map(|i| {
            let properties: String =
                fields.iter().filter_map(|f| Some(property_shown(f, &i.property(&name_of(f))?))).collect();
            let (element, inner) = i.shape();
            format!("<t:{element}><t:ItemId Id=\"{}\" ChangeKey=\"c\"/>{inner}{properties}</t:{element}>", i.id)
        })
        .collect();
    vec![fine(&format!("<m:RootFolder {head}><t:Items>{shown}</t:Items></m:RootFolder>"))]
}

pub(super) fn property_shown(uri: &Node, value: &str) -> String {
    let attributes: String = uri.attributes.iter().map(|(n, v)| format!(" {n}=\"{}\"", safe(v))).collect();
    // Exchange itself writes 0x0e07 as 0xe07.
    let attributes = attributes.replace("\"0x0", "\"0x").to_string();
    format!(
        "<t:ExtendedProperty><t:ExtendedFieldURI{attributes}/><t:Value>{}</t:Value></t:ExtendedProperty>",
        safe(value)
    )
}

pub(super) fn ids(request: &Node) -> Vec<String> {
    request.child("ItemIds").unwrap().children.iter().map(|i| i.attribute("Id").unwrap().to_owned()).collect()
}

pub(super) fn by_id(state: &State, request: &Node, said: &dyn Fn(&State, &Stored, &Node) -> String) -> Vec<String> {
    ids(request)
        .iter()
        .map(|id| match state.items.iter().find(|i| i.id == *id) {
            Some(item) => fine(&said(state, item, request)),
            None => no("ErrorItemNotFound"),
        })
        .collect()
}

/// An item as GetItem shows it, with everything that is known.
pub(super) fn shown(item: &Stored, asked: &Node) -> String {
    let text = |name: &str, value: &str| format!("<t:{name}>{}</t:{name}>", safe(value));
    let mime = if item.mime.is_empty() { String::new() } else { text("MimeContent", &encoded(&item.mime)) };
    let property = |tag: &str, ty: &str| {
        let value = item.property(tag);
        value.map(|v| {
            format!(
                "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"{tag}\" PropertyType=\"{ty}\"/><t:Value>{}</t:Value>\
                 </t:ExtendedProperty>",
                safe(&v)
            )
        })
    };
    let mut fields = Vec::new();
    asked.child("ItemShape").unwrap().all("ExtendedFieldURI", &mut fields);
    let wanted: String = fields.iter().filter_map(|f| Some(property_shown(f, &item.property(&name_of(f))?))).collect();
    let (element, inner) = item.shape();
    if element != "Message" {
        let class = text("ItemClass", &item.class);
        return format!(
            "<t:{element}><t:ItemId Id=\"{}\" ChangeKey=\"c\"/>{class}{inner}{wanted}</t:{element}>",
            item.id
        );
    }
    let flags = if wanted.is_empty() { property("0x0E07", "Integer").unwrap_or_default() } else { wanted };
    let message_id = item.property("0x1035").map(|id| text("InternetMessageId", &id)).unwrap_or_default();
    [
        "<t:Message>".to_owned(),
        mime,
        format!("<t:ItemId Id=\"{}\" ChangeKey=\"c\"/>", item.id),
        format!("<t:ParentFolderId Id=\"{}\" ChangeKey=\"k\"/>", item.folder),
        text("ItemClass", if item.class.is_empty() { "IPM.Note" } else { &item.class }),
        text("Subject", &item.subject()),
        text("DateTimeReceived", &item.time("0x0E06")),
        flags,
        message_id,
        text("IsRead", if item.read { "true" } else { "false" }),
        "</t:Message>".to_owned(),
    ]
    .concat()
}
