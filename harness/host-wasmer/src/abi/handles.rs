//! Handles: how guests hold what is the host's.

use std::marker::PhantomData;

use tare_host::settings::HANDLES;

use super::{Flat, Flats, Guest, Lift, Lower, Sink, Trap, Type};

/// A type of things that guests hold handles on.
pub trait Resource: Sized {
    /// A thing of any of the types that an instance has handles on.
    type Entry;

    /// Its name in WIT.
    const NAME: &'static str;

    /// Wraps one up.
    fn wrap(self) -> Self::Entry;

    /// Unwraps one. `None` if it is of another type.
    fn unwrap(entry: Self::Entry) -> Option<Self>;

    /// Looks at one. `None` if it is of another type.
    fn look(entry: &Self::Entry) -> Option<&Self>;

    /// Looks at one to change it. `None` if it is of another type.
    fn look_mut(entry: &mut Self::Entry) -> Option<&mut Self>;
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T> {
            index: u32,
            of: PhantomData<fn() -> T>,
        }

        impl<T> $name<T> {
            /// The handle with this index. Whether there is one, and of this type, shows when it is used.
            pub fn new(index: u32) -> Self {
                Self { index, of: PhantomData }
            }

            /// Its index.
            pub fn index(&self) -> u32 {
                self.index
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> PartialEq for $name<T> {
            fn eq(&self, other: &Self) -> bool {
                self.index == other.index
            }
        }

        impl<T> Eq for $name<T> {}

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.index)
            }
        }

        impl<T> Type for $name<T> {
            const SIZE: u32 = 4;
            const ALIGN: u32 = 4;
            const WIDTH: usize = 1;

            fn flatten(into: &mut Vec<Flat>) {
                into.push(Flat::I32);
            }
        }

        impl<T> Lift for $name<T> {
            fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
                u32::load(guest, at).map(Self::new)
            }

            fn lift(_: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
                Ok(Self::new(flats.take_u32()))
            }
        }

        impl<T> Lower for $name<T> {
            fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
                self.index.store(sink, at)
            }

            fn flat(self) -> u64 {
                self.index.into()
            }
        }
    };
}

handle! {
    /// A handle that passes with what it is on (`own<T>`).
    Own
}

handle! {
    /// A handle that is lent for a call (`borrow<T>`).
    Borrow
}

/// The handles of one instance, on things of the types that make up `E`.
///
/// What depends on something else (a stream on its body) keeps that from being dropped: a guest must drop children
/// first, as the hosts of Wasmtime demand too.
#[derive(Debug)]
pub struct Handles<E> {
    slots: Vec<Slot<E>>,
    /// The first of the free slots, each of which names the next.
    free: Option<u32>,
}

impl<E> Default for Handles<E> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: None }
    }
}

#[derive(Debug)]
enum Slot<E> {
    Used { entry: E, parent: Option<u32>, children: u32 },
    Free { next: Option<u32> },
}

impl<E> Handles<E> {
    /// Hands something out.
    ///
    /// # Errors
    /// The instance has too many handles.
    pub fn push<T: Resource<Entry = E>>(&mut self, value: T) -> Result<Own<T>, Trap> {
        self.put(value.wrap(), None).map(Own::new)
    }

    /// Hands something out that depends on what another handle is on.
    ///
    /// # Errors
    /// There is no such other, or the instance has too many handles.
    pub fn push_child<T, P>(&mut self, value: T, parent: Borrow<P>) -> Result<Own<T>, Trap>
    where
        T: Resource<Entry = E>,
        P: Resource<Entry = E>,
    {
        self.get(parent)?;
        let child = self.put(value.wrap(), Some(parent.index))?;
        if let Some(Slot::Used { children, .. }) = self.slot_mut(parent.index) {
            *children += 1;
        }
        Ok(Own::new(child))
    }

    /// Looks at what a handle is on.
    ///
    /// # Errors
    /// There is no such handle, or it is on something else.
    pub fn get<T: Resource<Entry = E>>(&self, handle: Borrow<T>) -> Result<&T, Trap> {
        self.entry(handle.index).and_then(T::look).ok_or_else(|| wrong::<T>(handle.index))
    }

    /// Looks at what a handle is on, to change it.
    ///
    /// # Errors
    /// As of [`Handles::get`].
    pub fn get_mut<T: Resource<Entry = E>>(&mut self, handle: Borrow<T>) -> Result<&mut T, Trap> {
        let entry = match self.slot_mut(handle.index) {
            Some(Slot::Used { entry, .. }) => T::look_mut(entry),
            Some(Slot::Free { .. }) | None => None,
        };
        entry.ok_or_else(|| wrong::<T>(handle.index))
    }

