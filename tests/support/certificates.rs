//! Certificates made by openssl for one test run: an authority, and whom it vouches for.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority in a folder of its own.
pub struct Authority {
    folder: PathBuf,
}

/// What a certificate says.
pub struct Wanted<'a> {
    /// The name of its files, and its common name.
    pub name: &'a str,
    /// Names of the server ("DNS:localhost,IP:127.0.0.1").
    pub names: &'a str,
    /// The day it begins, as `openssl ca` takes it ("20200101000000Z").
    pub from: &'a str,
    /// The day it ends.
    pub until: &'a str,
    /// Signed by itself, as an authority.
    pub itself: bool,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        let (from, until) = ("20240101000000Z", "20990101000000Z");
        Self { name: "server", names: "DNS:localhost,IP:127.0.0.1", from, until, itself: false }
    }
}

impl Authority {
    /// Makes one in `folder`; `None`, with a word on standard error, without openssl.
    pub fn new(folder: &Path) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: openssl is not installed");
            return None;
        }
        std::fs::create_dir_all(folder).unwrap();
        let it = Self { folder: folder.to_path_buf() };
        it.write("index.txt", "");
        it.write("index.txt.attr", "unique_subject = no\n");
        it.write(
            "ca.cnf",
            "[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\n\
             default_md = sha256\npolicy = any\nunique_subject = no\n[any]\ncommonName = supplied\n",
        );
        it.key("ca");
        it.openssl(&[
            "req",
            "-x509",
            "-new",
            "-key",
            "ca.key",
            "-days",
            "9000",
            "-subj",
            "/CN=Test authority",
            "-out",
            "ca.pem",
        ]);
        Some(it)
    }

    /// The certificate of the authority.
    pub fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Makes a certificate; returns its file and that of its key.
    pub fn make(&self, wanted: &Wanted) -> (PathBuf, PathBuf) {
        let Wanted { name, names, from, until, itself } = wanted;
        let file = |ending: &str| format!("{name}.{ending}");
        self.key(name);
        let subject = format!("/CN={name}");
        if *itself {
            let names = format!("subjectAltName={names}");
            let key = file("key");
            let out = file("pem");
            let args = [
                "req", "-x509", "-new", "-key", &key, "-days", "9000", "-subj", &subject, "-addext", &names, "-out",
                &out,
            ];
            self.openssl(&args);
        } else {
            self.openssl(&["req", "-new", "-key", &file("key"), "-subj", &subject, "-out", &file("csr")]);
            self.write(&file("ext"), &format!("basicConstraints=CA:FALSE\nsubjectAltName={names}\n"));
            let (csr, ext, out) = (file("csr"), file("ext"), file("pem"));
            #[rustfmt::skip]
            self.openssl(&["ca", "-batch", "-notext", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem", "-in", &csr,
                "-extfile", &ext, "-startdate", from, "-enddate", until, "-out", &out]);
        }
        (self.folder.join(file("pem")), self.folder.join(file("key")))
    }

    /// SHA-256 of a certificate.
    pub fn hash(&self, certificate: &Path) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let der = self.openssl(&["x509", "-in", certificate.to_str().unwrap(), "-outform", "DER"]);
        Sha256::digest(der).into()
    }

    /// SHA-256 of the public key of a certificate.
    pub fn key_hash(&self, certificate: &Path) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        self.write(
            "public.pem",
            &String::from_utf8(self.openssl(&["x509", "-in", certificate.to_str().unwrap(), "-noout", "-pubkey"]))
                .unwrap(),
        );
        Sha256::digest(self.openssl(&["pkey", "-pubin", "-in", "public.pem", "-outform", "DER"])).into()
    }

    fn key(&self, name: &str) {
        let out = format!("{name}.key");
        self.openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &out]);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn openssl(&self, args: &[&str]) -> Vec<u8> {
        let done = Command::new("openssl").args(args).current_dir(&self.folder).output().unwrap();
        assert!(done.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }
}
