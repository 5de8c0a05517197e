//! A typed client and a typed server on tokio, in one file.

use std::error::Error;

use datagrammar::Message;
use datagrammar::tokio::{Connection, Listener};

/// What a client may ask.
#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
}

/// What the server answers.
#[derive(Message)]
enum Reply {
    #[message(tag = 1)]
    Stored { len: usize },
}

async fn serve(
    listener: Listener<Reply, Request<'static>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (mut tx, mut rx) = listener.accept().await?.split();
    while let Some(frame) = rx.recv().await? {
        let Request::Put { name, content } = frame.decode()?; // borrowed from the frame, not copied
        println!("server: {name}, {} bytes", content.len());
        tx.send(&Reply::Stored { len: content.len() }).await?;
    }
    Ok(()) // the client has closed
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = "unix:@datagrammar-quickstart-tokio".parse()?;
    let listener = Listener::bind(&address)?;
    let server = tokio::spawn(serve(listener));

    let mut client = Connection::<Request<'static>, Reply>::connect(&address).await?;
    for len in [0, 10, 100_000] {
        client.send(&Request::Put { name: "zeros", content: &vec![0; len] }).await?;
        let Reply::Stored { len } = client.recv().await?.ok_or("the server is gone")?.decode()?;
        println!("client: stored {len} bytes");
    }
    drop(client);
    server.await?
}
