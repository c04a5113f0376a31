//! The judge on real files and on what we write from them.

use crate::support::{corpus, files};
use pst_core::check::{Options, Report, Severity, check};
use pst_core::endpoint::{self, SourceOptions, TargetOptions};
use pst_core::pipeline::{self, Mounted, Report as Account, RunOptions};
use std::path::Path;

/// Files that a program other than Outlook made or changed, and the rules that they break: no density list, old
/// templates, two names in wrong buckets, Booleans with garbage in their upper bytes.
const OTHERS: [(&str, &[&str]); 5] = [
    ("aspose-email__AddingBulkMessagesWithImprovedPerformance__108e6e46.pst", &["V01", "V05", "V07"]),
    ("aspose-email__MapiNoteToPST_out__8ef988d1.pst", &["V06", "V20", "V21", "V22", "V25", "V26", "V29"]),
    ("aspose-email__Outlook_part2__1fd62ab9.pst", &["V06", "V15", "V16", "V20", "V21", "V22", "V25", "V29"]),
    ("aspose-email__SampleContacts__d9e19d99.pst", &["V06", "V20", "V21", "V22", "V25", "V26", "V29"]),
    ("aspose-email__passwordprotectedPST__3632c31c.pst", &["V17", "V20", "V22", "V29"]),
];

/// Deviations that Outlook itself writes. In files that it made, the judge may remark on nothing else.
const REMARKS: [&str; 17] = [
    "V02", // an ANSI file may end inside an AMap section
    "V06", // the density list is old, missing, or names AMaps of a file that was compacted since
    "V07", // the header names the id that a root page had before its last change
    "V11", // blocks that nothing refers to
    "V14", // garbage in the upper half of the NIDs of subnodes
    "V15", // fill levels that were not brought up to date
    "V19", // cells that are absent, but not zero
    "V20", // templates of Outlook 2007 and before; nodes that came with Outlook 2013; the fixed nodes of an OST
    "V21", // the store object of an OST
    "V22", // folders of an OST
    "V23", // sizes and display names of rows that were not brought up to date; rows of an OST
    "V25", // sizes of items that were edited; items of an OST
    "V26", // items without a recipient table
    "V29", // a property without a name
    "V30", // the map still has items whose rows have no id
    "V33", // a time of 0
    "V34", // folders of an OST with fixed ids
];

fn rules(report: &Report) -> Vec<&'static str> {
    report.counts.iter().filter(|c| c.findings > 0).map(|c| c.rule).collect()
}

fn list(report: &Report) -> String {
    let counted = report.findings.iter().filter(|f| f.severity != Severity::Info);
    counted.map(|f| format!("{} {}\n", f.rule, f.text)).take(20).collect()
}

#[test]
fn files_of_outlook_have_no_findings() {
    let Some(folder) = corpus("pst") else { return };
    for path in files(&folder, &[".pst", ".ost"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = check(&path, &Options::default()).unwrap();
        let expected = OTHERS.iter().find(|(n, _)| *n == name).map_or(&[][..], |(_, rules)| rules);
        assert_eq!(rules(&report), expected, "{name}:\n{}", list(&report));
        if expected.is_empty() {
            assert!(report.genuine, "{name}");
            let noted = report.counts.iter().filter(|c| c.informational > 0).map(|c| c.rule);
            assert_eq!(noted.filter(|r| !REMARKS.contains(r)).collect::<Vec<_>>(), [""; 0], "{name}");
            assert_eq!(report.judged.len(), 34, "{name}");
        }
    }
}

/// What was done to files of the corpus, and the rule that it breaks beyond those that the file broke before.
#[test]
fn known_damage_is_found() {
    let Some(folder) = corpus("pst-derived") else { return };
    for path in files(&folder, &[".pst"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = check(&path, &Options::default()).unwrap();
        let what = name.rsplit('.').nth(1).unwrap();
        let own: &[&str] = match what {
            "crypt0" | "crypt2" => &[],
            "hdrcrc" => &["V01"],
            "trailgarbage" => &["V02"],
            "trunc75" | "trunc50odd" => &["V02", "V09"],
            "amap0" => &["V03"],
            "amapinvalid" => &["V05"],
            "nbtroot0" | "bbtroot0" => &["V07"],
            "blockflip" | "zerohole" => &["V09"],
            _ => panic!("{name}: damage of an unknown kind"),
        };
        let before = OTHERS.iter().find(|(n, _)| name.starts_with(n.trim_end_matches(".pst")));
        let before = before.map_or(&[][..], |(_, rules)| rules);
        let found = rules(&report);
        let others: Vec<_> = found.iter().filter(|r| !own.contains(r) && !before.contains(r)).collect();
        assert!(others.is_empty(), "{name}: {others:?}\n{}", list(&report));
        assert!(own.is_empty() || found.contains(&own[0]), "{name}: {found:?}");
    }
}

fn convert(source: &Path, target: &Path) -> Option<Account> {
    let spec = source.display().to_string();
    let mounted =
        [Mounted { source: endpoint::open(&spec, SourceOptions::default()).ok()?, under: Vec::new(), journal: None }];
    let options = TargetOptions { title: "Mail".into(), overwrite: true, ..TargetOptions::default() };
    let sink = endpoint::create(&target.display().to_string(), &[spec], &options).unwrap();
    Some(pipeline::run(&mounted, sink, &RunOptions::default(), &Quiet).unwrap())
}

struct Quiet;

impl pipeline::Observer for Quiet {
    fn event(&self, _: &pipeline::Event<'_>) {}
}

#[test]
fn what_we_write_has_no_findings_and_no_remarks() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.pst");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut sources = vec![fixtures.join("mail"), fixtures.join("mbox"), fixtures.join("maildir")];
    if let Some(real) = corpus("") {
        sources.extend([real.join("mbox"), real.join("eml/mikel__mail"), real.join("eml/apache__james-mime4j")]);
        sources.extend(files(&real.join("pst"), &[".pst", ".ost"]));
    }
    let mut judged = 0;
    for source in sources {
        let Some(account) = convert(&source, &target) else {
            // Its block B-tree cannot be read.
            assert!(source.to_string_lossy().contains("AddingBulk"), "{}", source.display());
            continue;
        };
        let report = check(&target, &Options::default()).unwrap();
        // What an item brought along is passed on unchanged: rich text and times are remarked on at most.
        let noted: Vec<_> = report.counts.iter().filter(|c| !matches!(c.rule, "V32" | "V33")).collect();
        assert!(noted.is_empty() && report.total() == 0, "{}: {noted:?}\n{}", source.display(), list(&report));
        judged += account.written;
    }
    assert!(judged > 40, "{judged} items");
}
