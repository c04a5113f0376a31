//! What a message class says about how an item travels as mail.

/// True for ordinary mail, whose class need not be written.
pub(super) fn is_plain_mail(class: &str) -> bool {
    class.eq_ignore_ascii_case("IPM.Note") || is_signed(class) || is_encrypted(class)
}

/// Clear-signed S/MIME mail ([MS-OXOSMIME] 2.1.3.1).
pub(super) fn is_signed(class: &str) -> bool {
    class.to_ascii_uppercase().ends_with(".SMIME.MULTIPARTSIGNED")
}

/// Encrypted or opaque-signed S/MIME mail ([MS-OXOSMIME] 2.1.3.2).
pub(super) fn is_encrypted(class: &str) -> bool {
    class.to_ascii_uppercase().ends_with(".SMIME")
}
