//! Records, variants and enumerations of WIT as Rust types. What is declared is written once, as in WIT.

/// A record: the fields in the order of WIT.
macro_rules! record {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }

        impl $crate::abi::Type for $name {
            const SIZE: u32 = <($($type,)+) as $crate::abi::Type>::SIZE;
            const ALIGN: u32 = <($($type,)+) as $crate::abi::Type>::ALIGN;
            const WIDTH: usize = <($($type,)+) as $crate::abi::Type>::WIDTH;

            fn flatten(into: &mut Vec<$crate::abi::Flat>) {
                <($($type,)+) as $crate::abi::Type>::flatten(into);
            }
        }

        impl $crate::abi::Lift for $name {
            fn load(guest: $crate::abi::Guest<'_>, at: u32) -> Result<Self, $crate::abi::Trap> {
                let ($($field,)+) = $crate::abi::Lift::load(guest, at)?;
                Ok(Self { $($field,)+ })
            }

            fn lift(
                guest: $crate::abi::Guest<'_>,
                flats: &mut $crate::abi::Flats<'_>,
            ) -> Result<Self, $crate::abi::Trap> {
                let ($($field,)+) = $crate::abi::Lift::lift(guest, flats)?;
                Ok(Self { $($field,)+ })
            }
        }

        impl $crate::abi::Lower for $name {
            fn store(self, sink: &mut dyn $crate::abi::Sink, at: u32) -> Result<(), $crate::abi::Trap> {
                let Self { $($field,)+ } = self;
                $crate::abi::Lower::store(($($field,)+), sink, at)
            }

            fn flat(self) -> u64 {
                let Self { $($field,)+ } = self;
                $crate::abi::Lower::flat(($($field,)+))
            }
        }
    };
}

/// A variant: the cases in the order of WIT, at most 256 of them, each with a payload or none.
macro_rules! variant {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$case_doc:meta])* $case:ident $(($type:ty))?,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name { $($(#[$case_doc])* $case $(($type))?,)+ }

        impl $name {
            #[allow(unused_mut, unused_assignments, reason = "there may be no payload")]
            const fn payload() -> (u32, u32, usize) {
                let (mut size, mut align, mut width) = (0, 1, 0);
                $($(
                    if <$type as $crate::abi::Type>::SIZE > size { size = <$type as $crate::abi::Type>::SIZE; }
                    if <$type as $crate::abi::Type>::ALIGN > align { align = <$type as $crate::abi::Type>::ALIGN; }
                    if <$type as $crate::abi::Type>::WIDTH > width { width = <$type as $crate::abi::Type>::WIDTH; }
                )?)+
                (size, align, width)
            }
        }

        impl $crate::abi::Type for $name {
            const SIZE: u32 = $crate::abi::padded(
                $crate::abi::padded(1, Self::payload().1) + Self::payload().0,
                Self::payload().1,
            );
            const ALIGN: u32 = Self::payload().1;
            const WIDTH: usize = 1 + Self::payload().2;

            fn flatten(into: &mut Vec<$crate::abi::Flat>) {
                into.push($crate::abi::Flat::I32);
                $crate::abi::joined(into, &[$($(<$type as $crate::abi::Type>::flatten,)?)+]);
            }
        }

        impl $crate::abi::Lift for $name {
            #[allow(unused_assignments, unused_variables, reason = "a variant may have one case, or no payload")]
            fn load(guest: $crate::abi::Guest<'_>, at: u32) -> Result<Self, $crate::abi::Trap> {
                let case = u32::from(<u8 as $crate::abi::Lift>::load(guest, at)?);
                let payload = at + $crate::abi::padded(1, Self::payload().1);
                let mut index = 0;
                $(
                    if case == index {
                        return Ok(Self::$case $((<$type as $crate::abi::Lift>::load(guest, payload)?))?);
                    }
                    index += 1;
                )+
                $crate::abi::no_case(stringify!($name), case)
            }

            #[allow(unused_assignments, unused_variables, reason = "a variant may have one case, or no payload")]
            fn lift(
                guest: $crate::abi::Guest<'_>,
                flats: &mut $crate::abi::Flats<'_>,
            ) -> Result<Self, $crate::abi::Trap> {
                let case = flats.take_u32();
                flats.payload(Self::payload().2, |flats| {
                    let mut index = 0;
                    $(
                        if case == index {
                            return Ok(Self::$case $((<$type as $crate::abi::Lift>::lift(guest, flats)?))?);
                        }
                        index += 1;
                    )+
                    $crate::abi::no_case(stringify!($name), case)
                })
            }
        }

        impl $crate::abi::Lower for $name {
            #[allow(unused_assignments, unused_variables, reason = "a variant may have one case, or no payload")]
            fn store(self, sink: &mut dyn $crate::abi::Sink, at: u32) -> Result<(), $crate::abi::Trap> {
                let payload = at + $crate::abi::padded(1, Self::payload().1);
                let mut index = 0u8;
                $(
                    if let $crate::abi::variant!(@pattern value $case $(($type))?) = self {
                        $crate::abi::Lower::store(index, sink, at)?;
                        return $crate::abi::variant!(@store value sink payload $(($type))?);
                    }
                    index = index.wrapping_add(1);
                )+
                unreachable!("every case is listed")
            }

            #[allow(unused_assignments, unused_variables, reason = "a variant may have one case")]
            fn flat(self) -> u64 {
                assert!(Self::payload().2 == 0, "a value of several core values passes through memory");
                let mut index = 0u64;
                $(
                    if let $crate::abi::variant!(@pattern _ $case $(($type))?) = self {
                        return index;
                    }
                    index += 1;
                )+
                unreachable!("every case is listed")
            }
        }
    };
    (@pattern $value:tt $case:ident) => { Self::$case };
    (@pattern $value:tt $case:ident ($type:ty)) => { Self::$case($value) };
    (@store $value:ident $sink:ident $payload:ident) => { Ok(()) };
    (@store $value:ident $sink:ident $payload:ident ($type:ty)) => {
        $crate::abi::Lower::store($value, $sink, $payload)
    };
}

pub(crate) use {record, variant};
