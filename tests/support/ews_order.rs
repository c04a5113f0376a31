//! The order of elements in requests, as Types.xsd and Messages.xsd have it.

use crate::xml::Node;

/// The order of children, by the schemas. What is not listed has no children that matter, or one kind of them.
const ORDER: &[(&str, &[&str])] = &[
    ("Envelope", &["Header", "Body"]),
    ("Header", &["RequestServerVersion", "MailboxCulture", "ExchangeImpersonation", "TimeZoneContext"]),
    ("FindFolder", &["FolderShape", "IndexedPageFolderView", "Restriction", "ParentFolderIds"]),
    ("GetFolder", &["FolderShape", "FolderIds"]),
    ("FolderShape", &["BaseShape", "AdditionalProperties"]),
    ("CreateFolder", &["ParentFolderId", "Folders"]),
    ("Folder", FOLDER),
    ("CalendarFolder", FOLDER),
    ("ContactsFolder", FOLDER),
    ("TasksFolder", FOLDER),
    ("UploadItems", &["Items"]),
    ("Item", &["ParentFolderId", "ItemId", "Data"]),
    ("CreateItem", &["SavedItemFolderId", "Items"]),
    (
        "Message",
        &[
            "MimeContent",
            "ItemId",
            "ParentFolderId",
            "ItemClass",
            "Subject",
            "Sensitivity",
            "Body",
            "Attachments",
            "DateTimeReceived",
            "Size",
            "Categories",
            "Importance",
            "InReplyTo",
            "ExtendedProperty",
            "Culture",
            "Flag",
            "Sender",
            "ToRecipients",
            "CcRecipients",
            "BccRecipients",
            "From",
            "InternetMessageId",
            "IsRead",
        ],
    ),
    ("ExtendedProperty", &["ExtendedFieldURI", "Value", "Values"]),
    ("Recurrence", RECURRENCE),
    ("FindItem", &["ItemShape", "IndexedPageItemView", "Restriction", "SortOrder", "ParentFolderIds", "QueryString"]),
    ("GetItem", &["ItemShape", "ItemIds"]),
    ("ItemShape", &["BaseShape", "IncludeMimeContent", "BodyType", "FilterHtmlContent", "AdditionalProperties"]),
    ("IsEqualTo", &["FieldURI", "ExtendedFieldURI", "FieldURIOrConstant"]),
    ("ExportItems", &["ItemIds"]),
    ("DeleteItem", &["ItemIds"]),
];
const RECURRENCE: &[&str] = &[
    "RelativeYearlyRecurrence",
    "AbsoluteYearlyRecurrence",
    "RelativeMonthlyRecurrence",
    "AbsoluteMonthlyRecurrence",
    "WeeklyRecurrence",
    "DailyRecurrence",
    "DailyRegeneration",
    "WeeklyRegeneration",
    "MonthlyRegeneration",
    "YearlyRegeneration",
    "NoEndRecurrence",
    "EndDateRecurrence",
    "NumberedRecurrence",
];
const FOLDER: &[&str] = &["FolderId", "ParentFolderId", "FolderClass", "DisplayName"];

pub fn in_order(node: &Node, path: &str) -> Result<(), String> {
    let path = format!("{path}/{}", node.name);
    if let Some((_, order)) = ORDER.iter().find(|(name, _)| *name == node.name) {
        let mut last = 0;
        for child in &node.children {
            let at = order.iter().position(|n| *n == child.name).ok_or(format!("{path} has no {}", child.name))?;
            if at < last {
                return Err(format!("{path}: {} stands too late", child.name));
            }
            last = at;
        }
    }
    if node.name == "ExtendedFieldURI" {
        let tag =
            node.attribute("PropertyTag").map(|t| u16::from_str_radix(t.strip_prefix("0x").unwrap(), 16).unwrap());
        let said = node.attribute("PropertyName").or(node.attribute("PropertyId"));
        let named = node.attribute("PropertySetId").is_some() && said.is_some();
        if tag.map_or(!named, |t| t >= 0x8000) || node.attribute("PropertyType").is_none() {
            return Err(format!("{path} names no property"));
        }
    }
    node.children.iter().try_for_each(|child| in_order(child, &path))
}
