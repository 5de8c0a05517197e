//! The table of the results.

use std::fmt::Write as _;

use datagrammar_benches::machine;

use crate::Case;
use crate::echo::TEXT;

/// Returns the figures as a page of Markdown.
pub(crate) fn of(cases: &[Case]) -> String {
    let mut page = format!(
        "# Calls, measured side by side\n\n{}.\n\n\
         A call sends {} bytes, and gets them back. CPU time is that of both sides, in user and kernel mode, in ns: the \
         median over interleaved rounds. The ratio is the median of the rounds' ratios. *In flight* is the number of \
         calls that run at a time. *One runtime* has a thread for each core. *Two threads* have a runtime each: with few \
         calls at a time, waking a sleeping core takes most of tarpc's CPU time. Blocking calls and raw ones run on one \
         core, and the blocking server has one thread; *eager* waits in the read itself.\n\n\
         | sides | in flight | datagrammar | compared with | its CPU time | ratio | required | |\n\
         | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |\n",
        machine::describe(),
        TEXT.len(),
    );
    for case in cases {
        let Case { sides, in_flight, theirs, ours_ns, theirs_ns, ratio, required } = case;
        let verdict = required.map(|most| {
            format!("at most {most} | {}", if case.is_met() { "met" } else { "MISSED" })
        });
        let verdict = verdict.unwrap_or_else(|| " | ".into());
        // Writing to a string does not fail.
        _ = writeln!(
            page,
            "| {sides} | {in_flight} | {ours_ns:.0} | {theirs} | {theirs_ns:.0} | {ratio:.2} | {verdict} |"
        );
    }
    page
}
