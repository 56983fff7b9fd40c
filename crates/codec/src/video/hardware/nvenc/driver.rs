//! NVIDIA's libraries: loaded when first asked for, and never unloaded.

use super::layout::{API_VERSION_SHORT, Functions, Guid};
use libloading::Library;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem;
use std::sync::{Arc, OnceLock};

type Handle = *mut c_void;
/// What CUDA's functions give: 0 is success.
pub(super) type CudaStatus = c_int;
/// What NVENC's functions give: 0 is success.
pub(super) type Status = u32;

/// The functions of both libraries that are used. Those of NVENC take an encoder first, and most
/// take a structure of [`super::layout`].
///
/// Only [`Driver::load`] and tests make one, so its functions are what their types say.
#[derive(Clone)]
pub(super) struct Driver {
    pub(super) version: unsafe extern "C" fn(*mut c_int) -> CudaStatus,
    pub(super) device_count: unsafe extern "C" fn(*mut c_int) -> CudaStatus,
    pub(super) device_name: unsafe extern "C" fn(*mut c_char, c_int, c_int) -> CudaStatus,
    pub(super) context_create: unsafe extern "C" fn(*mut Handle, u32, c_int) -> CudaStatus,
    pub(super) context_destroy: unsafe extern "C" fn(Handle) -> CudaStatus,
    pub(super) context_push: unsafe extern "C" fn(Handle) -> CudaStatus,
    pub(super) context_pop: unsafe extern "C" fn(*mut Handle) -> CudaStatus,

    pub(super) open: unsafe extern "C" fn(Handle, *mut Handle) -> Status,
    pub(super) codec_count: unsafe extern "C" fn(Handle, *mut u32) -> Status,
    pub(super) codecs: unsafe extern "C" fn(Handle, *mut Guid, u32, *mut u32) -> Status,
    pub(super) caps: unsafe extern "C" fn(Handle, Guid, Handle, *mut c_int) -> Status,
    pub(super) preset: unsafe extern "C" fn(Handle, Guid, Guid, u32, Handle) -> Status,
    pub(super) initialize: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) reconfigure: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) create_input: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) destroy_input: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) lock_input: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) unlock_input: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) create_output: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) destroy_output: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) lock_output: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) unlock_output: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) encode: unsafe extern "C" fn(Handle, Handle) -> Status,
    pub(super) destroy: unsafe extern "C" fn(Handle) -> Status,
}

impl Driver {
    /// Loads the libraries, the first time, and starts CUDA.
    pub(super) fn load() -> Result<Arc<Self>, String> {
        static LOADED: OnceLock<Result<Arc<Driver>, String>> = OnceLock::new();
        LOADED.get_or_init(|| load().map(Arc::new)).clone()
    }

    /// The name of a device, and the version of CUDA that the driver has.
    pub(super) fn describe(&self, device: c_int) -> String {
        let (mut version, mut name) = (0, [0u8; 128]);
        // SAFETY: CUDA writes one number, and text with a zero of at most the length given, which
        // leaves the last byte zero.
        unsafe {
            (self.version)(&raw mut version);
            (self.device_name)(name.as_mut_ptr().cast(), name.len() as c_int - 1, device);
        }
        let name = CStr::from_bytes_until_nul(&name).unwrap_or_default().to_string_lossy();
        format!("{name}, CUDA {}.{}", version / 1000, version % 1000 / 10)
    }

    pub(super) fn devices(&self) -> Result<c_int, String> {
        let mut count = 0;
        // SAFETY: CUDA writes one number.
        cuda(unsafe { (self.device_count)(&raw mut count) }, "counting devices")?;
        Ok(count)
    }
}

