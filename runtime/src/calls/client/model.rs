//! Compares the table with a model that is too simple to be wrong, for parts of every kind in every order.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use proptest::prelude::*;
use proptest::sample::Index;

use super::table::Table;
use crate::calls::status::{CREDIT, Status};
use crate::error::{RecvError, SendError};
use crate::receiver::Part;
use crate::wire::{CallHead, CallKind};

#[derive(Debug, Clone)]
enum Step {
    Begin {
        items: bool,
    },
    Deliver {
        kind: CallKind,
        status: u32,
        call: Index,
    },
    /// Takes the answer or the next item.
    Poll {
        call: Index,
    },
    Forget {
        call: Index,
    },
    Fail {
        call: Index,
    },
    NotSent {
        call: Index,
    },
    FailAll,
    TakeWaiting,
    StopWaiting {
        call: Index,
    },
    Stop,
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = any::<Index>;
    let kind = prop_oneof![
        4 => Just(CallKind::Reply),
        12 => Just(CallKind::Item),
        2 => Just(CallKind::End),
        1 => Just(CallKind::Request),
        1 => Just(CallKind::Cancel),
        1 => Just(CallKind::Credit),
    ];
    let status = prop_oneof![2 => Just(0), 1 => 0..12_u32];
    let deliver = (kind, status, call());
    let step = prop_oneof![
        20 => any::<bool>().prop_map(|items| Step::Begin { items }),
        200 => deliver.prop_map(|(kind, status, call)| Step::Deliver { kind, status, call }),
        120 => call().prop_map(|call| Step::Poll { call }),
        5 => call().prop_map(|call| Step::Forget { call }),
        4 => call().prop_map(|call| Step::Fail { call }),
        4 => call().prop_map(|call| Step::NotSent { call }),
        2 => Just(Step::FailAll),
        8 => Just(Step::TakeWaiting),
        4 => call().prop_map(|call| Step::StopWaiting { call }),
        1 => Just(Step::Stop),
        1 => Just(Step::End),
    ];
    prop::collection::vec(step, 0..400)
}

/// The result of a call as text: the number of its frame, or its error.
type Text = String;

/// A call of the model: everything that arrived for it, and how much of that was taken.
#[derive(Debug)]
struct Call {
    items: bool,
    came: Vec<Text>,
    /// How many of those are items.
    taken: usize,
    end: Option<Text>,
    /// How many items the server may have sent.
    allowed: usize,
    waits: bool,
}

#[derive(Debug, Default)]
struct Model {
    calls: BTreeMap<u64, Call>,
    last: u64,
    ended: Option<Text>,
    dropped: u64,
}

impl Model {
    /// Ends a call, unless it has ended.
    fn end(&mut self, id: u64, how: &Text) {
        let call = self.calls.get_mut(&id);
        call.into_iter().for_each(|call| _ = call.end.get_or_insert_with(|| how.clone()));
    }

    /// Delivers a part. Returns whether it changes its call.
    fn deliver(&mut self, kind: CallKind, status: u32, id: u64, frame: Text) -> bool {
        let error = Status::new(status).into_error().map(|error| format!("{error:?}"));
        let wrong = || "Unexpected".to_owned();
        let call = self.calls.get_mut(&id).filter(|call| call.end.is_none());
        let end = match (call, kind) {
            (Some(call), CallKind::Item) if call.items && call.came.len() < call.allowed => {
                call.came.push(frame);
                return true;
            }
            (Some(call), CallKind::Item) if call.items => {
                self.dropped += 1;
                wrong()
            }
            (Some(call), CallKind::Reply) if !call.items => error.unwrap_or(frame),
            (Some(call), CallKind::End) if call.items => error.unwrap_or_else(|| "end".into()),
            (Some(_), CallKind::Reply | CallKind::End) => error.unwrap_or_else(wrong),
            _ => {
                self.dropped += 1;
                return false;
            }
        };
        self.end(id, &end);
        true
    }

    /// Returns what a poll of a call finds.
    fn poll(&mut self, id: u64) -> Option<Text> {
        let call = self.calls.get_mut(&id)?;
        if let Some(item) = call.came.get(call.taken) {
            call.taken += 1;
            return Some(item.clone());
        }
        call.waits = call.end.is_none();
        let end = call.end.clone()?;
        self.calls.remove(&id);
        Some(end)
    }
}

/// A waker that is known by its call.
struct Known;

impl Wake for Known {
    fn wake(self: Arc<Self>) {}
}

#[derive(Default)]
struct Wakers(BTreeMap<u64, Waker>);

impl Wakers {
    fn of(&mut self, id: u64) -> &Waker {
        self.0.entry(id).or_insert_with(|| Waker::from(Arc::new(Known)))
    }

    /// Checks that exactly those of `waiting` are woken, which then wait no more.
    fn check(&self, woken: impl IntoIterator<Item = Waker>, model: &mut Model, of: &[u64]) {
        let mut ids: Vec<_> = woken.into_iter().map(|waker| self.id(&waker)).collect();
        ids.sort_unstable();
        let mut expected = Vec::new();
        for id in of {
            if let Some(call) = model.calls.get_mut(id)
                && std::mem::take(&mut call.waits)
            {
                expected.push(*id);
            }
        }
        assert_eq!(ids, expected);
    }

    fn id(&self, woken: &Waker) -> u64 {
        let known = self.0.iter().find(|(_, waker)| waker.will_wake(woken));
        *known.expect("a waker of a call").0
    }
}

