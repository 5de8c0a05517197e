//! Policies, which decide which clients a listener accepts.

use std::fmt;
use std::sync::Arc;

use crate::peer::Peer;
use crate::sys;

/// Decides which clients a [`Listener`](crate::Listener) accepts.
///
/// The kernel identifies a client, and the policy decides before any frame is read. A rejected client sees the
/// end of its connection immediately. [`Listener::rejected`](crate::Listener::rejected) counts rejections.
///
/// ```
/// use datagrammar::{Connection, Listener, Message, Options, Policy};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let address = "unix:@datagrammar-doc-policy".parse()?;
/// let options = Options::new().policy(Policy::same_user());
/// let listener = Listener::<Ping, Ping>::bind_with(&address, &options)?;
/// let _client = Connection::<Ping, Ping>::connect(&address)?;
/// assert_eq!(listener.accept()?.peer()?.pid, std::process::id());
/// assert_eq!(listener.rejected(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Policy(Rule);

#[derive(Clone)]
enum Rule {
    Anyone,
    Listed { users: Vec<u32>, groups: Vec<u32> },
    By(Arc<dyn Fn(&Peer) -> bool + Send + Sync>),
}

impl Policy {
    /// Admits everybody. This is the default. The permission bits of a path still apply.
    #[must_use]
    pub fn anyone() -> Self {
        Self(Rule::Anyone)
    }

    /// Admits processes whose effective user is that of this process.
    #[must_use]
    pub fn same_user() -> Self {
        Self::listed([sys::effective_uid()], [])
    }

    /// Admits processes whose effective user is in `users`, or whose effective or supplementary groups are in
    /// `groups`.
    ///
    /// ```
    /// use datagrammar::{Connection, Listener, Message, Options, Policy};
    /// # #[derive(Message)]
    /// # enum Ping { #[message(tag = 1)] Ping }
    ///
    /// let (ours, _theirs) = Connection::<Ping, Ping>::pair()?;
    /// let this = ours.peer()?; // this process has created the pair
    ///
    /// let address = "unix:@datagrammar-doc-policy-listed".parse()?;
    /// let options = Options::new().policy(Policy::listed([], [this.gid]));
    /// let listener = Listener::<Ping, Ping>::bind_with(&address, &options)?;
    /// let _client = Connection::<Ping, Ping>::connect(&address)?;
    /// assert_eq!(listener.accept()?.peer()?.gid, this.gid);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn listed(
        users: impl IntoIterator<Item = u32>,
        groups: impl IntoIterator<Item = u32>,
    ) -> Self {
        let (users, groups) = (users.into_iter().collect(), groups.into_iter().collect());
        Self(Rule::Listed { users, groups })
    }

    /// Admits clients for which `admits` returns `true`.
    ///
    /// ```
    /// use datagrammar::{AcceptError, Connection, Listener, Message, Options, Policy};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// let address = "unix:@datagrammar-doc-policy-by".parse()?;
    /// let options = Options::new().policy(Policy::by(|peer| peer.pid != std::process::id()));
    /// let listener = Listener::<Ping, Ping>::bind_with(&address, &options)?;
    /// let mut client = Connection::<Ping, Ping>::connect(&address)?;
    /// assert!(matches!(listener.try_accept(), Err(AcceptError::WouldBlock)));
    /// assert_eq!(listener.rejected(), 1);
    /// assert!(client.recv()?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn by(admits: impl Fn(&Peer) -> bool + Send + Sync + 'static) -> Self {
        Self(Rule::By(Arc::new(admits)))
    }

    /// Returns whether the policy needs the peer's identity.
    pub(crate) fn needs_identity(&self) -> bool {
        !matches!(self.0, Rule::Anyone)
    }

    pub(crate) fn admits(&self, peer: &Peer) -> bool {
        match &self.0 {
            Rule::Anyone => true,
            Rule::Listed { users, groups } => {
                users.contains(&peer.uid)
                    || groups.contains(&peer.gid)
                    || peer.groups.iter().any(|group| groups.contains(group))
            }
            Rule::By(admits) => admits(peer),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Anyone => f.write_str("anyone"),
            Rule::Listed { users, groups } => write!(f, "users {users:?}, groups {groups:?}"),
            Rule::By(_) => f.write_str("by a function"),
        }
    }
}