fn load() -> Result<Driver, String> {
    let (cuda_library, nvenc) = (library("libcuda.so.1")?, library("libnvidia-encode.so.1")?);
    // SAFETY: all symbols have these types in cuda.h (CUDA 4 to 13) and nvEncodeAPI.h (since 5.0),
    // and stay valid, for the libraries are never unloaded.
    unsafe {
        let start: unsafe extern "C" fn(u32) -> CudaStatus = symbol(cuda_library, "cuInit")?;
        cuda(start(0), "starting CUDA")?;
        let newest: unsafe extern "C" fn(*mut u32) -> Status =
            symbol(nvenc, "NvEncodeAPIGetMaxSupportedVersion")?;
        let create: unsafe extern "C" fn(Handle) -> Status =
            symbol(nvenc, "NvEncodeAPICreateInstance")?;
        let mut version = 0;
        check(newest(&raw mut version), "asking for the version")?;
        if version < API_VERSION_SHORT {
            let (major, minor) = (version >> 4, version & 15);
            return Err(format!(
                "the driver has NVENC {major}.{minor}: 12.1 (driver 530) is needed"
            ));
        }
        let mut list = Functions::new();
        check(create(list.as_mut_ptr()), "listing functions")?;
        Ok(Driver {
            version: symbol(cuda_library, "cuDriverGetVersion")?,
            device_count: symbol(cuda_library, "cuDeviceGetCount")?,
            device_name: symbol(cuda_library, "cuDeviceGetName")?,
            context_create: symbol(cuda_library, "cuCtxCreate_v2")?,
            context_destroy: symbol(cuda_library, "cuCtxDestroy_v2")?,
            context_push: symbol(cuda_library, "cuCtxPushCurrent_v2")?,
            context_pop: symbol(cuda_library, "cuCtxPopCurrent_v2")?,
            open: function(&list, Functions::OPEN)?,
            codec_count: function(&list, Functions::CODEC_COUNT)?,
            codecs: function(&list, Functions::CODECS)?,
            caps: function(&list, Functions::CAPS)?,
            preset: function(&list, Functions::PRESET)?,
            initialize: function(&list, Functions::INITIALIZE)?,
            reconfigure: function(&list, Functions::RECONFIGURE)?,
            create_input: function(&list, Functions::CREATE_INPUT)?,
            destroy_input: function(&list, Functions::DESTROY_INPUT)?,
            lock_input: function(&list, Functions::LOCK_INPUT)?,
            unlock_input: function(&list, Functions::UNLOCK_INPUT)?,
            create_output: function(&list, Functions::CREATE_OUTPUT)?,
            destroy_output: function(&list, Functions::DESTROY_OUTPUT)?,
            lock_output: function(&list, Functions::LOCK_OUTPUT)?,
            unlock_output: function(&list, Functions::UNLOCK_OUTPUT)?,
            encode: function(&list, Functions::ENCODE)?,
            destroy: function(&list, Functions::DESTROY)?,
        })
    }
}

/// Loads a library for good: NVIDIA's start threads of their own.
fn library(name: &str) -> Result<&'static Library, String> {
    // SAFETY: the system's driver is trusted as the kernel is; its initialisers need nothing.
    let library = unsafe { Library::new(name) }.map_err(|error| error.to_string())?;
    Ok(Box::leak(Box::new(library)))
}

/// # Safety
/// The symbol is a function of type `F`.
unsafe fn symbol<F: Copy>(library: &'static Library, name: &str) -> Result<F, String> {
    // SAFETY: the caller says so.
    let symbol = unsafe { library.get::<F>(name.as_bytes()) };
    symbol.map(|symbol| *symbol).map_err(|error| error.to_string())
}

/// # Safety
/// The driver has filled `list`, and has a function of type `F` at that offset.
unsafe fn function<F: Copy>(list: &Functions, at: usize) -> Result<F, String> {
    const { assert!(size_of::<F>() == size_of::<Handle>()) };
    let function = list.pointer(at);
    if function.is_null() {
        return Err(format!("the driver lacks the function at {at}"));
    }
    // SAFETY: it is a pointer to a function of that type, as the caller says.
    Ok(unsafe { mem::transmute_copy::<Handle, F>(&function) })
}

/// `NVENCSTATUS`, by number.
const STATUS: [&str; 27] = [
    "success",
    "no encode device",
    "unsupported device",
    "invalid encoder device",
    "invalid device",
    "device does not exist",
    "invalid pointer",
    "invalid event",
    "invalid parameter",
    "invalid call",
    "out of memory",
    "not initialized",
    "unsupported parameter",
    "lock busy",
    "not enough buffer",
    "invalid version",
    "map failed",
    "need more input",
    "encoder busy",
    "event not registered",
    "generic error",
    "incompatible client key",
    "unimplemented",
    "resource register failed",
    "resource not registered",
    "resource not mapped",
    "need more output",
];

/// NVENC's verdict on a call.
pub(super) fn check(status: Status, what: &str) -> Result<(), String> {
    match status {
        0 => Ok(()),
        _ => {
            let text = STATUS.get(status as usize).unwrap_or(&"unknown error");
            Err(format!("{what}: {text} ({status})"))
        }
    }
}

/// CUDA's verdict on a call.
pub(super) fn cuda(status: CudaStatus, what: &str) -> Result<(), String> {
    if status == 0 { Ok(()) } else { Err(format!("{what}: CUDA error {status}")) }
}
