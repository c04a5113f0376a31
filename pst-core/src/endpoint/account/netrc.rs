//! `.netrc` files, as ftp, curl and fetchmail read them.

use crate::endpoint::net::Secret;
use std::iter::Peekable;
use std::str::CharIndices;

/// What an entry of the host says.
#[derive(Default)]
struct Entry {
    login: Option<String>,
    password: Option<String>,
}

/// The password of `user` at `host` in the text of a netrc file: of the first entry for the host, or the default entry,
/// that has a password and no other login.
pub fn find(text: &str, host: &str, user: &str) -> Option<Secret> {
    let mut tokens = Tokens { text, chars: text.char_indices().peekable() };
    let mut entry: Option<Entry> = None;
    loop {
        let word = tokens.next_keyword();
        let at_end = matches!(word.as_deref(), None | Some("machine" | "default"));
        if at_end
            && let Some(Entry { login, password: Some(password) }) = entry.take()
            && login.is_none_or(|l| l == user)
        {
            return Some(Secret::new(password));
        }
        match word?.as_str() {
            "machine" => entry = tokens.next()?.eq_ignore_ascii_case(host).then(Entry::default),
            "default" => entry = Some(Entry::default()),
            "login" => set(entry.as_mut().map(|e| &mut e.login), tokens.next()),
            "password" => set(entry.as_mut().map(|e| &mut e.password), tokens.next()),
            "account" => drop(tokens.next()),
            "macdef" => tokens.skip_macro(),
            _ => {}
        }
    }
}

fn set(place: Option<&mut Option<String>>, value: Option<String>) {
    if let Some(place) = place {
        *place = value;
    }
}

struct Tokens<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Tokens<'_> {
    /// The next word that is no comment: those begin where a keyword could stand, and end with their line.
    fn next_keyword(&mut self) -> Option<String> {
        loop {
            while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
            if self.chars.peek()?.1 != '#' {
                return self.next();
            }
            while self.chars.next_if(|(_, c)| *c != '\n').is_some() {}
        }
    }

    /// The next word; in quotes it may have spaces, and what follows a backslash is taken as it is, but for n, r and t.
    fn next(&mut self) -> Option<String> {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.chars.peek()?;
        let mut word = String::new();
        if self.chars.next_if(|(_, c)| *c == '"').is_none() {
            while let Some((_, c)) = self.chars.next_if(|(_, c)| !c.is_whitespace()) {
                word.push(c);
            }
            return Some(word);
        }
        while let Some((_, c)) = self.chars.next() {
            match c {
                '"' => break,
                '\\' => word.push(match self.chars.next()?.1 {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    c => c,
                }),
                c => word.push(c),
            }
        }
        Some(word)
    }

    /// A macro ends with the first empty line.
    fn skip_macro(&mut self) {
        let at = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        let mut end = at;
        for line in self.text.get(at..).unwrap_or_default().split_inclusive('\n') {
            end += line.len();
            if line.trim().is_empty() {
                break;
            }
        }
        while self.chars.next_if(|(at, _)| *at < end).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str, host: &str, user: &str) -> Option<String> {
        find(text, host, user).map(|s| s.expose().to_owned())
    }

    #[test]
    fn forms() {
        let text = "# machine imap.example.org login anna password no\n\
                    machine other.example.org login anna password other\n\
                    machine IMAP.example.org\n\tlogin anna\n\taccount x\n\tpassword #one # two\n\
                    macdef init\nmachine imap.example.org login eve password macro\n\n\
                    machine imap.example.org login bob password \"two \\\"words\\\\\"\n\
                    machine any.example.org password any\n\
                    default login anonymous password guest\n";
        assert_eq!(password(text, "imap.example.org", "anna").as_deref(), Some("#one"));
        assert_eq!(password(text, "imap.example.org", "bob").as_deref(), Some("two \"words\\"));
        assert_eq!(password(text, "imap.example.org", "eve"), None, "macros are no entries");
        assert_eq!(password(text, "any.example.org", "whoever").as_deref(), Some("any"));
        assert_eq!(password(text, "nowhere.example.org", "anonymous").as_deref(), Some("guest"));
        assert_eq!(password(text, "nowhere.example.org", "anna"), None);
    }

    #[test]
    fn what_is_broken_gives_nothing() {
        for text in [
            "",
            "machine",
            "machine h",
            "machine h login",
            "machine h login u password",
            "machine h login u \"",
            "macdef",
        ] {
            assert_eq!(password(text, "h", "u"), None, "{text}");
        }
        assert_eq!(password("machine h login u password \"open", "h", "u").as_deref(), Some("open"));
    }
}
