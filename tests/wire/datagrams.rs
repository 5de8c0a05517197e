//! The datagrams of the runtime: bundles and pieces, as at the end of `vectors.txt`.

use std::fmt::Debug;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use datagrammar::codec::Postcard;
use datagrammar::{Address, Batch, Connection, Message, Socket, Wait, to_vec};
use datagrammar_tests::{Directory, raw};
use rustix::net::{RecvFlags, SocketType};

use super::golden::{hex, unhex};

#[derive(Message, Debug)]
enum Note<'a> {
    #[message(tag = 1)]
    Unit,
    #[message(tag = 251)]
    Text(&'a str),
}

#[derive(Message, Debug)]
#[message(codec = Postcard)]
enum Card<'a> {
    #[message(tag = 1)]
    Unit,
    #[message(tag = 251)]
    Text(&'a str),
}

const X: &str = concat!(
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
);

/// The bundles of `vectors.txt`: one of two short frames, and one of frames around the limit between lengths of one
/// byte and of three bytes.
fn notes() -> [Vec<Note<'static>>; 2] {
    let long = |len| Note::Text(&X[..len]);
    [vec![Note::Unit, Note::Text("a")], vec![long(246), long(247), Note::Unit]]
}

fn cards() -> [Vec<Card<'static>>; 2] {
    let long = |len| Card::Text(&X[..len]);
    [vec![Card::Unit, Card::Text("a")], vec![long(246), long(247), Card::Unit]]
}

/// Returns the lines of `vectors.txt` that begin with `kind`: their content, and the datagrams.
fn vectors(kind: &str) -> impl Iterator<Item = (&'static str, Vec<Vec<u8>>)> {
    include_str!("vectors.txt").lines().filter_map(move |line| {
        let (of, datagrams) = line.strip_prefix(kind)?.split_once(" = ")?;
        Some((of, datagrams.split(' ').map(unhex).collect()))
    })
}

fn line<M: Debug>(kind: &str, messages: &[M], datagram: &[u8]) -> String {
    format!("{kind}{messages:?} = {}", hex(datagram))
}

/// Returns the next queued datagram.
fn queued(fd: impl AsFd) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 20];
    let (len, _) = rustix::net::recv(fd, &mut buffer[..], RecvFlags::DONTWAIT).unwrap();
    buffer.truncate(len);
    buffer
}

