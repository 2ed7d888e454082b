//! What memory a program's processes share, by which they can learn from each other without a call.

/// From nothing to everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sharing {
    /// None.
    #[default]
    Nothing,
    /// Semaphores of sem_open(3) alone.
    Semaphores,
    /// Memory of their own making.
    Memory,
}

/// What the names of the files begin with that hold the semaphores of sem_open(3).
const SEMAPHORES: &str = "/dev/shm/sem.";

/// The same for the rings of this course's library, which it guards itself.
const RINGS: &str = "/memfd:multiprocessing";

/// The same for files of the system, which C libraries map to read them.
const SYSTEM: &str = "/usr/";

impl Sharing {
    /// What a file of this name is to processes that map it; memory without a file has none.
    pub(super) fn by(path: &str) -> Sharing {
        match path {
            path if path.starts_with(RINGS) || path.starts_with(SYSTEM) => Sharing::Nothing,
            path if path.starts_with(SEMAPHORES) => Sharing::Semaphores,
            _ => Sharing::Memory,
        }
    }
}
