//! A generator thread: one event loop over its connections.
//!
//! Each turn of the loop waits for events, reads and times all answers that have come, sends what is due, and only then
//! looks at the answers. So neither checking nor recording is inside anybody's latency.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mio::{Events, Token};

use crate::connection::{Connection, Flight, Inbox, Received, State};
use crate::health::{Gone, Health};
use crate::outcome::{ErrorKind, nanos};
use crate::schedule::{Due, Next, Schedule};
use crate::wait::Waiter;
use crate::{Ended, LoadError, Mix, Mode, Outcome, Settings, verify};

/// How often timeouts and reconnections are looked at, in nanoseconds.
const TICK: u64 = 5_000_000;

/// An answer that has been timed and waits to be looked at.
struct Finished {
    flight: Flight,
    end: u64,
    inbox: Inbox,
}

pub(crate) struct Worker<'a> {
    settings: &'a Settings,
    mix: &'a Mix,
    schedule: Schedule<'a>,
    waiter: Waiter,
    connections: Vec<Connection>,
    /// The idle connections, longest idle first.
    free: VecDeque<usize>,
    finished: Vec<Finished>,
    /// Inboxes to be used again; the last one used is the one still in the cache.
    inboxes: Vec<Inbox>,
    /// The request being sent.
    wire: Vec<u8>,
    health: Health,
    ended: Option<Ended>,
    outcome: Outcome,
    started: Instant,
    /// How long requests are sent.
    window: u64,
    timeout: u64,
    next_tick: u64,
    in_flight: usize,
}

