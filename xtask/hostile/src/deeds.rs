//! What it does before it listens.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;

use crate::{Hostile, sys};

/// What it does, as the program that was started with these arguments.
type Deed = fn(&Hostile);

/// All deeds, by the name of the behaviour.
const DEEDS: &[(&str, Deed)] = &[
    ("mute", |_| sleep()),
    ("exits", |_| {
        let _ = io::stderr().write_all("\u{1b}]0;owned\u{7}so it \u{202e}ends\n".as_bytes());
        sys::end(3);
    }),
    ("phases", |_| {
        let phase = "{\"event\":\"phase\",\"phase\":\"\\u001b[31mmain\",\"at_ns\":1}\n".repeat(1000);
        (0..1000).for_each(|_| pour(&mut io::stdout(), phase.as_bytes()));
    }),
    // Before it was started, and after it will have ended.
    ("other-times", |it| {
        let addr = format!("127.0.0.1:{}", it.port);
        let event = |phase, at: u64| format!("{{\"event\":\"phase\",\"phase\":\"{phase}\",\"at_ns\":{at}}}\n");
        let (main, load) = (event("main", u64::MAX), event("load", 1));
        let last = format!("{{\"event\":\"listening\",\"service\":\"x\",\"addr\":\"{addr}\",\"at_ns\":0}}\n");
        pour(&mut io::stdout(), (main + &load + &last).as_bytes());
    }),
    ("floods-and-exits", |_| {
        flood(&mut io::stderr());
        sys::end(3);
    }),
    ("stdout-endless", |_| {
        thread::spawn(|| {
            loop {
                pour(&mut io::stdout(), &[b'a'; 65536]);
            }
        });
    }),
    ("stdout-200mb", |_| flood(&mut io::stdout())),
    ("stderr-200mb", |_| flood(&mut io::stderr())),
    ("not-utf8", |_| pour(&mut io::stdout(), b"\xff\xfe\x80\n")),
    ("closes-stdout", |_| sys::close_stdout()),
    // A child in a session of its own.
    ("burner", |it| it.child("burn", false)),
    // The same, whose parent ends at once, so that it belongs to nobody.
    ("leaver", |it| it.child("leaves", false)),
    // The same once more, and nothing in its environment says whose it was.
    ("stranger", |it| it.child("leaves", true)),
    ("leaves", |it| {
        it.child("burn", false);
        sys::end(0);
    }),
    ("burn", |_| {
        sys::leave_session();
        loop {
            std::hint::spin_loop();
        }
    }),
    // It serves from a child that belongs to nobody, as daemons do.
    ("daemon", |it| {
        it.child("daemon-child", false);
        sys::end(0);
    }),
    ("daemon-child", |_| sys::leave_session()),
    ("crowd", |it| (0..300).for_each(|_| it.child("mute", false))),
    ("ignores-term", |it| sys::ignore_term(it.marks.as_deref())),
    ("memory-400mb", |_| {
        // Every page is written to, and kept.
        let bytes: Vec<u8> = (0..400 << 20).map(|place: u32| place.to_le_bytes()[0]).collect();
        std::mem::forget(std::hint::black_box(bytes));
    }),
];

/// The deed of a behaviour.
pub fn of(behaviour: &str) -> Option<Deed> {
    DEEDS.iter().find(|(name, _)| *name == behaviour).map(|(_, deed)| *deed)
}

impl Hostile {
    /// Starts itself once more.
    fn child(&self, behaviour: &str, stranger: bool) {
        let Ok(program) = std::env::current_exe() else { return };
        let mut command = Command::new(program);
        command.args([&self.port.to_string(), behaviour]).stdin(Stdio::null());
        if stranger {
            command.env_clear();
        }
        // That it cannot be started is no fault.
        let _ = command.spawn();
    }
}

fn pour(output: &mut impl Write, bytes: &[u8]) {
    // Whether anybody reads is not its concern.
    let _ = output.write_all(bytes);
    let _ = output.flush();
}

fn flood(output: &mut impl Write) {
    (0..200).for_each(|_| pour(output, &vec![b'a'; 1 << 20]));
}

fn sleep() {
    loop {
        thread::park();
    }
}