    /// Takes something back.
    ///
    /// # Errors
    /// As of [`Handles::get`]; or something else still depends on it.
    pub fn take<T: Resource<Entry = E>>(&mut self, handle: Own<T>) -> Result<T, Trap> {
        let index = handle.index;
        match self.slot_mut(index) {
            Some(Slot::Used { entry, children, .. }) if T::look(entry).is_some() => {
                if *children > 0 {
                    return Err(Trap::misuse(format!(
                        "{} {index} is dropped before what depends on it: a stream or a pollable",
                        T::NAME
                    )));
                }
            }
            _ => return Err(wrong::<T>(index)),
        }
        let next = self.free.replace(index);
        let slot = self.slot_mut(index).map(|slot| std::mem::replace(slot, Slot::Free { next }));
        let Some(Slot::Used { entry, parent, .. }) = slot else { return Err(wrong::<T>(index)) };
        if let Some(Slot::Used { children, .. }) = parent.and_then(|parent| self.slot_mut(parent)) {
            *children -= 1;
        }
        T::unwrap(entry).ok_or_else(|| wrong::<T>(index))
    }

    /// How many handles there are.
    pub fn len(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot, Slot::Used { .. })).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a handle is on, of whatever type.
    pub fn entry(&self, index: u32) -> Option<&E> {
        match self.slots.get(position(index)?)? {
            Slot::Used { entry, .. } => Some(entry),
            Slot::Free { .. } => None,
        }
    }

    /// What a handle is on, of whatever type, to change it.
    pub fn entry_mut(&mut self, index: u32) -> Option<&mut E> {
        match self.slot_mut(index)? {
            Slot::Used { entry, .. } => Some(entry),
            Slot::Free { .. } => None,
        }
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<E>> {
        self.slots.get_mut(position(index)?)
    }

    fn put(&mut self, entry: E, parent: Option<u32>) -> Result<u32, Trap> {
        let used = Slot::Used { entry, parent, children: 0 };
        if let Some(index) = self.free
            && let Some(slot) = self.slot_mut(index)
        {
            let freed = std::mem::replace(slot, used);
            self.free = if let Slot::Free { next } = freed { next } else { None };
            return Ok(index);
        }
        if self.slots.len() >= HANDLES {
            return Err(Trap::misuse(format!("it has {HANDLES} handles open, which is the most that it may")));
        }
        self.slots.push(used);
        u32::try_from(self.slots.len()).map_err(|_| Trap::misuse("it has too many handles open"))
    }
}

/// Handles count from 1, so that a zeroed one is wrong.
fn position(index: u32) -> Option<usize> {
    (index as usize).checked_sub(1)
}

fn wrong<T: Resource>(index: u32) -> Trap {
    Trap::misuse(format!("handle {index} is on no {}", T::NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two types of resources, told apart by the side of the result.
    type Entry = Result<Left, Right>;

    #[derive(Debug)]
    struct Left(&'static str);

    #[derive(Debug)]
    struct Right;

    macro_rules! side {
        ($type:ident, $wrap:ident, $unwrap:ident) => {
            impl Resource for $type {
                type Entry = Entry;
                const NAME: &'static str = stringify!($unwrap);

                fn wrap(self) -> Entry {
                    $wrap(self)
                }

                fn unwrap(entry: Entry) -> Option<Self> {
                    entry.$unwrap()
                }

                fn look(entry: &Entry) -> Option<&Self> {
                    entry.as_ref().$unwrap()
                }

                fn look_mut(entry: &mut Entry) -> Option<&mut Self> {
                    entry.as_mut().$unwrap()
                }
            }
        };
    }

    side!(Left, Ok, ok);
    side!(Right, Err, err);

    #[test]
    fn a_handle_is_good_until_it_is_taken_and_for_its_own_type() {
        let mut handles = Handles::<Entry>::default();
        let one = handles.push(Left("one")).unwrap();
        let two = handles.push(Left("two")).unwrap();
        assert_eq!(handles.get(Borrow::<Left>::new(one.index())).unwrap().0, "one");
        let wrong = handles.get(Borrow::<Right>::new(one.index())).unwrap_err();
        assert_eq!(wrong.to_string(), "handle 1 is on no err");
        assert_eq!(handles.take(one).unwrap().0, "one");
        assert!(handles.take(one).is_err(), "it is gone");
        assert!(handles.get(Borrow::<Left>::new(0)).is_err());
        assert!(handles.get(Borrow::<Left>::new(u32::MAX)).is_err());
        let three = handles.push(Left("three")).unwrap();
        assert_eq!(three.index(), one.index(), "slots are used again");
        assert_eq!(handles.len(), 2);
        handles.take(two).unwrap();
        handles.take(three).unwrap();
        assert!(handles.is_empty());
    }

    #[test]
    fn what_others_depend_on_cannot_be_dropped_first() {
        let mut handles = Handles::<Entry>::default();
        let parent = handles.push(Left("parent")).unwrap();
        let child = handles.push_child(Left("child"), Borrow::<Left>::new(parent.index())).unwrap();
        assert!(handles.take(parent).unwrap_err().to_string().contains("before what depends on it"));
        handles.take(child).unwrap();
        handles.take(parent).unwrap();
        assert!(handles.is_empty());
    }

    #[test]
    fn handles_do_not_grow_without_bound() {
        let mut handles = Handles::<Entry>::default();
        let refused = (0..=HANDLES).find_map(|_| handles.push(Left("x")).err());
        assert!(refused.unwrap().to_string().contains("the most"));
    }
}
