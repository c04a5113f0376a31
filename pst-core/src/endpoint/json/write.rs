//! The lines of a file: header, names, stores, folders, items, and the end.

use super::value::Text;
use super::{FORMAT, VERSION};
use crate::mapi::{Code, MAX_DEPTH, Message, NamedProp, PropBag, Role, Warning, tag};
use crate::pipeline::{Folder, Item};

/// The line that every file begins with.
pub(super) fn header() -> String {
    format!("{{\"type\":\"header\",\"format\":\"{FORMAT}\",\"version\":{VERSION}}}\n")
}

/// The line that every whole file ends with.
pub(super) fn end(folders: u64, items: u64) -> String {
    format!("{{\"type\":\"end\",\"folders\":{folders},\"items\":{items}}}\n")
}

/// The line with the named properties of the sources.
pub(super) fn names(names: &[NamedProp]) -> Vec<u8> {
    let mut out = Text::default();
    out.raw("{\"type\":\"names\",\"names\":");
    out.list(names, Text::name);
    out.raw("}\n");
    out.bytes
}

/// The line of a source's store.
pub(super) fn store(path: &[String], title: &str, props: &PropBag) -> Text {
    let mut out = Text::default();
    out.raw("{\"type\":\"store\",\"path\":");
    out.strings(path);
    out.raw(",\"title\":");
    out.string(title);
    out.raw(",\"properties\":");
    out.bag(props, page_of(props, ANSI));
    out.raw("}\n");
    out
}

/// The line of a folder.
pub(super) fn folder(folder: &Folder) -> Text {
    let mut out = Text::default();
    out.raw("{\"type\":\"folder\",\"path\":");
    out.strings(&folder.path);
    if folder.role != Role::None {
        out.raw(",\"role\":");
        out.string(word_of(folder.role));
    }
    if let Some(class) = &folder.class {
        out.raw(",\"class\":");
        out.string(class);
    }
    if folder.search {
        out.raw(",\"search\":true");
    }
    out.raw(",\"properties\":");
    out.bag(&folder.props, page_of(&folder.props, ANSI));
    out.raw("}\n");
    out
}

/// The line of an item; adds to the warnings what is left out of it.
pub(super) fn item(path: &[String], item: &Item, message: &Message, warnings: &mut Vec<Warning>) -> Text {
    let mut out = Text::default();
    out.raw("{\"type\":\"item\",\"path\":");
    out.strings(path);
    out.raw(",\"id\":");
    out.string(&item.id);
    out.raw(if item.associated { ",\"associated\":true" } else { ",\"associated\":false" });
    out.raw(super::MESSAGE);
    write_message(&mut out, message, ANSI, 0, warnings);
    if !warnings.is_empty() {
        out.raw(",\"warnings\":[");
        for (i, warning) in warnings.iter().enumerate() {
            out.raw(if i == 0 { "{\"code\":" } else { ",{\"code\":" });
            out.string(warning.code.name());
            out.raw(",\"text\":");
            out.string(&warning.text);
            out.raw("}");
        }
        out.raw("]");
    }
    out.raw("}\n");
    out
}

/// The code page of 8-bit strings where nothing tells it.
const ANSI: u32 = 1252;

fn page_of(props: &PropBag, outer: u32) -> u32 {
    let named = [tag::MESSAGE_CODEPAGE, tag::INTERNET_CODEPAGE].into_iter().find_map(|t| props.i32(t));
    named.and_then(|page| u32::try_from(page).ok()).filter(|page| !matches!(page, 0 | 1200)).unwrap_or(outer)
}

fn write_message(out: &mut Text, message: &Message, outer: u32, depth: usize, warnings: &mut Vec<Warning>) {
    let page = page_of(&message.props, outer);
    out.raw("{\"properties\":");
    out.bag(&message.props, page);
    out.raw(",\"recipients\":");
    out.list(&message.recipients, |out, bag| out.bag(bag, page));
    out.raw(",\"attachments\":");
    out.list(&message.attachments, |out, attachment| {
        out.raw("{\"properties\":");
        out.bag(&attachment.props, page);
        match &attachment.embedded {
            Some(inner) if depth < MAX_DEPTH => {
                out.raw(",\"message\":");
                write_message(out, inner, page, depth + 1, warnings);
            }
            Some(_) => {
                warnings.push(Code::Depth.with(format!("messages nested more than {MAX_DEPTH} deep are left out")));
            }
            None => {}
        }
        out.raw("}");
    });
    out.raw("}");
}

/// The words for the roles of folders.
const ROLES: &[(Role, &str)] = &[
    (Role::Inbox, "inbox"),
    (Role::Outbox, "outbox"),
    (Role::Sent, "sent"),
    (Role::Drafts, "drafts"),
    (Role::Deleted, "deleted"),
    (Role::Junk, "junk"),
    (Role::Archive, "archive"),
    (Role::Calendar, "calendar"),
    (Role::Contacts, "contacts"),
    (Role::Tasks, "tasks"),
    (Role::Notes, "notes"),
    (Role::Journal, "journal"),
];

fn word_of(role: Role) -> &'static str {
    ROLES.iter().find(|(r, _)| *r == role).map_or("", |(_, word)| word)
}

/// The role that a word stands for.
pub(super) fn role_of(word: &str) -> Option<Role> {
    ROLES.iter().find(|(_, w)| *w == word).map(|(role, _)| *role)
}
