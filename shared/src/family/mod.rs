//! Who this process is, and which children it has.
//!
//! All of it belongs to one process: a copy by fork begins with an empty family, since the children of the
//! original are not its own.

mod active;
mod kin;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

pub use active::{ActiveChild, active_children};
pub use kin::{Current, Parent, current, parent};

use crate::child::Child;
use crate::ipc::message::Birth;
use crate::sys::per_process::PerProcess;

/// What the library knows of this process.
#[derive(Default)]
pub(crate) struct Family {
    /// Set in a process that the library has started.
    born: OnceLock<(Birth, i32)>,
    /// How many children were named.
    named: AtomicU64,
    children: Mutex<Vec<Weak<Child>>>,
}

/// The family of this process.
pub(crate) fn own() -> &'static Family {
    static FAMILY: PerProcess<Family> = PerProcess::new();
    FAMILY.get()
}

impl Family {
    /// Takes note that the library has started this process. To be called once.
    pub(crate) fn be_born(&self, birth: Birth, parent: i32) {
        let _ = self.born.set((birth, parent));
    }

    /// The name and the number of the next child. A number is counted from 1 in each process, and stands
    /// behind its parent's own, as in Python: the second child of the first child is `Process-1:2`.
    pub(crate) fn name_child(&self, kind: &str, name: Option<String>) -> Birth {
        let count = self.named.fetch_add(1, Ordering::Relaxed) + 1;
        let lineage = match self.born.get() {
            Some((birth, _)) => format!("{}:{count}", birth.lineage),
            None => count.to_string(),
        };
        Birth { name: name.unwrap_or_else(|| format!("{kind}-{lineage}")), lineage }
    }

    /// Takes note of a new child.
    pub(crate) fn add(&self, child: &Arc<Child>) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        // Only those whose handles are gone are struck out here: to ask the others costs a call each.
        if children.len() == children.capacity() {
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Arc::downgrade(child));
    }

    /// The children that have not ended; those that have are reaped.
    fn alive(&self) -> Vec<Arc<Child>> {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let alive: Vec<_> =
            children.iter().filter_map(Weak::upgrade).filter(|child| child.is_alive()).collect();
        *children = alive.iter().map(Arc::downgrade).collect();
        alive
    }
}
