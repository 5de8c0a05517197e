//! `isolated`: a confined parser, which is replaced when it crashes.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::{env, io};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::skipped;

fn example(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isolated"));
    command.current_dir(directory).args(arguments);
    command
}

/// Runs the example. Returns whether it succeeds, its output, and its errors. `None` if the kernel lets this user
/// create no namespaces (unshare(2)).
fn isolated(command: &mut Command) -> Option<(bool, String, String)> {
    let output = command.output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let refused = ["Operation not permitted", "Permission denied", "No space left on device"];
    if stderr.contains("cannot be confined here")
        && refused.iter().any(|refused| stderr.contains(refused))
    {
        assert!(!output.status.success(), "{stderr}");
        skipped(format_args!("no namespaces here: {}", stderr.lines().next().unwrap()));
        return None;
    }
    Some((output.status.success(), stdout, stderr))
}

fn picture(path: &Path, width: u32, height: u32) {
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let bytes: Vec<u8> = (0..width * height * 3).map(|at| (at % 7) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}

#[test]
fn pictures_are_parsed_by_a_process_that_can_do_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    picture(&at("good.png"), 64, 48);
    let whole = fs::read(at("good.png")).unwrap();
    fs::write(at("cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("text.png"), "not a picture").unwrap();
    // A header that claims more than any machine's memory.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    fs::write(at("bomb.png"), bomb).unwrap();

    let files = ["good.png", "cut.png", "text.png", "bomb.png", "good.png"];
    let arguments: Vec<&str> = ["--escape"].into_iter().chain(files).collect();
    let Some((success, output, said)) = isolated(&mut example(directory.path(), &arguments)) else {
        return;
    };
    assert!(success, "{output}{said}");
    let lines: Vec<&str> = output.lines().collect();
    let good = "good.png: 64 x 48, 3 channels of 8 bits, 9216 bytes, sum 27642";
    assert_eq!(lines.len(), 7, "{output}");
    // By the namespaces alone, and by the filter.
    assert_eq!(
        lines[0],
        "opening a path: No such file or directory (os error 2); then Operation not permitted (os error 1)"
    );
    assert_eq!(
        lines[1],
        "connecting to a server: Network is unreachable (os error 101); then Operation not permitted (os error 1)"
    );
    assert_eq!(lines[2], good);
    assert!(lines[3].starts_with("cut.png: refused: "), "{output}");
    assert!(lines[4].starts_with("text.png: refused: "), "{output}");
    assert!(lines[5].starts_with("bomb.png: refused: "), "{output}");
    assert_eq!(lines[6], good);
}

#[test]
fn a_parser_that_crashes_is_reported_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    picture(&directory.path().join("good.png"), 8, 8);
    let mut example = example(directory.path(), &["--crash", "good.png", "good.png"]);
    let Some((success, output, said)) = isolated(&mut example) else { return };
    assert!(success, "{output}{said}");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 4, "{output}");
    for pair in lines.chunks(2) {
        // The first process of a PID namespace does not die of SIGABRT: abort(3) then causes a fault.
        assert!(
            pair[0].starts_with("crashing as asked: the parser crashed (signal: 11"),
            "{output}"
        );
        assert!(pair[0].ends_with("), and is replaced"), "{output}");
        assert!(pair[1].starts_with("good.png: 8 x 8, 3 channels"), "{output}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_a_failure_and_the_others_are_parsed() {
    let directory = tempfile::tempdir().unwrap();
    picture(&directory.path().join("good.png"), 8, 8);
    let mut example = example(directory.path(), &["missing\u{1b}[31m.png", ".", "good.png"]);
    let Some((success, output, _)) = isolated(&mut example) else { return };
    assert!(!success, "{output}");
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with("missing\\u{1b}[31m.png: No such file"), "{output}");
    assert_eq!(lines[1], ".: not a regular file");
    assert!(lines[2].starts_with("good.png: 8 x 8, 3 channels"), "{output}");
}

#[test]
fn a_question_that_cannot_be_sent_is_an_error_and_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    picture(&directory.path().join("good.png"), 8, 8);
    let mut example = example(directory.path(), &["good.png"]);
    // No message with descriptors can be sent.
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let rules = [(libc::SYS_sendmsg, Vec::new())].into_iter().collect();
    let arch = env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    let refuse =
        move || seccompiler::apply_filter(&program).map_err(|_| io::ErrorKind::Other.into());
    // SAFETY: between fork and exec, this makes two system calls, and allocates nothing unless they fail.
    unsafe { example.pre_exec(refuse) };
    let Some((success, output, said)) = isolated(&mut example) else { return };
    assert!(!success, "{output}{said}");
    assert_eq!(output, "");
    assert!(said.starts_with("Error: asking the parser (good.png)"), "{said}");
}
