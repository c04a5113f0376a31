//! Acceptance cases 54 to 56: what openssl and gpg say of signed and encrypted mail that went into a PST and came out.

use super::oracle::python;
use super::written::PST;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs a program that must succeed; `None` if it is not there.
fn tool(program: &str, args: &[&str], at: &Path) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).current_dir(at).env("GNUPGHOME", at).stdin(Stdio::null());
    match command.output() {
        Ok(out) => {
            assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
            Some(out)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: no {program}");
            None
        }
        Err(e) => panic!("{program}: {e}"),
    }
}

fn pst(args: &[&str], at: &Path) -> Vec<u8> {
    let out = Command::new(PST).args(args).current_dir(at).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// Takes a mail into a PST and out again, and gives the file.
fn there_and_back(mail: &str, at: &Path, options: &[&str]) -> PathBuf {
    pst(&[&["convert", mail, "x.pst", "--overwrite"], options].concat(), at);
    pst(&["check", "x.pst"], at);
    pst(&[&["convert", "x.pst", "eml:out", "--overwrite"], options].concat(), at);
    only_file(&at.join("out"))
}

fn only_file(folder: &Path) -> PathBuf {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).find(|p| p.is_file()).unwrap()
}

/// A body with everything that transport likes to change: blanks at line ends, bytes above 127, lines of one dot.
const BODY: &[u8] = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xC3\xBC\xC3\x9Fe   \r\n\t\r\n.\r\nFrom here on \t \r\n>From there\r\n";

