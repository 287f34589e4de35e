//! The engine: how modules are compiled and what their instances are made of.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wasmer::sys::vm::{LinearMemory, Trap, VMMemory, VMMemoryDefinition, VMOwnedMemory, VMTable, VMTableDefinition};
use wasmer::sys::{BaseTunables, NativeEngineExt, Target, Tunables};
use wasmer::{Engine, MemoryError, MemoryStyle, MemoryType, Pages, TableStyle, TableType};

/// Which of Wasmer's compilers makes the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Compiler {
    /// Optimises: slower to compile, faster to run.
    Cranelift,
    /// One pass over the code: quick to compile, slower to run.
    Singlepass,
}

/// An engine that compiles.
#[cfg(feature = "compiler")]
pub fn compiling(compiler: Compiler) -> Engine {
    let builder = match compiler {
        Compiler::Cranelift => {
            let mut cranelift = wasmer::sys::Cranelift::new();
            cranelift.opt_level(wasmer::sys::CraneliftOptLevel::Speed);
            wasmer::sys::EngineBuilder::new(cranelift)
        }
        Compiler::Singlepass => wasmer::sys::EngineBuilder::new(wasmer::sys::Singlepass::new()),
    };
    limited(builder.engine().into())
}

/// An engine that only loads what was compiled ahead.
pub fn headless() -> Engine {
    limited(Engine::headless())
}

fn limited(mut engine: Engine) -> Engine {
    engine.set_tunables(Limited(BaseTunables::for_target(&Target::default())));
    engine
}

/// How much linear memory an instance may have, all its memories together, and how many elements each of its tables.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    table: u32,
    used: AtomicUsize,
    refused: AtomicBool,
}

impl Budget {
    /// So many bytes, and so many elements.
    pub fn new(limit: usize, table: u32) -> Arc<Self> {
        Arc::new(Self { limit, table, used: AtomicUsize::new(0), refused: AtomicBool::new(false) })
    }

    /// Returns what the instance may have, in bytes, if it asked for more; else `None`.
    pub fn refused(&self) -> Option<usize> {
        self.refused.load(Ordering::Relaxed).then_some(self.limit)
    }

    fn take(&self, bytes: usize) -> bool {
        let used = self.used.load(Ordering::Relaxed).saturating_add(bytes);
        if used > self.limit {
            self.refused.store(true, Ordering::Relaxed);
            return false;
        }
        // An instance has one thread.
        self.used.store(used, Ordering::Relaxed);
        true
    }
}

thread_local! {
    /// Whose memories are made on this thread. An engine has one set of tunables for all its stores.
    static BUDGET: RefCell<Option<Arc<Budget>>> = const { RefCell::new(None) };
}

/// Makes an instance whose memories count towards a budget.
pub fn within<T>(budget: &Arc<Budget>, make: impl FnOnce() -> T) -> T {
    BUDGET.set(Some(Arc::clone(budget)));
    let instance = make();
    BUDGET.set(None);
    instance
}

/// Wasmer's own tunables, with limits on memories and tables.
struct Limited(BaseTunables);

impl Limited {
    fn refusal(ty: &MemoryType) -> MemoryError {
        MemoryError::Generic(format!(
            "its memory of {} bytes at the start is more than it may have",
            ty.minimum.bytes().0
        ))
    }

    /// A table that does not grow beyond its budget.
    fn table(ty: &TableType) -> Result<TableType, String> {
        let budget = BUDGET.with_borrow(|budget| budget.as_ref().map_or(0, |budget| budget.table));
        if ty.minimum > budget {
            let needed = ty.minimum;
            return Err(format!(
                "its table of {needed} elements exceeds the limit of {budget} elements (--table-elements)"
            ));
        }
        Ok(TableType { maximum: Some(ty.maximum.map_or(budget, |most| most.min(budget))), ..*ty })
    }

    fn memory(
        ty: &MemoryType,
        make: impl FnOnce() -> Result<VMOwnedMemory, MemoryError>,
    ) -> Result<VMMemory, MemoryError> {
        let Some(budget) = BUDGET.with_borrow(Clone::clone) else { return Err(Self::refusal(ty)) };
        if !budget.take(ty.minimum.bytes().0) {
            return Err(Self::refusal(ty));
        }
        let memory: Boxed = Box::new(Counted { memory: make()?, budget });
        Ok(VMMemory::from_custom(memory))
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe; the calls are passed on as they come")]
impl Tunables for Limited {
    fn memory_style(&self, memory: &MemoryType) -> MemoryStyle {
        self.0.memory_style(memory)
    }

    fn table_style(&self, table: &TableType) -> TableStyle {
        self.0.table_style(table)
    }

    fn create_host_memory(&self, ty: &MemoryType, style: &MemoryStyle) -> Result<VMMemory, MemoryError> {
        Self::memory(ty, || VMOwnedMemory::new(ty, style))
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        // SAFETY: the caller keeps the rules about the location.
        Self::memory(ty, || unsafe { VMOwnedMemory::from_definition(ty, style, location) })
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.0.create_host_table(&Self::table(ty)?, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        location: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        let ty = Self::table(ty)?;
        // SAFETY: the caller keeps the rules about the location.
        unsafe { self.0.create_vm_table(&ty, style, location) }
    }
}

/// A memory that asks its budget before it grows.
#[derive(Debug)]
struct Counted {
    memory: VMOwnedMemory,
    budget: Arc<Budget>,
}

type Boxed = Box<dyn LinearMemory + Send + Sync>;

impl LinearMemory for Counted {
    fn ty(&self) -> MemoryType {
        self.memory.ty()
    }

    fn size(&self) -> Pages {
        self.memory.size()
    }

    fn style(&self) -> MemoryStyle {
        self.memory.style()
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let refused = || MemoryError::CouldNotGrow { current: self.memory.size(), attempted_delta: delta };
        if delta.0 > Pages::max_value().0 || !self.budget.take(delta.bytes().0) {
            return Err(refused());
        }
        self.memory.grow(delta)
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.memory.vmmemory()
    }

    fn try_clone(&self) -> Result<Boxed, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    #[expect(unsafe_code, reason = "the trait's function is unsafe; the call is passed on as it comes")]
    unsafe fn initialize_with_data(&self, start: usize, data: &[u8]) -> Result<(), Trap> {
        // SAFETY: the caller keeps the rules.
        unsafe { self.memory.initialize_with_data(start, data) }
    }

    fn copy(&self) -> Result<Boxed, MemoryError> {
        LinearMemory::copy(&self.memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let budget = Budget::new(100, 10);
        assert!(budget.take(60) && budget.take(40));
        assert_eq!(budget.refused(), None);
        assert!(!budget.take(1));
        assert_eq!(budget.refused(), Some(100));
    }
}
