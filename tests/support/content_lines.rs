//! A plain reader of iCalendar and vCard texts, made for tests alone: it unfolds, and knows nothing of any property.

use std::collections::BTreeMap;

/// How often each line is there, with the names of the components that it stands in.
pub type Lines = BTreeMap<String, usize>;

/// The text of a file; bytes that are no UTF-8 are taken as windows-1252.
pub fn text_of(bytes: &[u8]) -> String {
    let mut whole: Vec<u8> = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.strip_prefix(b" ").or_else(|| line.strip_prefix(b"\t")) {
            Some(rest) => {
                whole.pop();
                whole.extend_from_slice(rest);
            }
            None if line.is_empty() => continue,
            None => whole.extend_from_slice(line),
        }
        whole.push(b'\n');
    }
    let mut out = String::new();
    for chunk in whole.utf8_chunks() {
        out.push_str(chunk.valid());
        out.push_str(&pst_core::mapi::codepage::decode(1252, chunk.invalid()));
    }
    out
}

/// The lines of a text, unfolded, without empty ones.
pub fn unfolded(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.trim_end_matches('\r');
        match (line.strip_prefix([' ', '\t']), out.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ if line.is_empty() => {}
            _ => out.push(line.to_owned()),
        }
    }
    out
}

/// The name of a line in upper case.
pub fn name_of(line: &str) -> String {
    let end = line.find([';', ':']).unwrap_or(line.len());
    line[..end].to_ascii_uppercase()
}

/// A line with its parameters in order, without quotes that change nothing, and with names in upper case.
fn canonical(line: &str) -> String {
    let mut quoted = false;
    let mut pieces = vec![String::new()];
    let mut rest = line.chars();
    let mut before = ' ';
    for c in rest.by_ref() {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted => break,
            // Some programs escape in parameters, too.
            ';' if !quoted && before != '\\' => pieces.push(String::new()),
            c => pieces.last_mut().unwrap().push(c),
        }
        before = c;
    }
    let mut pieces = pieces.into_iter();
    let name = pieces.next().unwrap_or_default().to_ascii_uppercase();
    let mut params: Vec<String> = pieces
        .flat_map(|p| match p.split_once('=') {
            Some((n, v)) => v.split(',').map(|v| format!(";{}={v}", n.to_ascii_uppercase())).collect(),
            None => vec![format!(";{}", p.to_ascii_uppercase())],
        })
        .collect();
    params.sort();
    format!("{name}{}:{}", params.concat(), rest.as_str().trim_end())
}

/// The lines inside components of some names, and those inside them.
pub fn inside(text: &str, components: &[&str]) -> Lines {
    let mut out = Lines::new();
    let mut open: Vec<String> = Vec::new();
    for line in unfolded(text) {
        let name = name_of(&line);
        let value = line.split_once(':').map(|(_, v)| v.trim().to_ascii_uppercase()).unwrap_or_default();
        match name.as_str() {
            "BEGIN" => open.push(value),
            "END" => {
                open.pop();
            }
            _ => {
                if let Some(at) = open.iter().position(|o| components.contains(&o.as_str())) {
                    *out.entry(format!("{} {}", open[at..].join("/"), canonical(&line))).or_default() += 1;
                }
            }
        }
    }
    out
}

/// What is in the one and not as often in the other.
pub fn missing(from: &Lines, there: &Lines) -> Vec<String> {
    from.iter().filter(|(l, n)| there.get(*l).unwrap_or(&0) < n).map(|(l, _)| l.clone()).collect()
}
