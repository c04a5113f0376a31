//! Attachments that come after their message: small ones in one request, others in parts by an upload session.

use super::client::{Graph, Said, said};
use super::letter::Enclosure;
use super::refusal::{Meaning, Refusal};
use crate::endpoint::net::http::{Body, Client, Request};
use crate::endpoint::net::secret::scrub;
use crate::endpoint::net::{Secret, Security};
use crate::error::{Error, Kind, Result};
use serde_json::{Value, json};
use std::io::Read;

/// Larger attachments come in parts, bytes.
const SMALL: u64 = 2 << 20;
/// Bytes of a part; the documents want less than 4 MB.
const PART: usize = 12 * 320 * 1024;
/// The largest attachment that Graph takes, bytes.
const LARGEST: u64 = 150 << 20;
/// Longest answer, bytes.
const ANSWER: u64 = 1 << 20;

impl Graph {
    /// Adds an attachment to a message; the refusal stands inside.
    ///
    /// # Errors
    /// When the connection breaks, or the attachment cannot be read.
    pub(super) fn enclose(&mut self, message: &str, file: &Enclosure) -> Result<Said<()>> {
        let path = self.enclosures(message);
        let length = file.data.len();
        if length > LARGEST {
            let text =
                format!("the attachment \"{}\" has {length} bytes, and Graph takes {LARGEST} at most", file.name);
            return Err(Error::new(Kind::Limit, text));
        }
        if length <= SMALL {
            let body = file.json()?.to_string();
            return Ok(self.patiently(|graph| graph.ask("POST", &path, Body::from(body.as_str())))?.map(drop));
        }
        let mut item = json!({ "attachmentType": "file", "name": file.name, "size": length, "contentType": file.mime });
        if let Some(fields) = item.as_object_mut() {
            fields.insert("isInline".to_owned(), file.inline.into());
            fields.extend(file.cid.as_ref().map(|cid| ("contentId".to_owned(), cid.as_str().into())));
        }
        let (path, body) = (format!("{path}/createUploadSession"), json!({ "AttachmentItem": item }).to_string());
        let begun = match self.patiently(|graph| graph.ask("POST", &path, Body::from(body.as_str())))? {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let url = begun.get("uploadUrl").and_then(Value::as_str);
        let url = url.ok_or_else(|| Error::new(Kind::Server, "the upload session of an attachment has no address"))?;
        self.upload(url, file)
    }

    /// Sends an attachment to the address of its upload session, which holds its own permission.
    fn upload(&mut self, url: &str, file: &Enclosure) -> Result<Said<()>> {
        let (server, target) = self.reach.server(url)?;
        if server.security != Security::Tls {
            return Err(Error::new(Kind::Server, "the address of the upload session is not protected by TLS"));
        }
        let (mut http, target) = (Client::new(server, None), Secret::new(target));
        let (mut data, length) = (file.data.open()?, file.data.len());
        let mut at = 0;
        while at < length {
            let mut part = Vec::new();
            (&mut data)
                .take(PART as u64)
                .read_to_end(&mut part)
                .map_err(|e| Error::system("cannot read an attachment", e))?;
            let end = at + part.len() as u64;
            if part.is_empty() || end > length {
                return Err(Error::new(Kind::Damaged, format!("the attachment \"{}\" ends early", file.name)));
            }
            let range = format!("bytes {at}-{}/{length}", end - 1);
            if let Err(refusal) = self.patiently(|graph| graph.part(&mut http, &target, &range, &part))? {
                return Ok(Err(refusal));
            }
            at = end;
        }
        Ok(Ok(()))
    }

    fn part(&mut self, http: &mut Client, target: &Secret, range: &str, part: &[u8]) -> Result<Said<()>> {
        let hidden = vec![target.expose().to_owned()];
        let _turn = self.turns.take();
        let answer = http.send(&Request {
            method: "PUT",
            target: target.expose(),
            fields: vec![("Content-Type", "application/octet-stream".to_owned()), ("Content-Range", range.to_owned())],
            body: Body::from(part),
            longest: ANSWER,
            hidden: hidden.clone(),
        })?;
        if (200..300).contains(&answer.status) {
            return Ok(Ok(()));
        }
        let refusal = said(&answer).map(drop);
        if refusal.as_ref().is_err_and(|r| r.meaning == Meaning::Unsure) {
            http.hang_up();
        }
        Ok(refusal.map_err(|r| Refusal { words: scrub(&hidden, &r.words), ..r }))
    }
}
