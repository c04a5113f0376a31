//! Acceptance cases 52 and 53 of the mapping, and what else the class of a message depends on. One test a case.

use super::support::mail::{data, export, exported, field, import, multipart, text};
use pst_core::mapi::message::attach_method;
use pst_core::mapi::{Message, PropTag, Value, tag};

fn class(m: &Message) -> String {
    text(m, tag::MESSAGE_CLASS).unwrap()
}

fn bounce(status: &str) -> String {
    let body = multipart(
        "report; report-type=delivery-status",
        &[
            "Content-Type: text/plain\r\n\r\nIt could not be delivered.",
            &format!("Content-Type: message/delivery-status\r\n\r\n{status}"),
            "Content-Type: message/rfc822\r\n\r\nSubject: The original\r\nMessage-ID: <o@x>\r\nTo: one@example.org\r\nDate: Mon, 1 Jul 2024 10:00:00 +0000\r\n\r\nhello",
        ],
    );
    format!(
        "From: MAILER-DAEMON@example.com\r\nTo: me@example.com\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n{body}"
    )
}

#[test]
fn case_52_a_failed_delivery_to_two() {
    let m = import(bounce(concat!(
        "Reporting-MTA: dns; mx.example.com\r\nArrival-Date: Mon, 1 Jul 2024 10:00:00 +0000\r\n\r\n",
        "Final-Recipient: rfc822; one@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.org\r\n",
        "Diagnostic-Code: smtp; 550 5.1.1\r\n  no such user\r\n\r\n",
        "Final-Recipient: RFC822;two@example.org\r\nAction: failed (at once)\r\nStatus: 5.1.1 (unknown)\r\n\r\n",
        "Final-Recipient: rfc822;three@example.org\r\nAction: delayed\r\nStatus: 4.4.7\r\n",
    )));
    assert_eq!(class(&m), "REPORT.IPM.Note.NDR");
    let rows: Vec<_> = m.recipients.iter().map(|r| r.text(tag::EMAIL_ADDRESS).unwrap()).collect();
    assert_eq!(rows, ["one@example.org", "two@example.org"], "those of the worst action");
    for row in &m.recipients {
        assert_eq!(row.i32(tag::NDR_STATUS_CODE), Some(511));
        assert_eq!((row.i32(tag::NDR_REASON_CODE), row.i32(tag::NDR_DIAG_CODE)), (Some(1), Some(35)));
    }
    assert_eq!(m.recipients[0].text(tag::REMOTE_MTA).as_deref(), Some("mx.example.org"));
    let info = m.recipients[0].text(tag::SUPPLEMENTARY_INFO).unwrap();
    assert_eq!(info, "<mx.example.org #5.1.1 smtp; 550 5.1.1 no such user>");
    assert_eq!(text(&m, tag::REPORTING_MTA).as_deref(), Some("mx.example.com"));
    assert_eq!(text(&m, tag::ORIGINAL_SUBJECT).as_deref(), Some("The original"));
    assert_eq!(text(&m, tag::ORIGINAL_MESSAGE_CLASS).as_deref(), Some("IPM.Note"));
    assert_eq!(m.attachments[1].props.i32(tag::ATTACH_METHOD), Some(attach_method::EMBEDDED));
    assert!(
        data(&m.attachments[0]).starts_with(b"Reporting-MTA: dns; mx.example.com\r\n"),
        "the report itself is kept"
    );

    let out = exported(&m);
    let kind = field(out.as_bytes(), "Content-Type").unwrap();
    assert!(kind.starts_with("multipart/report; report-type=delivery-status;"), "{kind}");
    assert_eq!(field(out.as_bytes(), "To").as_deref(), Some("me@example.com"));
    assert!(out.contains("three@example.org") && !out.contains("Original recipients"), "{out}");
    assert_eq!(exported(&import(&out)), out, "going in and out again changes nothing");
}

