//! `uv_fs_mkdtemp` and `uv_fs_mkstemp`: `path` is a copy of the template, over which the new name is written.

use super::Fs;
use crate::abi::errno::Result;
use crate::sys::temporary;

/// Makes a directory.
pub fn make_directory(fs: Fs) -> Result {
    // SAFETY: the request's own copy.
    unsafe { temporary::make_directory(fs.path_ptr().cast_mut()) }
}

/// Makes a file; the result is its descriptor. If there is none, `path` is empty, as it may say anything then.
pub fn make_file(fs: Fs) -> Result<usize> {
    // SAFETY: as above; a string has at least its NUL.
    unsafe {
        let template = fs.path_ptr().cast_mut();
        match temporary::make_file(template) {
            Ok(fd) => Ok(fd.unsigned_abs() as usize), // never negative
            Err(error) => {
                template.write(0);
                Err(error)
            }
        }
    }
}
