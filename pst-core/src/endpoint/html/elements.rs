//! The elements and attributes of mail that a page has.

/// What becomes of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Text with a look; goes on in the next block if it is not closed in this one.
    Formatting,
    /// A block; ends a paragraph.
    Block,
    /// A part of a line.
    Inline,
    /// Stands alone, without content.
    Void,
    /// Table, caption and cells: what is open around them does not end in them.
    Table,
    /// A row, a group of rows or of columns.
    Rows,
}

/// The elements that stay, by name.
const ELEMENTS: &[(&str, Role)] = &[
    ("a", Role::Formatting),
    ("abbr", Role::Inline),
    ("address", Role::Block),
    ("article", Role::Block),
    ("aside", Role::Block),
    ("b", Role::Formatting),
    ("bdi", Role::Inline),
    ("bdo", Role::Inline),
    ("big", Role::Formatting),
    ("blockquote", Role::Block),
    ("br", Role::Void),
    ("caption", Role::Table),
    ("center", Role::Block),
    ("cite", Role::Inline),
    ("code", Role::Formatting),
    ("col", Role::Void),
    ("colgroup", Role::Rows),
    ("dd", Role::Block),
    ("del", Role::Inline),
    ("dfn", Role::Inline),
    ("div", Role::Block),
    ("dl", Role::Block),
    ("dt", Role::Block),
    ("em", Role::Formatting),
    ("figcaption", Role::Block),
    ("figure", Role::Block),
    ("font", Role::Formatting),
    ("h1", Role::Block),
    ("h2", Role::Block),
    ("h3", Role::Block),
    ("h4", Role::Block),
    ("h5", Role::Block),
    ("h6", Role::Block),
    ("hr", Role::Void),
    ("i", Role::Formatting),
    ("img", Role::Void),
    ("ins", Role::Inline),
    ("kbd", Role::Inline),
    ("li", Role::Block),
    ("mark", Role::Inline),
    ("ol", Role::Block),
    ("p", Role::Block),
    ("pre", Role::Block),
    ("q", Role::Inline),
    ("s", Role::Formatting),
    ("samp", Role::Inline),
    ("section", Role::Block),
    ("small", Role::Formatting),
    ("span", Role::Inline),
    ("strike", Role::Formatting),
    ("strong", Role::Formatting),
    ("sub", Role::Inline),
    ("sup", Role::Inline),
    ("table", Role::Table),
    ("tbody", Role::Rows),
    ("td", Role::Table),
    ("tfoot", Role::Rows),
    ("th", Role::Table),
    ("thead", Role::Rows),
    ("tr", Role::Rows),
    ("tt", Role::Formatting),
    ("u", Role::Formatting),
    ("ul", Role::Block),
    ("var", Role::Inline),
    ("wbr", Role::Void),
];

/// Attributes that any element may have; styles and addresses are looked at by themselves.
const ANYWHERE: &[&str] = &["align", "class", "dir", "lang", "style", "title"];

/// Attributes of some elements.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("a", &["href"]),
    ("br", &["clear"]),
    ("col", &["span", "valign", "width"]),
    ("colgroup", &["span", "valign", "width"]),
    ("del", &["datetime"]),
    ("font", &["color", "face", "size"]),
    ("hr", &["color", "noshade", "size", "width"]),
    ("img", &["alt", "border", "height", "hspace", "src", "vspace", "width"]),
    ("ins", &["datetime"]),
    ("li", &["type", "value"]),
    ("ol", &["start", "type"]),
    ("pre", &["width"]),
    ("table", &["bgcolor", "border", "bordercolor", "cellpadding", "cellspacing", "frame", "height", "rules", "width"]),
    ("tbody", &["valign"]),
    ("td", &["bgcolor", "bordercolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"]),
    ("tfoot", &["valign"]),
    ("th", &["bgcolor", "bordercolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"]),
    ("thead", &["valign"]),
    ("tr", &["bgcolor", "bordercolor", "height", "valign"]),
    ("ul", &["type"]),
];

/// The name and role of an element that stays. Parts of a page that only programs tell apart become blocks.
pub(super) fn element(name: &str) -> Option<(&'static str, Role)> {
    let name = match name {
        "body" | "dir" | "footer" | "header" | "main" | "menu" | "nav" | "hgroup" | "details" | "summary" => "div",
        "acronym" => "abbr",
        "xmp" | "listing" | "plaintext" => "pre",
        "image" => "img",
        name => name,
    };
    let at = ELEMENTS.binary_search_by_key(&name, |(n, _)| n).ok()?;
    ELEMENTS.get(at).copied()
}

/// True for an attribute that stays.
pub(super) fn has(element: &str, attribute: &str) -> bool {
    ANYWHERE.contains(&attribute) || of(element).contains(&attribute)
}

/// The attributes of an element beside those that any has.
pub(super) fn of(element: &str) -> &'static [&'static str] {
    ATTRIBUTES.iter().find(|(e, _)| *e == element).map_or(&[], |(_, names)| names)
}

/// The names of all elements that stay.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ELEMENTS.iter().map(|(name, _)| *name)
}

/// The attributes that any element may have.
pub(super) fn anywhere() -> impl Iterator<Item = &'static str> {
    ANYWHERE.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(ELEMENTS.is_sorted_by_key(|(name, _)| name));
        assert!(ATTRIBUTES.iter().all(|(name, _)| element(name).is_some()));
    }
}