#[test]
fn other_delivery_reports() {
    let with = |action: &str| {
        class(&import(bounce(&format!(
            "Reporting-MTA: dns; m\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: {action}\r\nStatus: 2.0.0\r\n"
        ))))
    };
    assert_eq!(with("delivered"), "REPORT.IPM.Note.DR");
    assert_eq!(with("Expanded"), "REPORT.IPM.Note.Expanded.DR");
    assert_eq!(with("relayed"), "REPORT.IPM.Note.Relayed.DR");
    assert_eq!(with("delayed"), "REPORT.IPM.Note.Delayed.DR");
    assert_eq!(with("eaten"), "IPM.Note", "what nobody knows stays mail");
    let m = import(bounce("no fields here"));
    assert_eq!((class(&m).as_str(), m.recipients.len()), ("IPM.Note", 1));
}

fn receipt(disposition: &str) -> Message {
    let body = multipart(
        "report; report-type=disposition-notification",
        &[
            "Content-Type: text/plain\r\n\r\nIt was seen.",
            &format!(
                "Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;you@example.org\r\nOriginal-Message-ID: <o@x>\r\nDisposition: {disposition}\r\nX-MSExch-Correlation-Key: AQID\r\n"
            ),
        ],
    );
    import(format!("From: you@example.org\r\nTo: me@example.com\r\nMIME-Version: 1.0\r\n{body}"))
}

#[test]
fn case_53_read_receipts() {
    let m = receipt("manual-action/MDN-sent-manually; displayed");
    assert_eq!(class(&m), "REPORT.IPM.Note.IPNRN");
    assert_eq!(text(&m, tag::ORIGINAL_MESSAGE_ID).as_deref(), Some("<o@x>"));
    assert_eq!(text(&m, tag::REPORT_TEXT).as_deref(), Some("It was seen."));
    assert_eq!(text(&m, tag::ORIGINAL_DISPLAY_TO).as_deref(), Some("you@example.org"));
    assert_eq!(m.props.bytes(tag::PARENT_KEY), Some([1, 2, 3].as_slice()));
    assert_eq!(m.recipients[0].text(tag::EMAIL_ADDRESS).as_deref(), Some("me@example.com"));
    assert_eq!(class(&receipt("automatic-action/MDN-sent-automatically; processed/error")), "REPORT.IPM.Note.IPNRN");
    for word in ["deleted", "denied", "failed"] {
        let m = receipt(&format!("automatic-action/MDN-sent-automatically;{word}"));
        assert_eq!(class(&m), "REPORT.IPM.Note.IPNNRN");
    }
    assert_eq!(class(&receipt("unheard/of; vanished")), "IPM.Note");
    let out = exported(&m);
    let kind = field(out.as_bytes(), "Content-Type").unwrap();
    assert!(kind.starts_with("multipart/report; report-type=disposition-notification;"), "{kind}");
    assert_eq!(exported(&import(&out)), out);
}

