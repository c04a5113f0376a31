//! The folders of a mailbox.

use super::client::{Ews, first};
use super::document::Document;
use super::element::Element;
use super::refusal::Refusal;
use crate::error::Result;
use crate::mapi::Role;
use std::collections::HashMap;

/// Folders of one page, which is the most that Exchange gives.
const PAGE: usize = 1000;
/// Folders at most, and inside each other.
const MOST: usize = 1_000_000;
const DEEPEST: usize = 400;

/// Which folder is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderId<'a> {
    /// The one of an id.
    Id(&'a str),
    /// One that every mailbox has (DistinguishedFolderIdName).
    Named(&'a str),
}

/// A folder of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// That of the folder around it.
    pub parent: String,
    /// The names from the top of the mailbox.
    pub path: Vec<String>,
    /// Its role.
    pub role: Role,
    /// Container class ("IPF.Note").
    pub class: String,
    /// How many items it has.
    pub items: u64,
}

/// The names by which every mailbox has its folders.
const NAMED: &[(Role, &str)] = &[
    (Role::Inbox, "inbox"),
    (Role::Outbox, "outbox"),
    (Role::Sent, "sentitems"),
    (Role::Drafts, "drafts"),
    (Role::Deleted, "deleteditems"),
    (Role::Junk, "junkemail"),
    (Role::Calendar, "calendar"),
    (Role::Contacts, "contacts"),
    (Role::Tasks, "tasks"),
    (Role::Notes, "notes"),
    (Role::Journal, "journal"),
];
const ARCHIVED: &[(Role, &str)] = &[(Role::Inbox, "archiveinbox"), (Role::Deleted, "archivedeleteditems")];

impl Ews {
    /// The folder around all that the user sees.
    pub fn top(&self) -> FolderId<'static> {
        FolderId::Named(if self.options.archive { "archivemsgfolderroot" } else { "msgfolderroot" })
    }

    /// All folders, parents first; search folders are not among them.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn folders(&mut self) -> Result<Vec<Container>> {
        let roles = self.roles()?;
        let top = self.top();
        let mut found = Vec::new();
        loop {
            let mailbox = self.shared();
            let offset = found.len().to_string();
            let messages = self.must("FindFolder", |it| {
                it.element("m:FindFolder", &[("Traversal", "Deep")], |it| {
                    shape(it);
                    let page = PAGE.to_string();
                    let view = [("MaxEntriesReturned", page.as_str()), ("Offset", &offset), ("BasePoint", "Beginning")];
                    it.empty("m:IndexedPageFolderView", &view);
                    it.element("m:ParentFolderIds", &[], |it| folder_id(it, top, mailbox.as_deref()));
                });
            })?;
            let message = first(messages).map_err(|r| r.error())?;
            let Some(root) = message.child("RootFolder") else { return Err(Refusal::silence().error()) };
            let folders = root.child("Folders").map(|f| f.children.as_slice()).unwrap_or_default();
            found.extend(folders.iter().filter_map(|f| Some((f.name == "SearchFolder", Container::of(f)?))));
            if folders.is_empty() || root.attribute("IncludesLastItemInRange") != Some("false") || found.len() > MOST {
                break;
            }
        }
        let folders = found.into_iter().filter(|(search, _)| !search).map(|(_, folder)| folder);
        Ok(placed(&folders.collect::<Vec<_>>(), &roles))
    }

    /// The ids of the folders that every mailbox has, with their roles.
    fn roles(&mut self) -> Result<HashMap<String, Role>> {
        let named = if self.options.archive { ARCHIVED } else { NAMED };
        let mailbox = self.shared();
        let messages = self.must("GetFolder", |it| {
            it.element("m:GetFolder", &[], |it| {
                it.element("m:FolderShape", &[], |it| it.text("t:BaseShape", &[], "IdOnly"));
                it.element("m:FolderIds", &[], |it| {
                    for (_, name) in named {
                        folder_id(it, FolderId::Named(name), mailbox.as_deref());
                    }
                });
            });
        })?;
        // A mailbox may lack some, and then says so in their place.
        let id = |message: &Element| Some(message.find("FolderId")?.attribute("Id")?.to_owned());
        Ok(messages.iter().zip(named).filter_map(|(message, (role, _))| Some((id(message)?, *role))).collect())
    }

    /// How many items a folder has.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn count(&mut self, folder: FolderId<'_>) -> Result<u64> {
        let mailbox = self.shared();
        let messages = self.must("GetFolder", |it| {
            it.element("m:GetFolder", &[], |it| {
                shape(it);
                it.element("m:FolderIds", &[], |it| folder_id(it, folder, mailbox.as_deref()));
            });
        })?;
        let message = first(messages).map_err(|r| r.error())?;
        Ok(message.find("TotalCount").and_then(|n| n.text.trim().parse().ok()).unwrap_or_default())
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// When the connection breaks. The refusal ("ErrorFolderExists") stands inside.
    pub fn create_folder(
        &mut self,
        parent: FolderId<'_>,
        name: &str,
        class: &str,
    ) -> Result<std::result::Result<String, Refusal>> {
        let mailbox = self.shared();
        let element = match class {
            c if c.starts_with("IPF.Appointment") => "t:CalendarFolder",
            c if c.starts_with("IPF.Contact") => "t:ContactsFolder",
            c if c.starts_with("IPF.Task") => "t:TasksFolder",
            _ => "t:Folder",
        };
        let asked = self.ask("CreateFolder", |it| {
            it.element("m:CreateFolder", &[], |it| {
                it.element("m:ParentFolderId", &[], |it| folder_id(it, parent, mailbox.as_deref()));
                it.element("m:Folders", &[], |it| {
                    it.element(element, &[], |it| {
                        if !class.is_empty() {
                            it.text("t:FolderClass", &[], class);
                        }
                        it.text("t:DisplayName", &[], name);
                    });
                });
            });
        })?;
        let id = |message: Element| {
            message.find("FolderId").and_then(|f| f.attribute("Id")).map(str::to_owned).ok_or_else(Refusal::silence)
        };
        Ok(asked.and_then(first).and_then(id))
    }

    /// The mailbox that has to be named with each folder: one that was shared.
    pub(super) fn shared(&self) -> Option<String> {
        self.options.mailbox.clone().filter(|_| !self.options.impersonate)
    }
}

