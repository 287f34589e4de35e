//! Types, and the basic ones of them.

use std::cell::Cell;

use tare_host::settings::PASSED;

use super::Trap;

/// The type of a core value that a WIT type flattens to. Floating point numbers occur in none of the interfaces here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Flat {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

impl Flat {
    /// What holds a value of either type (`join`).
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::I64 }
    }
}

/// Core values that a guest passed, to be lifted from the first to the last. A 32-bit value has zeros above.
#[derive(Debug)]
pub struct Flats<'a> {
    values: &'a [u64],
    at: usize,
}

impl<'a> Flats<'a> {
    /// All of these.
    pub fn new(values: &'a [u64]) -> Self {
        Self { values, at: 0 }
    }

    /// The next value.
    ///
    /// # Panics
    /// No value is left: a type's flattening and its lifting disagree.
    pub fn take(&mut self) -> u64 {
        let value = self.values[self.at];
        self.at += 1;
        value
    }

    /// The next value, of 32 bits. Of a wider slot of a variant that is the lower half.
    pub fn take_u32(&mut self) -> u32 {
        truncated(self.take())
    }

    /// Lifts the payload of a variant, which has `width` slots whatever its case needs.
    pub fn payload<T>(&mut self, width: usize, lift: impl FnOnce(&mut Self) -> Result<T, Trap>) -> Result<T, Trap> {
        let end = self.at + width;
        let value = lift(self)?;
        self.at = end;
        Ok(value)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is asked for")]
fn truncated(value: u64) -> u32 {
    value as u32
}

/// How much more a call may pass to the host, in bytes as the host keeps it.
#[derive(Debug)]
pub struct Allowance(Cell<usize>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Cell::new(PASSED))
    }
}

/// The memory of a guest, while it waits for the host.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    bytes: &'a [u8],
    allowance: Option<&'a Allowance>,
}

impl<'a> Guest<'a> {
    /// A memory with these contents.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, allowance: None }
    }

    /// The same, of which a call may pass no more than this to the host.
    #[must_use]
    pub fn within(self, allowance: &'a Allowance) -> Self {
        Self { allowance: Some(allowance), ..self }
    }

    /// The bytes from an address on, to be copied.
    ///
    /// # Errors
    /// They are not all in memory, or more than the call may pass.
    fn passed(self, at: u32, length: u32) -> Result<&'a [u8], Trap> {
        let bytes = self.bytes(at, length)?;
        self.take(bytes.len())?;
        Ok(bytes)
    }

    fn take(self, bytes: usize) -> Result<(), Trap> {
        let Some(Allowance(allowed)) = self.allowance else { return Ok(()) };
        let left = allowed.get().checked_sub(bytes);
        let left = left.ok_or_else(|| Trap::misuse(format!("one call passes more than {PASSED} bytes")))?;
        allowed.set(left);
        Ok(())
    }

    /// The bytes from an address on.
    ///
    /// # Errors
    /// They are not all in memory.
    pub fn bytes(self, at: u32, length: u32) -> Result<&'a [u8], Trap> {
        let (start, length) = (at as usize, length as usize);
        let end = start.checked_add(length);
        end.and_then(|end| self.bytes.get(start..end))
            .ok_or_else(|| Trap::misuse(format!("{length} bytes at address {at} are not all in memory")))
    }

    fn array<const N: usize>(self, at: u32) -> Result<[u8; N], Trap> {
        let length = u32::try_from(N).map_err(|_| Trap::misuse("a value does not fit into memory"))?;
        let bytes = self.bytes(at, length)?;
        bytes.try_into().map_err(|_| Trap::misuse("a value is cut"))
    }

    /// A list's elements, each at its address.
    ///
    /// # Errors
    /// The list is not aligned or not all in memory.
    pub fn list<T: Lift>(self, at: u32, length: u32) -> Result<Vec<T>, Trap> {
        aligned(at, T::ALIGN)?;
        let size = length.checked_mul(T::SIZE);
        let size = size.ok_or_else(|| Trap::misuse(format!("a list of {length} elements is too long")))?;
        self.bytes(at, size)?;
        self.take((length as usize).saturating_mul(size_of::<T>()))?;
        (0..length).map(|index| T::load(self, at + index * T::SIZE)).collect()
    }
}

