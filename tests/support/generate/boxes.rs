//! Mailboxes of other programs: mboxes and a Maildir.

use super::Fixture;

/// One short message, LF ends as mboxes and Maildirs have them.
fn short(n: u32, subject: &str, extra: &str, body: &str) -> String {
    format!(
        "{extra}Date: Sun, {:02} Sep 2024 0{}:00:00 +0000\nFrom: Friend {n} <friend{n}@example.org>\nTo: ada@example.org\nSubject: {subject}\nMessage-ID: <short.{n}@example.org>\n\n{body}",
        n % 28 + 1,
        n % 10
    )
}

pub fn mbox(all: &mut Vec<Fixture>) {
    let sep = |n: u32| format!("From friend{n}@example.org Sun Sep {:2} 0{}:00:00 2024\n", n % 28 + 1, n % 10);
    let mut put = |path: &str, about: &'static str, text: String| {
        all.push(Fixture { path: format!("mbox/{path}"), about, bytes: text.into_bytes() });
    };
    let status = |flags: u16| format!("X-Mozilla-Status: {flags:04x}\nX-Mozilla-Status2: 00000000\n");
    let tb = |n, subject: &str, flags, body: &str| format!("{}{}\n", sep(n), short(n, subject, &status(flags), body));
    put(
        "thunderbird/Inbox",
        "Thunderbird: unread, read, replied and flagged, forwarded, and one deleted but not compacted",
        [
            tb(1, "Unread", 0x0000, "one\n"),
            tb(2, "Read", 0x0001, "two\n"),
            tb(3, "Read, replied, flagged", 0x0007, "three\n"),
            tb(4, "Read and forwarded", 0x1001, "four\n"),
            tb(5, "Deleted", 0x0009, "five\n"),
        ]
        .concat(),
    );
    put(
        "thunderbird/Inbox.msf",
        "an index of Thunderbird's, not mail",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n".to_owned(),
    );
    put("thunderbird/Inbox.sbd/Projects", "a folder below Inbox", tb(6, "Project plan", 1, "six\n"));
    put(
        "thunderbird/Inbox.sbd/Projects.sbd/Analytical Engine",
        "a folder two below Inbox, with a blank in its name",
        tb(7, "Cards", 0, "seven\n"),
    );
    put("thunderbird/Sent", "the folder of sent mail", tb(8, "Sent away", 1, "eight\n"));
    put("thunderbird/Entwürfe", "a name beyond ASCII, and no messages", String::new());
    put(
        "quoted.mbox",
        "mboxrd quoting in several depths, Status and X-Status, and no empty line at the end",
        [
            format!(
                "{}{}\n",
                sep(11),
                short(
                    11,
                    "From the start",
                    "Status: RO\nX-Status: A\n",
                    ">From here on, all is quoted.\n>>From twice quoted.\nFrom\n"
                )
            ),
            format!("{}{}\n", sep(12), short(12, "Second", "Status: O\n", "Plain.\n\nAfter an empty line.\n")),
            format!(
                "{}{}",
                sep(13),
                short(13, "Last", "Status: RO\nX-Status: F\nX-Keywords: Work \"Later\"\n", "No newline at the end")
            ),
        ]
        .concat(),
    );
    put(
        "crlf.mbox",
        "CRLF line ends throughout",
        [
            format!("{}{}\n", sep(14), short(14, "One with CRLF", "", "Line.\n")),
            format!("{}{}\n", sep(15), short(15, "Two with CRLF", "", ">From a line.\n")),
        ]
        .concat()
        .replace('\n', "\r\n"),
    );
}

pub fn maildir(all: &mut Vec<Fixture>) {
    let mut put = |path: &str, about: &'static str, n: u32, subject: &str| {
        let text = short(n, subject, "", &format!("Message {n} of the Maildir.\n"));
        all.push(Fixture { path: format!("maildir/{path}"), about, bytes: text.into_bytes() });
    };
    put("new/1725181200.M1P1.host", "new: not seen", 21, "Just arrived");
    put("cur/1725181201.M2P1.host:2,S", "seen", 22, "Seen");
    put("cur/1725181202.M3P1.host:2,FRS", "flagged, replied, seen", 23, "Flagged and replied");
    put("cur/1725181203.M4P1.host:2,PS", "passed on", 24, "Passed on");
    put("cur/1725181204.M5P1.host:2,", "not seen, not new", 25, "Not opened");
    put(".Sent/cur/1725181205.M6P1.host:2,S", "a Maildir++ folder of sent mail", 26, "Sent from here");
    put(".Drafts/cur/1725181206.M7P1.host:2,DS", "a draft", 27, "Half written");
    put(
        ".Entw&APw-rfe.&U,BTFw-/cur/1725181207.M8P1.host:2,S",
        "nested names in modified UTF-7: Entwürfe / 台北",
        28,
        "Far away",
    );
    put(".Trash/cur/1725181208.M9P1.host:2,ST", "marked as deleted", 29, "Thrown away");
}
