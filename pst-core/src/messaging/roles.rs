//! Which folders of a store play which role ([MS-PST] 2.4.3, 2.4.5, [MS-OXOSFLD]).

use super::folder::FolderNode;
use super::store::{Store, entry_nid};
use crate::mapi::{PropBag, Role, Value, tag};
use crate::ndb::{Nid, nid_type};
use std::collections::HashMap;

impl Store {
    /// The folders that have a role, by the entry ids of the store, else by their names; `all` is what
    /// [`Store::folders`] gives.
    pub fn roles(&self, all: &[FolderNode]) -> HashMap<Nid, Role> {
        let mut roles = HashMap::new();
        let mut claim = |nid: Option<Nid>, role: Role| {
            if let Some(nid) = nid.filter(|n| n.ty() == nid_type::NORMAL_FOLDER && all.iter().any(|f| f.nid == *n))
                && !roles.values().any(|r| *r == role)
            {
                roles.entry(nid).or_insert(role);
            }
        };
        claim(self.entry(tag::IPM_WASTEBASKET_ENTRY_ID), Role::Deleted);
        claim(self.entry(tag::IPM_OUTBOX_ENTRY_ID), Role::Outbox);
        claim(self.entry(tag::IPM_SENTMAIL_ENTRY_ID), Role::Sent);
        let inbox = self.receive_folder();
        claim(inbox, Role::Inbox);
        let special = [
            (tag::IPM_APPOINTMENT_ENTRY_ID, Role::Calendar),
            (tag::IPM_CONTACT_ENTRY_ID, Role::Contacts),
            (tag::IPM_JOURNAL_ENTRY_ID, Role::Journal),
            (tag::IPM_NOTE_ENTRY_ID, Role::Notes),
            (tag::IPM_TASK_ENTRY_ID, Role::Tasks),
            (tag::IPM_DRAFTS_ENTRY_ID, Role::Drafts),
        ];
        for holder in all.iter().filter(|f| f.nid == Nid::ROOT_FOLDER || Some(f.nid) == inbox) {
            for (tag, role) in special {
                claim(Store::folder_entry(&holder.props, tag), role);
            }
            claim(junk(&holder.props), Role::Junk);
        }
        // What no entry id names is known by its name, directly below the top.
        let subtree = self.ipm_subtree();
        for node in all {
            let below_top = node.parent.and_then(|p| all.get(p)).is_some_and(|p| p.nid == subtree);
            let role = Role::of_name(&node.name);
            if below_top && role != Role::None {
                claim(Some(node.nid), role);
            }
        }
        roles
    }
}

/// The junk folder: the fifth of the additional entry ids ([MS-OXOSFLD] 2.2.4).
fn junk(props: &PropBag) -> Option<Nid> {
    let Value::Multi(bytes) = props.get(tag::ADDITIONAL_REN_ENTRY_IDS)? else { return None };
    Value::multi_parts(bytes)?.get(4).copied().and_then(entry_nid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messaging::write::{Options, StoreWriter};

    #[test]
    fn a_junk_folder_of_another_name_keeps_its_role() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pst");
        let mut w = StoreWriter::create(&path, Options::default()).unwrap();
        let junk = w.add_folder(w.top(), "Unfug", Role::Junk, None, &PropBag::default()).unwrap();
        let nid = w.nid(junk).unwrap();
        w.finish().unwrap();
        let store = Store::open(&path).unwrap();
        let roles = store.roles(&store.folders(&mut Vec::new()));
        assert_eq!(roles.get(&nid), Some(&Role::Junk));
        assert!(StoreWriter::open(&path, Options::default()).unwrap().with_role(Role::Junk).is_some());
    }

    #[test]
    fn what_is_no_list_of_entry_ids_is_no_junk_folder() {
        let mut props = PropBag::default();
        for bytes in [Vec::new(), vec![5, 0, 0, 0], [5u32, 24, 24, 24, 24, 9].map(u32::to_le_bytes).concat()] {
            props.set(tag::ADDITIONAL_REN_ENTRY_IDS, Value::Multi(bytes));
            assert_eq!(junk(&props), None);
        }
    }
}
