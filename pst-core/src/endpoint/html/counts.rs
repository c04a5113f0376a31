//! What a page leaves out of the HTML that it was made of.

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Programs.
    pub scripts: u64,
    /// Attributes that run programs, and addresses that do.
    pub handlers: u64,
    /// Fields and buttons.
    pub forms: u64,
    /// Frames, objects, sound and video.
    pub embedded: u64,
    /// Pictures that would be fetched.
    pub pictures: u64,
    /// Pictures that are neither in the message nor anywhere they could be fetched from.
    pub missing: u64,
    /// Pictures to be fetched that nobody would see.
    pub trackers: u64,
    /// Style sheets, fonts and backgrounds in files of their own.
    pub linked: u64,
    /// Pages that would be opened by themselves, or that change where links lead.
    pub redirects: u64,
    /// Links to other places than web pages and mail addresses.
    pub links: u64,
    /// Pictures that are too many or too large.
    pub oversize: u64,
    /// Tags that are too many or nested too deeply.
    pub tags: u64,
}

impl Counts {
    /// One sentence; `None` if nothing was left out.
    pub fn sentence(&self) -> Option<String> {
        let all = [
            (self.scripts, "script", "scripts"),
            (self.handlers, "event handler", "event handlers"),
            (self.forms, "form field", "form fields"),
            (self.embedded, "frame or object", "frames and objects"),
            (self.pictures, "remote picture", "remote pictures"),
            (self.missing, "missing picture", "missing pictures"),
            (self.trackers, "tracking pixel", "tracking pixels"),
            (self.linked, "background or linked style", "backgrounds and linked styles"),
            (self.redirects, "redirection", "redirections"),
            (self.links, "link of another kind", "links of other kinds"),
            (self.oversize, "picture that is too large", "pictures that are too large"),
            (self.tags, "tag beyond what a page can have", "tags beyond what a page can have"),
        ];
        let told = all.iter().filter(|(n, ..)| *n > 0);
        let told: Vec<String> =
            told.map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many })).collect();
        (!told.is_empty()).then(|| format!("left out of the page: {}", told.join(", ")))
    }
}