/// A report as Exchange stores it: no header, no attachment, rows that say what happened.
#[test]
fn reports_of_exchange_go_out_as_reports() {
    let mut m = Message::default();
    let mut row = pst_core::mapi::PropBag::default();
    row.set(tag::DISPLAY_NAME, Value::text("One"));
    row.set(tag::ADDRESS_TYPE, Value::text("SMTP"));
    row.set(tag::EMAIL_ADDRESS, Value::text("one@example.org"));
    row.set(tag::NDR_REASON_CODE, Value::I32(1));
    row.set(tag::NDR_DIAG_CODE, Value::I32(35));
    row.set(tag::SUPPLEMENTARY_INFO, Value::text("<mx #5.1.1>"));
    m.recipients.push(row);
    m.props.set(tag::MESSAGE_CLASS, Value::text("REPORT.IPM.Note.NDR"));
    m.props.set(tag::REPORT_TEXT, Value::text("No such user."));
    m.props.set(tag::REPORT_TIME, Value::Time(133_000_000_000_000_000));
    m.props.set(tag::RECEIVED_BY_NAME, Value::text("Me"));
    m.props.set(tag::RECEIVED_BY_EMAIL_ADDRESS, Value::text("me@example.com"));
    m.props.set(tag::RECEIVED_BY_ADDRESS_TYPE, Value::text("SMTP"));
    let out = exported(&m);
    assert_eq!(field(out.as_bytes(), "To").as_deref(), Some("Me <me@example.com>"));
    assert_eq!(field(out.as_bytes(), "Date").as_deref(), Some("Sat, 18 Jun 2022 04:26:40 +0000"));
    for part in [
        "No such user.",
        "Final-Recipient: rfc822; one@example.org\r\n",
        "Action: failed\r\n",
        "Status: 5.1.1\r\n",
        "X-Supplementary-Info: <mx #5.1.1>\r\n",
        "X-Display-Name: One\r\n",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    let back = import(&out);
    assert_eq!(class(&back), "REPORT.IPM.Note.NDR");
    assert_eq!(back.recipients[0].i32(tag::NDR_DIAG_CODE), Some(35));
    assert_eq!(exported(&back), out);

    m.props.set(tag::MESSAGE_CLASS, Value::text("REPORT.IPM.Note.IPNNRN"));
    m.props.set(tag::SENDER_EMAIL_ADDRESS, Value::text("one@example.org"));
    m.props.set(tag::SENDER_ADDRESS_TYPE, Value::text("SMTP"));
    m.props.set(tag::ORIGINAL_MESSAGE_ID, Value::text("<o@x>"));
    let out = exported(&m);
    assert!(out.contains("MDN-sent-automatically; deleted\r\n") && out.contains("Original-Message-ID: <o@x>"), "{out}");
    assert_eq!(class(&import(&out)), "REPORT.IPM.Note.IPNNRN");
}

#[test]
fn abuse_reports_stay_mail() {
    let body = multipart(
        "report; report-type=feedback-report",
        &[
            "Content-Type: text/plain\r\n\r\nSpam.",
            "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n",
            "Content-Type: text/rfc822-headers\r\n\r\nSubject: buy\r\n",
        ],
    );
    let m = import(format!("Subject: x\r\nMIME-Version: 1.0\r\n{body}"));
    assert_eq!((class(&m).as_str(), m.attachments.len()), ("IPM.Note", 2));
    let kind = field(&export(&m), "Content-Type").unwrap();
    assert!(kind.starts_with("multipart/report; report-type=feedback-report;"), "{kind}");
}

#[test]
fn voice_and_fax() {
    let with = |head: &str, kind: &str| {
        let body =
            multipart("mixed", &["Content-Type: text/plain\r\n\r\nx", &format!("Content-Type: {kind}\r\n\r\ny")]);
        import(format!("{head}\r\nMIME-Version: 1.0\r\n{body}"))
    };
    let m = with(
        "Content-Class: voice-ca\r\nX-CallingTelephoneNumber: +49 30 1\r\nX-VoiceMessageDuration: 12\r\nX-CallID: c1",
        "audio/wav; name=a.wav",
    );
    assert_eq!(class(&m), "IPM.Note.Microsoft.Voicemail.UM.CA");
    assert_eq!(m.props.i32(PropTag(0x6801_0003)), Some(12));
    assert_eq!(text(&m, PropTag(0x6802_001F)).as_deref(), Some("+49 30 1"));
    let out = export(&m);
    assert_eq!(field(&out, "Content-Class").as_deref(), Some("voice-ca"));
    assert_eq!(class(&import(&out)), "IPM.Note.Microsoft.Voicemail.UM.CA");
    assert_eq!(class(&with("Content-Class: voice", "text/plain; name=a.txt")), "IPM.Note", "no recording");
    let fax = with("Content-Class: fax\r\nX-FaxNumberOfPages: 3", "image/tiff; name=f.tif");
    assert_eq!((class(&fax).as_str(), fax.props.i32(PropTag(0x6804_0003))), ("IPM.Note.Microsoft.Fax", Some(3)));
    let mut bare = Message { props: fax.props.clone(), ..Message::default() };
    bare.props.0.retain(|p| p.tag.id() != tag::TRANSPORT_MESSAGE_HEADERS.id());
    assert_eq!(field(&export(&bare), "X-FaxNumberOfPages").as_deref(), Some("3"));
    assert_eq!(field(&export(&bare), "Content-Class").as_deref(), Some("fax"));
}