fn message(head: &str, parts: &[&[u8]], boundary: &str) -> Vec<u8> {
    let mut out = format!("From: a@example.org\r\nTo: b@example.org\r\nSubject: Signed\r\nMessage-ID: <s@x>\r\nDate: Mon, 1 Jul 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: {head}; boundary=\"{boundary}\"\r\n\r\nA preamble.\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

fn base64(bytes: &[u8]) -> String {
    let text = base64_simd::STANDARD.encode_to_string(bytes);
    text.as_bytes().chunks(76).map(|l| format!("{}\r\n", std::str::from_utf8(l).unwrap())).collect()
}

/// A key and a certificate for it; false without openssl.
fn certificate(at: &Path) -> bool {
    let args =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"];
    let more = ["-subj", "/CN=a/emailAddress=a@example.org", "-addext", "keyUsage=digitalSignature,keyEncipherment"];
    tool("openssl", &[&args[..], &more].concat(), at).is_some()
}

#[test]
fn case_54_a_signed_message_verifies_after_export() {
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    if !certificate(at) {
        return;
    }
    std::fs::write(at.join("body"), BODY).unwrap();
    let sign = ["cms", "-sign", "-binary", "-in", "body", "-signer", "cert.pem", "-inkey", "key.pem"];
    tool("openssl", &[&sign[..], &["-outform", "DER", "-out", "body.p7s"]].concat(), at).unwrap();
    let signature = std::fs::read(at.join("body.p7s")).unwrap();
    let part = format!(
        "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(&signature)
    );
    let head = "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256";
    std::fs::write(at.join("in.eml"), message(head, &[BODY, part.as_bytes()], "s1")).unwrap();
    let verify = ["cms", "-verify", "-CAfile", "cert.pem", "-purpose", "any", "-in"];
    tool("openssl", &[&verify[..], &["in.eml"]].concat(), at).unwrap();
    let out = there_and_back("in.eml", at, &[]);
    let said = tool("openssl", &[&verify[..], &[out.to_str().unwrap()]].concat(), at).unwrap();
    assert_eq!(said.stdout, BODY);
    // It fails when it should.
    let mut bytes = std::fs::read(&out).unwrap();
    let dot = bytes.windows(4).position(|w| w == b"here").unwrap();
    bytes[dot] = b'H';
    std::fs::write(at.join("forged.eml"), bytes).unwrap();
    let status = Command::new("openssl").args(verify).arg("forged.eml").current_dir(at).output().unwrap().status;
    assert!(!status.success());
}

#[test]
fn case_55_encrypted_messages_decrypt_after_export() {
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    if !certificate(at) {
        return;
    }
    std::fs::write(at.join("body"), BODY).unwrap();
    let encrypt = ["cms", "-encrypt", "-binary", "-aes256", "-in", "body", "-outform", "DER", "-out", "body.p7m"];
    tool("openssl", &[&encrypt[..], &["cert.pem"]].concat(), at).unwrap();
    let der = std::fs::read(at.join("body.p7m")).unwrap();
    for kind in [
        "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
        "application/octet-stream; name=smime.p7m",
        "application/octet-stream\r\nContent-Disposition: attachment; filename=\"Smime.P7M\"",
    ] {
        let mail = format!(
            "From: a@example.org\r\nSubject: e\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(&der)
        );
        std::fs::write(at.join("in.eml"), mail).unwrap();
        let out = there_and_back("in.eml", at, &[]);
        let info = String::from_utf8(pst(&["info", "x.pst", "--json"], at)).unwrap();
        assert!(info.contains("\"IPM.Note.SMIME\""), "{kind}: {info}");
        let text = std::fs::read_to_string(&out).unwrap();
        assert_eq!(text.contains("smime-type=enveloped-data"), kind.contains("enveloped"), "{text}");
        // Old mailers' octet-stream is not what openssl looks for: the data alone are compared.
        if kind.contains("pkcs7-mime") {
            let args = ["cms", "-decrypt", "-recip", "cert.pem", "-inkey", "key.pem", "-in", out.to_str().unwrap()];
            assert_eq!(tool("openssl", &args, at).unwrap().stdout, BODY);
        }
        let body = text.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "");
        assert_eq!(base64_simd::STANDARD.decode_to_vec(body).unwrap(), der, "{kind}");
    }
}

/// A key without a passphrase; false without gpg.
fn gpg_key(at: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(at, std::fs::Permissions::from_mode(0o700)).unwrap();
    let args = ["--batch", "--passphrase", "", "--quick-generate-key", "a@example.org", "default", "default", "1d"];
    tool("gpg", &args, at).is_some()
}

#[test]
fn case_56_openpgp() {
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    if !gpg_key(at) {
        return;
    }
    std::fs::write(at.join("body"), BODY).unwrap();
    tool("gpg", &["--batch", "--armor", "--detach-sign", "--output", "body.asc", "body"], at).unwrap();
    let armour = String::from_utf8(std::fs::read(at.join("body.asc")).unwrap()).unwrap().replace('\n', "\r\n");
    let part = format!("Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n{armour}");
    let head = "multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha512";
    let source = message(head, &[BODY, part.as_bytes()], "p1");
    std::fs::write(at.join("in.eml"), &source).unwrap();

    // Without the option the parts are there, and the loss is named.
    pst(&["convert", "in.eml", "plain.pst"], at);
    let said = pst(&["convert", "in.eml", "plain.pst", "--overwrite", "--json"], at);
    assert!(String::from_utf8(said).unwrap().contains("--keep-mime"));
    pst(&["convert", "plain.pst", "eml:plain"], at);
    let text = std::fs::read_to_string(only_file(&at.join("plain"))).unwrap();
    assert!(text.contains("signature.asc") && text.contains("Content-Type: application/pgp-signature"), "{text}");

    // With it, the message is what it was, byte for byte.
    let out = there_and_back("in.eml", at, &["--keep-mime"]);
    let bytes = std::fs::read(&out).unwrap();
    assert_eq!(bytes, source);
    let from = bytes.windows(6).position(|w| w == b"--p1\r\n").unwrap() + 6;
    let to = from + bytes[from..].windows(8).position(|w| w == b"\r\n--p1\r\n").unwrap();
    std::fs::write(at.join("signed"), &bytes[from..to]).unwrap();
    tool("gpg", &["--batch", "--verify", "body.asc", "signed"], at).unwrap();

    // An encrypted message is put together again without the option.
    let args = ["--batch", "--armor", "--trust-model", "always", "--recipient", "a@example.org"];
    tool("gpg", &[&args[..], &["--output", "secret.asc", "--encrypt", "body"]].concat(), at).unwrap();
    let armour = String::from_utf8(std::fs::read(at.join("secret.asc")).unwrap()).unwrap().replace('\n', "\r\n");
    let part = format!("Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\n{armour}");
    let head = "multipart/encrypted; protocol=\"application/pgp-encrypted\"";
    let version = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n";
    std::fs::write(at.join("in.eml"), message(head, &[version, part.as_bytes()], "p2")).unwrap();
    let out = there_and_back("in.eml", at, &[]);
    let script = "import sys,email;m=email.message_from_binary_file(open(sys.argv[1],'rb'));\
        p=m.get_payload();print(m.get_content_type(),m.get_param('protocol'),p[0].get_content_type(),len(p));\
        open('again.asc','wb').write(p[1].get_payload(decode=True))";
    let Ok(said) = python().args(["-c", script]).arg(&out).current_dir(at).output() else { return };
    assert_eq!(
        String::from_utf8(said.stdout).unwrap().trim(),
        "multipart/encrypted application/pgp-encrypted application/pgp-encrypted 2"
    );
    assert_eq!(tool("gpg", &["--batch", "--decrypt", "again.asc"], at).unwrap().stdout, BODY);
}
