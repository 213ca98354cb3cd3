//! One call: from the TCP connection to the orderly end.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::time::Instant;

use adit_crypto::Rng;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;

use crate::client::{Client, Connection, Outcome};
use crate::crowd::Crowd;
use crate::plan::Plan;

/// Runs client `number` of the plan; calls `came` when it is up or has failed.
pub(crate) async fn run(
    plan: &Plan,
    number: u32,
    crowd: Rc<Crowd>,
    rng: Rng,
    came: impl FnOnce(bool),
) -> Outcome {
    let started = Instant::now();
    let outcome = Outcome { user: plan.user_of(number), ..Outcome::default() };
    let call_id = plan.call_id_of(number);
    let source = plan.source_of(number);
    let stream = match tokio::time::timeout(plan.patience, connect(source, plan.server)).await {
        Ok(Ok(stream)) => Rc::new(stream),
        other => {
            came(false);
            let failed = other.map_or_else(
                |_| "C01".to_owned(),
                |error| error.map_or_else(|e| e.to_string(), |_| String::new()),
            );
            return Outcome { failed: Some(failed), ..outcome };
        }
    };
    let _ = stream.set_nodelay(true);
    let over = Rc::new(Notify::new());
    let connection =
        Connection { stream: Rc::clone(&stream), over: Rc::clone(&over), gre: Rc::clone(&crowd.gre) };
    let client = Client::new(plan, number, connection, started, rng);
    crowd.join(call_id, client);
    read(&stream, &over, &crowd, call_id, came).await;
    crowd.leave(call_id).map(Client::into_outcome).unwrap_or_default()
}

/// Reads the connection until it is over.
async fn read(stream: &TcpStream, over: &Notify, crowd: &Crowd, call_id: u16, came: impl FnOnce(bool)) {
    let mut came = Some(came);
    let mut closed = crowd.with(call_id, |_| {});
    while !closed {
        tokio::select! {
            ready = stream.readable() => {
                let mut input = [0u8; 512];
                let read = ready.and_then(|()| stream.try_read(&mut input));
                crowd.with(call_id, |client| match &read {
                    Ok(0) => client.control(None),
                    Ok(len) => client.control(input.get(..*len)),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => client.control(None),
                });
            }
            () = over.notified() => {}
        }
        closed = crowd.with(call_id, |_| {});
        let up = crowd.is_up(call_id);
        if (closed || up)
            && let Some(came) = came.take()
        {
            came(up);
        }
    }
    if let Some(came) = came.take() {
        came(false);
    }
}

async fn connect(source: Ipv4Addr, server: SocketAddrV4) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if !source.is_unspecified() {
        socket.bind(SocketAddr::V4(SocketAddrV4::new(source, 0)))?;
    }
    socket.connect(SocketAddr::V4(server)).await
}
