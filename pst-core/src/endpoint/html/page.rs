//! A message as a page, and the messages inside it as pages of their own.

use super::clean::{self, SCOPE, escape};
use super::pictures::Pictures;
use crate::endpoint::inside;
use crate::error::Result;
use crate::mapi::{Blob, Code, MAX_DEPTH, Message, Warning};
use crate::mime::{self, Data, File, Options, Person, View};
use std::fmt::Write;
use std::io::Read;

/// HTML larger than this is shown as text.
const LONGEST_HTML: usize = 32 << 20;
/// What a page may do: show what is in it.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// How pages look.
const STYLE: &str = "\
:root{color-scheme:light dark}
body{margin:1.5em auto;max-width:64em;padding:0 1em;font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.4em;margin:.4em 0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.6em 0}
dt{color:GrayText}
dd{margin:0;overflow-wrap:anywhere}
nav,body>footer,small,i{color:GrayText}
body>header{border-bottom:1px solid GrayText;margin-bottom:1em;padding-bottom:.4em}
body>header ul{margin:.4em 0;padding-left:1.2em}
main{contain:layout paint;overflow:auto}
main.html{background:#fff;color:#000;color-scheme:light;padding:1em}
main img{max-width:100%;height:auto}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
body>table{border-collapse:collapse;width:100%}
body>table td,body>table th{border-bottom:1px solid GrayText;padding:.25em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}
body>table td:first-child,body>table td:last-child{white-space:nowrap}
";

/// A page, before the names of the files beside it are known.
#[derive(Default)]
pub(super) struct Page {
    /// The subject, or what stands for it.
    pub title: String,
    pub text: String,
    /// Where addresses of files belong into the text.
    pub links: Vec<(usize, Link)>,
    pub files: Vec<Beside>,
}

/// What an address leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Link {
    /// One of the files of the page.
    File(usize),
    /// The page or list that the page belongs to.
    Up,
}

/// A file beside a page.
pub(super) enum Beside {
    File { name: String, data: Blob },
    Page(Box<Page>),
}

/// What the list of a folder says of a message.
#[derive(Default)]
pub(super) struct Entry {
    pub subject: String,
    pub from: String,
    pub date: Option<i64>,
    pub files: usize,
}

impl Page {
    /// Makes the page of an item, `up` being what it belongs to.
    ///
    /// # Errors
    /// When a body cannot be read.
    pub fn of(message: Message, up: &str, options: &Options, warnings: &mut Vec<Warning>) -> Result<(Self, Entry)> {
        Self::at(message, up, options, 0, warnings)
    }