fn text<E: Debug>(result: Result<Option<Part>, E>) -> Text {
    match result {
        Ok(Some(part)) => part.frame().iter().map(u8::to_string).collect(),
        Ok(None) => "end".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn check(steps: Vec<Step>) {
    let (mut table, mut model, mut wakers) =
        (Table::default(), Model::default(), Wakers::default());
    let lost = Arc::new(RecvError::Empty);
    let not_sent = Arc::new(SendError::Closed);
    for (number, step) in steps.into_iter().enumerate() {
        // Forged ones, too: 0, and the next one.
        let id = |call: Index| call.index(model.last as usize + 2) as u64;
        let all: Vec<u64> = model.calls.keys().copied().collect();
        match step {
            Step::Begin { items } => {
                let id = model.last + 1;
                let begun = table.begin(id, "Call", items).map_err(|error| format!("{error:?}"));
                let is_alone = model.calls.values().all(|call| call.end.is_some());
                assert_eq!(begun, model.ended.clone().map_or(Ok(is_alone), Err));
                if begun.is_ok() {
                    model.last = id;
                    let allowed = if items { CREDIT as usize } else { 0 };
                    let (came, end) = (Vec::new(), None);
                    let call = Call { items, came, taken: 0, end, allowed, waits: false };
                    model.calls.insert(id, call);
                }
            }
            Step::Deliver { kind, status, call } => {
                let id = id(call);
                let frame = number.to_le_bytes();
                let head = CallHead { kind, number: status, id };
                let mut part = Part::of(head, &frame);
                let woken = table.deliver(&mut part);
                let is_taken = part.head.is_none();
                let frame: Text = frame.iter().map(u8::to_string).collect();
                let changed = model.deliver(kind, status, id, frame.clone()).then_some(id);
                let has_frame = |call: &Call| {
                    call.came.last() == Some(&frame) || call.end.as_ref() == Some(&frame)
                };
                assert_eq!(is_taken, model.calls.get(&id).is_some_and(has_frame));
                wakers.check(woken, &mut model, changed.as_slice());
            }
            Step::Poll { call } => {
                let id = id(call);
                let Some(call) = model.calls.get(&id) else { continue };
                let waker = wakers.of(id);
                let mut replaced = None;
                let (polled, more) = match call.items {
                    false => (table.poll_answer(id, waker, &mut replaced).map_ok(Some), 0),
                    true => match table.poll_item(id, waker, &mut replaced) {
                        Poll::Ready(Ok((item, more))) => (Poll::Ready(Ok(item)), more),
                        Poll::Ready(Err(error)) => (Poll::Ready(Err(error)), 0),
                        Poll::Pending => (Poll::Pending, 0),
                    },
                };
                let expected = model.poll(id);
                match polled {
                    Poll::Ready(result) => assert_eq!(Some(text(result)), expected),
                    Poll::Pending => assert_eq!(None, expected),
                }
                let Some(call) = model.calls.get_mut(&id).filter(|call| call.items) else {
                    continue;
                };
                call.allowed += more as usize;
                // Never more ahead than the first credit, and never none.
                let ahead = call.allowed - call.taken;
                assert!(ahead <= CREDIT as usize, "{ahead}");
                assert!(call.end.is_some() || ahead >= CREDIT as usize / 2, "{ahead}");
            }
            Step::Forget { call } => {
                let id = id(call);
                let is_open = model.calls.remove(&id).is_some_and(|call| match call.end {
                    None => true,
                    Some(end) => call.items && (end.starts_with("Lost") || end == "Unexpected"),
                });
                let is_running = table.forget(id).is_some_and(|(_call, is_running)| is_running);
                assert_eq!(is_running, is_open && model.ended.is_none());
            }
            Step::Fail { call } => {
                let id = id(call);
                let woken = table.fail(id, &lost);
                model.end(id, &"Lost(Empty)".into());
                wakers.check(woken, &mut model, &[id]);
            }
            Step::NotSent { call } => {
                let id = id(call);
                let woken = table.not_sent(id, &not_sent);
                model.end(id, &"NotSent(Closed)".into());
                wakers.check(woken, &mut model, &[id]);
            }
            Step::FailAll => {
                let woken = table.fail_all(&lost);
                all.iter().for_each(|id| model.end(*id, &"Lost(Empty)".into()));
                wakers.check(woken, &mut model, &all);
            }
            Step::TakeWaiting => match table.take_waiting() {
                Some(woken) => {
                    let id = wakers.id(&woken);
                    wakers.check([woken], &mut model, &[id]);
                }
                None => assert!(model.calls.values().all(|call| !call.waits)),
            },
            Step::StopWaiting { call } => {
                let id = id(call);
                assert!(table.stop_waiting(id, Waker::noop()).is_none());
                let stopped = table.stop_waiting(id, wakers.of(id));
                wakers.check(stopped, &mut model, &[id]);
            }
            Step::Stop => {
                let woken = table.stop(&not_sent, 0);
                model.ended.get_or_insert("NotSent(Closed)".into());
                wakers.check(woken, &mut model, &all);
            }
            Step::End => {
                let woken = table.end(None);
                model.ended = Some("Disconnected(None)".into());
                all.iter().for_each(|id| model.end(*id, &"Disconnected(None)".into()));
                wakers.check(woken, &mut model, &all);
            }
        }
        assert_eq!((table.len(), table.dropped()), (model.calls.len(), model.dropped));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn h38_the_table_does_as_the_model(steps in steps()) {
        check(steps);
    }
}