impl Container {
    fn of(folder: &Element) -> Option<Self> {
        Some(Self {
            id: folder.child("FolderId")?.attribute("Id")?.to_owned(),
            parent: folder.child("ParentFolderId").and_then(|p| p.attribute("Id")).unwrap_or_default().to_owned(),
            path: vec![folder.text_of("DisplayName").unwrap_or_default().to_owned()],
            role: Role::None,
            class: folder.text_of("FolderClass").unwrap_or_default().to_owned(),
            items: folder.text_of("TotalCount").and_then(|n| n.parse().ok()).unwrap_or_default(),
        })
    }
}

/// Folders with their whole paths and roles, parents first.
fn placed(folders: &[Container], roles: &HashMap<String, Role>) -> Vec<Container> {
    let known: HashMap<String, (String, String)> =
        folders.iter().map(|f| (f.id.clone(), (f.parent.clone(), f.path.concat()))).collect();
    let path = |folder: &Container| {
        let mut path = folder.path.clone();
        let mut above = &folder.parent;
        // A folder that is inside itself ends by its depth.
        while let Some((parent, name)) = known.get(above).filter(|_| path.len() < DEEPEST) {
            path.push(name.clone());
            above = parent;
        }
        path.reverse();
        path
    };
    let mut placed: Vec<Container> = folders
        .iter()
        .map(|f| Container { path: path(f), role: roles.get(&f.id).copied().unwrap_or_default(), ..f.clone() })
        .collect();
    placed.sort_by_key(|f| f.path.len());
    placed
}

fn shape(it: &mut Document<'_>) {
    it.element("m:FolderShape", &[], |it| {
        it.text("t:BaseShape", &[], "IdOnly");
        it.element("t:AdditionalProperties", &[], |it| {
            for field in ["folder:DisplayName", "folder:ParentFolderId", "folder:FolderClass", "folder:TotalCount"] {
                it.empty("t:FieldURI", &[("FieldURI", field)]);
            }
        });
    });
}

/// A FolderId or DistinguishedFolderId; `mailbox` where that is not the own one.
pub(super) fn folder_id(it: &mut Document<'_>, folder: FolderId<'_>, mailbox: Option<&str>) {
    match (folder, mailbox) {
        (FolderId::Id(id), _) => it.empty("t:FolderId", &[("Id", id)]),
        (FolderId::Named(name), None) => it.empty("t:DistinguishedFolderId", &[("Id", name)]),
        (FolderId::Named(name), Some(mailbox)) => {
            it.element("t:DistinguishedFolderId", &[("Id", name)], |it| {
                it.element("t:Mailbox", &[], |it| it.text("t:EmailAddress", &[], mailbox));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, parent: &str, name: &str) -> Container {
        Container { id: id.into(), parent: parent.into(), path: vec![name.into()], ..Container::default() }
    }

    #[test]
    fn paths() {
        let roles = HashMap::from([("1".to_owned(), Role::Inbox)]);
        let folders = vec![folder("2", "1", "b"), folder("1", "top", "a"), folder("3", "3", "loop")];
        let placed = placed(&folders, &roles);
        assert_eq!(placed[0].path, ["a"]);
        assert_eq!((placed[0].role, placed[1].path.join("/")), (Role::Inbox, "a/b".to_owned()));
        assert_eq!(placed[2].path.len(), DEEPEST);
    }
}
