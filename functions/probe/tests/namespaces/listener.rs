//! What listens, and the authority whose certificates the probe trusts.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::{
    ALL_VERSIONS, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

/// An authority that is made for a test.
pub(crate) struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server with a certificate for a name.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.server_of(name, ALL_VERSIONS)
    }

    /// The same, which speaks TLS 1.2 only.
    pub(crate) fn server_of_tls12(&self, name: &str) -> Arc<ServerConfig> {
        self.server_of(name, &[&TLS12])
    }

    fn server_of(
        &self,
        name: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.certificate, &self.key).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        Arc::new(config)
    }
}

/// How a listener behaves after it has taken a connection.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// It speaks TLS.
    Tls(Arc<ServerConfig>),
    /// It resets the connection.
    Reset,
    /// It closes the connection.
    Close,
    /// It says nothing.
    Mute,
    /// It speaks another protocol.
    Garbage,
}

/// Listens at an address, for the rest of the process.
pub(crate) fn listen(at: &str, manner: Manner) {
    let listener = TcpListener::bind(at).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let manner = manner.clone();
            std::thread::spawn(move || serve(stream, manner));
        }
    });
}

fn serve(mut stream: TcpStream, manner: Manner) {
    let heard = |stream: &TcpStream| stream.peek(&mut [0]);
    match manner {
        Manner::Tls(config) => {
            let mut tls = ServerConnection::new(config).unwrap();
            let _ = tls.complete_io(&mut stream);
            let _ = heard(&stream);
        }
        // A socket that is closed with unread data sends a reset.
        Manner::Reset => drop(heard(&stream)),
        Manner::Close => drop(stream),
        Manner::Mute => std::thread::sleep(Duration::from_secs(60)),
        Manner::Garbage => {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = heard(&stream);
        }
    }
}
