//! `telemetry`: over UNIX datagrams nothing is missing; over UDP missing samples are counted.

use std::process::Command;

use crate::{Running, run};

fn telemetry() -> Command {
    Command::new(env!("CARGO_BIN_EXE_telemetry"))
}

#[test]
fn over_unix_nothing_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/telemetry.sock", directory.path().display());
    let receiver = Running::start(
        telemetry().args(["receive", &address, "--senders", "4", "--patience", "60"]),
        "receiving at",
    );
    run(telemetry().args(["send", &address, "--senders", "4", "--samples", "3000"]));
    let output = receiver.output();
    assert_eq!(output.matches(": 3000 samples in ").count(), 4, "{output}");
    assert_eq!(output.matches(", 0 missing").count(), 4, "{output}");
    assert!(output.ends_with("0 datagrams were not ours; the kernel dropped 0\n"), "{output}");
}

#[test]
fn over_udp_what_is_missing_is_counted() {
    let receiver = Running::start(
        telemetry().args(["receive", "udp:127.0.0.1:0", "--senders", "1", "--patience", "60"]),
        "receiving at",
    );
    let address = receiver.said.trim_end().strip_prefix("receiving at ").unwrap().to_owned();
    let to = address.strip_prefix("udp:").unwrap();
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    // No values, no bytes, half a value; malformed datagrams of the runtime: too short, of unknown kind, and an empty
    // bundle.
    let bundle = [0, 4, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    for datagram in [&b"\xff\xff\xff"[..], &[], &[2, 200], &[0, 9], &[0; 14], &bundle] {
        stranger.send_to(datagram, to).unwrap();
    }
    run(telemetry().args(["send", &address, "--senders", "1", "--samples", "50"]));
    let output = receiver.output();
    assert!(output.contains(" samples in "), "{output}");
    assert!(output.contains("6 datagrams were not ours"), "{output}");
}
