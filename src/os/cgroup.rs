//! Control groups: where the kernel keeps the limits that hold for this process. Version 1 has a tree of groups for each
//! controller (cpu, memory, ...), version 2 one tree for all.
//!
//! A limit of an outer group holds inside too, so whoever looks for one walks from the own group up to the root. In a container
//! the paths of the own group may be those of the host and lead nowhere, but the root is then the container's own.

use crate::ds::text::Text;
use crate::sys::small_file;

const ROOT: &[u8] = b"/sys/fs/cgroup";
const PATH_SIZE: usize = 1024;
const MEMBERSHIP_SIZE: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    One,
    Two,
}

/// A group, as a position in the tree between this process's own group and the root.
pub struct Group {
    version: Version,
    folder: Text<PATH_SIZE>,
    root_length: usize,
}

impl Group {
    /// This process's group for a controller, if that can be told.
    pub fn of_this_process(controller: &[u8]) -> Option<Group> {
        let mut buffer = [0; MEMBERSHIP_SIZE];
        let memberships = small_file::read(c"/proc/self/cgroup", &mut buffer).ok()?;
        Group::find(memberships, controller, ROOT)
    }

    /// From the lines of /proc/self/cgroup: `hierarchy:controllers:path`, of which version 2 has one, `0::path`.
    pub fn find(memberships: &[u8], controller: &[u8], root: &[u8]) -> Option<Group> {
        let mut unified = None;
        for line in memberships.split(|&byte| byte == b'\n') {
            let mut fields = line.splitn(3, |&byte| byte == b':');
            let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if controllers.split(|&byte| byte == b',').any(|name| name == controller) {
                return Group::at(Version::One, root, controller, path);
            }
            if controllers.is_empty() {
                unified = Some(path);
            }
        }
        Group::at(Version::Two, root, b"", unified?)
    }

    fn at(version: Version, root: &[u8], controller: &[u8], path: &[u8]) -> Option<Group> {
        let mut folder = Text::default();
        folder.push(root).ok()?;
        if !controller.is_empty() {
            folder.push(b"/").and_then(|()| folder.push(controller)).ok()?;
        }
        let root_length = folder.as_bytes().len();
        folder.push(path.strip_suffix(b"/").unwrap_or(path)).ok()?;
        Some(Group { version, folder, root_length })
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the group's files are.
    pub fn folder(&self) -> &[u8] {
        self.folder.as_bytes()
    }

    /// The content of one of the group's files, such as `cpu.max`.
    pub fn read<'a>(&mut self, file: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let length = self.folder.as_bytes().len();
        let named = self.folder.push(b"/").and_then(|()| self.folder.push(file));
        let content = named.ok().and_then(|()| small_file::read(self.folder.as_c_str(), buffer).ok());
        self.folder.truncate(length);
        content
    }

    /// Goes to the group around this one; false at the root.
    pub fn ascend(&mut self) -> bool {
        let below_root = self.folder.as_bytes().get(self.root_length..).unwrap_or_default();
        let Some(slash) = below_root.iter().rposition(|&byte| byte == b'/') else {
            return false;
        };
        self.folder.truncate(self.root_length.saturating_add(slash));
        true
    }
}

/// The first word of a file, as a number; none for words such as `max` and for negative numbers, which mean "no limit".
pub fn number(content: &[u8]) -> Option<u64> {
    numbers(content).next().flatten()
}

/// All words of a file, as numbers.
pub fn numbers(content: &[u8]) -> impl Iterator<Item = Option<u64>> {
    let words = content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.map(|word| core::str::from_utf8(word).ok()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks from the own group to the root and compares the folders on the way.
    fn check_folders(memberships: &[u8], expected: &[&str]) {
        let mut group = Group::find(memberships, b"cpu", b"/r").unwrap();
        for (step, folder) in expected.iter().enumerate() {
            assert_eq!(group.folder(), folder.as_bytes());
            assert_eq!(group.ascend(), step + 1 < expected.len(), "above {folder}");
        }
    }

    #[test]
    fn version_2_walks_from_the_own_group_to_the_root() {
        check_folders(b"0::/a/b.scope\n", &["/r/a/b.scope", "/r/a", "/r"]);
        check_folders(b"0::/\n", &["/r"]);
    }

    #[test]
    fn version_1_is_found_among_other_controllers() {
        let text = b"9:name=systemd:/s\n4:memory:/m\n3:cpuset:/wrong\n2:cpuacct,cpu:/a\n0::/unified\n";
        check_folders(text, &["/r/cpu/a", "/r/cpu"]);
    }

    #[test]
    fn version_2_stands_in_for_controllers_that_version_1_lacks() {
        let group = Group::find(b"4:memory:/m\n0::/u:v\n", b"cpu", b"/r").unwrap();
        assert_eq!((group.version(), group.folder()), (Version::Two, b"/r/u:v".as_slice()));
        assert_eq!(Group::find(b"4:memory:/m\n", b"memory", b"/r").unwrap().version(), Version::One);
    }

    #[test]
    fn nonsense_is_no_group() {
        let long = [b"0::/".as_slice(), &[b'x'; PATH_SIZE]].concat();
        for text in [b"".as_slice(), b"\n", b"0:", b"1:memory:/m", long.as_slice()] {
            assert!(Group::find(text, b"cpu", b"/r").is_none(), "{text:?}");
        }
    }

    #[test]
    fn words_become_numbers() {
        assert_eq!(number(b"150000 100000\n"), Some(150_000));
        assert!(numbers(b"150000 100000\n").eq([Some(150_000), Some(100_000)]));
        for text in [b"max 100000\n".as_slice(), b"-1\n", b"", b"\n"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }
}
