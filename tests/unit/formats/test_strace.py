"""What strace prints, line by line as recorded, and what a trail makes of it."""

import pytest

from envlock.formats.system.strace import Trail, parse_strace


def trail(*lines: bytes, folder: str = "/srv", most: int = 1000) -> Trail:
    found = Trail(folder, most)
    found.feed_all(lines)
    return found


LOADER = (
    b'10 execve("/usr/bin/cat", [...], 0x7fff /* 35 vars */) = 0\n',
    b'10 openat(AT_FDCWD</srv>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>\n',
    b'10 openat(AT_FDCWD</srv>, "/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3</usr/lib/libc.so.6>\n',
    b"10 +++ exited with 0 +++\n",
)


def test_opened_files_are_named_as_the_kernel_names_them() -> None:
    found = trail(*LOADER)
    assert found.opened == {"/etc/ld.so.cache", "/usr/lib/libc.so.6"}
    assert found.executed == {"/usr/bin/cat"}
    assert found.running == set()


@pytest.mark.parametrize(
    "line",
    [
        b'10 openat(AT_FDCWD</srv>, "log", O_WRONLY|O_APPEND) = 3</srv/log>',
        b'10 openat(AT_FDCWD</srv>, "new", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</srv/new>',
        b'10 openat(AT_FDCWD</srv>, ".", O_RDONLY|O_DIRECTORY) = 3</srv>',
        b'10 openat(AT_FDCWD</srv>, "none", O_RDONLY) = -1 ENOENT (No such file or directory)',
        b'10 openat(AT_FDCWD</srv>, "x", O_RDONLY) = 3</srv/x>(deleted)',
        b'10 openat(AT_FDCWD</srv>, "x", O_RDONLY) = 3</srv/x (deleted)>',
        b'10 openat(AT_FDCWD</srv>, "/dev/stdin", O_RDONLY) = 3<pipe:[4711]>',
        b'10 openat2(AT_FDCWD</srv>, "x", {flags=O_WRONLY|O_TRUNC, resolve=0}, 24) = 3</srv/x>',
        b'10 openat(AT_FDCWD</srv>, "x", O_RDONLY <detached ...>',
        b"strace: Process 12 attached",
        b"10 --- SIGCHLD {si_signo=SIGCHLD, si_pid=12} ---",
        b"",
    ],
)
def test_what_is_written_or_absent_or_no_file_is_not_touched(line: bytes) -> None:
    assert trail(line).opened == set()


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b'10 open("/etc/hosts", O_RDONLY) = 3</etc/hosts>', "/etc/hosts"),
        (b'10 openat(5</srv/a>, "b", O_RDONLY) = 6</srv/a/b>', "/srv/a/b"),
        (b'10 openat2(5</srv/a>, "b", {flags=O_RDONLY, resolve=0}, 24) = 6</srv/a/b>', "/srv/a/b"),
        (b'[pid 10] open("x", O_RDONLY) = 3</srv/x>', "/srv/x"),
        (b'10 openat(AT_FDCWD, "O_WRONLY", O_RDONLY) = 3</srv/O_WRONLY>', "/srv/O_WRONLY"),
        (b'10 open("\\303\\244 <x>", O_RDONLY) = 3</srv/\\303\\244 \\74x\\76>', "/srv/ä <x>"),
        (b'10 open("a\\"\\n) = 4", O_RDONLY) = 3</srv/a\\"\\n) = 4>', '/srv/a"\n) = 4'),
        (b'10 open("\\377", O_RDONLY) = 3</srv/\\377>', "/srv/\udcff"),
    ],
)
def test_paths_of_every_form_are_read(line: bytes, path: str) -> None:
    assert trail(line).opened == {path}


def test_a_call_in_two_parts_is_one_call() -> None:
    found = trail(
        b'10 openat(AT_FDCWD</srv>, "a", O_RDONLY <unfinished ...>',
        b'11 openat(AT_FDCWD</srv>, "b", O_RDONLY <unfinished ...>',
        b"10 <... openat resumed>) = 3</srv/a>",
        b"11 <... openat resumed>) = -1 ENOENT (No such file or directory)",
        b"12 <... openat resumed>) = 3</srv/never-begun>",
    )
    assert found.opened == {"/srv/a"}


def test_a_relative_program_lies_in_the_directory_of_its_process() -> None:
    found = trail(
        b'10 execve("./one", [...], 0x1 /* 1 var */) = 0',
        b'10 chdir("a") = 0',
        b"10 vfork() = 11",
        b'11 execve("./two", [...], 0x1 /* 1 var */) = 0',
        b"10 fchdir(3</opt/b>) = 0",
        b"10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 12",
        b'10 chdir("/elsewhere") = 0',
        b'12 execve("../three", [...], 0x1 /* 1 var */) = 0',
        b'12 execveat(5</opt/c>, "four", [...], 0x1 /* 1 var */, 0) = 0',
        b'12 execveat(6</opt/d/five>, "", [...], 0x1 /* 1 var */, AT_EMPTY_PATH) = 0',
        b'12 execve("missing", [...], 0x1 /* 1 var */) = -1 ENOENT (No such file or directory)',
    )
    assert found.executed == {
        "/srv/one", "/srv/a/two", "/opt/three", "/opt/c/four", "/opt/d/five",
    }  # fmt: skip


def test_threads_share_their_working_directory() -> None:
    found = trail(
        b'10 execve("/bin/x", [...], 0x1 /* 1 var */) = 0',
        b"10 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD}, 88) = 11",
        b'11 chdir("/moved") = 0',
        b'10 execve("./y", [...], 0x1 /* 1 var */) = 0',
    )
    assert found.executed == {"/bin/x", "/moved/y"}


def test_a_child_that_is_seen_before_its_parent_tells_of_it_is_placed_too() -> None:
    by_fork = trail(
        b'10 execve("/bin/x", [...], 0x1 /* 1 var */) = 0',
        b'11 execve("./early", [...], 0x1 /* 1 var */) = 0',
        b"10 vfork() = 11",
    )
    by_open = trail(
        b'10 execve("/bin/x", [...], 0x1 /* 1 var */) = 0',
        b'11 execve("./early", [...], 0x1 /* 1 var */) = 0',
        b'11 openat(AT_FDCWD</in/here>, "/etc/hosts", O_RDONLY) = 3</etc/hosts>',
    )
    assert by_fork.executed == {"/bin/x", "/srv/early"}
    assert by_open.executed == {"/bin/x", "/in/here/early"}


def test_running_processes_are_those_that_have_not_ended() -> None:
    found = trail(
        b'10 execve("/bin/x", [...], 0x1 /* 1 var */) = 0',
        b"12 +++ exited with 0 +++",
        b"10 vfork() = 12",
        b"10 vfork() = 13",
        b"13 +++ killed by SIGKILL +++",
        b"10 clone3({flags=CLONE_VM|CLONE_FS}, 88) = 14",
    )
    assert found.running == {10, 14}


def test_more_paths_than_the_limit_are_said_to_be_cut() -> None:
    lines = [b'10 open("%d", O_RDONLY) = 3</srv/%d>' % (n, n) for n in range(5)]
    assert not trail(*lines, most=5).is_cut
    cut = trail(*lines, most=4)
    assert cut.is_cut
    assert len(cut.opened) == 4


def test_the_parser_of_whole_output_starts_at_the_root() -> None:
    assert parse_strace(b'10 execve("bin/x", [...], 0x1) = 0\n').executed == {"/bin/x"}
