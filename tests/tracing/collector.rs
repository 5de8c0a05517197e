//! A subscriber that keeps the spans of calls.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// The current spans of this thread.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// A span of a call.
#[derive(Debug, Default, Clone)]
pub(crate) struct Span {
    /// `call` or `handle`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) id: Option<u64>,
    pub(crate) outcome: String,
    /// The events inside it.
    pub(crate) events: usize,
    /// How many handles of the span are left.
    handles: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Collector(Arc<Mutex<BTreeMap<u64, Span>>>);

impl Collector {
    /// Returns the collector of this process, and empties it. Only one test at a time may have it.
    pub(crate) fn start() -> (Self, MutexGuard<'static, ()>) {
        static TURN: Mutex<()> = Mutex::new(());
        static COLLECTOR: OnceLock<Collector> = OnceLock::new();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let collector = COLLECTOR.get_or_init(|| {
            let collector = Self(Arc::default());
            tracing::subscriber::set_global_default(collector.clone()).unwrap();
            collector
        });
        (collector.clone(), turn)
    }

    /// Returns the spans that have ended, the oldest first. Checks that all of them have ended.
    pub(crate) fn take(&self) -> Vec<Span> {
        let spans: Vec<_> = std::mem::take(&mut *self.0.lock().unwrap()).into_values().collect();
        for span in &spans {
            assert_eq!(span.handles, 0, "{span:?}");
        }
        spans
    }

    /// Returns whether some spans have not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.0.lock().unwrap().values().any(|span| span.handles > 0)
    }

    fn change<T>(&self, id: &Id, change: impl FnOnce(&mut Span) -> T) -> Option<T> {
        self.0.lock().unwrap().get_mut(&id.into_u64()).map(change)
    }
}

impl Visit for Span {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_u64(&mut self, field: &Field, value: u64) {
        assert_eq!(field.name(), "id");
        self.id = Some(value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = match field.name() {
            "name" => &mut self.name,
            "outcome" => &mut self.outcome,
            other => panic!("{other}"),
        };
        assert!(text.is_empty(), "{text} and {value}");
        *text = value.to_owned();
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "datagrammar::calls" || metadata.is_event()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let kind = attributes.metadata().name();
        let mut span = Span { kind, handles: 1, ..Span::default() };
        attributes.record(&mut span);
        let mut spans = self.0.lock().unwrap();
        let id = spans.last_key_value().map_or(1, |(last, _)| last + 1);
        spans.insert(id, span);
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        self.change(id, |span| values.record(span));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let id = ENTERED.with_borrow(|entered| *entered.last().expect("a span"));
        self.change(&Id::from_u64(id), |span| span.events += 1);
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        let left = ENTERED.with_borrow_mut(Vec::pop);
        assert_eq!(left, Some(id.into_u64()));
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.change(id, |span| span.handles += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let left = self.change(&id, |span| {
            span.handles -= 1;
            span.handles
        });
        left == Some(0)
    }
}
