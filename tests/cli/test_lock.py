"""The lock of a folder: one holder at a time, no files left, every error reported."""

import errno
import os
import threading

import pytest

from minilstm.cli import lock
from minilstm.cli.lock import locked
from minilstm.errors import InputError

HAS_FLOCK = pytest.mark.skipif(lock.fcntl is None, reason="Windows locks files by other means")


def flock_fails(monkeypatch, number):
    def fail(file, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", fail)


def test_a_second_holder_is_refused_also_in_another_thread(tmp_path):
    refused = []

    def try_it():
        try:
            with locked(tmp_path):
                pass
        except InputError as error:
            refused.append(str(error))

    with locked(tmp_path):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        try_it()
    assert len(refused) == 2 and "another run is at work" in refused[0]
    try_it()
    assert len(refused) == 2


@pytest.mark.parametrize("folder", ["new", "new/in/new"])
def test_new_folders_that_stay_empty_are_removed_again(tmp_path, folder):
    with pytest.raises(KeyError), locked(tmp_path / folder):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path / folder):
        (tmp_path / folder / "file").touch()
    assert [path.name for path in (tmp_path / folder).iterdir()] == ["file"]


def test_an_existing_folder_stays(tmp_path):
    (tmp_path / "mine").mkdir()
    with locked(tmp_path / "mine"):
        pass
    assert list((tmp_path / "mine").iterdir()) == []


@HAS_FLOCK
def test_a_lock_on_a_file_that_was_just_removed_does_not_count(tmp_path, monkeypatch):
    flock, calls = lock.fcntl.flock, []

    def late(file, operation):
        calls.append(file)
        # the last holder ends between our opening the file and our locking it
        if len(calls) == 1:
            os.unlink(file.name)
        flock(file, operation)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    with locked(tmp_path):
        assert len(calls) == 2
        with pytest.raises(InputError, match="another run is at work"), locked(tmp_path):
            pass


def test_a_folder_removed_by_another_run_is_made_again(tmp_path, monkeypatch):
    calls = []

    def opened(path, mode):
        calls.append(path)
        if len(calls) == 1:
            path.parent.rmdir()
        return open(path, mode)

    monkeypatch.setattr(lock, "open", opened, raising=False)
    with locked(tmp_path / "run"):
        assert len(calls) == 2 and (tmp_path / "run" / ".lock").exists()


def test_a_file_system_with_unstable_file_numbers_can_be_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(lock.os.path, "samestat", lambda one, other: False)
    with locked(tmp_path):
        pass


@HAS_FLOCK
@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN])
def test_a_lock_held_by_another_process_means_another_run(tmp_path, monkeypatch, number):
    flock_fails(monkeypatch, number)
    with pytest.raises(InputError, match="another run is at work"), locked(tmp_path):
        pass


@HAS_FLOCK
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS])
def test_without_locks_a_warning_is_printed_and_the_run_continues(tmp_path, monkeypatch, number):
    flock_fails(monkeypatch, number)
    said = []
    with locked(tmp_path / "run", said.append):
        (tmp_path / "run" / "file").touch()
    assert len(said) == 1 and "has no locks" in said[0] and "another run is" not in said[0]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]


@HAS_FLOCK
def test_another_failure_of_the_lock_is_reported_with_its_reason(tmp_path, monkeypatch):
    flock_fails(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="cannot be locked.*error") as caught, locked(tmp_path / "run"):
        pass
    assert caught.value.errno == errno.EIO and caught.value.filename == str(tmp_path / "run" / ".lock")


@HAS_FLOCK
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot write to"), locked(tmp_path / "run"):
        pass
    tmp_path.chmod(0o700)
