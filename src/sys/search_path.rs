//! Where a program may be that is called by its name: in the folders of a list like PATH. Used by children that share their parent's memory, so
//! nothing is allocated.

use crate::ds::text::Text;

/// The longest name of a program.
pub const NAME_MAX: usize = 255;
const FOLDER_MAX: usize = libc::PATH_MAX as usize - 1;

/// Room for a folder, a slash, a name and a NUL. The system refuses the longest of them.
pub type Candidate = Text<{ FOLDER_MAX + 1 + NAME_MAX + 1 }>;

/// The path of `name` in each of `folders`, which colons separate; an empty one is the current folder. Folders that are too long are left
/// out.
pub fn candidates<'a>(folders: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = Candidate> + 'a {
    folders.split(|&byte| byte == b':').filter(|folder| folder.len() <= FOLDER_MAX).filter_map(
        move |folder| {
            let mut path = Candidate::default();
            if !folder.is_empty() {
                path.push(folder).and_then(|()| path.push(b"/")).ok()?;
            }
            path.push(name).ok()?;
            Some(path)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folders: &[u8], expected: &[&[u8]]) {
        let found = candidates(folders, b"sh");
        assert!(found.map(|path| path.as_c_str().count_bytes()).eq(expected.iter().map(|path| path.len())));
        for (path, wanted) in candidates(folders, b"sh").zip(expected) {
            assert_eq!(path.as_bytes(), *wanted);
        }
    }

    #[test]
    fn each_folder_in_turn() {
        check(b"/usr/bin:/bin", &[b"/usr/bin/sh", b"/bin/sh"]);
        check(b"", &[b"sh"]);
        check(b":a/:", &[b"sh", b"a//sh", b"sh"]);
    }

    #[test]
    fn long_folders_and_names() {
        let folder = [b'f'; FOLDER_MAX + 1];
        let longest = candidates(&folder[1..], &[b'n'; NAME_MAX]).next().unwrap();
        assert_eq!(longest.as_bytes().len(), FOLDER_MAX + 1 + NAME_MAX);
        check(&[&folder, b":/bin".as_slice()].concat(), &[b"/bin/sh"]);
        assert!(candidates(b"/bin", &[b'n'; FOLDER_MAX + NAME_MAX]).next().is_none());
    }
}
