//! Error codes. A code is the negated `errno`; what the system has no number for lies below -3000.

use core::ffi::{CStr, c_int};

/// An error code: negative, and the same number that C sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(c_int);

pub type Result<T = ()> = core::result::Result<T, Errno>;

impl Errno {
    /// The number that C sees.
    pub const fn code(self) -> c_int {
        self.0
    }

    /// From what the system calls `errno`: a positive number.
    pub const fn from_errno(errno: c_int) -> Errno {
        Errno(errno.wrapping_neg())
    }
}

/// One line of the header's `UV_ERRNO_MAP`.
pub struct ErrnoEntry {
    pub code: c_int,
    /// What `uv_err_name` says.
    pub name: &'static CStr,
    /// What `uv_strerror` says.
    pub message: &'static CStr,
}

macro_rules! c_string {
    ($text:expr) => {
        // SAFETY: concat! puts a zero at the end, and the texts below hold none.
        unsafe { CStr::from_bytes_with_nul_unchecked(concat!($text, "\0").as_bytes()) }
    };
}

macro_rules! errno_map {
    ($($uv:ident $name:ident = $code:expr, $message:literal;)*) => {
        /// The codes as C names them.
        pub mod constants {
            pub type uv_errno_t = core::ffi::c_int;
            $(pub const $uv: uv_errno_t = $code;)*
            /// One below the lowest code.
            pub const UV_ERRNO_MAX: uv_errno_t = UV_EOF - 1;
        }

        impl Errno {
            $(pub const $name: Errno = Errno(constants::$uv);)*
        }

        /// Every code that has a name, in the header's order.
        pub static ERRNO_MAP: &[ErrnoEntry] = &[$(ErrnoEntry {
            code: constants::$uv,
            name: c_string!(stringify!($name)),
            message: c_string!($message),
        }),*];
    };
}

