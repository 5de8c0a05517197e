//! The parser: decodes untrusted pictures in a confined process.

use std::fs::File;
use std::io::BufReader;
use std::net::{Ipv4Addr, TcpStream};
use std::process;

use anyhow::Context as _;
use datagrammar::{Connection, Sender};
use png::{Decoder, Limits};

use crate::jail;
use crate::protocol::{Ask, Tell};

/// The most memory for a picture's rows and its decoder, in bytes.
const PICTURE_BYTES: usize = 256 * 1024 * 1024;

/// Answers until the parent closes the connection.
pub(crate) fn run() -> anyhow::Result<()> {
    let (mut tx, mut rx) = Connection::<Tell<'static>, Ask>::inherited()?.split();
    jail::lock()?;
    // The effect of the namespaces alone, before the filter.
    let (path, network) = escape();
    jail::allow_few_system_calls()?;
    tx.send(&Tell::Ready)?;
    while let Some(frame) = rx.recv().context("receiving")? {
        match frame.decode().context("decoding")? {
            Ask::Picture { file } => answer(&mut tx, &file)?,
            Ask::Escape => {
                let (filtered_path, filtered_network) = escape();
                let path = format!("{path}; then {filtered_path}");
                let network = format!("{network}; then {filtered_network}");
                tx.send(&Tell::Confined { path: &path, network: &network })?;
            }
            Ask::Crash => process::abort(),
        }
    }
    Ok(())
}

fn answer(tx: &mut Sender<Tell<'static>>, file: &File) -> anyhow::Result<()> {
    match picture(file) {
        Ok(picture) => tx.send(&picture)?,
        Err(error) => tx.send(&Tell::Refused { why: &error.to_string() })?,
    };
    Ok(())
}

/// Decodes a picture row by row, so memory use depends on the length of a row, not of the picture.
fn picture(file: &File) -> Result<Tell<'static>, png::DecodingError> {
    let limits = Limits { bytes: PICTURE_BYTES };
    let mut reader = Decoder::new_with_limits(BufReader::new(file), limits).read_info()?;
    let header = reader.info();
    let (width, height) = header.size();
    let (channels, bits) = (header.color_type.samples() as u8, header.bit_depth as u8);
    let (mut bytes, mut sum) = (0, 0);
    while let Some(row) = reader.next_row()? {
        bytes += row.data().len() as u64;
        sum += row.data().iter().map(|&byte| u64::from(byte)).sum::<u64>();
    }
    Ok(Tell::Picture { width, height, channels, bits, bytes, sum })
}

/// Tries to open a path that every system has, and to connect to a server. Returns how each failed.
fn escape() -> (String, String) {
    let failure = |result: std::io::Result<()>| result.err().map(|error| error.to_string());
    let path = failure(File::open("/etc/passwd").map(drop));
    let network = failure(TcpStream::connect((Ipv4Addr::LOCALHOST, 80)).map(drop));
    (path.unwrap_or_default(), network.unwrap_or_default())
}
