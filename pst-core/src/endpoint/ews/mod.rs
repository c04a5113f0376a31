//! Mailboxes on Exchange servers by Exchange Web Services: Exchange 2013 to SE, and others that speak it.
//!
//! [`Ews`] makes the requests; what they are named after is in Messages.xsd and Types.xsd of the server. Items go in as
//! Exchange exports them (UploadItems), or where that is refused by CreateItem: mail as MIME with the properties that MIME
//! has no place for, other items made of elements and properties.

mod client;
pub(in crate::endpoint) mod compare;
pub mod discover;
mod document;
mod element;
mod folders;
mod items;
mod lane;
pub(in crate::endpoint) mod prepare;
mod refusal;
mod typed;
mod upload;

pub use client::{Ews, Options};
pub use folders::{Container, FolderId};
pub use items::{Field, ItemId, KEY, Probe};
pub use lane::{EwsLane, PushOptions, Target};
pub use refusal::{Meaning, Refusal};
pub use upload::{Mail, Upload};

use crate::error::{Error, Kind, Result};

/// Hosts where Microsoft 365 has its mailboxes.
const RETIRED: &[&str] = &["outlook.office365.com", "outlook.office.com", "outlook.live.com", "outlook.com"];

/// True for a server of Microsoft 365.
pub fn is_microsoft_365(host: &str) -> bool {
    RETIRED.iter().any(|known| host.eq_ignore_ascii_case(known)) || host.to_ascii_lowercase().ends_with(".outlook.com")
}

/// Refuses servers of Microsoft 365.
///
/// # Errors
/// [`Kind::Usage`] with the dates of the retirement.
pub fn not_retired(host: &str) -> Result<()> {
    if !is_microsoft_365(host) {
        return Ok(());
    }
    let text = "Microsoft switches EWS off in Microsoft 365: since 1 October 2026 it is blocked unless the tenant allows this \
                app, and from 1 April 2027 it is gone; such mailboxes are filled by Graph (graph://anna@example.org), and `pst prepare` readies \
                PSTs for Microsoft's own import (--force tries EWS all the same)";
    Err(Error::new(Kind::Usage, format!("{host}: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_where_it_ends() {
        for host in ["outlook.office365.com", "Outlook.Office.com", "eur01.prod.outlook.com"] {
            let said = not_retired(host).unwrap_err().to_string();
            assert!(["1 October 2026", "1 April 2027", "graph://"].iter().all(|w| said.contains(w)), "{said}");
        }
        assert!(not_retired("mail.example.com").is_ok());
        assert!(not_retired("myoutlook.com.example").is_ok());
    }
}
