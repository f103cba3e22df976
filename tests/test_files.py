"""Files are complete or absent, also on file systems that lack some functions."""

import errno
import os
from pathlib import Path

import pytest

from minilstm.files import replacing, write_new


def write(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


def failing(monkeypatch, name, number, when=lambda path: True):
    """Let a function of ``os`` fail if ``when`` is true; returns failed calls."""
    real, failed = getattr(os, name), []

    def fail(first, *others, **options):
        if when(first):
            failed.append(first)
            raise OSError(number, os.strerror(number))
        return real(first, *others, **options)

    monkeypatch.setattr(os, name, fail)
    return failed


def is_folder(number):
    return os.path.isdir(f"/proc/self/fd/{number}") if isinstance(number, int) else os.path.isdir(number)


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as file:
        file.write(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half of the n")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_complete_and_on_disk_before_it_replaces_the_old(tmp_path, monkeypatch):
    path, events = tmp_path / "file", []
    path.write_bytes(b"old")
    replace, fsync = os.replace, os.fsync

    def watched_replace(source, target):
        events.append(("replace", path.read_bytes(), Path(source).read_bytes()))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda number: (events.append("fsync"), fsync(number)))
    monkeypatch.setattr(os, "replace", watched_replace)
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert events[:2] == ["fsync", ("replace", b"old", b"new")] and path.read_bytes() == b"new"


LINUX = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="tells folders from files by Linux's /proc")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_files_are_written_even_if_the_file_system_cannot_sync_them(tmp_path, monkeypatch, number):
    failed = failing(monkeypatch, "fsync", number)
    write(tmp_path / "replaced")
    write_new(tmp_path / "made", b"new")
    assert len(failed) >= 2 and sorted(p.name for p in tmp_path.iterdir()) == ["made", "replaced"]
    assert {p.read_bytes() for p in tmp_path.iterdir()} == {b"new"}


@LINUX
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF])
@pytest.mark.parametrize("function", ["fsync", "open"])
def test_a_folder_that_cannot_be_synced_causes_no_error(tmp_path, monkeypatch, function, number):
    failed = failing(monkeypatch, function, number, is_folder)
    write(tmp_path / "file")
    assert len(failed) == 1 and (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("make", [write, lambda path: write_new(path, b"new")])
def test_a_full_or_broken_disk_is_reported_with_the_name_of_the_file(tmp_path, monkeypatch, number, make):
    failing(monkeypatch, "fsync", number)
    with pytest.raises(OSError) as caught:
        make(tmp_path / "file")
    assert caught.value.errno == number and caught.value.filename == str(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@LINUX
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_broken_disk_is_reported_even_if_only_the_renaming_fails(tmp_path, monkeypatch, number):
    failing(monkeypatch, "fsync", number, is_folder)
    with pytest.raises(OSError) as caught:
        write(tmp_path / "file")
    assert caught.value.errno == number and caught.value.filename == str(tmp_path)


def test_if_a_file_cannot_be_replaced_the_new_one_stays_beside_it_and_both_are_named(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    failing(monkeypatch, "replace", errno.EACCES)
    with pytest.raises(PermissionError, match="cannot be replaced.*open in another program.*is in file.tmp") as caught:
        write(path)
    assert caught.value.filename == str(path) and path.read_bytes() == b"old"
    assert (tmp_path / "file.tmp").read_bytes() == b"new"
    monkeypatch.undo()
    write(path, b"newer")
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"newer"


def test_a_missing_folder_is_reported_with_the_given_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write(tmp_path / "none" / "file")
    assert caught.value.filename == str(tmp_path / "none" / "file")


def test_an_error_without_a_number_keeps_its_message(tmp_path):
    with pytest.raises(OSError, match="3 requested and 2 written"), replacing(tmp_path / "file"):
        raise OSError("3 requested and 2 written")
    assert list(tmp_path.iterdir()) == []


def test_an_error_about_another_file_keeps_that_file_name(tmp_path):
    with pytest.raises(OSError) as caught, replacing(tmp_path / "file"):
        raise OSError(errno.EIO, "failed", "another")
    assert caught.value.filename == "another" and list(tmp_path.iterdir()) == []


def test_a_new_file_never_replaces_another(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_file_never_takes_the_place_of_a_pipe_or_a_device(tmp_path):
    os.mkfifo(path := tmp_path / "pipe")
    with pytest.raises(OSError, match="is a device or a pipe, not a file") as refusal:
        write(path)
    assert refusal.value.filename == str(path) and path.is_fifo() and list(tmp_path.iterdir()) == [path]
