//! Members of a distribution list ([MS-OXOCNTC] 2.2.2.2).

use super::export::{Output, Version};
use super::import::Directory;
use crate::mapi::distlist::{self, LARGEST, ListStream, Member, Wrapped, checksum};
use crate::mapi::{Code, PropBag, Value, lid, tag};
use crate::mime::address::Mailbox;
use crate::mime::calendar::address_of;
use crate::mime::carried::Carried;
use crate::mime::lines::{Component, Line};
use crate::mime::outheader;

/// The address type of a personal distribution list inside another.
const NESTED: &str = "MAPIPDL";
/// What stands for its address.
const UNKNOWN: &str = "Unknown";

/// The names of KIND and MEMBER in a version.
const fn names(version: Version) -> (&'static str, &'static str) {
    match version {
        Version::V4 => ("KIND", "MEMBER"),
        Version::V3 => ("X-ADDRESSBOOKSERVER-KIND", "X-ADDRESSBOOKSERVER-MEMBER"),
    }
}

/// True for a line that names a member.
pub(super) fn is_member(line: &Line) -> bool {
    line.is("MEMBER") || line.is("X-ADDRESSBOOKSERVER-MEMBER")
}

/// True for a card of a group.
pub(super) fn is_group(card: &Component) -> bool {
    ["KIND", "X-ADDRESSBOOKSERVER-KIND"]
        .into_iter()
        .filter_map(|n| card.text(n))
        .any(|k| k.trim().eq_ignore_ascii_case("group"))
}

impl Output<'_> {
    pub(super) fn members(&mut self, item: &Carried<'_>, card: &mut Component) {
        let (kind, member) = names(self.options.vcard);
        card.put(kind, "group");
        let stream = item.bytes_of(lid::LIST_STREAM).and_then(ListStream::decode);
        let parts = |lid| match item.lid(lid) {
            Some(Value::Multi(bytes)) => Value::multi_parts(bytes).unwrap_or_default(),
            _ => Vec::new(),
        };
        let (ids, one_offs) = (parts(lid::LIST_MEMBERS), parts(lid::LIST_ONE_OFFS));
        let n = ids.len().max(one_offs.len());
        let at = |list: &[&[u8]], i: usize| list.get(i).map(|e| e.to_vec()).unwrap_or_default();
        let stored = stream.map(|s| s.members).filter(|m| !m.is_empty());
        let members: Vec<Member> = stored.unwrap_or_else(|| (0..n).map(|i| (at(&ids, i), at(&one_offs, i))).collect());
        for (i, (id, one_off)) in members.iter().enumerate() {
            match member_of(id, one_off, item.page) {
                Some(who) => card.lines.push(line_of(member, &who, self)),
                None => self
                    .warnings
                    .push(Code::Contact.with(format!("member {} of the list has neither name nor address", i + 1))),
            }
        }
        item.lid(lid::LIST_NAME);
    }
}

/// Who a member is: by its one-off id, or what its entry id says.
fn member_of(id: &[u8], one_off: &[u8], page: u32) -> Option<Mailbox> {
    let unwrapped = distlist::unwrap(id);
    let own = match unwrapped {
        Some((Wrapped::OneOff, inner)) => Mailbox::from_one_off(inner, page),
        Some(_) => None,
        None => Mailbox::from_one_off(id, page),
    };
    let named = Mailbox::from_one_off(one_off, page);
    let who = named.or(own).filter(|w| !w.name.is_empty() || !w.address.is_empty())?;
    let nested = matches!(unwrapped, Some((Wrapped::List, _)));
    Some(if nested { Mailbox { kind: NESTED.to_owned(), ..who } } else { who })
}

fn line_of(name: &str, who: &Mailbox, out: &mut Output<'_>) -> Line {
    let shown = (!who.name.is_empty() && who.name != who.address).then(|| who.name.replace(['\r', '\n'], " "));
    let with_name = |line: Line| match shown.clone() {
        Some(shown) => line.with("CN", shown),
        None => line,
    };
    if who.kind.eq_ignore_ascii_case("SMTP") && !who.address.is_empty() {
        return with_name(Line::new(name, format!("mailto:{}", who.address)));
    }
    // A list has no address.
    let address = if who.kind == NESTED { outheader::routable(who) } else { out.routable(who.clone()) };
    let address = format!("mailto:{address}");
    let line = with_name(Line::new(name, address)).with("X-PST-ADDRESS-TYPE", who.kind.clone());
    if who.address.is_empty() { line } else { line.with("X-PST-ADDRESS", who.address.clone()) }
}

/// The member that a line names. Members by the UID of their card are sought in the same address book.
pub(super) fn named_by(line: &Line, directory: &Directory) -> Option<Mailbox> {
    let shown = line.param("CN").unwrap_or_default();
    if let Some(kind) = line.param("X-PST-ADDRESS-TYPE") {
        let address = line.param("X-PST-ADDRESS").unwrap_or_default();
        return Some(Mailbox { name: shown.to_owned(), kind: kind.to_owned(), address: address.to_owned() });
    }
    let value = line.value.trim();
    if value.get(..7).is_some_and(|s| s.eq_ignore_ascii_case("mailto:")) {
        return Some(Mailbox::smtp(shown, &address_of(line)));
    }
    let (name, address) = directory.find(uid_of(line))?;
    Some(match address.as_str() {
        "" => Mailbox { name: name.clone(), kind: NESTED.to_owned(), address: UNKNOWN.to_owned() },
        address => Mailbox::smtp(name, address),
    })
}

/// True for a member whose UID a card has.
pub(super) fn is_found(line: &Line, directory: &Directory) -> bool {
    line.param("X-PST-ADDRESS-TYPE").is_none() && directory.find(uid_of(line)).is_some()
}

fn uid_of(line: &Line) -> &str {
    line.value.trim().trim_start_matches("urn:uuid:")
}

/// Sets the members of a list: as two properties, or where they are too many as a stream.
pub(super) fn set(members: &[Mailbox], name: &str, props: &mut PropBag) {
    props.set_lid(lid::LIST_NAME, Value::text(name));
    props.set(tag::DISPLAY_NAME, Value::text(name));
    let ids: Vec<Vec<u8>> = members.iter().map(Mailbox::one_off).collect();
    if ids.iter().map(Vec::len).sum::<usize>() >= LARGEST {
        let members = ids.iter().map(|id| (id.clone(), id.clone())).collect();
        props.set_lid(lid::LIST_STREAM, Value::binary(ListStream::new(members).encode()));
        return;
    }
    if ids.is_empty() {
        return;
    }
    props.set_lid(lid::LIST_CHECKSUM, Value::I32(checksum(ids.iter().map(Vec::as_slice))));
    props.set_lid(lid::LIST_MEMBERS, Value::binaries(&ids));
    props.set_lid(lid::LIST_ONE_OFFS, Value::binaries(&ids));
}
