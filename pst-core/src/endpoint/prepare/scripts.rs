//! Scripts for PowerShell: the upload by azcopy, and the requests for Exchange Server.

use super::mapping::Entry;
use std::fmt::Write;
use std::path::Path;

/// Without this mark Windows PowerShell reads a script in the code page of the system.
const MARK: &str = "\u{FEFF}";

const UPLOAD: &str = "\
# Uploads PSTs for the network upload of Microsoft 365, with azcopy (version 10).
#   .\\upload.ps1 -SasUrl '<SAS URL>'
# The import job shows the SAS URL (\"Show network upload SAS URL\"). Whoever has it can write into the container: this
# script does not keep it.
param([Parameter(Mandatory = $true)][string] $SasUrl)
$container, $token = $SasUrl -split '\\?', 2
$failed = 0
function Send([string] $Path, [string] $Blob) {
    azcopy copy $Path \"$($container.TrimEnd('/'))/$($Blob)?$token\"
    if ($LASTEXITCODE -ne 0) { $script:failed++; Write-Warning \"not uploaded: $Path\" }
}
";

const UPLOAD_END: &str = "\
if ($failed -gt 0) { Write-Warning \"$failed PSTs were not uploaded; the import job would miss them.\"; exit 1 }
";

const REQUESTS: &str = "\
# Import requests for Exchange Server (2010 to SE). Run it in the Exchange Management Shell, as a member of a role group
# that has the role Mailbox Import Export; the group Exchange Trusted Subsystem must be able to read the share.
# What becomes of them: Get-MailboxImportRequest -BatchName 'pst-prepare' | Get-MailboxImportRequestStatistics
";

/// A script that uploads files, each as the blob of the name beside it.
pub fn upload(files: &[(&Path, &str)], container_path: &str) -> String {
    let mut out = format!("{MARK}{UPLOAD}");
    for (path, name) in files {
        let blob = if container_path.is_empty() { (*name).to_owned() } else { format!("{container_path}/{name}") };
        let _ = writeln!(out, "Send {} {}", quoted(&path.to_string_lossy()), quoted(&percent(&blob)));
    }
    crlf(&(out + UPLOAD_END))
}

/// A script with a New-MailboxImportRequest for each PST that has a place on a share.
pub fn requests(entries: &[Entry]) -> String {
    let mut out = format!("{MARK}{REQUESTS}");
    for e in entries {
        let Some(unc) = &e.unc else { continue };
        let _ = writeln!(out, "\n# {}", tame(&e.path.to_string_lossy()));
        for remark in &e.remarks {
            let _ = writeln!(out, "# {}", tame(remark));
        }
        let _ = write!(
            out,
            "New-MailboxImportRequest -Name {} -BatchName 'pst-prepare' -Mailbox {} -FilePath {}",
            quoted(&e.name),
            quoted(&e.mailbox),
            quoted(unc)
        );
        if e.archive {
            out.push_str(" -IsArchive");
        }
        if let Some(folder) = &e.target_root {
            // Here only the top itself is written with a slash.
            let folder = if folder == "/" { folder } else { folder.trim_start_matches('/') };
            let _ = write!(out, " -TargetRootFolder {}", quoted(folder));
        }
        if let Some(page) = e.code_page {
            let _ = write!(out, " -ContentCodePage {page}");
        }
        out.push('\n');
    }
    crlf(&out)
}

/// Text that PowerShell takes as it is. It takes the typographic single quotes for quotes, too.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201B}') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}

/// A path of a URL.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// A comment ends with its line.
fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        assert_eq!(quoted("O'Hara’s $x `n"), "'O''Hara’’s $x `n'");
        assert_eq!(percent("P/Jörg's 1.pst"), "P/J%C3%B6rg%27s%201.pst");
        assert_eq!(tame("a\nRemove-Item x"), "a Remove-Item x");
    }
}
