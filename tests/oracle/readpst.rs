//! Against readpst on the same PSTs: what it exports of an item, we export too, or more.

use super::exported::genuine;
use super::oracle;
use super::written::convert;
use std::path::Path;

#[test]
fn nothing_that_readpst_exports_is_missing_from_ours() {
    let (mut found, mut compared) = (Vec::new(), 0);
    for (file, name) in genuine() {
        let scratch = tempfile::tempdir().unwrap();
        let ours = scratch.path().join("ours");
        convert(&[&file], Path::new(&format!("eml:{}", ours.display())));
        let Some(lines) = oracle::more_than(&file, &ours) else { return };
        for line in lines.unwrap() {
            match line["theirs"].as_str() {
                Some(item) => found.push(format!("{name}: {item}: {}", line["more"])),
                None => compared += ["eml", "vcf", "ics"].iter().map(|k| line[k].as_u64().unwrap()).sum::<u64>(),
            }
        }
    }
    println!("{compared} items that readpst exports, compared");
    for item in &found {
        println!("readpst had more: {item}");
    }
    assert!(found.is_empty(), "{} items of which readpst had more", found.len());
    assert!(genuine().is_empty() || compared > 100, "only {compared} items were compared");
}
