//! Mail as it should not be, and yet is.

use super::encodings::base64;
use super::{Fixture, build, eml, noise};

pub fn oddities(all: &mut Vec<Fixture>) {
    let mut odd = |name: &str, about: &'static str, template: &str, parts: &[(&str, &[u8])]| {
        eml(all, &format!("Oddities/{name}"), about, build(template, parts));
    };
    odd(
        "empty-subject",
        "a subject field without a subject",
        "\
Date: Mon, 05 Aug 2024 10:00:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject:\nMessage-ID: <empty-subject@example.org>\n\nNo subject.\n",
        &[],
    );
    odd(
        "no-subject",
        "no subject field, no Date, no MIME-Version",
        "\
From: odd@example.org\nTo: reader@example.com\nMessage-ID: <no-subject@example.org>\n\nNothing much.\n",
        &[],
    );
    let long = "A subject that does not end, ".repeat(40);
    let folded =
        long.as_bytes().chunks(58).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join("\r\n ");
    odd(
        "long-subject",
        "a subject of 1,160 characters over many lines",
        "\
Date: Mon, 05 Aug 2024 10:01:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: {long}\nMessage-ID: <long-subject@example.org>\n\nLong above.\n",
        &[("long", folded.as_bytes())],
    );
    odd(
        "groups",
        "recipients in groups, an empty group, and a route",
        "\
Date: Mon, 05 Aug 2024 10:02:00 +0000\nFrom: odd@example.org\nTo: Friends: Jo <jo@example.com>, \"Sam (the \\\"man\\\")\" <sam@example.com>;, alone@example.com\nCc: Undisclosed recipients:;\nSubject: Groups\nMessage-ID: <groups@example.org>\n\nTo groups.\n",
        &[],
    );
    odd(
        "undisclosed",
        "nobody is named as recipient",
        "\
Date: Mon, 05 Aug 2024 10:03:00 +0000\nFrom: odd@example.org\nTo: undisclosed-recipients:;\nSubject: Nobody in particular\nMessage-ID: <undisclosed@example.org>\n\nTo nobody.\n",
        &[],
    );
    odd(
        "eight-bit-headers",
        "headers in raw windows-1252 and a body that names no charset",
        "\
Date: Mon, 05 Aug 2024 10:04:00 +0000\nFrom: Jos\u{7f}E9 <jose@example.org>\nTo: reader@example.com\nSubject: Espa\u{7f}F1a\nMessage-ID: <eight-bit@example.org>\n\nAdi\u{7f}F3s.\n",
        &[],
    );
    odd(
        "missing-final-boundary",
        "a multipart that stops without its last boundary",
        "\
Date: Mon, 05 Aug 2024 10:05:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Cut off\nMessage-ID: <cut@example.org>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=cut\n\n--cut\nContent-Type: text/plain\n\nThe text is whole.\n--cut\nContent-Type: application/octet-stream; name=part.bin\nContent-Transfer-Encoding: base64\n\n{part}",
        &[("part", base64(&noise(51, 200)).as_bytes())],
    );
    let clean = base64(&noise(52, 120)).replace("\r\n", "");
    let dirty = format!("{}\r\n  {}!\r\n\r\n{}\r\n", &clean[..40], &clean[40..100], &clean[100..]);
    odd(
        "dirty-base64",
        "base64 with blanks, a stray character and lines of odd lengths",
        "\
Date: Mon, 05 Aug 2024 10:06:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Dirty\nMessage-ID: <dirty@example.org>\nMIME-Version: 1.0\nContent-Type: application/octet-stream; name=dirty.bin\nContent-Disposition: attachment; filename=dirty.bin\nContent-Transfer-Encoding: base64\n\n{dirty}",
        &[("dirty", dirty.as_bytes())],
    );
    odd(
        "date-two-digit-year",
        "a date with a two-digit year and an obsolete zone",
        "\
Date: Tue, 6 Aug 96 10:07 EST\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Old date\nMessage-ID: <old-date@example.org>\n\nFrom the last century.\n",
        &[],
    );
    odd(
        "date-wrong",
        "a date that is none, while Received has one",
        "\
Received: from a by b; Tue, 6 Aug 2024 10:08:30 +0000\nDate: yesterday, about tea time\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Wrong date\nMessage-ID: <wrong-date@example.org>\n\nWhen?\n",
        &[],
    );
    odd(
        "date-far",
        "a date in the year 2199 with a zone of +1400",
        "\
Date: Thu, 31 Oct 2199 23:59:60 +1400\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Far date\nMessage-ID: <far-date@example.org>\n\nLater.\n",
        &[],
    );
    odd(
        "no-body",
        "headers alone, without even the empty line",
        "\
Date: Tue, 06 Aug 2024 10:09:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Headers alone\nMessage-ID: <no-body@example.org>\n",
        &[],
    );
    odd(
        "unknown-charset",
        "a charset that nobody knows",
        "\
Date: Tue, 06 Aug 2024 10:10:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: =?x-nobody?Q?unreadable?= but there\nMessage-ID: <unknown-charset@example.org>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=x-nobody\n\nPlain letters all the same.\n",
        &[],
    );
    odd(
        "long-lines",
        "one line of 5,000 characters and one header of 3,000",
        "\
Date: Tue, 06 Aug 2024 10:11:00 +0000\nFrom: odd@example.org\nTo: reader@example.com\nSubject: Long lines\nX-Long: {header}\nMessage-ID: <long-lines@example.org>\n\n{line}\n",
        &[("header", "x".repeat(3000).as_bytes()), ("line", "0123456789".repeat(500).as_bytes())],
    );
    odd(
        "crowd",
        "a recipient list of 120 in one field",
        "\
Date: Tue, 06 Aug 2024 10:12:00 +0000\nFrom: odd@example.org\nTo: {many}\nSubject: A crowd\nMessage-ID: <crowd@example.org>\n\nHello, all.\n",
        &[(
            "many",
            (1..=120)
                .map(|n| format!("Guest {n} <guest{n}@example.com>"))
                .collect::<Vec<_>>()
                .join(",\r\n ")
                .as_bytes(),
        )],
    );
    // The template is text; raw bytes above ASCII are written as DEL and two digits.
    for f in all.iter_mut().filter(|f| f.path.contains("eight-bit")) {
        let mut out = Vec::new();
        let mut rest = f.bytes.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            if *first == 0x7f {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            } else {
                out.push(*first);
            }
        }
        f.bytes = out;
    }
}
