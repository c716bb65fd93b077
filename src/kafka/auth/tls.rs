//! Certificates: the rules, and their names in librdkafka. Reads the files to see that they are what they claim.

use std::fs;
use std::io::ErrorKind;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use rdkafka::config::ClientConfig;

use crate::core::environment::{KafkaSettings, SslSettings};

use super::{AuthFault, Warning, given, given_secret};

const CAFILE: &str = "kafka.ssl.cafile";
const CERTFILE: &str = "kafka.ssl.certfile";
const KEYFILE: &str = "kafka.ssl.keyfile";

/// A CA is mandatory; a certificate needs its key and the other way round; every file is there and readable.
pub fn validate(settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
    let Some(ssl) = &settings.ssl else { return Err(vec![AuthFault::CaMissing(settings.security_protocol)]) };
    let mut faults = Vec::new();
    match given(ssl.cafile.as_ref()) {
        None => faults.push(AuthFault::CaMissing(settings.security_protocol)),
        Some(path) => faults.extend(authority_of(path).err()),
    }
    match (given(ssl.certfile.as_ref()), given(ssl.keyfile.as_ref())) {
        (Some(_), None) => faults.push(AuthFault::CertificateWithoutKey),
        (None, Some(_)) => faults.push(AuthFault::KeyWithoutCertificate),
        (Some(certificate), Some(key)) => match (certificate_of(certificate), key_of(key, ssl)) {
            (Ok(certificate), Ok(key)) => {
                if !certificate.public_key().is_ok_and(|public| public.public_eq(&key)) {
                    faults.push(AuthFault::KeyOfAnotherCertificate);
                }
            }
            (certificate, key) => faults.extend(certificate.err().into_iter().chain(key.err())),
        },
        (None, None) => {}
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(if ssl.check_hostname { Vec::new() } else { vec![Warning::HostnameUnchecked] })
}

/// Writes the certificates into a client's configuration.
pub fn apply(settings: &KafkaSettings, client: &mut ClientConfig) {
    let Some(ssl) = &settings.ssl else { return };
    for (name, path) in [
        ("ssl.ca.location", &ssl.cafile),
        ("ssl.certificate.location", &ssl.certfile),
        ("ssl.key.location", &ssl.keyfile),
    ] {
        if let Some(path) = given(path.as_ref()) {
            client.set(name, path);
        }
    }
    if let Some(phrase) = given_secret(ssl.password.as_ref()) {
        client.set("ssl.key.password", phrase);
    }
    client.set("ssl.endpoint.identification.algorithm", if ssl.check_hostname { "https" } else { "none" });
}

fn read(field: &'static str, path: &str) -> Result<Vec<u8>, AuthFault> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => AuthFault::FileMissing { field, path: path.to_owned() },
        _ => AuthFault::FileUnreadable { field, path: path.to_owned(), why: error.to_string() },
    })
}

fn wrong(field: &'static str, path: &str, why: &'static str) -> AuthFault {
    AuthFault::FileWrong { field, path: path.to_owned(), why }
}

fn authority_of(path: &str) -> Result<Vec<X509>, AuthFault> {
    let certificates = X509::stack_from_pem(&read(CAFILE, path)?).unwrap_or_default();
    if certificates.is_empty() {
        return Err(wrong(CAFILE, path, "holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn certificate_of(path: &str) -> Result<X509, AuthFault> {
    X509::from_pem(&read(CERTFILE, path)?).map_err(|_| wrong(CERTFILE, path, "holds no certificate in PEM form"))
}

fn key_of(path: &str, ssl: &SslSettings) -> Result<PKey<Private>, AuthFault> {
    let pem = read(KEYFILE, path)?;
    let is_encrypted = pem.windows(9).any(|window| window == b"ENCRYPTED");
    let phrase = given_secret(ssl.password.as_ref());
    let path = path.to_owned();
    match (is_encrypted, phrase) {
        (true, None) => Err(AuthFault::KeyPhraseMissing { path }),
        (true, Some(phrase)) => PKey::private_key_from_pem_passphrase(&pem, phrase.as_bytes())
            .map_err(|_| AuthFault::KeyPhraseWrong { path }),
        (false, _) => {
            PKey::private_key_from_pem(&pem).map_err(|_| wrong(KEYFILE, &path, "holds no private key in PEM form"))
        }
    }
}