/// Checks an address.
///
/// # Errors
/// It is not a multiple of the alignment.
pub fn aligned(at: u32, align: u32) -> Result<(), Trap> {
    if at.is_multiple_of(align) {
        return Ok(());
    }
    Err(Trap::misuse(format!("address {at} is not aligned to {align}")))
}

/// Where values go that the host passes to a guest: its memory.
pub trait Sink {
    /// Writes bytes to an address.
    ///
    /// # Errors
    /// They would not all be in memory.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Trap>;

    /// Returns the address of memory that the guest allocates for a value: aligned, and wholly in its memory.
    ///
    /// # Errors
    /// It allocates nothing, or returns an address that cannot be right.
    fn allocate(&mut self, size: u32, align: u32) -> Result<u32, Trap>;
}

/// A WIT type.
pub trait Type {
    /// Bytes in memory.
    const SIZE: u32;
    /// Alignment in memory, in bytes.
    const ALIGN: u32;
    /// How many core values it flattens to.
    const WIDTH: usize;

    /// Adds the types of the core values that it flattens to.
    fn flatten(into: &mut Vec<Flat>);
}

/// A type that guests pass to the host.
pub trait Lift: Type + Sized {
    /// Reads it from memory (`load`). The address is aligned.
    ///
    /// # Errors
    /// It is not a value of the type.
    fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap>;

    /// Reads it from core values (`lift_flat`).
    ///
    /// # Errors
    /// They are not a value of the type.
    fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap>;
}

/// A type that the host passes to guests.
pub trait Lower: Type + Sized {
    /// Writes it to memory (`store`). The address is aligned and in memory.
    ///
    /// # Errors
    /// The guest allocates no memory for it.
    fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap>;

    /// Its core value, where it flattens to one (`lower_flat`); 0 where it flattens to none.
    ///
    /// # Panics
    /// It flattens to more than one: those pass through memory.
    fn flat(self) -> u64;
}

macro_rules! number {
    ($type:ty, $flat:ident, $back:expr) => {
        impl Type for $type {
            const SIZE: u32 = <$type>::BITS / 8;
            const ALIGN: u32 = Self::SIZE;
            const WIDTH: usize = 1;

            fn flatten(into: &mut Vec<Flat>) {
                into.push(Flat::$flat);
            }
        }

        impl Lift for $type {
            fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
                Ok(Self::from_le_bytes(guest.array(at)?))
            }

            fn lift(_: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
                Ok($back(flats.take()))
            }
        }

        impl Lower for $type {
            fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
                sink.write(at, &self.to_le_bytes())
            }

            #[allow(clippy::cast_sign_loss, clippy::cast_lossless, reason = "core values have no sign")]
            fn flat(self) -> u64 {
                self as u64
            }
        }
    };
}

// A narrow number in a wider core value: the bits above are not looked at.
number!(u8, I32, |value: u64| value.to_le_bytes()[0]);
number!(u16, I32, |value: u64| u16::from_le_bytes([value.to_le_bytes()[0], value.to_le_bytes()[1]]));
number!(u32, I32, truncated);
number!(u64, I64, |value: u64| value);
number!(i64, I64, u64::cast_signed);

impl Type for bool {
    const SIZE: u32 = 1;
    const ALIGN: u32 = 1;
    const WIDTH: usize = 1;

    fn flatten(into: &mut Vec<Flat>) {
        into.push(Flat::I32);
    }
}

impl Lower for bool {
    fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
        sink.write(at, &[u8::from(self)])
    }

    fn flat(self) -> u64 {
        u64::from(self)
    }
}

