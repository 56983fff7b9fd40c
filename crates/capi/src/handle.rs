//! Handles: names in a table, checked at every use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The low bits say what kind of object it is. No kind is 0, so neither NULL nor the address of
/// anything that is aligned is a handle.
const KIND_BITS: u32 = 4;
/// The next bits are a place in the table, the rest how often the place was used before.
const INDEX_BITS: u32 = usize::BITS * 3 / 8;
const MAX_GENERATION: usize = usize::MAX >> (KIND_BITS + INDEX_BITS);

/// Objects of one kind, each with a count of references.
#[derive(Debug)]
pub(crate) struct Table<T> {
    kind: usize,
    limit: usize,
    places: Mutex<Places<T>>,
}

#[derive(Debug)]
struct Places<T> {
    all: Vec<Place<T>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Place<T> {
    generation: usize,
    references: u32,
    value: Option<Arc<T>>,
}

impl<T> Table<T> {
    /// An empty table for objects of kind 1 to 15, at most `limit` at once.
    pub(crate) const fn new(kind: usize, limit: usize) -> Self {
        assert!(kind > 0 && kind < 1 << KIND_BITS && limit < 1 << INDEX_BITS);
        Self { kind, limit, places: Mutex::new(Places { all: Vec::new(), free: Vec::new() }) }
    }

    /// Names `value`, with one reference; `None` when there are too many.
    pub(crate) fn insert(&self, value: Arc<T>) -> Option<usize> {
        let mut places = self.lock();
        let index = match places.free.pop() {
            Some(index) => index,
            None if places.all.len() < self.limit => {
                places.all.push(Place { generation: 0, references: 0, value: None });
                places.all.len() - 1
            }
            None => return None,
        };
        let place = &mut places.all[index];
        (place.references, place.value) = (1, Some(value));
        Some(((place.generation << INDEX_BITS | index) << KIND_BITS) | self.kind)
    }

    /// The object of that name.
    pub(crate) fn get(&self, handle: usize) -> Option<Arc<T>> {
        self.place(&mut self.lock(), handle)?.value.clone()
    }

    /// Adds a reference; `None` when there is no such object or there are too many references.
    pub(crate) fn add_reference(&self, handle: usize) -> Option<()> {
        let mut places = self.lock();
        let place = self.place(&mut places, handle)?;
        place.references = place.references.checked_add(1)?;
        Some(())
    }

    /// Takes a reference away; returns the object with the last one, after which its name is no
    /// more. `None` when there is no such object.
    pub(crate) fn release(&self, handle: usize) -> Option<Option<Arc<T>>> {
        let mut places = self.lock();
        let place = self.place(&mut places, handle)?;
        place.references -= 1;
        if place.references > 0 {
            return Some(None);
        }
        let value = place.value.take();
        place.generation += 1;
        // A place whose names are used up is never used again.
        if place.generation <= MAX_GENERATION {
            places.free.push((handle >> KIND_BITS) & ((1 << INDEX_BITS) - 1));
        }
        Some(value)
    }

    fn place<'a>(&self, places: &'a mut Places<T>, handle: usize) -> Option<&'a mut Place<T>> {
        let index = (handle >> KIND_BITS) & ((1 << INDEX_BITS) - 1);
        let generation = handle >> (KIND_BITS + INDEX_BITS);
        let is_kind = handle & ((1 << KIND_BITS) - 1) == self.kind;
        let place = places.all.get_mut(index).filter(|_| is_kind)?;
        (place.generation == generation && place.value.is_some()).then_some(place)
    }

    fn lock(&self) -> MutexGuard<'_, Places<T>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_with_its_last_reference_and_never_comes_back() {
        let table = Table::new(3, 10);
        let handle = table.insert(Arc::new("a")).unwrap();
        table.add_reference(handle).unwrap();
        assert_eq!(table.release(handle), Some(None));
        assert_eq!(table.get(handle).as_deref(), Some(&"a"));
        assert_eq!(table.release(handle).flatten().as_deref(), Some(&"a"));
        let again = table.insert(Arc::new("b")).unwrap();
        assert_ne!(again, handle);
        assert_eq!(table.get(handle), None);
        assert_eq!(table.release(handle), None);
        assert_eq!(table.add_reference(handle), None);
        assert_eq!(table.get(again).as_deref(), Some(&"b"));
    }

    #[test]
    fn no_address_and_no_other_kind_is_a_name() {
        let (sessions, frames) = (Table::new(1, 100), Table::<()>::new(2, 100));
        let session = sessions.insert(Arc::new(())).unwrap();
        assert_eq!(frames.get(session), None);
        let on_stack = 0u64;
        let address = std::ptr::from_ref(&on_stack) as usize;
        for wrong in [0, 1 << KIND_BITS, address, usize::MAX, session + (1 << KIND_BITS)] {
            assert_eq!(sessions.get(wrong), None, "{wrong:x}");
        }
    }

    #[test]
    fn there_is_a_limit_and_places_are_used_again() {
        let table = Table::new(1, 3);
        let handles: Vec<_> = (0..3).map(|n| table.insert(Arc::new(n)).unwrap()).collect();
        assert_eq!(table.insert(Arc::new(9)), None);
        assert_eq!(table.release(handles[1]).flatten().as_deref(), Some(&1));
        assert!(table.insert(Arc::new(9)).is_some());
    }
}
