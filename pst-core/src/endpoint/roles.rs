//! The roles of folders by their names.

use crate::mapi::Role;

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

/// The role that a folder's name suggests, if any.
pub fn of_name(name: &str) -> Role {
    let lower = name.trim().to_lowercase();
    NAMES.iter().find(|(_, names)| names.contains(&lower.as_str())).map_or(Role::None, |(role, _)| *role)
}