    /// Recursion ends at [`MAX_DEPTH`].
    fn at(
        message: Message,
        up: &str,
        options: &Options,
        depth: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<(Self, Entry)> {
        let mut view = mime::view(message, options, warnings)?;
        let mut page = Self { title: title(&view), ..Self::default() };
        let files = std::mem::take(&mut view.files);
        let (body, sheet, shown) = body(&view, &files, warnings);
        page.head(&sheet);
        page.text.push_str("<nav><a href=\"");
        page.links.push((page.text.len(), Link::Up));
        let _ = writeln!(page.text, "\">{}</a></nav>", escape(up));
        page.header(&view);
        let count = page.attachments(files, &shown, options, depth, warnings);
        page.text.push_str("</header>\n");
        page.text.push_str(&body);
        page.text.push_str("</body>\n</html>\n");
        let from = view
            .from
            .as_ref()
            .map_or_else(String::new, |f| if f.name.is_empty() { &f.address } else { &f.name }.clone());
        let entry = Entry { subject: page.title.clone(), from, date: view.date, files: count };
        Ok((page, entry))
    }

    fn head(&mut self, sheet: &str) {
        self.text.push_str(&head(&self.title, sheet));
    }

    fn header(&mut self, view: &View) {
        let _ = writeln!(self.text, "<header>\n<h1>{}</h1>\n<dl>", escape(&self.title));
        let mut row = |name: &str, value: String| {
            if !value.is_empty() {
                let _ = writeln!(self.text, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
            }
        };
        let all = |people: &[Person]| people.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        row("From", view.from.as_ref().map(ToString::to_string).unwrap_or_default());
        row("Sender", view.sender.as_ref().map(ToString::to_string).unwrap_or_default());
        row("To", all(&view.to));
        row("Cc", all(&view.cc));
        row("Bcc", all(&view.bcc));
        row("Date", view.date.map(date).unwrap_or_default());
        let upper = view.class.to_ascii_uppercase();
        row("Kind", if upper == "IPM.NOTE" { String::new() } else { view.class.clone() });
        self.text.push_str("</dl>\n");
    }

    /// Lists the files that the body does not show, and takes them in; returns how many there are.
    fn attachments(
        &mut self,
        files: Vec<File>,
        shown: &[bool],
        options: &Options,
        depth: usize,
        warnings: &mut Vec<Warning>,
    ) -> usize {
        let listed = files.into_iter().enumerate().filter(|(i, _)| shown.get(*i) != Some(&true));
        let mut count = 0;
        for (_, file) in listed {
            if count == 0 {
                self.text.push_str("<ul>\n");
            }
            count += 1;
            self.attachment(file, options, depth, warnings);
        }
        if count > 0 {
            self.text.push_str("</ul>\n");
        }
        count
    }

    fn attachment(&mut self, mut file: File, options: &Options, depth: usize, warnings: &mut Vec<Warning>) {
        let name = if file.name.trim().is_empty() { "attachment".to_owned() } else { file.name.clone() };
        self.text.push_str("<li>");
        match std::mem::replace(&mut file.data, Data::Missing) {
            Data::Message(message) => self.nested(*message, &name, &name, options, depth, warnings),
            Data::Bytes(data) => {
                let inside = inside::message(&file, &data);
                let size = data.len();
                let saved = saved_name(&name, &data);
                self.link(&name, Beside::File { name: saved, data });
                let _ = write!(self.text, " <small>{}, {}</small>", bytes(size), escape(&file.mime));
                if let Some((message, more)) = inside {
                    warnings.extend(more);
                    self.text.push_str(" – ");
                    self.nested(message, &name, "what is in it", options, depth, warnings);
                }
            }
            Data::Missing => {
                let _ = write!(self.text, "{} <i>(its data are missing)</i>", escape(&name));
            }
        }
        self.text.push_str("</li>\n");
    }

    /// Links the page of a message inside this one.
    fn nested(
        &mut self,
        message: Message,
        name: &str,
        shown: &str,
        options: &Options,
        depth: usize,
        warnings: &mut Vec<Warning>,
    ) {
        let made = if depth + 1 < MAX_DEPTH {
            Self::at(message, &self.title.clone(), options, depth + 1, warnings).map_err(|e| e.to_string())
        } else {
            Err(format!("messages are nested more than {MAX_DEPTH} deep"))
        };
        match made {
            Ok((page, _)) => self.link(shown, Beside::Page(Box::new(page))),
            Err(reason) => {
                warnings.push(Code::Page.with(format!("{name} has no page of its own: {reason}")));
                let _ = write!(self.text, "{} <i>(not shown)</i>", escape(shown));
            }
        }
    }

    fn link(&mut self, shown: &str, to: Beside) {
        self.text.push_str("<a href=\"");
        self.links.push((self.text.len(), Link::File(self.files.len())));
        let _ = write!(self.text, "\">{}</a>", escape(shown));
        self.files.push(to);
    }

    /// Bytes held in memory.
    pub fn held(&self) -> u64 {
        let held = |beside: &Beside| match beside {
            Beside::File { data, .. } => data.bytes().map_or(0, <[u8]>::len) as u64,
            Beside::Page(page) => page.held(),
        };
        self.text.len() as u64 + self.files.iter().map(held).sum::<u64>()
    }
}

/// Says who wrote a page.
pub(super) const GENERATOR: &str = "<meta name=\"generator\" content=\"pst\">";

/// The start of a page, up to its body.
pub(super) fn head(title: &str, sheet: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n{GENERATOR}\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>\n{STYLE}{sheet}</style>\n\
         </head>\n<body>\n",
        escape(title)
    )
}

fn title(view: &View) -> String {
    let subject = view.subject.trim();
    if subject.is_empty() { "(no subject)".to_owned() } else { subject.to_owned() }
}

/// The body, its style sheet, and which files it shows.
fn body(view: &View, files: &[File], warnings: &mut Vec<Warning>) -> (String, String, Vec<bool>) {
    let none = vec![false; files.len()];
    let text = |text: &str, note: &str| {
        let note = if note.is_empty() { String::new() } else { format!("<footer>{}</footer>\n", escape(note)) };
        (format!("<main><pre>\n{}</pre></main>\n{note}", escape(text)), String::new(), none.clone())
    };
    let Some(html) = &view.html else { return text(view.text.as_deref().unwrap_or_default(), "") };
    if html.len() > LONGEST_HTML {
        let note = "the HTML is too large for a page: its text is shown";
        warnings.push(Code::Page.with(note));
        let plain = view.text.clone().unwrap_or_else(|| mime::text_of_html(html));
        return text(&plain, note);
    }
    let mut pictures = Pictures::new(files);
    let cleaned = clean::clean(html, &mut pictures);
    let note = cleaned.counts.sentence();
    let footer = note.as_ref().map(|n| format!("<footer>{}</footer>\n", escape(n))).unwrap_or_default();
    warnings.extend(note.map(|n| Code::Page.with(n)));
    let shown = (0..files.len()).map(|i| pictures.shows(i)).collect();
    (format!("<main class=\"html {SCOPE}\">\n{}\n</main>\n{footer}", cleaned.html), cleaned.sheet, shown)
}

/// "2024-01-31 12:00 UTC".
pub(super) fn date(seconds: i64) -> String {
    let stamp = jiff::Timestamp::from_second(seconds);
    stamp.map(|t| t.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default()
}

/// "1.5 MB", in steps of 1000.
pub(super) fn bytes(n: u64) -> String {
    let units = ["kB", "MB", "GB"];
    let (mut value, mut unit) = (n as f64 / 1000.0, 0);
    while value >= 1000.0 && unit < units.len() - 1 {
        value /= 1000.0;
        unit += 1;
    }
    if n < 1000 { format!("{n} bytes") } else { format!("{value:.1} {}", units.get(unit).unwrap_or(&"")) }
}

/// Endings of files that a browser runs when they are opened.
const ACTIVE: &[&str] =
    &["htm", "html", "hta", "mht", "mhtml", "shtm", "shtml", "svg", "svgz", "xht", "xhtml", "xml", "xsl", "xslt"];

/// The name under which a file is saved: what a browser would run gets an ending that shows it as text.
fn saved_name(name: &str, data: &Blob) -> String {
    let ending = name.rsplit_once('.').map(|(_, e)| e.trim().to_ascii_lowercase()).unwrap_or_default();
    if ACTIVE.contains(&ending.as_str()) || (ending != "txt" && begins_as_markup(data)) {
        format!("{name}.txt")
    } else {
        name.to_owned()
    }
}

/// Browsers look at the first bytes of files whose ending they do not know.
fn begins_as_markup(data: &Blob) -> bool {
    let mut start = Vec::new();
    let read = data.open().map(|reader| reader.take(1024).read_to_end(&mut start));
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start).trim_ascii_start();
    read.is_ok() && text.starts_with(b"<")
}
