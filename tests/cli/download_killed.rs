//! A download is killed at random moments, again and again: the PST is whole each time, the next run goes on, and in the
//! end everything is there once.

use crate::command::{at, code};
use crate::dovecot::Dovecot;
use crate::download::{fill, imaps, is_sound, kept, pst, same};
use crate::download_limits::is_sound_or_behind;
use crate::support::Seeded;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn fifty_kills_lose_nothing() {
    let Some(server) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (account, target) = (imaps(&server, "alice"), at(&dir, "alice.pst"));
    let sent = fill(&server, "alice", 400, 2);
    let mut random = Seeded(42);
    let (mut kills, mut whole) = (0, 0);
    while kills < 50 {
        let mut run = pst(&server, &["download", "--keep-mime", "--json", &account, &target]);
        let said = at(&dir, "said");
        let words = std::fs::File::create(&said).unwrap();
        let mut child = run.stdout(Stdio::null()).stderr(words).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(30 + random.below(500)));
        let ended = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        if Path::new(&target).exists() {
            is_sound_or_behind(&target);
        }
        match ended {
            None => kills += 1,
            Some(status) => {
                assert!(status.success(), "{status}: {}", std::fs::read_to_string(&said).unwrap());
                whole += 1;
                assert_eq!(same(&kept(&target), &sent), Ok(()), "after {kills} kills");
                is_sound(&target);
                std::fs::remove_file(&target).unwrap();
                std::fs::remove_file(format!("{target}.state")).unwrap();
            }
        }
    }
    let out = pst(&server, &["download", "--keep-mime", "--json", &account, &target]).output().unwrap();
    assert_eq!(code(&out), 0);
    assert_eq!(same(&kept(&target), &sent), Ok(()), "after the last kill");
    is_sound(&target);
    eprintln!("{kills} kills, {whole} downloads that came to their end between them");
}
