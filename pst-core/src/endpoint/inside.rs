//! Messages inside files: winmail.dat, and mail and .msg files that were attached as files.

use super::msg;
use crate::error::Result;
use crate::mapi::{Blob, Message, Warning};
use crate::mime::{self, File, tnef};

/// Files up to this many bytes are looked into.
const LOOKED_AT: u64 = 64 << 20;

/// The message that a file holds, and what was odd about it; `None` for a file of another kind.
pub(super) fn message(file: &File, data: &Blob) -> Option<(Message, Vec<Warning>)> {
    let ending = file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let kind = match file.mime.as_str() {
        "application/ms-tnef" | "application/vnd.ms-tnef" => Kind::Tnef,
        "message/rfc822" | "message/global" => Kind::Mail,
        "application/vnd.ms-outlook" => Kind::Msg,
        _ if file.name.eq_ignore_ascii_case("winmail.dat") => Kind::Tnef,
        _ if ending == "eml" => Kind::Mail,
        _ if ending == "msg" => Kind::Msg,
        _ => return None,
    };
    let opened = (1..=LOOKED_AT).contains(&data.len()).then(|| open(kind, data, &file.name));
    // What cannot be opened is a file like any other.
    opened?.unwrap_or_default()
}

#[derive(Clone, Copy)]
enum Kind {
    Tnef,
    Mail,
    Msg,
}

fn open(kind: Kind, data: &Blob, name: &str) -> Result<Option<(Message, Vec<Warning>)>> {
    let bytes = data.to_vec(LOOKED_AT)?;
    Ok(match kind {
        Kind::Tnef => tnef::decode(&bytes, 0).map(|tnef| (tnef.message, tnef.warnings)),
        Kind::Mail if super::eml::begins_as_mail(&bytes) => {
            let converted = mime::to_mapi(&bytes, &mime::State::default(), None)?;
            Some((converted.message, converted.warnings))
        }
        Kind::Msg if msg::is_compound(&bytes) => Some(msg::read_bytes(bytes, name)?),
        Kind::Mail | Kind::Msg => None,
    })
}
