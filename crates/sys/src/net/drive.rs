//! The thread of the netlink connection, and blocking waits for its answers without a runtime.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures_util::stream::{Stream, StreamExt as _};
use rtnetlink::Handle;

use crate::error::{Error, Kind, Result};

/// A running connection. Its thread ends when the driver is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
}

impl Driver {
    pub(super) fn start() -> Result<Driver> {
        let failed = |e: io::Error| Error::io("cannot open a netlink socket", &e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
        // The socket is created here, in the namespace of the calling thread, which the new thread inherits
        // anyway.
        let (connection, handle, _) = {
            let _inside = runtime.enter();
            rtnetlink::new_connection().map_err(failed)?
        };
        thread::Builder::new()
            .name("netlink".to_owned())
            .spawn(move || runtime.block_on(connection))
            .map_err(failed)?;
        Ok(Driver { handle })
    }

    /// Runs a request without a result.
    pub(super) fn run<F>(&self, tried: &str, request: impl FnOnce(&Handle) -> F) -> Result<()>
    where
        F: Future<Output = core::result::Result<(), rtnetlink::Error>>,
    {
        wait(request(&self.handle)).map_err(|e| explain(tried, &e))
    }

    /// Runs a request and collects all of its answers.
    pub(super) fn collect<T, S>(&self, tried: &str, request: impl FnOnce(&Handle) -> S) -> Result<Vec<T>>
    where
        S: Stream<Item = core::result::Result<T, rtnetlink::Error>>,
    {
        let mut answers = pin!(request(&self.handle));
        let mut all = Vec::new();
        wait(async {
            while let Some(answer) = answers.next().await {
                all.push(answer?);
            }
            Ok(())
        })
        .map_err(|e| explain(tried, &e))?;
        Ok(all)
    }

    /// Runs a request and returns its first answer.
    pub(super) fn first<T, S>(&self, tried: &str, request: impl FnOnce(&Handle) -> S) -> Result<Option<T>>
    where
        S: Stream<Item = core::result::Result<T, rtnetlink::Error>>,
    {
        let mut answers = pin!(request(&self.handle));
        wait(answers.next()).transpose().map_err(|e| explain(tried, &e))
    }
}

/// Waits for a future on this thread. Another thread provides the answers, so this works inside any runtime.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn explain(tried: &str, error: &rtnetlink::Error) -> Error {
    let tried = format!("cannot {tried}");
    match error {
        rtnetlink::Error::NetlinkError(answer) => Error::io(tried, &answer.to_io()).needs("CAP_NET_ADMIN"),
        other => Error::new(Kind::Other, tried, other.to_string()),
    }
}
