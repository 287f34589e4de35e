//! Types made of types: tuples, options, results.

use super::{Flat, Flats, Guest, Lift, Lower, Sink, Trap, Type};

/// An address or size, padded to an alignment.
pub const fn padded(size: u32, align: u32) -> u32 {
    size.next_multiple_of(align)
}

const fn larger(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

const fn wider(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Where the next field of a record of which so much is taken begins.
pub const fn field<T: Type>(taken: u32) -> u32 {
    padded(taken, T::ALIGN)
}

impl Type for () {
    const SIZE: u32 = 0;
    const ALIGN: u32 = 1;
    const WIDTH: usize = 0;

    fn flatten(_: &mut Vec<Flat>) {}
}

impl Lift for () {
    fn load(_: Guest<'_>, _: u32) -> Result<Self, Trap> {
        Ok(())
    }

    fn lift(_: Guest<'_>, _: &mut Flats<'_>) -> Result<Self, Trap> {
        Ok(())
    }
}

impl Lower for () {
    fn store(self, _: &mut dyn Sink, _: u32) -> Result<(), Trap> {
        Ok(())
    }

    fn flat(self) -> u64 {
        0
    }
}

/// Tuples, which are records without names: fields one after another, each aligned.
macro_rules! tuple {
    ($($type:ident $value:ident),+) => {
        impl<$($type: Type),+> Type for ($($type,)+) {
            const SIZE: u32 = {
                let end = 0;
                $(let end = field::<$type>(end) + $type::SIZE;)+
                padded(end, Self::ALIGN)
            };
            const ALIGN: u32 = {
                let align = 1;
                $(let align = larger(align, $type::ALIGN);)+
                align
            };
            const WIDTH: usize = 0 $(+ $type::WIDTH)+;

            fn flatten(into: &mut Vec<Flat>) {
                $($type::flatten(into);)+
            }
        }

        impl<$($type: Lift),+> Lift for ($($type,)+) {
            #[allow(unused_assignments, reason = "nothing follows the last field")]
            fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
                let mut end = 0;
                Ok(($({
                    let begin = field::<$type>(end);
                    end = begin + $type::SIZE;
                    $type::load(guest, at + begin)?
                },)+))
            }

            fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
                Ok(($($type::lift(guest, flats)?,)+))
            }
        }

        impl<$($type: Lower),+> Lower for ($($type,)+) {
            #[allow(unused_assignments, reason = "nothing follows the last field")]
            fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
                let ($($value,)+) = self;
                let mut end = 0;
                $(
                    let begin = field::<$type>(end);
                    end = begin + $type::SIZE;
                    $value.store(sink, at + begin)?;
                )+
                Ok(())
            }

            fn flat(self) -> u64 {
                assert!(Self::WIDTH <= 1, "a value of several core values passes through memory");
                let ($($value,)+) = self;
                // At most one of them is not nothing.
                0 $(| $value.flat())+
            }
        }
    };
}

tuple!(A a);
tuple!(A a, B b);
tuple!(A a, B b, C c);
tuple!(A a, B b, C c, D d);

/// The two cases of options and results: a discriminant of one byte, then the payload.
macro_rules! two_cases {
    ($type:ty, $zero:ty, $one:ty, <$($parameter:ident),+>) => {
        impl<$($parameter: Type),+> Type for $type {
            const SIZE: u32 = padded(
                padded(1, Self::ALIGN) + larger(<$zero>::SIZE, <$one>::SIZE),
                Self::ALIGN,
            );
            const ALIGN: u32 = larger(<$zero>::ALIGN, <$one>::ALIGN);
            const WIDTH: usize = 1 + wider(<$zero>::WIDTH, <$one>::WIDTH);

            fn flatten(into: &mut Vec<Flat>) {
                into.push(Flat::I32);
                joined(into, &[<$zero>::flatten, <$one>::flatten]);
            }
        }
    };
}

/// Adds what holds the payload of any case: the types of each, joined slot by slot.
pub(crate) fn joined(into: &mut Vec<Flat>, cases: &[fn(&mut Vec<Flat>)]) {
    let begin = into.len();
    for flatten in cases {
        let mut case = Vec::new();
        flatten(&mut case);
        for (index, flat) in case.into_iter().enumerate() {
            match into.get_mut(begin + index) {
                Some(slot) => *slot = slot.join(flat),
                None => into.push(flat),
            }
        }
    }
}

/// A discriminant that no case has.
pub(crate) fn no_case<T>(of: &str, discriminant: u32) -> Result<T, Trap> {
    Err(Trap::misuse(format!("{discriminant} is no case of {of}")))
}

two_cases!(Option<T>, (), T, <T>);
two_cases!(Result<T, E>, T, E, <T, E>);

impl<T: Lift> Lift for Option<T> {
    fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
        match u8::load(guest, at)? {
            0 => Ok(None),
            1 => T::load(guest, at + padded(1, Self::ALIGN)).map(Some),
            other => no_case("an option", other.into()),
        }
    }

    fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
        let case = flats.take_u32();
        flats.payload(Self::WIDTH - 1, |flats| match case {
            0 => Ok(None),
            1 => T::lift(guest, flats).map(Some),
            other => no_case("an option", other),
        })
    }
}

impl<T: Lower> Lower for Option<T> {
    fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
        u8::from(self.is_some()).store(sink, at)?;
        match self {
            None => Ok(()),
            Some(value) => value.store(sink, at + padded(1, Self::ALIGN)),
        }
    }

    fn flat(self) -> u64 {
        assert!(Self::WIDTH <= 1, "a value of several core values passes through memory");
        u64::from(self.is_some())
    }
}

impl<T: Lift, E: Lift> Lift for Result<T, E> {
    fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
        let payload = at + padded(1, Self::ALIGN);
        match u8::load(guest, at)? {
            0 => T::load(guest, payload).map(Ok),
            1 => E::load(guest, payload).map(Err),
            other => no_case("a result", other.into()),
        }
    }

    fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
        let case = flats.take_u32();
        flats.payload(Self::WIDTH - 1, |flats| match case {
            0 => T::lift(guest, flats).map(Ok),
            1 => E::lift(guest, flats).map(Err),
            other => no_case("a result", other),
        })
    }
}

impl<T: Lower, E: Lower> Lower for Result<T, E> {
    fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
        u8::from(self.is_err()).store(sink, at)?;
        let payload = at + padded(1, Self::ALIGN);
        match self {
            Ok(value) => value.store(sink, payload),
            Err(error) => error.store(sink, payload),
        }
    }

    fn flat(self) -> u64 {
        assert!(Self::WIDTH <= 1, "a value of several core values passes through memory");
        u64::from(self.is_err())
    }
}
