//! What a message class says about how an item travels as mail.

use super::{report, voice};

/// True where the class need not be written, because it follows from the message: ordinary mail, reports, voice mail.
pub(super) fn is_plain_mail(class: &str) -> bool {
    let is = |known: &str| class.eq_ignore_ascii_case(known);
    is("IPM.Note")
        || is_signed(class)
        || is_encrypted(class)
        || report::ACTIONS.iter().any(|(_, c)| is(c))
        || report::RECEIPTS.iter().any(|c| is(c))
        || voice::CLASSES.iter().any(|(_, c, _)| is(c))
}

/// True for the names of files that hold S/MIME data.
pub(super) fn is_p7m(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("p7m"))
}

/// Reports of what became of a message that was sent.
pub(super) fn is_delivery_report(class: &str) -> bool {
    matches!(report_ending(class).as_deref(), Some("DR" | "NDR"))
}

/// True for reports of every kind.
pub(super) fn is_report(class: &str) -> bool {
    report_ending(class).is_some()
}

/// The last word of a report's class, in capitals: what kind of report it is.
pub(super) fn report_ending(class: &str) -> Option<String> {
    let (start, rest) = class.split_once('.')?;
    let ending = rest.rsplit('.').next()?.to_ascii_uppercase();
    start.eq_ignore_ascii_case("REPORT").then_some(ending)
}

/// Clear-signed S/MIME mail ([MS-OXOSMIME] 2.1.3.1).
pub(super) fn is_signed(class: &str) -> bool {
    class.to_ascii_uppercase().ends_with(".SMIME.MULTIPARTSIGNED")
}

/// Encrypted or opaque-signed S/MIME mail ([MS-OXOSMIME] 2.1.3.2).
pub(super) fn is_encrypted(class: &str) -> bool {
    class.to_ascii_uppercase().ends_with(".SMIME")
}
