//! An address in front of a database that can be moved to another one, as a floating address or a proxy does.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

/// The address, and where it leads.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    target: Rc<Cell<u16>>,
}

impl Relay {
    /// To a port of this machine; to be called inside a `LocalSet`.
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, target) = (listener.local_addr().unwrap(), Rc::new(Cell::new(port)));
        let current = Rc::clone(&target);
        spawn_local(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let port = current.get();
                spawn_local(async move {
                    // A database that is not there ends the client's connection.
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { address, target }
    }

    /// New connections lead elsewhere.
    pub(super) fn lead_to(&self, port: u16) {
        self.target.set(port);
    }
}