/// Returns the datagrams that `send_all` of `messages` sends over each kind of socket.
fn bundles<M>(messages: &[M]) -> Vec<(&'static str, Vec<u8>)>
where
    M: Message<Borrowed<'static> = M> + 'static,
{
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<M, M>::adopt(ours).unwrap();
    let sent = ours.tx.send_all(messages, Wait::Try).unwrap();
    assert_eq!(sent, messages.len());
    let connection = queued(&theirs);
    let mut batch = Batch::new(ours.tx);
    for message in messages {
        batch.push(message, Wait::Try).unwrap();
    }
    batch.flush(Wait::Try).unwrap();
    let batch = queued(&theirs);

    let directory = Directory::new();
    let to = directory.address("socket");
    let theirs = UnixDatagram::bind(to.as_pathname().unwrap()).unwrap();
    let mut ours = Socket::<M, M>::unbound(&to).unwrap();
    ours.tx.send_all_to(messages, &to, Wait::Try).unwrap();
    let unix = queued(&theirs);

    let theirs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = Address::from(theirs.local_addr().unwrap());
    let mut ours = Socket::<M, M>::unbound(&to).unwrap();
    ours.tx.send_all_to(messages, &to, Wait::Try).unwrap();
    let udp = queued(&theirs);
    vec![("a connection", connection), ("a batch", batch), ("UNIX datagrams", unix), ("UDP", udp)]
}

/// Returns the messages that arrive if `datagrams` are sent over each kind of socket that carries them.
fn received<M>(datagrams: &[Vec<u8>], connected_only: bool) -> Vec<(&'static str, Vec<Vec<u8>>)>
where
    M: Message<Borrowed<'static> = M> + 'static,
{
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<M, M>::adopt(ours).unwrap();
    for datagram in datagrams {
        raw::send(&theirs, datagram).unwrap();
    }
    let connection = std::iter::from_fn(|| Some(ours.try_recv().ok()??.bytes().to_vec()));
    let mut all = vec![("a connection", connection.collect())];
    let directory = Directory::new();
    for (name, at) in [
        ("UNIX datagrams", directory.address("socket")),
        ("UDP", "udp:127.0.0.1:0".parse().unwrap()),
    ] {
        if connected_only {
            continue;
        }
        let mut ours = Socket::<M, M>::bind(&at).unwrap();
        let to = ours.local_addr().unwrap();
        for datagram in datagrams {
            match (to.as_pathname(), to.as_udp()) {
                (Some(path), _) => UnixDatagram::unbound().unwrap().send_to(datagram, path),
                (_, Some(to)) => {
                    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(datagram, to)
                }
                _ => unreachable!("{to}"),
            }
            .unwrap();
        }
        let frames = std::iter::from_fn(|| Some(ours.try_recv_from().ok()?.0.bytes().to_vec()));
        all.push((name, frames.collect()));
    }
    all
}

fn check_bundles<M>(kind: &str, bundles_of: &[Vec<M>])
where
    M: Message<Borrowed<'static> = M> + Debug + 'static,
{
    let golden: Vec<&str> =
        include_str!("vectors.txt").lines().filter(|line| line.starts_with(kind)).collect();
    let mut lines = Vec::new();
    for messages in bundles_of {
        let sent = bundles(messages);
        for (over, datagram) in &sent {
            assert_eq!(datagram, &sent[0].1, "over {over}");
        }
        let datagram = sent[0].1.clone();
        lines.push(line(kind, messages, &datagram));
        let frames: Vec<_> = messages.iter().map(|message| to_vec(message).unwrap()).collect();
        for (over, received) in received::<M>(&[datagram], false) {
            assert_eq!(received, frames, "over {over}");
        }
    }
    assert_eq!(lines, golden, "the wire has changed:\n{}", lines.join("\n"));
}

#[test]
fn bundles_are_those_of_the_vectors_over_every_socket() {
    check_bundles("bundle ", &notes());
    check_bundles("bundle, postcard ", &cards());
}

#[test]
fn a_bundle_is_a_head_a_count_and_frames_behind_their_lengths() {
    // Written out, so that the vectors cannot change together with the reader.
    let messages = [Note::Unit, Note::Text("a"), Note::Text(&X[..247])];
    let (_, datagram) = bundles(&messages).swap_remove(0);
    let head = [0, 4, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
    let short = [1, 1, 5, 251, 251, 0, 1, b'a'];
    let long = [&[251, 251, 0, 251, 251, 0, 247][..], &X.as_bytes()[..247]].concat();
    assert_eq!(datagram, [&head[..], &short, &long].concat());
}

#[test]
fn lengths_longer_than_need_be_are_read() {
    let head = [0, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
    let frames =
        [&[1, 1][..], &[251, 1, 0, 1], &[252, 1, 0, 0, 0, 1], &[253, 1, 0, 0, 0, 0, 0, 0, 0, 1]];
    let datagram = [&head[..], &frames.concat()].concat();
    for (over, received) in received::<Note<'_>>(&[datagram], false) {
        assert_eq!(received, vec![vec![1]; 4], "over {over}");
    }
}

#[test]
fn one_message_alone_is_no_bundle() {
    for (over, datagram) in bundles(&[Note::Text("a")]) {
        assert_eq!(datagram, to_vec(&Note::Text("a")).unwrap(), "over {over}");
    }
}

#[test]
fn pieces_of_the_vectors_are_put_together() {
    // In the order of the vectors: a frame and a bundle, as if each were one datagram.
    let frames = [
        vec![to_vec(&Note::Text("typed datagrams")).unwrap()],
        vec![to_vec(&Note::Unit).unwrap(), to_vec(&Note::Text("a")).unwrap()],
    ];
    let mut seen = 0;
    for ((of, datagrams), frames) in vectors("pieces ").zip(&frames) {
        let received = received::<Note<'_>>(&datagrams, true);
        assert_eq!(received[0].1, *frames, "{of}");
        seen += 1;
    }
    assert_eq!(seen, frames.len());
}

#[test]
fn a_frame_in_pieces_has_a_number_and_each_piece_its_place() {
    let body = "x".repeat(400_000);
    let frame = to_vec(&Note::Text(&body)).unwrap();
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<Note<'_>, Note<'_>>::adopt(ours).unwrap();
    ours.try_send(&Note::Text(&body)).unwrap();
    let mut joined = Vec::new();
    let mut number = None;
    while joined.len() < frame.len() {
        let datagram = queued(&theirs);
        // The pending frame continues.
        _ = ours.tx.flush(Wait::Try);
        let (head, piece) = datagram.split_at(14);
        let (kind, place) = match joined.len() {
            0 => (1, frame.len()),
            offset => (2, offset),
        };
        assert_eq!(head[..2], [0, kind]);
        assert_eq!(head[2..6], *number.get_or_insert_with(|| head[2..6].to_vec()));
        assert_eq!(head[6..], (place as u64).to_le_bytes());
        joined.extend_from_slice(piece);
    }
    assert!(joined == frame);
}