errno_map! {
    UV_E2BIG E2BIG = -libc::E2BIG, "argument list too long";
    UV_EACCES EACCES = -libc::EACCES, "permission denied";
    UV_EADDRINUSE EADDRINUSE = -libc::EADDRINUSE, "address already in use";
    UV_EADDRNOTAVAIL EADDRNOTAVAIL = -libc::EADDRNOTAVAIL, "address not available";
    UV_EAFNOSUPPORT EAFNOSUPPORT = -libc::EAFNOSUPPORT, "address family not supported";
    UV_EAGAIN EAGAIN = -libc::EAGAIN, "resource temporarily unavailable";
    UV_EAI_ADDRFAMILY EAI_ADDRFAMILY = -3000, "address family not supported";
    UV_EAI_AGAIN EAI_AGAIN = -3001, "temporary failure";
    UV_EAI_BADFLAGS EAI_BADFLAGS = -3002, "bad ai_flags value";
    UV_EAI_BADHINTS EAI_BADHINTS = -3013, "invalid value for hints";
    UV_EAI_CANCELED EAI_CANCELED = -3003, "request canceled";
    UV_EAI_FAIL EAI_FAIL = -3004, "permanent failure";
    UV_EAI_FAMILY EAI_FAMILY = -3005, "ai_family not supported";
    UV_EAI_MEMORY EAI_MEMORY = -3006, "out of memory";
    UV_EAI_NODATA EAI_NODATA = -3007, "no address";
    UV_EAI_NONAME EAI_NONAME = -3008, "unknown node or service";
    UV_EAI_OVERFLOW EAI_OVERFLOW = -3009, "argument buffer overflow";
    UV_EAI_PROTOCOL EAI_PROTOCOL = -3014, "resolved protocol is unknown";
    UV_EAI_SERVICE EAI_SERVICE = -3010, "service not available for socket type";
    UV_EAI_SOCKTYPE EAI_SOCKTYPE = -3011, "socket type not supported";
    UV_EALREADY EALREADY = -libc::EALREADY, "connection already in progress";
    UV_EBADF EBADF = -libc::EBADF, "bad file descriptor";
    UV_EBUSY EBUSY = -libc::EBUSY, "resource busy or locked";
    UV_ECANCELED ECANCELED = -libc::ECANCELED, "operation canceled";
    UV_ECHARSET ECHARSET = -4080, "invalid Unicode character";
    UV_ECONNABORTED ECONNABORTED = -libc::ECONNABORTED, "software caused connection abort";
    UV_ECONNREFUSED ECONNREFUSED = -libc::ECONNREFUSED, "connection refused";
    UV_ECONNRESET ECONNRESET = -libc::ECONNRESET, "connection reset by peer";
    UV_EDESTADDRREQ EDESTADDRREQ = -libc::EDESTADDRREQ, "destination address required";
    UV_EEXIST EEXIST = -libc::EEXIST, "file already exists";
    UV_EFAULT EFAULT = -libc::EFAULT, "bad address in system call argument";
    UV_EFBIG EFBIG = -libc::EFBIG, "file too large";
    UV_EHOSTUNREACH EHOSTUNREACH = -libc::EHOSTUNREACH, "host is unreachable";
    UV_EINTR EINTR = -libc::EINTR, "interrupted system call";
    UV_EINVAL EINVAL = -libc::EINVAL, "invalid argument";
    UV_EIO EIO = -libc::EIO, "i/o error";
    UV_EISCONN EISCONN = -libc::EISCONN, "socket is already connected";
    UV_EISDIR EISDIR = -libc::EISDIR, "illegal operation on a directory";
    UV_ELOOP ELOOP = -libc::ELOOP, "too many symbolic links encountered";
    UV_EMFILE EMFILE = -libc::EMFILE, "too many open files";
    UV_EMSGSIZE EMSGSIZE = -libc::EMSGSIZE, "message too long";
    UV_ENAMETOOLONG ENAMETOOLONG = -libc::ENAMETOOLONG, "name too long";
    UV_ENETDOWN ENETDOWN = -libc::ENETDOWN, "network is down";
    UV_ENETUNREACH ENETUNREACH = -libc::ENETUNREACH, "network is unreachable";
    UV_ENFILE ENFILE = -libc::ENFILE, "file table overflow";
    UV_ENOBUFS ENOBUFS = -libc::ENOBUFS, "no buffer space available";
    UV_ENODEV ENODEV = -libc::ENODEV, "no such device";
    UV_ENOENT ENOENT = -libc::ENOENT, "no such file or directory";
    UV_ENOMEM ENOMEM = -libc::ENOMEM, "not enough memory";
    UV_ENONET ENONET = -libc::ENONET, "machine is not on the network";
    UV_ENOPROTOOPT ENOPROTOOPT = -libc::ENOPROTOOPT, "protocol not available";
    UV_ENOSPC ENOSPC = -libc::ENOSPC, "no space left on device";
    UV_ENOSYS ENOSYS = -libc::ENOSYS, "function not implemented";
    UV_ENOTCONN ENOTCONN = -libc::ENOTCONN, "socket is not connected";
    UV_ENOTDIR ENOTDIR = -libc::ENOTDIR, "not a directory";
    UV_ENOTEMPTY ENOTEMPTY = -libc::ENOTEMPTY, "directory not empty";
    UV_ENOTSOCK ENOTSOCK = -libc::ENOTSOCK, "socket operation on non-socket";
    UV_ENOTSUP ENOTSUP = -libc::ENOTSUP, "operation not supported on socket";
    UV_EOVERFLOW EOVERFLOW = -libc::EOVERFLOW, "value too large for defined data type";
    UV_EPERM EPERM = -libc::EPERM, "operation not permitted";
    UV_EPIPE EPIPE = -libc::EPIPE, "broken pipe";
    UV_EPROTO EPROTO = -libc::EPROTO, "protocol error";
    UV_EPROTONOSUPPORT EPROTONOSUPPORT = -libc::EPROTONOSUPPORT, "protocol not supported";
    UV_EPROTOTYPE EPROTOTYPE = -libc::EPROTOTYPE, "protocol wrong type for socket";
    UV_ERANGE ERANGE = -libc::ERANGE, "result too large";
    UV_EROFS EROFS = -libc::EROFS, "read-only file system";
    UV_ESHUTDOWN ESHUTDOWN = -libc::ESHUTDOWN, "cannot send after transport endpoint shutdown";
    UV_ESPIPE ESPIPE = -libc::ESPIPE, "invalid seek";
    UV_ESRCH ESRCH = -libc::ESRCH, "no such process";
    UV_ETIMEDOUT ETIMEDOUT = -libc::ETIMEDOUT, "connection timed out";
    UV_ETXTBSY ETXTBSY = -libc::ETXTBSY, "text file is busy";
    UV_EXDEV EXDEV = -libc::EXDEV, "cross-device link not permitted";
    UV_UNKNOWN UNKNOWN = -4094, "unknown error";
    UV_EOF EOF = -4095, "end of file";
    UV_ENXIO ENXIO = -libc::ENXIO, "no such device or address";
    UV_EMLINK EMLINK = -libc::EMLINK, "too many links";
    UV_EHOSTDOWN EHOSTDOWN = -libc::EHOSTDOWN, "host is down";
    UV_EREMOTEIO EREMOTEIO = -libc::EREMOTEIO, "remote I/O error";
    UV_ENOTTY ENOTTY = -libc::ENOTTY, "inappropriate ioctl for device";
    UV_EFTYPE EFTYPE = -4028, "inappropriate file type or format";
    UV_EILSEQ EILSEQ = -libc::EILSEQ, "illegal byte sequence";
    UV_ESOCKTNOSUPPORT ESOCKTNOSUPPORT = -libc::ESOCKTNOSUPPORT, "socket type not supported";
    UV_ENODATA ENODATA = -libc::ENODATA, "no data available";
    UV_EUNATCH EUNATCH = -libc::EUNATCH, "protocol driver not attached";
    UV_ENOEXEC ENOEXEC = -libc::ENOEXEC, "exec format error";
}
