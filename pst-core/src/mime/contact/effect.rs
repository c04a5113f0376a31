//! What a line of a vCard does to the properties of a contact: two lines of the same effect are one to Outlook.

use super::fields::{ADDRESSES, TEXTS, address_of, number_of, phone_of, types_of};
use super::list;
use crate::mime::calendar::Stamp;
use crate::mime::lines::Line;

/// The effect of a line, if there is a property for it.
pub(super) fn of(line: &Line) -> Option<String> {
    let name = line.name.to_ascii_uppercase();
    let text = || line.plain().trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
    if let Some((name, _)) = TEXTS.iter().find(|(n, _)| *n == name) {
        return Some(format!("{name}\0{}", text()));
    }
    Some(match name.as_str() {
        "FN" | "NOTE" | "X-MS-CHILD" => format!("{name}\0{}", text()),
        "N" => format!("N\0{}", parts(line, 5).join("\0")),
        "ORG" => format!("ORG\0{}", parts(line, 2).join("\0")),
        "CATEGORIES" => {
            let mut all: Vec<String> = line.list(',').iter().map(|c| c.trim().to_lowercase()).collect();
            all.sort_unstable();
            all.dedup();
            format!("CATEGORIES\0{}", all.join("\0"))
        }
        "EMAIL" => format!("EMAIL\0{}", email_of(line).to_lowercase()),
        "TEL" | "X-MS-TEL" => {
            let kind = phone_of(line).map(|p| p.types.join(",")).unwrap_or_default();
            format!("TEL\0{kind}\0{}", number_of(line))
        }
        "LABEL" => format!("ADR\0{}\0{}", address_of(line).kind, text()),
        "ADR" if parts(line, 7).concat().is_empty() => {
            format!("ADR\0{}\0{}", address_of(line).kind, line.param("LABEL").unwrap_or_default())
        }
        "ADR" => format!("ADR\0{}\0{}", address_of(line).kind, parts(line, 7).join("\0")),
        "URL" => format!("URL\0{}\0{}", is_home(line), line.plain().trim()),
        "BDAY" | "ANNIVERSARY" | "X-MS-ANNIVERSARY" => {
            let kind = if name == "BDAY" { "BDAY" } else { "ANNIVERSARY" };
            format!("{kind}\0{}", Stamp::of(line)?.civil().date())
        }
        "GENDER" | "X-GENDER" => format!("GENDER\0{}", gender(line)?),
        "CLASS" | "X-CLASS" => format!("CLASS\0{}", line.value.trim().to_ascii_uppercase()),
        "REV" | "UID" | "VERSION" => name,
        "KIND" | "X-ADDRESSBOOKSERVER-KIND" => format!("KIND\0{}", line.value.trim().to_ascii_lowercase()),
        "IMPP" => format!("X-MS-IMADDRESS\0{}", text()),
        "RELATED" => {
            let types = types_of(line);
            let is_text = line.param("VALUE").is_some_and(|v| v.eq_ignore_ascii_case("text"));
            let kind = [("spouse", "X-MS-SPOUSE"), ("child", "X-MS-CHILD")];
            let (_, name) = kind.into_iter().find(|(t, _)| is_text && types.iter().any(|o| o == t))?;
            format!("{name}\0{}", text())
        }
        _ if list::is_member(line) => format!("MEMBER\0{}", line.value.trim().to_lowercase()),
        _ => return None,
    })
}

/// The parts of a structured value; missing ones are empty.
pub(super) fn parts(line: &Line, n: usize) -> Vec<String> {
    let mut parts: Vec<String> = line.list(';').into_iter().map(|p| p.trim().to_owned()).collect();
    parts.resize(n, String::new());
    parts
}

/// The address of EMAIL, which some programs write as a URI.
pub(super) fn email_of(line: &Line) -> String {
    let text = line.plain();
    let text = text.trim();
    text.get(..7).filter(|s| s.eq_ignore_ascii_case("mailto:")).and(text.get(7..)).unwrap_or(text).to_owned()
}

/// True for a private web page.
pub(super) fn is_home(line: &Line) -> bool {
    let [_, home, _] = &ADDRESSES;
    types_of(line).iter().any(|t| t == home.kind)
}

/// PidTagGender of GENDER.
pub(super) fn gender(line: &Line) -> Option<i16> {
    match line.value.trim().split(';').next()?.to_ascii_uppercase().as_str() {
        "F" | "FEMALE" => Some(1),
        "M" | "MALE" => Some(2),
        _ => None,
    }
}
