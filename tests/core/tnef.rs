//! TNEF: genuine streams give what others find in them (acceptance case 57), and mail takes over what is in its
//! winmail.dat.

use super::support::{Seeded, corpus, files};
use pst_core::mapi::message::{attach_method, flag};
use pst_core::mapi::value::sha256;
use pst_core::mapi::{Attachment, MAX_DEPTH, Message, NamedProp, PropTag, Value, named, rtf, tag, time};
use pst_core::mime::{Converted, Options, State, from_mapi, tnef, to_mapi};
use sha2::{Digest, Sha256};

const SAMPLES: &str = "tnef/jstedfast__MimeKit/UnitTests/TestData/tnef";

/// What a sample holds, as MimeKit's own expectations tell: subject, Message-ID, submit time, hashes of the RTF and HTML
/// bodies, and name and hash of each attachment.
struct Known {
    name: &'static str,
    subject: Option<&'static str>,
    id: Option<&'static str>,
    sent: Option<&'static str>,
    rtf: Option<&'static str>,
    html: Option<&'static str>,
    attachments: &'static [(&'static str, &'static str)],
}

const NONE: Known = Known { name: "", subject: None, id: None, sent: None, rtf: None, html: None, attachments: &[] };

const KNOWN: &[Known] = &[
    Known {
        name: "MAPI_ATTACH_DATA_OBJ",
        subject: Some("Bodø-damer på vei!"),
        id: Some("<BBDA395B19A3D3119A0E0000F8D02CA902AEBCE8@ODIN>"),
        sent: Some("2002-08-20T11:39:48Z"),
        rtf: Some("e803e31e72d8d36f2528719a632d029806d6cbbdf168013865725b602302b0db"),
        attachments: &[
            ("VIA_Nytt_1402.doc", "9955935516d1407e0f833d91242f7416c68a66eae69e73d855ae17724e04fe60"),
            ("VIA_Nytt_1402.pdf", "968c9c4a8a6a02ff9a6c4e2621d5f5d512593a30d57379f704c4274ead48d72e"),
            ("VIA_Nytt_14021.htm", "c2ee04f99e59079afa8661913dbd8b9002ea005c7540aaec85a67ed113e9a7b8"),
        ],
        ..NONE
    },
    Known {
        name: "MAPI_OBJECT",
        subject: Some("OCTOBER DISCOUNTED PRICE LIST"),
        id: Some("<BF55F48D9D4AD51190C500D0B7BB2C6E089088FE@xau03.aus.hp.com>"),
        sent: Some("2002-10-08T00:15:35Z"),
        rtf: Some("095da1917ef2b6c25839ddd215a916605f95d45a4f780736ed6055107be19c71"),
        attachments: &[("Untitled_Attachment", "f89a1afbdfb2fc38b8888b8e0fd84509a801fa6d5491306f6f8d34a3d62931e3")],
        ..NONE
    },
    Known {
        name: "attachments",
        attachments: &[
            ("zappa_av1.jpg", "bea844f30e0fcc20fad419a0d11032a6465da93c1da185a1196949955994409a"),
            ("bookmark.htm", "1e08d6e23c75ff80ac992eebc24c2943c7843b7dfee235966b37de5eb4362599"),
        ],
        ..NONE
    },
    Known {
        name: "body",
        subject: Some("Bill of Rights"),
        id: Some("<4520F6151DAF2A44BA878BF2F380348E26E5@br-exch-dev1.brexchange.dolphinsearch.com>"),
        sent: Some("2005-04-25T17:15:35Z"),
        html: Some("0f4e697985fbcf97c8bd5797c90bd930cb8b7b163cec3f8ad5895e6f04efea3e"),
        ..NONE
    },
    Known {
        name: "christmas",
        rtf: Some("3716ee1ced39726b038a01a003ff26cbef59d5d37d2c65e38a323ee4db9d7901"),
        attachments: &[
            (
                "kitten-playing-with-a-christmas-tree.jpg",
                "f79d79bf20d19d17f4bbc92bc59485be362df93deaa92b71cc0d490d3b7ac935",
            ),
            ("Build a train table", "message"),
            ("Christmas Celebration!", "message"),
        ],
        ..NONE
    },
    Known {
        name: "data-before-name",
        rtf: Some("047bc7915ca95a0273baafc020a51e745a2e68d6f0cc9ba3c326090ff8e7fd8d"),
        attachments: &[
            ("AUTOEXEC.BAT", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("CONFIG.SYS", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("boot.ini", "a815374e31481bbb939d99e73ecfe1de7914363ecd5c670c60a9022474251bce"),
        ],
        ..NONE
    },
    Known { name: "garbage-at-end", ..NONE },
    Known {
        name: "long-filename",
        subject: Some("RE: license file"),
        id: Some("<A58643BEDEF7D211BABB0008C75D853F0173A32E@fhpri01.compuware.com>"),
        sent: Some("1999-11-17T20:28:44Z"),
        rtf: Some("2f522487cfb7ad54cea360683d80bca7f6da39e8c1bfa9b723168aa7bca74695"),
        attachments: &[("allproductsmar2000.dat", "de2ad5d4e20a2456ad12808dee82af2d0d1236ddf5bd55832581a7886cdcd807")],
        ..NONE
    },
    Known {
        name: "missing-filenames",
        subject: Some("Y2K problem with Add-DT"),
        id: Some("<41D7BC0B968CD111B6A100805FA774F503F2AAEB@itbne-msg01.incorrect.bhp.com.au>"),
        sent: Some("2000-02-11T06:13:53Z"),
        rtf: Some("507cd565d470dc9cb62d2205d818be0f35658a5b7e0052b557dab6f4b63de4ff"),
        attachments: &[
            ("generpts.src", "69ebd0e9c298f62d1bcced07a66fce16c43f0e6e0228336e1a56d8df8874b3b9"),
            ("TechlibDEC99.doc", "d1a592c2e3729270860ec3dcac357799e2667fa9859febd1b258c6ca3612f532"),
            ("TechlibDEC99-JAN00.doc", "360db5c11b1f21c60ffbf7aa040a91f48fdef402663c303cfeddd4ef4a3dc9cd"),
            ("TechlibNOV99.doc", "b1e6b103cc5a9b759dd0a436d45bba131e69ca06a8b4c99d9beebf76d95cde93"),
        ],
        ..NONE
    },
    Known { name: "multi-name-property", subject: Some("Pfingstmontag"), sent: Some("2006-02-17T09:23:08Z"), ..NONE },
    Known {
        name: "multi-value-attribute",
        rtf: Some("1feaf9614a5da99b28dc0c6efc0f9ade9d7a07433ed79c8b47484577747de96a"),
        attachments: &[(
            "208225__5_seconds__Voice_Mail.mp3",
            "cf2e3cd4175a3acd5cd193623cd8f79fda1c22f4823560213e561851c3fdd4e8",
        )],
        ..NONE
    },
    Known {
        name: "one-file",
        subject: Some("one-file"),
        id: Some("<14341.17488.631053.695454@localhost.localdomain>"),
        sent: Some("1999-10-14T02:47:44Z"),
        attachments: &[("AUTHORS", "36c47da7d11846caf0474a4b3df83bb4eba9ea01d2bca500c288fa108e123d28")],
        ..NONE
    },
    Known {
        name: "panic",
        id: Some("<VI1PR07MB1486473A0B5207810BB98E10EDCA0@VI1PR07MB1486.eurprd07.prod.outlook.com>"),
        sent: Some("2016-01-12T13:14:55Z"),
        attachments: &[
            ("image001.jpg", "ee9bec688ebc6b535fa1c06b3c7f388510f501509a2d6ae17e964a3eda92f8db"),
            ("image002.jpg", "a497dd22b4a1f2de15da0929f17429edb502f94d767a0fa2ce67da35162cc62f"),
            ("image003.png", "7c65885b27f3cd66501fdb7a4711c22ba8b6f64e51ea6c2a3ec9db6fa968a7b8"),
        ],
        ..NONE
    },
    Known {
        name: "rtf",
        id: Some("<013501bf1643$6d982290$17ce15d1@hornet.vireo.com>"),
        sent: Some("1999-10-14T12:55:44Z"),
        rtf: Some("285e04e771fe1f1d699d8c7c6ce5d5fcf4dfebf239d9ed002239662e4862bde7"),
        ..NONE
    },
    Known {
        name: "triples",
        subject: Some("Sample Summary"),
        sent: Some("2003-05-23T13:26:17Z"),
        rtf: Some("8bbeaeb23fc3a13faaccd850e600d78aa01fce545f0ce9759c66a5a47867e29b"),
        ..NONE
    },
    Known {
        name: "two-files",
        subject: Some("two files"),
        id: Some("<14341.17573.560761.368512@localhost.localdomain>"),
        sent: Some("1999-10-14T02:49:09Z"),
        attachments: &[
            ("AUTHORS", "36c47da7d11846caf0474a4b3df83bb4eba9ea01d2bca500c288fa108e123d28"),
            ("README", "d0f163180d6ad5d8d3b4e7c6bc0cc948d05888bff0f69dba375b946ea4c6b0fa"),
        ],
        ..NONE
    },
    Known {
        name: "unicode-mapi-attr-name",
        subject: Some("RE: [ZGLOSZENIE] THU#29044 Aktualizacja numerów w dodatkowych panelach"),
        id: Some("<3471F010E285B744A23B2B4A58D1FD3851E817DA@PM24-EX1.pm24.local>"),
        sent: Some("2014-06-20T10:27:10Z"),
        attachments: &[
            ("spaconsole2.cfg", "4d9639506fa4bf42ede43ffbaa8ed5a8f8fe2338bc2562f9b9aef7970bc4a25e"),
            ("image001.png", "037f9d1fa06bccd31878332853814a43e6ed86b3893770b42b057597b49d19c9"),
            ("image002.png", "ea179fb97a7e850e58b830f51a1fe411d5a4e5ffb1620c895abe9788cfac6f07"),
            ("image003.png", "20c51557b9c7ec0a5da9ccfd4c2efb0ff7be72d15b05e1ddecc3d1c69fc8eaa9"),
        ],
        ..NONE
    },
    Known {
        name: "unicode-mapi-attr",
        subject: Some("example"),
        id: Some("<011fdf9d1a754260a583e5c6c89061d3@WIN-N56837RFTER.exchange.local>"),
        sent: Some("2017-03-07T12:04:24Z"),
        html: Some("2b1faef9cdcfcf896e3aaa8b93a33de5285a35e86697397df4b5aa58ad81209f"),
        attachments: &[("example.dat", "b188960490adc65828dc99f6183137bd9951725ed739982920c9814bc842ccb5")],
        ..NONE
    },
    Known {
        name: "winmail",
        attachments: &[
            ("Untitled Attachment", "385d3d54e32f7f720668a11eae7afac1e690b96327262f691a9f7f27bad32681"),
            ("Untitled Attachment", "f95862718f98d9aa32147e171e3f3f9b79256ad9570ed83ab32572b5aed7d8bc"),
        ],
        ..NONE
    },
];

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn shown(attachment: &Attachment) -> (String, String) {
    let props = &attachment.props;
    let text = |t: PropTag| props.text(t).filter(|t| !t.is_empty());
    let name = text(tag::ATTACH_LONG_FILENAME).or_else(|| text(tag::DISPLAY_NAME)).unwrap_or_default();
    if attachment.embedded.is_some() {
        return (text(tag::DISPLAY_NAME).unwrap_or_default(), "message".to_owned());
    }
    let data = match props.any(tag::ATTACH_DATA_BINARY.id()) {
        Some(Value::Binary(blob) | Value::Object(blob)) => sha256(blob).unwrap(),
        _ => sha(b""),
    };
    (name, data)
}

fn sample(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(corpus(SAMPLES)?.join(format!("{name}.tnef"))).unwrap())
}

#[test]
fn case_57_genuine_streams_hold_what_others_find_in_them() {
    let Some(folder) = corpus(SAMPLES) else { return };
    let mut bad = Vec::new();
    let all = files(&folder, &[".tnef"]);
    assert_eq!(all.len(), KNOWN.len());
    for known in KNOWN {
        let bytes = std::fs::read(folder.join(format!("{}.tnef", known.name))).unwrap();
        let decoded = tnef::decode(&bytes, 0).unwrap();
        let message = &decoded.message;
        let props = &message.props;
        let mut differ = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                bad.push(format!("{} {what}: {ours} / {theirs}", known.name));
            }
        };
        if let Some(subject) = known.subject {
            differ("subject", props.text(tag::SUBJECT).unwrap_or_default(), subject.to_owned());
        }
        if let Some(id) = known.id {
            differ("Message-ID", props.text(tag::INTERNET_MESSAGE_ID).unwrap_or_default(), id.to_owned());
        }
        if let Some(sent) = known.sent {
            let at = props.time(tag::CLIENT_SUBMIT_TIME).and_then(time::to_timestamp);
            let at = at.map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            differ("date", at.unwrap_or_default(), sent.to_owned());
        }
        if let Some(expected) = known.rtf {
            let unpacked = rtf::decompress(props.bytes(tag::RTF_COMPRESSED).unwrap_or_default(), 1 << 20);
            assert_eq!(unpacked.oddities, [], "{}", known.name);
            differ("RTF", sha(&unpacked.rtf), expected.to_owned());
        }
        if let Some(expected) = known.html {
            differ("HTML", sha(props.bytes(tag::HTML).unwrap_or_default()), expected.to_owned());
        }
        let attachments: Vec<_> = message.attachments.iter().map(shown).collect();
        let expected: Vec<_> = known.attachments.iter().map(|(n, d)| ((*n).to_owned(), (*d).to_owned())).collect();
        differ("attachments", format!("{attachments:?}"), format!("{expected:?}"));
        let garbage = matches!(known.name, "garbage-at-end" | "panic");
        if decoded.complete == (known.name == "panic") || decoded.warnings.is_empty() == garbage {
            differ("warnings", format!("{:?}", decoded.warnings), String::new());
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// A mail with a text and a winmail.dat.
fn mail(head: &str, text: Option<&str>, tnef: &[u8]) -> Vec<u8> {
    let code = base64_simd::STANDARD.encode_to_string(tnef);
    let lines: String =
        code.as_bytes().chunks(76).map(|l| format!("{}\r\n", std::str::from_utf8(l).unwrap())).collect();
    let part = format!(
        "Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{lines}"
    );
    match text {
        None => format!("{head}{part}"),
        Some(text) => format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b\r\n{part}\r\n--b--\r\n"
        ),
    }
    .into_bytes()
}

fn convert(mail: &[u8]) -> Converted {
    to_mapi(mail, &State::default(), None).unwrap()
}

fn names(message: &Message) -> Vec<String> {
    message.attachments.iter().map(|a| shown(a).0).collect()
}

fn export(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    from_mapi(message, &mut out, &Options::default()).unwrap();
    out
}

const HEAD: &str = "From: Own <own@a.example>\r\nTo: you@a.example\r\nSubject: the mail's own\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n";

#[test]
fn mail_takes_over_its_winmail_dat() {
    let Some(bytes) = sample("MAPI_ATTACH_DATA_OBJ") else { return };
    for text in [Some("the text"), None] {
        let Converted { message, warnings } = convert(&mail(HEAD, text, &bytes));
        assert_eq!(warnings, Vec::new());
        assert_eq!(names(&message), ["VIA_Nytt_1402.doc", "VIA_Nytt_1402.pdf", "VIA_Nytt_14021.htm"]);
        let props = &message.props;
        assert_eq!(props.text(tag::SUBJECT).as_deref(), Some("\u{1}\u{1}the mail's own"));
        assert_eq!(props.text(tag::SENDER_EMAIL_ADDRESS).as_deref(), Some("own@a.example"));
        assert_eq!(props.time(tag::CLIENT_SUBMIT_TIME), time::from_unix(1_704_103_200));
        // Body, Message-ID and much else come from the TNEF.
        assert_eq!(
            props.text(tag::INTERNET_MESSAGE_ID).as_deref(),
            Some("<BBDA395B19A3D3119A0E0000F8D02CA902AEBCE8@ODIN>")
        );
        assert!(props.bytes(tag::RTF_COMPRESSED).is_some() && props.i32(tag::NATIVE_BODY) == Some(2));
        let body = props.text(tag::BODY).unwrap();
        assert!(text.map_or_else(|| body.contains("velkjent sak at bodødamene"), |text| body == text), "{body}");
        let first = export(&message);
        assert_eq!(export(&convert(&first).message), first);
    }
    let Converted { message, .. } = convert(&mail("X-Nothing: of use\r\n", None, &bytes));
    assert_eq!(message.props.text(tag::SUBJECT).as_deref(), Some("\u{1}\u{1}Bodø-damer på vei!"));
    assert_eq!(message.props.time(tag::CLIENT_SUBMIT_TIME).map(time::to_unix), Some(1_029_843_588));
    assert_eq!(message.props.time(tag::MESSAGE_DELIVERY_TIME), message.props.time(tag::CREATION_TIME));
}

#[test]
fn the_correlator_decides() {
    let Some(bytes) = sample("MAPI_ATTACH_DATA_OBJ") else { return };
    let key = tnef::decode(&bytes, 0).unwrap().message.props.bytes(PropTag(0x007F_0102)).map(<[u8]>::to_vec);
    let key = String::from_utf8(key.unwrap()).unwrap();
    let key = key.trim_end_matches('\0');
    for (correlator, taken) in [(key, true), ("<another@message>", false)] {
        let head = format!("{HEAD}X-MS-TNEF-Correlator: {correlator}\r\n");
        let Converted { message, warnings } = convert(&mail(&head, Some("x"), &bytes));
        assert_eq!((message.attachments.len() == 3, warnings.is_empty()), (taken, taken), "{correlator} {warnings:?}");
        if !taken {
            let Value::Binary(data) = message.attachments[0].props.get(tag::ATTACH_DATA_BINARY).unwrap() else {
                panic!()
            };
            assert!(data.to_vec(u64::MAX).unwrap() == bytes);
        }
    }
}

#[test]
fn case_57_what_is_damaged_is_kept_as_a_file_too() {
    let Some(bytes) = sample("two-files") else { return };
    let cut = &bytes[..bytes.len() - 700];
    let Converted { message, warnings } = convert(&mail(HEAD, Some("x"), cut));
    assert_eq!(names(&message), ["AUTHORS", "README", "winmail.dat"]);
    assert!(warnings.iter().any(|w| w.text.contains("kept as a file")), "{warnings:?}");
    let last = message.attachments.last().unwrap().props.get(tag::ATTACH_DATA_BINARY).unwrap();
    let Value::Binary(data) = last else { panic!() };
    assert!(data.to_vec(u64::MAX).unwrap() == cut);
    let Converted { message, warnings } = convert(&mail(HEAD, Some("x"), b"no TNEF at all"));
    assert_eq!((names(&message), warnings.len()), (vec!["winmail.dat".to_owned()], 1));
    // A text that says something else than the one inside.
    let Some(bytes) = sample("triples") else { return };
    let Converted { message, warnings } = convert(&mail(HEAD, Some("another text"), &bytes));
    assert_eq!((names(&message).len(), message.props.text(tag::BODY).as_deref()), (1, Some("another text")));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

/// A stream of attributes.
fn stream(attributes: &[(u8, u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0x78, 0x9F, 0x3E, 0x22, 1, 0];
    for (level, id, data) in attributes {
        out.push(*level);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&(data.len() as u32).to_le_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(&data.iter().fold(0u16, |s, b| s.wrapping_add(u16::from(*b))).to_le_bytes());
    }
    out
}

fn list(props: &[Vec<u8>]) -> Vec<u8> {
    [(props.len() as u32).to_le_bytes().to_vec(), props.concat()].concat()
}

fn counted(tag: u32, values: &[&[u8]]) -> Vec<u8> {
    let mut out = [tag.to_le_bytes(), (values.len() as u32).to_le_bytes()].concat();
    for value in values {
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(value);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

#[test]
fn old_attributes_become_properties() {
    let date: Vec<u8> = [2001u16, 2, 3, 4, 5, 6, 6].iter().flat_map(|n| n.to_le_bytes()).collect();
    let name = b"\xCF\xF0 \0";
    let from = [&[4, 0, 32, 0, 4, 0, 13, 0][..], name, b"SMTP:p@r.ru\0\0"].concat();
    let owner = [&[3, 0][..], b"Ow\0", &[7, 0], b"EX:/o=\0"].concat();
    let bytes = stream(&[
        (1, 0x0006_9007, [1251u32.to_le_bytes(), 0u32.to_le_bytes()].concat()),
        (1, 0x0007_8008, b"IPM.Microsoft Mail.Note\0".to_vec()),
        (1, 0x0001_8004, b"\xD2\xE5\xEC\xE0\0".to_vec()),
        (1, 0x0000_8000, from),
        (1, 0x0006_0000, owner),
        (1, 0x0003_8005, date),
        (1, 0x0004_800D, vec![1, 0]),
        (1, 0x0006_8007, vec![0x20]),
        (1, 0x0001_8009, b"0A1bFF\0".to_vec()),
        (1, 0x0002_800C, b"body\0".to_vec()),
        (1, 0x0005_0008, vec![7, 0, 0, 0]),
        (1, 0x0006_BEEF, vec![1]),
        (2, 0x0006_9002, vec![1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
        (2, 0x0001_8010, b"A long name.txt\0".to_vec()),
        (2, 0x0006_800F, b"data".to_vec()),
    ]);
    let decoded = tnef::decode(&bytes, 0).unwrap();
    let props = &decoded.message.props;
    let text = |t| props.text(t).unwrap_or_default();
    assert_eq!(text(tag::MESSAGE_CLASS), "IPM.Note");
    assert_eq!(text(tag::SUBJECT), "Тема");
    assert_eq!(
        [text(tag::SENDER_NAME), text(tag::SENDER_ADDRESS_TYPE), text(tag::SENDER_EMAIL_ADDRESS)],
        ["Пр ", "SMTP", "p@r.ru"]
    );
    assert_eq!(
        [text(PropTag(0x0044_001F)), text(PropTag(0x0077_001F)), text(PropTag(0x0078_001F))],
        ["Ow", "EX", "/o="]
    );
    assert_eq!(props.time(tag::CLIENT_SUBMIT_TIME), time::from_unix(981_173_106));
    assert_eq!((props.i32(tag::IMPORTANCE), props.i32(PropTag(0x0062_0003))), (Some(2), Some(7)));
    assert_eq!(props.i32(tag::MESSAGE_FLAGS), Some(flag::READ | flag::UNMODIFIED));
    assert_eq!(props.bytes(tag::SEARCH_KEY), Some(&[0x0A, 0x1B, 0xFF][..]));
    assert_eq!((text(tag::BODY).as_str(), decoded.complete, decoded.warnings.len()), ("body", false, 1));
    let [attachment] = decoded.message.attachments.as_slice() else { panic!("one attachment") };
    let props = &attachment.props;
    assert_eq!(props.text(tag::ATTACH_LONG_FILENAME).as_deref(), Some("A long name.txt"));
    assert_eq!((props.i32(tag::RENDERING_POSITION), props.i32(tag::ATTACH_METHOD)), (Some(5), Some(1)));
    assert_eq!(props.bytes(tag::ATTACH_DATA_BINARY), Some(&b"data"[..]));
    assert_eq!(props.bytes(tag::ATTACH_ENCODING).map(<[u8]>::len), Some(9));
}

#[test]
fn lists_with_names_and_many_values() {
    let guid = named::PS_PUBLIC_STRINGS;
    let utf16 = |t: &str| t.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut words = [0x8000_101Fu32.to_le_bytes().as_slice(), &guid.0, &[1, 0, 0, 0], &18u32.to_le_bytes()].concat();
    words.extend_from_slice(&utf16("Keywords"));
    words.extend_from_slice(&[0, 0]);
    let (one, two) = (utf16("one"), utf16("zwei"));
    words.extend_from_slice(&counted(0, &[&one, &two])[4..]);
    let mut flag = [0x8001_000Bu32.to_le_bytes().as_slice(), &named::PSETID_COMMON.0, &[0, 0, 0, 0]].concat();
    flag.extend_from_slice(&[&0x8514u32.to_le_bytes()[..], &[1, 0, 0, 0]].concat());
    let longs = [0x6700_1003u32.to_le_bytes(), 2u32.to_le_bytes(), 5u32.to_le_bytes(), 6u32.to_le_bytes()].concat();
    let row = list(&[counted(0x3001_001E, &[b"Name\0"]), [0x0C15_0003u32.to_le_bytes(), 2u32.to_le_bytes()].concat()]);
    let bytes = stream(&[
        (1, 0x0006_9003, list(&[words, flag, longs, counted(0x0037_001E, &[b"plain\0"])])),
        (1, 0x0006_9004, [1u32.to_le_bytes().to_vec(), row].concat()),
    ]);
    let decoded = tnef::decode(&bytes, 0).unwrap();
    assert_eq!((decoded.warnings.as_slice(), decoded.complete), (&[][..], true));
    let props = &decoded.message.props;
    let Some(Value::Multi(words)) = props.named(&NamedProp::text(guid, "Keywords")) else { panic!("no words") };
    let Value::Multi(expected) = Value::texts(&["one", "zwei"]) else { panic!() };
    assert_eq!(*words, expected);
    let name = NamedProp::id(named::PSETID_COMMON, 0x8514);
    assert_eq!(props.named(&name).and_then(Value::as_bool), Some(true));
    assert!(matches!(props.any(0x6700), Some(Value::Multi(b)) if *b == [5, 0, 0, 0, 6, 0, 0, 0]));
    assert_eq!(props.text(tag::SUBJECT).as_deref(), Some("plain"));
    let [row] = decoded.message.recipients.as_slice() else { panic!("one recipient") };
    assert_eq!((row.text(tag::DISPLAY_NAME).as_deref(), row.i32(tag::RECIPIENT_TYPE)), (Some("Name"), Some(2)));
}

#[test]
fn depth_is_bounded() {
    let message = [7, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
    let mut bytes = stream(&[(1, 0x0001_8004, b"innermost\0".to_vec())]);
    for _ in 0..MAX_DEPTH + 10 {
        let object = counted(0x3701_000D, &[&[&message[..], &bytes].concat()]);
        bytes = stream(&[(2, 0x0006_9002, vec![1, 0]), (2, 0x0006_9005, list(&[object]))]);
    }
    let decoded = tnef::decode(&bytes, 0).unwrap();
    let (mut at, mut depth) = (&decoded.message, 0);
    while let Some(inner) = at.attachments.first().and_then(|a| a.embedded.as_deref()) {
        assert_eq!(at.attachments[0].props.i32(tag::ATTACH_METHOD), Some(attach_method::EMBEDDED));
        at = inner;
        depth += 1;
    }
    assert_eq!((depth, decoded.complete), (MAX_DEPTH, false));
}

#[test]
fn no_damage_panics_or_hangs() {
    let Some(folder) = corpus(SAMPLES) else { return };
    let mut seeded = Seeded(5);
    for path in files(&folder, &[".tnef"]) {
        let whole = std::fs::read(path).unwrap();
        let whole = &whole[..whole.len().min(40_000)];
        for _ in 0..60 {
            let mut bytes = whole.to_vec();
            for _ in 0..1 + seeded.below(6) {
                let at = seeded.below(bytes.len() as u64) as usize;
                bytes[at] = [0, 0xFF, seeded.next() as u8][seeded.below(3) as usize];
            }
            bytes.truncate(seeded.below(bytes.len() as u64 * 2) as usize);
            let _ = tnef::decode(&bytes, 0);
        }
    }
    // A list that promises more than there is.
    let promise = [u32::MAX.to_le_bytes(), 0x6700_1003u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat();
    assert!(!tnef::decode(&stream(&[(1, 0x0006_9003, promise)]), 0).unwrap().complete);
}
