//! Items that go in as JSON, because import is not permitted or refuses them.

use super::client::Said;
use super::compare::compare;
use super::folders::Container;
use super::lane::Way;
use super::letter::{Letter, UNFINISHED};
use super::mail::Made;
use super::mailbox::{AS_MAIL, Mailbox, is_ours, lost, ready};
use super::refusal::Meaning;
use crate::endpoint::net::hexadecimal;
use crate::endpoint::push::{Answer, Difference, Parcel, Place, Session};
use crate::error::{Error, Kind, Result};
use crate::mapi::message::flag;
use crate::mapi::value::sha256;
use crate::mapi::{Code, Message, Warning, tag};
use crate::pipeline::Role;
use crate::pipeline::journal::Whereabouts;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Classes of items that are mail.
const MAIL: &[&str] = &["IPM.NOTE", "IPM.POST", "REPORT.", "IPM.SCHEDULE."];

/// True for items that JSON can carry.
fn is_mail(message: &Message) -> bool {
    let class = message.props.text(tag::MESSAGE_CLASS).unwrap_or_default().to_ascii_uppercase();
    MAIL.iter().any(|mail| class.starts_with(mail))
}

impl Mailbox {
    /// Puts an item as JSON, for the reason `why`.
    pub fn as_mail(&mut self, place: &Place, parcel: &Parcel, why: &str) -> Result<Answer> {
        let refused = |text: &str| {
            let error = Error::new(Kind::Server, format!("the server does not take it: {why}{text}"));
            Ok(Answer::Refused(error))
        };
        let message = &ready(parcel)?.message;
        if !is_mail(message) {
            return refused("; without import, mail alone goes in");
        }
        if self.target.archive {
            return refused("; into an online archive there is no other way");
        }
        let folder = match self.mail_folder(place)? {
            Ok(folder) => folder,
            Err(why) => return refused(&format!("; nor as JSON: {why}")),
        };
        let probe = &parcel.payload.probe;
        let mut warnings = self.cleared(place, probe)?;
        let mut lost = Vec::new();
        let letter = match Letter::of(message, probe, &self.target.mail, &mut lost) {
            Ok(letter) => letter,
            Err(e) => return if is_ours(&e) { Ok(Answer::Refused(e)) } else { Err(e) },
        };
        warnings.extend(lost);
        let made = match self.made(&folder, &letter) {
            Ok(Ok(made)) => made,
            Ok(Err(refusal)) => {
                return match refusal.meaning {
                    Meaning::Item | Meaning::TooLarge | Meaning::Forbidden => {
                        refused(&format!("; nor as JSON: {refusal}"))
                    }
                    _ => self.answered(parcel, &refusal),
                };
            }
            Err(e) if is_ours(&e) => return Ok(Answer::Refused(e)),
            Err(e) => return Err(e),
        };
        if made.is_draft && letter.flags & flag::UNSENT == 0 {
            warnings.push(Code::Property.with("the server keeps it as a draft, which it is not"));
        }
        let text = format!("it went in as JSON, without what that has no place for, because of this: {why}");
        warnings.push(Code::Property.with(text));
        let id = match self.way {
            Way::Import => format!("{AS_MAIL}{}", made.id),
            Way::Mail(_) => made.id,
        };
        Ok(Answer::Stored(Whereabouts { id, change: made.change_key }, warnings))
    }

    /// Deletes what earlier attempts have left unfinished of an item.
    fn cleared(&mut self, place: &Place, probe: &str) -> Result<Vec<Warning>> {
        let left = self.shared.leftovers(probe);
        let stays = self.delete(place, &left)?;
        let text = |w: Warning| Code::Deleted.with(format!("an unfinished copy of it, without all attachments: {w}"));
        Ok(stays.into_iter().map(text).collect())
    }

    /// Makes a message with its attachments: in one request where that takes them all.
    fn made(&mut self, folder: &str, letter: &Letter) -> Result<Said<Made>> {
        if let Some(whole) = letter.whole()? {
            return self.graph.create_message(folder, &whole);
        }
        let mut first = letter.json();
        let marks = first.get_mut("singleValueExtendedProperties").and_then(serde_json::Value::as_array_mut);
        if let Some(marks) = marks {
            marks.push(json!({ "id": super::items::own(UNFINISHED), "value": super::items::YES }));
        }
        let made = match self.graph.create_message(folder, &first)? {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.shared.growing(&made.id);
        let completed = self.completed(&made.id, letter);
        self.shared.grown(&made.id);
        if !matches!(completed, Ok(Ok(()))) {
            // What cannot be deleted now is found later by its mark.
            let _ = self.graph.delete_message(&made.id);
        }
        Ok(completed?.map(|()| made))
    }

    fn completed(&mut self, id: &str, letter: &Letter) -> Result<Said<()>> {
        for file in &letter.files {
            if let Err(refusal) = self.graph.enclose(id, file)? {
                return Ok(Err(refusal));
            }
        }
        self.graph.finish_message(id)
    }

    /// The folder of mail that a folder is, by the id that mail knows it by; or why there is none.
    fn mail_folder(&mut self, place: &Place) -> Result<std::result::Result<String, String>> {
        if let Way::Mail(_) = self.way {
            return Ok(Ok(place.id.clone()));
        }
        let (role, path) = (place.role, place.path.join("\0").to_lowercase());
        let fits = |f: &&Container| f.path.join("\0").to_lowercase() == path || (role != Role::None && f.role == role);
        if let Some(known) = self.mail_folders.iter().find(fits) {
            return Ok(Ok(known.id.clone()));
        }
        // One that was made meanwhile is not among them.
        self.mail_folders = match self.graph.mail_folders() {
            Err(e) if !matches!(e.kind(), Kind::Connection | Kind::Interrupted) => return Ok(Err(e.to_string())),
            all => all?,
        };
        let found = self.mail_folders.iter().find(fits).map(|f| f.id.clone());
        Ok(found.ok_or_else(|| "the mailbox has no such folder of mail".to_owned()))
    }

    /// Compares a message that went in as JSON with what was sent.
    pub fn read_back(&mut self, id: &str, parcel: &Parcel) -> Result<Vec<Difference>> {
        let letter = Letter::of(&ready(parcel)?.message, &parcel.payload.probe, &self.target.mail, &mut Vec::new())?;
        let said = match self.graph.read_message(id)? {
            Ok(said) => said,
            Err(refusal) if matches!(refusal.meaning, Meaning::Again(_) | Meaning::Unsure) => {
                return Err(Error::new(Kind::Connection, refusal.to_string()));
            }
            Err(refusal) => return Ok(lost(&refusal.to_string())),
        };
        let mut out = compare(&letter, &said);
        let files = self.graph.attachments(id)?;
        if files.len() != letter.files.len() {
            let text = format!("the number of attachments is {}, not {}", files.len(), letter.files.len());
            out.push(Difference::Serious(text));
            return Ok(out);
        }
        for ((file, name), sent) in files.iter().zip(&letter.files) {
            let back = match self.graph.attachment(id, file, sent.data.len())? {
                Ok(back) => back,
                Err(refusal) => return Err(Error::new(Kind::Connection, refusal.to_string())),
            };
            if hexadecimal(&Sha256::digest(&back)) != sha256(&sent.data)? {
                out.push(Difference::Serious(format!(
                    "the content of the attachment \"{}\" is another one",
                    sent.name
                )));
            }
            if *name != sent.name {
                out.push(Difference::Slight(format!("the attachment \"{}\" is called \"{name}\"", sent.name)));
            }
        }
        Ok(out)
    }
}
