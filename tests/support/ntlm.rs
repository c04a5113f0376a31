//! The server's side of NTLM ([MS-NLMP]): a challenge, and whether an answer proves the password.

use super::{PASSWORD, USER};
use md5::{Digest, Md5};

pub fn challenge_of(nonce: [u8; 8]) -> Vec<u8> {
    // Target information: a name, and the time.
    let mut info = vec![2, 0, 8, 0];
    info.extend("CORP".encode_utf16().flat_map(u16::to_le_bytes));
    info.extend([7, 0, 8, 0, 0, 0x80, 0xC3, 0x9D, 1, 2, 3, 4, 0, 0, 0, 0]);
    let mut out = b"NTLMSSP\0\x02\0\0\0".to_vec();
    out.extend([0; 8]);
    out.extend(0xE28A_8215u32.to_le_bytes());
    out.extend(nonce);
    out.extend([0; 8]);
    for n in [info.len() as u16, info.len() as u16, 56, 0] {
        out.extend(n.to_le_bytes());
    }
    out.extend([10, 0, 0x39, 0x38, 0, 0, 0, 15]);
    out.extend(info);
    out
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 16] {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Md5::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(data).finalize();
    Md5::new().chain_update(block.map(|b| b ^ 0x5C)).chain_update(inner).finalize().into()
}

/// [MS-NLMP] 3.3.2, with the connection in it.
pub fn proves(message: &[u8], nonce: [u8; 8], hash: &[u8; 32]) -> Result<(), String> {
    let part = |at: usize| {
        let length = u16::from_le_bytes(message[at..at + 2].try_into().unwrap()) as usize;
        let from = u32::from_le_bytes(message[at + 4..at + 8].try_into().unwrap()) as usize;
        &message[from..from + length]
    };
    let text = |bytes: &[u8]| {
        let units: Vec<u16> = bytes.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        String::from_utf16(&units).unwrap()
    };
    let (domain, user) = USER.split_once('\\').unwrap();
    if (text(part(28)), text(part(36))) != (domain.to_owned(), user.to_owned()) {
        return Err("another name".into());
    }
    if part(12) != [0; 24] {
        return Err("an LM response, though the time is known".into());
    }
    let (proof, rest) = part(20).split_at(16);
    let credentials =
        ntlmclient::Credentials { username: user.into(), password: PASSWORD.into(), domain: domain.into() };
    let key = ntlmclient::ntlm_v2_password_func(&credentials);
    if hmac(&key, &[&nonce, rest].concat()) != proof {
        return Err("another password".into());
    }
    let bound = [b"tls-server-end-point:".as_slice(), hash].concat();
    let mut binding = vec![0; 16];
    binding.extend((bound.len() as u32).to_le_bytes());
    binding.extend(&bound);
    let mut wanted = vec![10, 0, 16, 0];
    wanted.extend(Md5::digest(&binding));
    if rest.windows(20).any(|w| w == wanted) { Ok(()) } else { Err("not bound to the connection".into()) }
}