impl<'a> Worker<'a> {
    /// Generator thread number `thread` with the connections given to it. The load begins at `started`.
    pub(crate) fn new(
        settings: &'a Settings,
        mix: &'a Mix,
        thread: usize,
        streams: Vec<TcpStream>,
        started: Instant,
    ) -> Result<Self, LoadError> {
        let polls = !settings.cpus.is_empty();
        let waiter = Waiter::new(polls).map_err(LoadError::system("create a poll and a timer"))?;
        let connections = streams
            .into_iter()
            .enumerate()
            .map(|(index, stream)| Connection::adopt(stream, waiter.registry(), Token(index)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(LoadError::system("add a connection to a poll"))?;
        Ok(Self {
            settings,
            mix,
            schedule: Schedule::new(settings, mix, thread),
            waiter,
            free: (0..connections.len()).collect(),
            finished: Vec::with_capacity(connections.len()),
            inboxes: Vec::new(),
            wire: Vec::new(),
            health: Health::new(connections.len()),
            connections,
            ended: None,
            outcome: Outcome::new(settings.timeout),
            started,
            window: nanos(settings.duration),
            timeout: nanos(settings.timeout),
            next_tick: 0,
            in_flight: 0,
        })
    }

    /// Runs until the load is over, the subject is gone, or `cancelled` says so.
    pub(crate) fn run(mut self, cancelled: impl Fn() -> bool) -> Result<Outcome, LoadError> {
        let mut events = Events::with_capacity(1024);
        std::thread::sleep(self.started.saturating_duration_since(Instant::now()));
        loop {
            let now = self.now();
            self.dispatch(now);
            self.check_answers();
            if now >= self.next_tick {
                self.tick(now);
            }
            if cancelled() {
                self.ended = Some(Ended::Cancelled);
            }
            if self.ended.is_some() || (self.in_flight == 0 && self.schedule.next(now) == Next::Over) {
                break;
            }
            self.wait(&mut events, self.now())?;
            for event in &events {
                self.handle(event);
            }
        }
        self.outcome.window = Duration::from_nanos(self.now().min(self.window));
        self.outcome.ended = self.ended.unwrap_or_default();
        Ok(self.outcome)
    }

    /// Nanoseconds since the load began.
    fn now(&self) -> u64 {
        nanos(self.started.elapsed())
    }

    fn wait(&mut self, events: &mut Events, now: u64) -> Result<(), LoadError> {
        // What is due when no connection is free has to wait for an answer anyway.
        let due = if self.free.is_empty() { None } else { self.schedule.next(now).at() };
        self.waiter
            .wait(events, now, due, Duration::from_nanos(TICK))
            .map_err(LoadError::system("wait for the subject"))
    }

    /// Sends what is due over the connections that are free.
    fn dispatch(&mut self, now: u64) {
        while self.ended.is_none()
            && let Some(&index) = self.free.front()
        {
            let Next::Now(due) = self.schedule.next(now) else { break };
            self.schedule.take();
            self.free.pop_front();
            self.send(index, due);
        }
    }

    fn send(&mut self, index: usize, due: Due) {
        let sent = self.now();
        let open = self.settings.mode != Mode::Closed;
        let start = if open { due.at } else { sent };
        let connection = &mut self.connections[index];
        if let State::Idle { since } = connection.state
            && open
            && since <= due.at
        {
            self.outcome.lateness.saturating_record(sent - due.at);
        }
        let request = &self.mix.requests()[due.request];
        request.render(due.unique, &mut self.wire);
        let flight = Flight { request: due.request, due: start, sent };
        self.in_flight += 1;
        if let Err(error) = connection.send(flight, &self.wire, request.is_head()) {
            self.fail(index, ErrorKind::Connection, &format!("cannot send: {error}"));
        }
    }

    fn handle(&mut self, event: &mio::event::Event) {
        let Some(index) = Waiter::connection_of(event) else { return };
        let connection = &mut self.connections[index];
        match connection.state {
            State::Down { .. } => {}
            State::Opening { .. } => match connection.is_open() {
                Ok(true) => {
                    self.connections[index].state = State::Idle { since: self.now() };
                    self.free.push_back(index);
                }
                Ok(false) => {}
                Err(error) => self.fail(index, ErrorKind::Connection, &format!("cannot connect: {error}")),
            },
            State::Idle { .. } => {
                if !connection.is_quiet() {
                    self.lost_while_idle(index);
                }
            }
            State::Busy(flight) => {
                if event.is_writable()
                    && let Err(error) = connection.flush()
                {
                    self.fail(index, ErrorKind::Connection, &format!("cannot send: {error}"));
                } else if event.is_readable() || event.is_read_closed() || event.is_error() {
                    self.receive(index, flight, event.is_read_closed());
                }
            }
        }
    }

    fn receive(&mut self, index: usize, flight: Flight, closed: bool) {
        match self.connections[index].receive(closed) {
            Received::Incomplete => {}
            Received::Complete { reusable } => self.complete(index, flight, reusable),
            Received::Malformed(error) => self.fail(index, ErrorKind::Protocol, &error.to_string()),
            Received::Excess(bytes) => {
                self.fail(index, ErrorKind::Protocol, &format!("{bytes} bytes after the end of the answer"));
            }
            Received::Broken(error) => self.fail(index, ErrorKind::Connection, &error.to_string()),
        }
    }

    fn complete(&mut self, index: usize, flight: Flight, reusable: bool) {
        let end = self.now();
        let connection = &mut self.connections[index];
        let inbox = std::mem::replace(&mut connection.inbox, self.inboxes.pop().unwrap_or_default());
        self.finished.push(Finished { flight, end, inbox });
        self.in_flight -= 1;
        self.health.answered(connection, end);
        if reusable {
            connection.state = State::Idle { since: end };
            self.free.push_back(index);
        } else {
            self.reopen(index, end);
        }
    }

    /// Looks at the answers that have come and records them.
    fn check_answers(&mut self) {
        for Finished { flight, end, inbox } in self.finished.drain(..) {
            let request = &self.mix.requests()[flight.request];
            match verify::check(request, inbox.status(), inbox.body()) {
                Ok(()) => {
                    self.outcome.right += 1;
                    self.outcome.right_in_window += u64::from(end <= self.window);
                    self.outcome.elapsed = Duration::from_nanos(end);
                    self.outcome.latency.saturating_record(end - flight.due);
                    self.outcome.service_time.saturating_record(end - flight.sent);
                }
                Err(wrong) => self.outcome.errors.add(wrong.kind(), 1, || wrong.describe(request, inbox.body())),
            }
            self.inboxes.push(inbox);
        }
    }

    /// Does what is up by the clock. Some of what it looks at may be later than `now`.
    fn tick(&mut self, now: u64) {
        self.next_tick = now + TICK;
        for index in 0..self.connections.len() {
            match self.connections[index].state {
                State::Busy(flight) if now.saturating_sub(flight.sent) >= self.timeout => {
                    let silent = self.health.is_silent_since(flight.sent);
                    let what = format!("no whole answer within {:?}", self.settings.timeout);
                    self.fail(index, ErrorKind::Timeout, &what);
                    if silent {
                        self.give_up(&Gone::silent(self.settings.timeout), now);
                    }
                }
                State::Opening { since } if now.saturating_sub(since) >= self.timeout => {
                    self.fail(index, ErrorKind::Connection, "cannot connect: no reply in time");
                }
                State::Down { reopen_at } if reopen_at <= now => self.reopen(index, now),
                _ => {}
            }
        }
        while let Next::Now(due) = self.schedule.next(now)
            && now - due.at > self.timeout
        {
            let what = format!("no connection was free within {:?}", self.settings.timeout);
            self.count_unsent(due, ErrorKind::Timeout, &what);
        }
    }

    /// Counts a request that was due and is given up.
    fn count_unsent(&mut self, due: Due, kind: ErrorKind, what: &str) {
        self.schedule.take();
        let name = self.mix.requests()[due.request].name();
        self.outcome.errors.add(kind, 1, || format!("{name}: not sent: {what}"));
    }

    fn reopen(&mut self, index: usize, now: u64) {
        self.outcome.reconnects += 1;
        let opened = self.connections[index].open(self.settings.addr, self.waiter.registry(), Token(index), now);
        if let Err(error) = opened {
            self.fail(index, ErrorKind::Connection, &format!("cannot connect: {error}"));
        }
    }

    /// The subject closed a connection, or sent something, without having been asked anything.
    fn lost_while_idle(&mut self, index: usize) {
        self.free.retain(|&other| other != index);
        // Closing a connection after some answers is anybody's right; one that never answers must not be opened again
        // and again without a pause.
        if self.connections[index].answered {
            self.reopen(index, self.now());
        } else {
            self.fail(index, ErrorKind::Connection, "the connection was closed before a request was sent");
        }
    }

    /// Closes a connection that is of no more use, counts the request that was on it, and opens it again after a pause.
    fn fail(&mut self, index: usize, kind: ErrorKind, what: &str) {
        let now = self.now();
        let connection = &mut self.connections[index];
        if let State::Busy(flight) = connection.state {
            self.in_flight -= 1;
            self.count_failed(flight, kind, what);
        }
        let connection = &mut self.connections[index];
        connection.close();
        let gone = self.health.failed(connection, now, what);
        if let Some(gone) = gone.filter(|_| kind != ErrorKind::Timeout) {
            self.give_up(&gone, now);
        }
    }

    fn count_failed(&mut self, flight: Flight, kind: ErrorKind, what: &str) {
        let request = &self.mix.requests()[flight.request];
        self.outcome.errors.add(kind, 1, || format!("{}: {what}", request.name()));
    }

    /// Ends the load because the subject is not there any more; counts what is unanswered and what was due.
    fn give_up(&mut self, gone: &Gone, now: u64) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(Ended::SubjectGone(gone.what.clone()));
        for index in 0..self.connections.len() {
            let connection = &mut self.connections[index];
            connection.close();
            let was = std::mem::replace(&mut connection.state, State::Down { reopen_at: u64::MAX });
            if let State::Busy(flight) = was {
                self.in_flight -= 1;
                self.count_failed(flight, gone.kind, &gone.what);
            }
        }
        if self.settings.mode != Mode::Closed {
            while let Next::Now(due) = self.schedule.next(now) {
                self.count_unsent(due, gone.kind, &gone.what);
            }
        }
    }
}
