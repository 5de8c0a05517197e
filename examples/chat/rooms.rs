//! The rooms of the server and their members.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datagrammar::tokio::Queue;
use datagrammar::{EncodeError, OwnedFrame, SendError};
use tokio::sync::Notify;

use crate::protocol::Event;

/// All rooms, shared by the tasks of all clients.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: Mutex<HashMap<String, HashMap<u64, Member>>>,
}

/// A client in a room.
pub(crate) struct Member {
    pub(crate) name: String,
    /// The queue of events before the client's socket.
    pub(crate) queue: Queue<Event<'static>>,
    /// Tells the client's task that its queue is full.
    pub(crate) too_slow: Arc<Notify>,
}

impl Rooms {
    /// Adds a member to a room, and tells everyone in it.
    pub(crate) fn join(&self, room: &str, id: u64, member: Member) -> Result<(), EncodeError> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let members = rooms.entry(room.to_owned()).or_default();
        let name = member.name.clone();
        members.insert(id, member);
        tell(members, &Event::Joined { name: &name, members: members.len() as u32 })
    }

    /// Says `text` to everyone in a room.
    pub(crate) fn say(&self, room: &str, id: u64, text: &str) -> Result<(), EncodeError> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(members) = rooms.get_mut(room) else { return Ok(()) };
        // Not there: the member was too slow.
        let Some(name) = members.get(&id).map(|member| member.name.clone()) else { return Ok(()) };
        tell(members, &Event::Said { name: &name, text })
    }

    /// Removes a member from a room, and tells the others.
    pub(crate) fn leave(&self, room: &str, id: u64) -> Result<(), EncodeError> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(members) = rooms.get_mut(room) else { return Ok(()) };
        if let Some(member) = members.remove(&id) {
            tell(members, &Event::Left { name: &member.name })?;
        }
        if members.is_empty() {
            rooms.remove(room);
        }
        Ok(())
    }
}

/// Sends an event to every member: encoded once, and without waiting. Removes members that have not read earlier
/// events.
fn tell(members: &mut HashMap<u64, Member>, event: &Event<'_>) -> Result<(), EncodeError> {
    let frame = OwnedFrame::encode(event)?;
    members.retain(|_id, member| match member.queue.try_send_frame(&frame) {
        Err(SendError::Full { .. }) => {
            member.too_slow.notify_one();
            false
        }
        // Sent, or the member is about to leave.
        _ => true,
    });
    Ok(())
}
