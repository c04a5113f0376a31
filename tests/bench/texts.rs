//! Texts of many languages, ready to be put together: each paragraph is encoded already.

use super::charsets;
use super::maker::{encoded, word};
use super::seeded::Seeded;

/// The paragraphs of one language.
pub struct Text {
    pub charset: &'static str,
    pub transfer: &'static str,
    pub names: Vec<String>,
    pub subjects: Vec<String>,
    pub plain: Vec<Vec<u8>>,
    pub html: Vec<Vec<u8>>,
    pub html_head: Vec<u8>,
    pub html_tail: Vec<u8>,
    /// The reference to an inline picture.
    pub picture: Vec<u8>,
}

/// Paragraphs of a language.
const PARAGRAPHS: usize = 64;

const UTF_8: &[(&str, &str, &str)] = &[
    (
        "7bit",
        "John Doe|Mary Major|Richard Roe|Alex Example|Kim Sample|Pat Placeholder",
        "the meeting agenda for next week is attached please review before Friday and send comments to everyone on the \
         list we will discuss budget schedule hiring plans travel contracts open questions and the quarterly report",
    ),
    (
        "quoted-printable",
        "Jürgen Müller|Käthe Größe|Anna Schäfer|Björn Weiß",
        "die Besprechung findet nächste Woche im großen Saal statt bitte prüfen Sie die Unterlagen und schicken Sie \
         Änderungen über den üblichen Weg zurück wir müssen Kosten Termine Verträge und offene Fragen klären",
    ),
    (
        "8bit",
        "Élodie Lefèvre|François Dubois|Hélène Côté|Noël Bâtard",
        "la réunion aura lieu la semaine prochaine merci de vérifier les pièces jointes et d’envoyer vos remarques à \
         toute l’équipe nous étudierons le budget les délais les contrats et les questions déjà posées",
    ),
    (
        "quoted-printable",
        "José Núñez|María Peña|Íñigo Ibáñez",
        "la próxima reunión será el miércoles por favor revisen los documentos adjuntos y envíen sus comentarios al \
         equipo hablaremos de presupuesto plazos contratación y de las cuestiones que aún están pendientes",
    ),
    (
        "base64",
        "Иван Петров|Мария Смирнова|Ольга Кузнецова",
        "совещание состоится на следующей неделе пожалуйста проверьте вложенные документы и пришлите замечания всем \
         участникам мы обсудим бюджет сроки договоры поездки и открытые вопросы",
    ),
    (
        "base64",
        "山田太郎|佐藤花子|鈴木一郎",
        "来週の会議の資料を添付します 金曜日までに確認して 意見を全員に送ってください 予算 日程 採用 契約 未解決の質問 四半期報告",
    ),
    (
        "8bit",
        "أحمد علي|فاطمة حسن",
        "سيعقد الاجتماع الأسبوع القادم يرجى مراجعة المستندات المرفقة وإرسال الملاحظات إلى الجميع سنناقش الميزانية والمواعيد والعقود",
    ),
    (
        "quoted-printable",
        "Γιώργος Παπαδόπουλος|Ελένη Νικολάου",
        "η συνάντηση θα γίνει την επόμενη εβδομάδα παρακαλώ ελέγξτε τα συνημμένα και στείλτε σχόλια σε όλους",
    ),
];

const LEGACY: &[(&str, &str, &[u8])] = &[
    ("koi8-r", "8bit", charsets::KOI8_R),
    ("windows-1251", "quoted-printable", charsets::WINDOWS_1251),
    ("iso-2022-jp", "7bit", charsets::ISO_2022_JP),
    ("shift_jis", "base64", charsets::SHIFT_JIS),
    ("gb18030", "base64", charsets::GB18030),
    ("big5", "8bit", charsets::BIG5),
    ("euc-kr", "base64", charsets::EUC_KR),
    ("windows-1256", "quoted-printable", charsets::WINDOWS_1256),
    ("iso-8859-7", "8bit", charsets::ISO_8859_7),
    ("iso-8859-2", "quoted-printable", charsets::ISO_8859_2),
    ("windows-1252", "quoted-printable", charsets::WINDOWS_1252),
    ("windows-874", "8bit", charsets::WINDOWS_874),
];

/// All languages; the first four are the most common.
pub fn all(random: &mut Seeded) -> Vec<Text> {
    let modern = UTF_8.iter().map(|(transfer, names, words)| {
        let words: Vec<&str> = words.split_whitespace().collect();
        let names = names.split('|').map(|n| if n.is_ascii() { n.to_owned() } else { word("utf-8", n.as_bytes()) });
        let mut sentence = |count: u64| {
            let mut line = String::new();
            for _ in 0..count {
                line.push_str(words[random.below(words.len() as u64) as usize]);
                line.push(' ');
            }
            line.trim_end().to_owned() + "."
        };
        let subjects = (0..50).map(|_| {
            let text = sentence(5);
            if text.is_ascii() { text } else { word("utf-8", text.chars().take(18).collect::<String>().as_bytes()) }
        });
        let subjects: Vec<String> = subjects.collect();
        let paragraphs: Vec<Vec<u8>> =
            (0..PARAGRAPHS).map(|_| (0..4).flat_map(|_| (sentence(11) + "\r\n").into_bytes()).collect()).collect();
        text("utf-8", transfer, names.collect(), subjects, &paragraphs)
    });
    let mut out: Vec<Text> = modern.collect();
    for (charset, transfer, bytes) in LEGACY {
        let subject = match *charset {
            // Its words would have to be cut between shifts.
            "iso-2022-jp" => "a subject in ASCII".to_owned(),
            _ => word(charset, &bytes[..bytes.len().min(12)]),
        };
        out.push(text(charset, transfer, vec!["Pat Placeholder".to_owned()], vec![subject], &[bytes.repeat(4)]));
    }
    out
}

fn text(
    charset: &'static str,
    transfer: &'static str,
    names: Vec<String>,
    subjects: Vec<String>,
    paragraphs: &[Vec<u8>],
) -> Text {
    let html = |before: &str, text: &[u8], after: &str| {
        encoded(&[before.as_bytes(), text, after.as_bytes()].concat(), transfer)
    };
    let head = format!(
        "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset={charset}\">\r\n\
         <style type=\"text/css\">\r\np {{ margin: 0; font-family: Calibri, sans-serif; font-size: 11pt }}\r\n\
         a:link {{ color: #0563C1 }}\r\n</style></head>\r\n<body lang=\"en\" link=\"#0563C1\">\r\n"
    );
    let before = "<p class=\"MsoNormal\" style=\"margin-bottom:12.0pt\"><span style=\"color:#1F497D\">";
    let after = "</span> <a href=\"https://www.example.org/a?b=c&amp;d=e\">link</a><o:p>&nbsp;</o:p></p>\r\n";
    Text {
        charset,
        transfer,
        names,
        subjects,
        plain: paragraphs.iter().map(|p| encoded(p, transfer)).collect(),
        html: paragraphs.iter().map(|p| html(before, p, after)).collect(),
        html_head: html(&head, b"", ""),
        html_tail: html("</body></html>\r\n", b"", ""),
        picture: html("<p><img src=\"cid:part1.logo@example.org\" alt=\"logo\"></p>\r\n", b"", ""),
    }
}
