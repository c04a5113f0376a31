//! The roles that folders play.

/// The role of a folder in a mailbox, by name or by special use (RFC 6154, PidTagIpm...EntryId).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    #[default]
    None,
    Inbox,
    Outbox,
    Sent,
    Drafts,
    Deleted,
    Junk,
    Archive,
    Calendar,
    Contacts,
    Tasks,
    Notes,
    Journal,
}

impl Role {
    /// The container class (PidTagContainerClass) of folders of this role.
    pub fn class(self) -> &'static str {
        match self {
            Self::Calendar => "IPF.Appointment",
            Self::Contacts => "IPF.Contact",
            Self::Tasks => "IPF.Task",
            Self::Notes => "IPF.StickyNote",
            Self::Journal => "IPF.Journal",
            _ => "IPF.Note",
        }
    }

    /// The role that a folder's name suggests, if any.
    pub fn of_name(name: &str) -> Self {
        let lower = name.trim().to_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&lower.as_str())).map_or(Self::None, |(role, _)| *role)
    }

    /// The name that Outlook gives the folder in English; empty for none.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Inbox => "Inbox",
            Self::Outbox => "Outbox",
            Self::Sent => "Sent Items",
            Self::Drafts => "Drafts",
            Self::Deleted => "Deleted Items",
            Self::Junk => "Junk E-mail",
            Self::Archive => "Archive",
            Self::Calendar => "Calendar",
            Self::Contacts => "Contacts",
            Self::Tasks => "Tasks",
            Self::Notes => "Notes",
            Self::Journal => "Journal",
        }
    }
}

/// Names that mail programs give their default folders, in lower case.
const NAMES: &[(Role, &[&str])] = &[
    (
        Role::Inbox,
        &["inbox", "posteingang", "boîte de réception", "bandeja de entrada", "posta in arrivo", "postvak in"],
    ),
    (Role::Outbox, &["outbox", "postausgang", "boîte d'envoi", "bandeja de salida", "posta in uscita", "postvak uit"]),
    (
        Role::Sent,
        &[
            "sent",
            "sent items",
            "sent mail",
            "sent messages",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "éléments envoyés",
            "envoyés",
            "elementos enviados",
            "enviados",
            "posta inviata",
            "verzonden items",
        ],
    ),
    (Role::Drafts, &["drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "concepten"]),
    (
        Role::Deleted,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "bin",
            "papierkorb",
            "gelöschte elemente",
            "gelöschte objekte",
            "corbeille",
            "éléments supprimés",
            "elementos eliminados",
            "papelera",
            "posta eliminata",
            "cestino",
            "verwijderde items",
            "prullenbak",
        ],
    ),
    (
        Role::Junk,
        &[
            "junk",
            "spam",
            "junk email",
            "junk e-mail",
            "junk-e-mail",
            "courrier indésirable",
            "correo no deseado",
            "posta indesiderata",
            "ongewenste e-mail",
        ],
    ),
    (Role::Archive, &["archive", "archives", "archiv", "archivo", "archivio", "archief"]),
    (Role::Calendar, &["calendar", "kalender", "calendrier", "calendario", "agenda"]),
    (Role::Contacts, &["contacts", "kontakte", "contactos", "contatti", "contactpersonen"]),
    (Role::Tasks, &["tasks", "aufgaben", "tâches", "tareas", "attività", "taken"]),
    (Role::Notes, &["notes", "notizen", "notas", "note", "notities"]),
    (Role::Journal, &["journal", "diario", "logboek"]),
];