/// A pointer and a length: what lists and strings are in memory.
macro_rules! pair {
    ($($type:tt)*) => {
        impl $($type)* {
            const SIZE: u32 = 8;
            const ALIGN: u32 = 4;
            const WIDTH: usize = 2;

            fn flatten(into: &mut Vec<Flat>) {
                into.extend([Flat::I32, Flat::I32]);
            }
        }
    };
}

pair!(Type for String);
pair!(Type for &str);
pair!(Type for bytes::Bytes);
pair!(Type for &[u8]);
pair!(<T: Type> Type for Vec<T>);

fn text(guest: Guest<'_>, at: u32, length: u32) -> Result<String, Trap> {
    let bytes = guest.passed(at, length)?;
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|error| Trap::misuse(format!("the text at address {at} is not UTF-8: {error}")))
}

/// Reads the pointer and the length of a list or string from memory.
fn load_pair(guest: Guest<'_>, at: u32) -> Result<(u32, u32), Trap> {
    Ok((u32::load(guest, at)?, u32::load(guest, at.saturating_add(4))?))
}

impl Lift for String {
    fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
        let (at, length) = load_pair(guest, at)?;
        text(guest, at, length)
    }

    fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
        let (at, length) = (flats.take_u32(), flats.take_u32());
        text(guest, at, length)
    }
}

/// `list<u8>`, read in one copy.
impl Lift for bytes::Bytes {
    fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
        let (at, length) = load_pair(guest, at)?;
        guest.passed(at, length).map(Self::copy_from_slice)
    }

    fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
        let (at, length) = (flats.take_u32(), flats.take_u32());
        guest.passed(at, length).map(Self::copy_from_slice)
    }
}

impl<T: Lift> Lift for Vec<T> {
    fn load(guest: Guest<'_>, at: u32) -> Result<Self, Trap> {
        let (at, length) = load_pair(guest, at)?;
        guest.list(at, length)
    }

    fn lift(guest: Guest<'_>, flats: &mut Flats<'_>) -> Result<Self, Trap> {
        let (at, length) = (flats.take_u32(), flats.take_u32());
        guest.list(at, length)
    }
}

/// Writes bytes into memory that the guest allocates for them. Returns their address and length.
///
/// # Errors
/// The guest allocates no memory for them.
pub fn placed(sink: &mut dyn Sink, bytes: &[u8]) -> Result<(u32, u32), Trap> {
    let length = u32::try_from(bytes.len()).map_err(|_| Trap::misuse("a list does not fit into memory"))?;
    let data = sink.allocate(length, 1)?;
    sink.write(data, bytes)?;
    Ok((data, length))
}

/// The same with a list.
///
/// # Errors
/// The guest allocates no memory for it.
pub fn placed_list<T: Lower>(sink: &mut dyn Sink, list: Vec<T>) -> Result<(u32, u32), Trap> {
    let too_long = || Trap::misuse("a list does not fit into memory");
    let length = u32::try_from(list.len()).map_err(|_| too_long())?;
    let size = length.checked_mul(T::SIZE).ok_or_else(too_long)?;
    let data = sink.allocate(size, T::ALIGN)?;
    for (value, index) in list.into_iter().zip(0..) {
        value.store(sink, data + index * T::SIZE)?;
    }
    Ok((data, length))
}

const THROUGH_MEMORY: &str = "a value of several core values passes through memory";

macro_rules! lower_bytes {
    ($($type:ty),+) => {
        $(impl Lower for $type {
            fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
                placed(sink, self.as_ref())?.store(sink, at)
            }

            fn flat(self) -> u64 {
                unreachable!("{THROUGH_MEMORY}")
            }
        })+
    };
}

lower_bytes!(String, &str, bytes::Bytes, &[u8]);

impl<T: Lower> Lower for Vec<T> {
    fn store(self, sink: &mut dyn Sink, at: u32) -> Result<(), Trap> {
        placed_list(sink, self)?.store(sink, at)
    }

    fn flat(self) -> u64 {
        unreachable!("{THROUGH_MEMORY}")
    }
}
