//! The peers: mbsync and mpop, which fetch accounts into Maildirs.

use crate::dovecot::PASSWORD;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

/// Where mbsync keeps what it remembers of pushes.
const STATES: &str = "pushed";

/// Fetches an IMAP account, as fast as mbsync can: many commands at once, nothing made durable.
pub fn mbsync(folder: &Path, user: &str, port: u16, authority: Option<&Path>, target: &Path) -> Command {
    channel(folder, user, port, authority, target, "Create Near\nSync Pull\nSyncState *")
}

/// Sends a Maildir that it has made itself into an IMAP account; what it remembers is kept apart.
pub fn mbsync_push(folder: &Path, user: &str, port: u16, authority: Option<&Path>, from: &Path) -> Command {
    let states = folder.join(STATES);
    fs::create_dir_all(&states).unwrap();
    let how = format!("Create Far\nSync Push\nSyncState {}/", states.display());
    channel(folder, user, port, authority, from, &how)
}

/// Takes away what mbsync remembers of pushes.
pub fn forget(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join(STATES));
}

fn channel(folder: &Path, user: &str, port: u16, authority: Option<&Path>, near: &Path, how: &str) -> Command {
    let security = match authority {
        Some(file) => format!("SSLType IMAPS\nSystemCertificates no\nCertificateFile {}", file.display()),
        None => "SSLType None".to_owned(),
    };
    let near = near.display();
    let config = folder.join(format!("{user}-{port}.mbsyncrc"));
    write_private(
        &config,
        &format!(
            "FSync no\n\nIMAPStore far\nHost localhost\nPort {port}\nUser {user}\nPass \"{PASSWORD}\"\n{security}\n\
             AuthMechs LOGIN\nPipelineDepth 50\n\nMaildirStore near\nPath {near}/\nInbox {near}/INBOX\n\
             SubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns *\n{how}\n"
        ),
    );
    let mut command = Command::new("mbsync");
    command.arg("-q").arg("-c").arg(config).arg("all");
    command
}

/// Fetches a POP3 account; mpop asks for many messages at once by itself where the server allows it, and makes each of them
/// durable.
pub fn mpop(folder: &Path, user: &str, port: u16, target: &Path) -> Command {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(target.join(part)).unwrap();
    }
    let config = folder.join(format!("{user}-{port}.mpoprc"));
    let target = target.display();
    write_private(
        &config,
        &format!(
            "account all\nhost localhost\nport {port}\nuser {user}\npassword \"{PASSWORD}\"\nauth user\ntls off\nkeep on\n\
             received_header off\nuidls_file {target}/uidls\ndelivery maildir {target}\n"
        ),
    );
    let mut command = Command::new("mpop");
    command.arg("-Q").arg("-C").arg(config).arg("all");
    command
}

/// The messages of all Maildirs below a folder.
pub fn messages(top: &Path) -> u64 {
    let mut count = 0;
    let mut todo = vec![top.to_path_buf()];
    while let Some(at) = todo.pop() {
        let of_messages = at.ends_with("cur") || at.ends_with("new");
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => todo.push(entry.path()),
                false => count += u64::from(of_messages),
            }
        }
    }
    count
}

/// Both programs refuse passwords that others could read.
fn write_private(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
