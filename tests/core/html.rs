//! Pages: what mail shows is in them, and nothing that runs, fetches or reaches out of its place.

use super::support::Seeded;
use super::support::moving::{Given, Pattern, convert, moved, spec, with_data};
use pst_core::endpoint::html::HtmlSink;
use pst_core::mapi::{Attachment, Blob, Message, Value, tag};
use pst_core::mime::{self, State};
use pst_core::pipeline::Report;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn create(path: &Path, overwrite: bool) -> pst_core::Result<HtmlSink> {
    HtmlSink::create(path, overwrite, "All mail", mime::ImportOptions::default(), mime::Options::default())
}

/// Messages as pages.
fn written(messages: Vec<Message>) -> (tempfile::TempDir, PathBuf, Report) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages");
    let report = moved(Arc::new(Given(messages)), Box::new(create(&path, false).unwrap())).unwrap();
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    (folder, path, report)
}

fn message(subject: &str, html: &str) -> Message {
    let mut message = Message::default();
    message.props.set(tag::MESSAGE_CLASS, Value::text("IPM.Note"));
    message.props.set(tag::SUBJECT, Value::text(subject));
    message.props.set(tag::INTERNET_CODEPAGE, Value::I32(65001));
    message.props.set(tag::HTML, Value::binary(html.as_bytes()));
    message
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

/// The body of the page of some HTML, what was said, and the whole page.
fn shown(html: &str) -> (String, String, String) {
    let (_folder, path, report) = written(vec![message("x", html)]);
    let page = text(path.join("Given/000001 x.html"));
    let start = page.find("<main class=\"html message\">\n").expect("a body") + 28;
    let end = page.rfind("\n</main>").unwrap();
    let notes = report.notes.iter().map(|n| n.warning.text.clone()).collect::<Vec<_>>().join("; ");
    (page[start..end].to_owned(), notes, page)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1A\nrest";

fn picture(name: &str, cid: &str, data: &[u8]) -> Attachment {
    let mut attachment = with_data("", name, Blob::Bytes(data.to_vec())).attachments.remove(0);
    attachment.props.set(tag::ATTACH_MIME_TAG, Value::text("image/png"));
    attachment.props.set(tag::ATTACH_CONTENT_ID, Value::text(cid));
    attachment
}

#[test]
fn what_runs_goes() {
    for (html, body, note) in [
        ("a<script>alert(1)</script>b", "ab", "1 script"),
        ("<SCRIPT/x>1</sCript >b<script>", "b", "2 scripts"),
        ("<b onclick=x onMouseOver='y'>b</b>", "<b>b</b>", "2 event handlers"),
        ("<a href=\"javascript:x\">a</a>", "<a rel=\"noopener noreferrer\">a</a>", "1 event handler"),
        ("<a href=' jav&#x09;ascript&colon;alert(1)'>a</a>", "<a rel=\"noopener noreferrer\">a</a>", "1 event handler"),
        ("<a href='java\nscript:x'>a</a>", "<a rel=\"noopener noreferrer\">a</a>", "1 event handler"),
        ("<a href='\u{1}javascript:x'>a</a>", "<a rel=\"noopener noreferrer\">a</a>", "1 event handler"),
        ("<a href='VBScript:x'>a</a>", "<a rel=\"noopener noreferrer\">a</a>", "1 event handler"),
        (
            "<a href='data:text/html,<script>1</script>'>a</a>",
            "<a rel=\"noopener noreferrer\">a</a>",
            "1 event handler",
        ),
        ("<a href=file:///etc/passwd>a</a>", "<a rel=\"noopener noreferrer\">a</a>", "1 link of another kind"),
        (
            "<a href=//x/y>a</a><a href=/y>b</a>",
            "<a rel=\"noopener noreferrer\">a</a><a rel=\"noopener noreferrer\">b</a>",
            "2 links of other kinds",
        ),
        ("<a href=#top>a</a>", "<a rel=\"noopener noreferrer\">a</a>", ""),
        ("<img src=x onerror=alert(1)>a", "a", "1 event handler, 1 missing picture"),
        ("<svg onload=alert(1)><g><text>t</text></g></svg>", "t", "1 event handler"),
        ("<svg><style><img src=x onerror=alert(1)></style></svg>", "", ""),
        ("<svg></p><style><a title=\"</style><img src onerror=alert(1)>\">", "\"&gt;", "1 event handler"),
        (
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<table></table>",
            "",
        ),
        (
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">a</noscript>",
            "<p title=\"&lt;/noscript&gt;&lt;img src=x onerror=alert(1)&gt;\">a</p>",
            "",
        ),
        ("<template><script>1</script>t</template>", "t", "1 script"),
        (
            "<iframe srcdoc='<script>1</script>'>f</iframe><object data=x><embed src=y>o</object>",
            "o",
            "3 frames and objects",
        ),
        ("<!--[if mso]><script>1</script><![endif]-->a<![if !mso]>b<![endif]>", "ab", ""),
        ("<!--><script>1</script>-->", "--&gt;", "1 script"),
        ("<xmp><script>1</script>&lt;</xmp>", "<pre>&lt;script&gt;1&lt;/script&gt;&amp;lt;</pre>", ""),
        ("a<title>t</title><plaintext><b>&lt;</b>", "a<pre>&lt;b&gt;&amp;lt;&lt;/b&gt;</pre>", ""),
        ("<form action=http://x/><input name=a><textarea>t</textarea><button>b</button></form>", "tb", "3 form fields"),
        ("<isindex action=javascript:x><marquee onstart=x>m</marquee>", "m", "1 event handler"),
        ("<b style=\"x\" style='y' <script>>a", "<b>&gt;a</b>", ""),
        ("<div/onclick=x/style=color:red>a", "<div>a</div>", "1 event handler"),
    ] {
        let (found, notes, page) = shown(html);
        assert_eq!(found, body, "{html}");
        assert_eq!(notes.strip_prefix("left out of the page: ").unwrap_or(&notes), note, "{html}");
        assert!(!page.contains("<script"), "{html}");
    }
}

#[test]
fn what_fetches_goes() {
    for (html, body, note) in [
        ("<img src=http://x/y.png alt='a <b>'>", "[a &lt;b&gt;]", "1 remote picture"),
        ("<img src=http://x/y.png width=1 height=1px>", "", "1 tracking pixel"),
        ("<img srcset='http://x/y.png 2x'>", "", "1 remote picture"),
        (
            "<img src=cid:unknown><img src=file:///c:/x.png><img src='\\\\server\\x.png'>",
            "",
            "1 remote picture, 2 missing pictures",
        ),
        ("<IMAGE src=http://x/y.png><input type=image src=http://x>", "", "2 remote pictures"),
        ("<picture><source srcset=http://x><img></picture>", "", "1 remote picture"),
        ("<body background=http://x/y.png bgcolor=red>a", "<div>a</div>", "1 background or linked style"),
        (
            "<table background=http://x><tr><td style='background:url(http://x)'>a",
            "<table><tbody><tr><td>a</td></tr></tbody></table>",
            "2 backgrounds and linked styles",
        ),
        (
            "<link rel=stylesheet href=http://x><style>@import url(http://x);</style>a",
            "a",
            "2 backgrounds and linked styles",
        ),
        (
            "<style>@font-face{src:url(http://x)} p{background:URL( 'http://x' )}</style>a",
            "a",
            "2 backgrounds and linked styles",
        ),
        ("<meta http-equiv=Refresh content='0;url=http://x'><base href=http://x>a", "a", "2 redirections"),
        (
            "<video poster=http://x src=http://y></video><audio src=http://z>",
            "",
            "2 frames and objects, 1 background or linked style",
        ),
        ("<a href=http://x ping=http://y>a</a>", "<a href=\"http://x\" rel=\"noopener noreferrer\">a</a>", ""),
        ("<q cite=http://x>a</q><bgsound src=http://x>", "<q>a</q>", ""),
        (
            "<p style=\"b\\61ckground:u\\72l(http://x);list-style:url(http://x)\">a",
            "<p>a</p>",
            "1 background or linked style",
        ),
    ] {
        let (found, notes, page) = shown(html);
        assert_eq!(found, body, "{html}");
        assert_eq!(notes.strip_prefix("left out of the page: ").unwrap_or(&notes), note, "{html}");
        assert!(!page.contains("url("), "{html}");
    }
}

#[test]
fn styles_stay_in_their_place() {
    let html = "<style>header,body>header{display:none} h1{color:red} .message h1{display:none} .x{position:fixed;color:blue}\
        </style><div style='position:fixed;top:0;left:0;width:100%;height:100%;z-index:99;background:#fff;margin-top:-900px'>\
        <p class='x message'>a</p></div><style>p{}</style></main><header>fake</header><main>";
    let (body, _, page) = shown(html);
    assert_eq!(
        body,
        "<div style=\"width:100%;height:100%;background:#fff\"><p class=\"x\">a</p></div><div>fake</div><div></div>"
    );
    let style = &page[page.find("<style>").unwrap()..page.find("</style>").unwrap()];
    assert!(style.ends_with(
        ".message header{display:none}\n.message h1{color:red}\n.message .message h1{display:none}\n.message .x{color:blue}\n"
    ), "{style}");
    assert_eq!(page.matches("<header>").count(), 1);
    assert!(page.contains("contain:layout paint"));
}

#[test]
fn harmless_html_stays() {
    let html = "<p align=center><font face=\"Arial\" color='#123456' size=2>Grüße &amp; K&uuml;sse &#8364; &unknown; \
        a &lt; b</font><br>\n<a href=\"https://example.org/?a=1&amp;b=2&copy=3\" title=\"t\">link</a> \
        <a href=mailto:a@b.c>mail</a><ul><li>1<li>2</ul><table border=1 cellpadding=2><tr><th colspan=2>h<tr><td \
        bgcolor=red>c<td nowrap>d</table>";
    let (body, notes, _) = shown(html);
    assert_eq!(notes, "");
    assert!(body.contains("Grüße &amp; Küsse € &amp;unknown; a &lt; b"), "{body}");
    assert!(body.contains("href=\"https://example.org/?a=1&amp;b=2&amp;copy=3\""), "{body}");
    assert!(body.contains("href=\"mailto:a@b.c\""), "{body}");
    assert!(body.contains("<ul><li>1</li><li>2</li></ul>") && body.contains("bgcolor=\"red\""), "{body}");
    assert!(body.contains("<p align=\"center\"><font "), "{body}");
}

#[test]
fn pictures_stand_in_the_page() {
    let data = base64_of(PNG);
    let html = format!(
        "<img src=\"cid:one%20@x\" alt=one><img src='CID:ONE @X'><img src=cid:two><img src='cid:three'>\
         <img src=\"data:image/png;base64,{data}\"><img src=\"data:image/svg+xml;base64,{data}\">\
         <img src='data:text/html;base64,PHNjcmlwdD4='><img src='data:image/png,x'>"
    );
    let mut message = message("pictures", &html);
    message.attachments = vec![
        picture("one.png", "one @x", PNG),
        picture("two.png", "two", b"<svg onload=alert(1)>"),
        picture("three.png", "three", b"GIF89a"),
        picture("four.png", "four", PNG),
    ];
    let (_folder, path, report) = written(vec![message]);
    let page = text(path.join("Given/000001 pictures.html"));
    assert_eq!(page.matches(&format!("src=\"data:image/png;base64,{data}\"")).count(), 4, "{page}");
    assert_eq!(page.matches("src=\"data:image/gif;base64,").count(), 1);
    assert_eq!(page.matches("<img ").count(), 6);
    assert!(report.notes[0].warning.text.ends_with("2 missing pictures"), "{:?}", report.notes);
    // What the page shows is not there twice; what it does not show is a file.
    let beside = path.join("Given/000001 pictures.files");
    assert_eq!(super::support::files(&beside, &[""]), [beside.join("four.png")]);
}

fn base64_of(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    data.chunks(3)
        .map(|three| {
            let n = three.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
            let digit =
                |k: usize| if k <= three.len() { char::from(DIGITS[(n >> (18 - 6 * k)) as usize & 63]) } else { '=' };
            (0..4).map(digit).collect::<String>()
        })
        .collect()
}

#[test]
fn the_head_says_who_and_when() {
    let mail = "From: \"A <b>\" <a@example.org>\r\nTo: x@example.org, Y Z <y@example.org>\r\nCc: c@example.org\r\n\
        Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= & \"more\"\r\nDate: Mon, 5 Feb 2024 10:11:12 +0100\r\n\r\n\
        Plain <text>\r\nwith & signs\u{1}\u{0}\r\n";
    let message = mime::to_mapi(mail.as_bytes(), &State::default(), None).unwrap().message;
    let (_folder, path, _) = written(vec![message]);
    let page = text(path.join("Given/000001 Grüße & _more_.html"));
    for part in [
        "<!DOCTYPE html>",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline';",
        "<title>Grüße &amp; &quot;more&quot;</title>",
        "<h1>Grüße &amp; &quot;more&quot;</h1>",
        "<dt>From</dt><dd>A &lt;b&gt; &lt;a@example.org&gt;</dd>",
        "<dt>To</dt><dd>x@example.org; Y Z &lt;y@example.org&gt;</dd>",
        "<dt>Cc</dt><dd>c@example.org</dd>",
        "<dt>Date</dt><dd>2024-02-05 09:11 UTC</dd>",
        "<main><pre>\nPlain &lt;text&gt;\r\nwith &amp; signs\u{FFFD}\u{FFFD}",
        "<nav><a href=\"index.html\">Given</a></nav>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let list = text(path.join("Given/index.html"));
    let row = "<td>2024-02-05 09:11 UTC</td><td>A &lt;b&gt;</td>\
        <td><a href=\"000001%20Gr%C3%BC%C3%9Fe%20%26%20_more_.html\">Grüße &amp; &quot;more&quot;</a></td>";
    assert!(list.contains(row), "{list}");
    assert!(text(path.join("index.html")).contains("<a href=\"Given/index.html\">Given</a> <small>1</small>"));
}

#[test]
fn files_and_messages_stand_beside_the_page() {
    let mut inner = with_data("inner: \"one\"", "deep.bin", Blob::Bytes(b"deep".to_vec()));
    inner.attachments.extend(with_data("", "page.HTML", Blob::Bytes(b"<script>1</script>".to_vec())).attachments);
    inner.attachments.extend(with_data("", "no ending", Blob::Bytes(b" \n<html>".to_vec())).attachments);
    let mut outer = with_data("outer", "../../a#b?.txt", Blob::Bytes(b"text".to_vec()));
    let embedded = Attachment { embedded: Some(Box::new(inner)), ..Attachment::default() };
    outer.attachments.push(embedded);
    let mail =
        "Subject: saved\r\nDate: Mon, 5 Feb 2024 10:11:12 +0100\r\nContent-Type: text/html\r\n\r\n<b>as a file</b>\r\n";
    outer.attachments.extend(with_data("", "saved.eml", Blob::Bytes(mail.as_bytes().to_vec())).attachments);
    let broken = Blob::Stream(Arc::new(Pattern { len: 2_000_000, breaks: Some(1_000_000) }));
    outer.attachments.extend(with_data("", "broken.bin", broken).attachments);
    let (_folder, path, report) = written(vec![outer]);
    assert_eq!(report.warnings, 1, "{:?}", report.notes);
    let page = text(path.join("Given/000001 outer.html"));
    let beside = path.join("Given/000001 outer.files");
    let names: Vec<String> = super::support::files(&beside, &[""])
        .iter()
        .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        names,
        ["_.._a#b_.txt", "deep.bin", "inner_ _one_.html", "no ending.txt", "page.HTML.txt", "saved.eml", "saved.html"]
    );
    for part in [
        "<a href=\"000001%20outer.files/_.._a%23b_.txt\">../../a#b?.txt</a> <small>4 bytes, text/plain</small>",
        "<a href=\"000001%20outer.files/inner_%20_one_.html\">inner: &quot;one&quot;.eml</a>",
        "saved.eml</a> <small>",
        "<a href=\"000001%20outer.files/saved.html\">what is in it</a>",
        "<a href=\"#\">broken.bin</a>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let inner = text(beside.join("inner_ _one_.html"));
    assert!(inner.contains("<nav><a href=\"../000001%20outer.html\">outer</a></nav>"), "{inner}");
    assert!(
        inner.contains("<a href=\"deep.bin\">deep.bin</a>")
            && inner.contains("<a href=\"page.HTML.txt\">page.HTML</a>")
    );
    assert!(text(beside.join("saved.html")).contains("<b>as a file</b>"));
}

#[test]
fn long_lists_have_parts() {
    let given: Vec<Message> = (0..2001).map(|i| message(&format!("m{i}"), "x")).collect();
    let (_folder, path, _) = written(given);
    let folder = path.join("Given");
    let lists = ["index.html", "index-2.html", "index-3.html"].map(|n| text(folder.join(n)));
    assert_eq!(lists.each_ref().map(|l| l.matches("<tr><td>").count()), [1000, 1000, 1]);
    assert!(lists[1].contains("<a href=\"index.html\">1</a> 2 <a href=\"index-3.html\">3</a>"));
    assert!(lists[2].contains("002001%20m2000.html") && !folder.join(".rows").exists());
}

#[test]
fn items_that_are_no_mail_are_described() {
    let Some(folder) = super::support::corpus("pst") else { return };
    let contacts = super::support::files(&folder, &[".pst"]);
    let contacts = contacts.iter().find(|p| p.display().to_string().contains("SampleContacts")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("pages");
    convert(&contacts.display().to_string(), &spec("html", &out));
    let mut todo = vec![out];
    let mut described = 0;
    while let Some(at) = todo.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == "html") {
                described += usize::from(text(path).contains("E-mail: "));
            }
        }
    }
    assert!(described > 2, "{described}");
}

#[test]
fn a_target_that_exists_is_refused_and_nothing_is_left_of_one_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("mine.eml"), "x").unwrap();
    assert!(create(&path, false).is_err());
    drop(create(&path, true).unwrap());
    assert!(path.join("mine.eml").exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Bad HTML takes no more time and space than good HTML of its size would.
#[test]
fn hostile_html_costs_no_more_than_its_size() {
    let n = 100_000;
    let numbered = |a: &str, b: &str| (0..n / 4).map(|i| format!("{a}{i}{b}")).collect::<String>();
    let cases = [
        "<div>".repeat(n),
        "<b>".repeat(n),
        numbered("<b class=c", "><p>"),
        "<table>x".repeat(n / 2),
        "<table><b></b>".repeat(n / 4),
        format!("{}{}", "<div>".repeat(n), "</p>".repeat(n)),
        format!("{}{}", "<ul><li>".repeat(n), "</ul>".repeat(n)),
        format!("<p {}>x", numbered("a", " ")),
        format!("<p {}>x", numbered("a", "=\">\" ")),
        "<!--".repeat(n),
        "<!-- --!".repeat(n),
        "<script>".repeat(n),
        "<style>p{".repeat(n / 4),
        format!("<style>{}</style>", "@media x{".repeat(n)),
        format!("<style>{}</style>", "a,".repeat(n)),
        format!("<p style=\"{}\">", "a:b;".repeat(n)),
        format!("<p style=\"{}\">", "(".repeat(n)),
        "<".repeat(n),
        "&".repeat(n),
        "<a href=\"".repeat(n),
        "</".repeat(n),
        "<svg><math>".repeat(n / 4),
        "<img src=cid:x>".repeat(n / 4),
    ];
    let total: usize = cases.iter().map(String::len).sum();
    let given: Vec<Message> = cases
        .iter()
        .map(|html| {
            let mut message = message("x", html);
            message.attachments.push(picture("x.png", "x", &[PNG, &[0; 20_000]].concat()));
            message
        })
        .collect();
    let start = std::time::Instant::now();
    let (_folder, path, _) = written(given);
    eprintln!("{} cases, {} kB, {:?}", cases.len(), total / 1000, start.elapsed());
    for page in super::support::files(&path.join("Given"), &[".html"]) {
        let size = std::fs::metadata(&page).unwrap().len();
        assert!(size < 80 << 20, "{}: {size}", page.display());
    }
}

#[test]
fn no_html_panics() {
    let pieces = [
        "<",
        ">",
        "/",
        "\"",
        "'",
        "=",
        " ",
        "a",
        "p",
        "table",
        "tr",
        "td",
        "style",
        "script",
        "<!--",
        "-->",
        "&",
        "#",
        ";",
        "x",
        "é",
        "{",
        "}",
        ":",
        "url(",
        "<b>",
        "</b>",
        "<p ",
        "</p>",
        "<table>",
        "<td>",
        "</table>",
        "<li>",
        "<a href=",
        "<style>",
        "</style>",
        "<svg>",
        "\0",
        "😀",
        "<img src=",
        "cid:x",
        "data:image/png;base64,",
        "<![CDATA[",
        "<?",
        "*/",
        "/*",
        "@",
        "%",
        "\\",
    ];
    let mut seeded = Seeded(3);
    let given: Vec<Message> = (0..3000)
        .map(|_| {
            let html: String =
                (0..1 + seeded.below(60)).map(|_| pieces[seeded.below(pieces.len() as u64) as usize]).collect();
            message("x", &html)
        })
        .collect();
    let (_folder, path, report) = written(given);
    assert_eq!(report.written, 3000);
    for page in super::support::files(&path.join("Given"), &[".html"]) {
        let page = text(page);
        assert!(!page.contains("<script") && page.ends_with("</html>\n"));
    }
}
