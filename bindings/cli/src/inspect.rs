//! `nexowire inspect`: what messages are.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use nexowire_core::limits::Limits;
use nexowire_core::nexo::Texts;
use nexowire_core::report::Report;
use serde::Serialize;

use crate::arguments::InspectArguments;
use crate::input::for_each_line;
use crate::pretty;

/// A line: the argument, and what is known of the body.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    report: Report,
}

pub(crate) fn run(arguments: &InspectArguments) -> io::Result<ExitCode> {
    let mut printer = Printer {
        out: BufWriter::new(io::stdout().lock()),
        pretty: arguments.pretty,
        colours: pretty::colours(io::stdout().is_terminal()),
    };
    let mut code = ExitCode::SUCCESS;
    for file in &arguments.files {
        if file == "-" {
            for_each_line(io::stdin().lock(), "-", |body| {
                printer.print("-", &body.bytes)?;
                // Who types or pipes lines wants each answer at once.
                printer.out.flush()
            })?;
            continue;
        }
        // A name that is no text is shown as well as it can be; the file is found by what it really is.
        let name = file.to_string_lossy();
        match fs::read(file) {
            Ok(body) => printer.print(&name, &body)?,
            Err(error) => {
                printer.out.flush()?;
                writeln!(io::stderr(), "nexowire: {name}: {error}")?;
                code = ExitCode::FAILURE;
            }
        }
    }
    printer.out.flush()?;
    Ok(code)
}

struct Printer<W: Write> {
    out: BufWriter<W>,
    pretty: bool,
    colours: bool,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, file: &str, body: &[u8]) -> io::Result<()> {
        let report = Report::of_body(body, &Limits::default(), &Texts::default());
        let line = Line { file, report };
        if self.pretty {
            return pretty::print(&mut self.out, &serde_json::to_value(&line)?, self.colours);
        }
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }
}
