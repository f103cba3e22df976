"""A program is run with limits: of time, of memory, of what it prints, of the network."""

import os
import signal
import sys
import textwrap
import threading
import time

import pytest

from minilstm.course import sandbox
from minilstm.course.sandbox import run_limited

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this limit")


def run(code, seconds=20.0, **options):
    return run_limited([sys.executable, "-c", textwrap.dedent(code)], seconds=seconds, **options)


def alive(number):
    """Whether a process runs; one that has ended and waits to be asked does not."""
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def ends(number, patience=5.0):
    until = time.monotonic() + patience
    while alive(number) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(number)


def test_a_program_that_ends_by_itself_has_no_problem(tmp_path):
    code = """
        import os, sys
        print(input(), "σ", os.path.basename(os.getcwd()))
        print("error", file=sys.stderr)
        sys.exit(3)
    """
    outcome = run(code, input="one\n", cwd=tmp_path)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (3, f"one σ {tmp_path.name}\n", "error\n")
    assert (outcome.problem, outcome.problem_in("x.py"), outcome.trace) == ("", "", ())


@posix
def test_an_endless_loop_ends_at_the_time_limit_and_its_line_is_named(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("print('begun')\n\ndef f():\n    while True:\n        pass\n\nf()\n")
    outcome = run_limited([sys.executable, str(path)], seconds=0.5)
    assert outcome.status is None and outcome.problem == "it ran for more than 0.5 s"
    assert outcome.stdout == "begun\n" and outcome.stderr == ""
    assert outcome.line_in(path) in {4, 5}
    assert outcome.problem_in(path).endswith("of mine.py: it ran for more than 0.5 s; does a loop there never end?")
    assert outcome.problem_in("other.py") == outcome.problem


def test_the_time_limit_counts_from_when_the_program_is_ready(tmp_path):
    code = """
        import sys, time
        time.sleep(0.6)
        with open(sys.argv[1], "w") as file:
            print("ready", file=file, flush=True)
            time.sleep(float(sys.argv[2]))
    """
    ready = tmp_path / "ready"
    command = [sys.executable, "-c", textwrap.dedent(code), str(ready)]
    assert run_limited([*command, "0"], seconds=0.5, ready=ready).problem == ""
    assert run_limited([*command, "60"], seconds=0.1, ready=ready).problem == "it ran for more than 0.1 s"
    assert run("pass", ready=tmp_path / "never").status == 0


def test_a_program_that_is_never_ready_ends_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "STARTING", 0.2)
    assert run("import time; time.sleep(60)", seconds=0.1, ready=tmp_path / "never").status is None


@posix
def test_a_program_that_ignores_every_signal_ends_too(monkeypatch):
    monkeypatch.setattr(sandbox, "GRACE", 0.2)
    outcome = run("import signal; signal.signal(signal.SIGABRT, signal.SIG_IGN)\nwhile True: pass", seconds=0.5)
    assert outcome.status is None and outcome.trace == ()


@linux
@pytest.mark.parametrize("end, status", [("sys.exit()", 0), ("time.sleep(60)", None)])
def test_a_process_that_it_started_does_not_outlive_it(end, status):
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(child.pid)
        {end}
    """
    outcome = run(code, seconds=1)
    assert outcome.status == status
    assert ends(int(outcome.stdout))


@linux
def test_a_process_that_left_the_group_does_not_hold_us_up(monkeypatch):
    monkeypatch.setattr(sandbox, "GRACE", 0.2)
    code = """
        import subprocess, sys
        code = "import time; time.sleep(60)"
        print(subprocess.Popen([sys.executable, "-c", code], start_new_session=True).pid)
    """
    outcome = run(code)
    escaped = int(outcome.stdout)
    assert outcome.status == 0 and alive(escaped)
    os.kill(escaped, signal.SIGKILL)


@linux
def test_ctrl_c_ends_the_program():
    numbers = []

    def stop():
        while not numbers:
            here = f"/proc/{os.getpid()}/task/{threading.main_thread().native_id}/children"
            with open(here) as file:
                numbers.extend(map(int, file.read().split()))
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run("import time; time.sleep(60)")
    thread.join()
    assert numbers and all(map(ends, numbers))


@linux
@pytest.mark.parametrize("code", ["x = [0] * 20_000_000", "import numpy; numpy.empty(20_000_000)"])
def test_a_program_that_needs_too_much_memory_is_told_so(code):
    assert run(code, memory=10**9).problem == ""
    outcome = run(code, memory=150_000_000)
    assert outcome.status == 1 and outcome.problem == "it needed more than 150 MB of memory"


@linux
def test_a_memory_error_of_its_own_is_no_problem_of_ours():
    assert run("raise MemoryError", memory=10**9).problem == "it needed more than 1 GB of memory"
    assert run("raise MemoryError").problem == ""
    assert run("print('MemoryError'); raise ValueError('MemoryError')", memory=10**9).problem == ""


@linux
def test_a_file_longer_than_the_memory_limit_is_not_written(tmp_path):
    path = tmp_path / "long"
    outcome = run("open('long', 'wb').write(bytes(10**6)); open('long', 'ab').write(bytes(10**8))", memory=10**8, cwd=tmp_path)
    assert outcome.status == 1 and 10**6 <= path.stat().st_size <= 10**8


@posix
def test_a_crash_is_named_with_its_line(tmp_path):
    path = tmp_path / "crash.py"
    path.write_text("import ctypes\n\nctypes.string_at(0)\n")
    outcome = run_limited([sys.executable, str(path)], seconds=20)
    assert outcome.status == -signal.SIGSEGV and outcome.stderr == ""
    assert outcome.problem == "it crashed (segmentation fault)"
    assert outcome.problem_in(path) == "line 3 of crash.py: it crashed (segmentation fault)"


@posix
def test_a_program_killed_from_outside_says_so():
    outcome = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert outcome.problem == "it was killed; did the system run out of memory?"


def test_of_endless_output_the_first_and_the_last_is_kept(monkeypatch):
    monkeypatch.setattr(sandbox, "KEPT", 1000)
    outcome = run("print('first'); print('x' * 10**6); print('last')")
    assert outcome.stdout.startswith("first\nxxx") and outcome.stdout.endswith("xxx\nlast\n")
    assert "\n... 999,012 bytes left out ...\n" in outcome.stdout
    assert len(outcome.stdout) < 1100
    assert outcome.status == 0


def test_input_that_is_not_read_blocks_nothing():
    assert run("pass", input="x" * 10**6).status == 0


def test_its_environment_is_the_one_that_was_given():
    code = "import os; print(sorted(name for name in os.environ if name.startswith('MINE')))"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINE_OLD", "1")
        assert run(code).stdout == "['MINE_OLD']\n"
        given = {**os.environ, "MINE_NEW": "1"}
        del given["MINE_OLD"]
        assert run(code, environment=given).stdout == "['MINE_NEW']\n"


def test_a_program_that_is_not_there_cannot_be_started(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run_limited([str(tmp_path / "nowhere")], seconds=1)


LISTENER = """
    import socket
    try:
        socket.create_connection(("127.0.0.1", int(input())), 5).close()
        print("reached")
    except OSError:
        print("refused")
"""


@linux
def test_without_network_no_address_is_reached_and_the_outcome_says_whether_it_was_cut():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        open_ = run(LISTENER, input=port)
        assert (open_.stdout, open_.network_cut) == ("reached\n", False)
        closed = run(LISTENER, input=port, network=False)
        assert closed.stdout == ("refused\n" if closed.network_cut else "reached\n")


@linux
def test_without_network_the_user_stays_the_same(tmp_path):
    code = "import os; print(os.getuid(), os.getgid()); open('mine', 'w').close()"
    outcome = run(code, network=False, cwd=tmp_path)
    assert outcome.stdout == f"{os.getuid()} {os.getgid()}\n"
    assert (tmp_path / "mine").stat().st_uid == os.getuid()


@posix
def test_limits_that_were_lower_before_stay(tmp_path):
    code = """
        import resource, sys
        from minilstm.course.launcher import limit
        limit(resource.RLIMIT_FSIZE, 5000)
        limit(resource.RLIMIT_FSIZE, 9000)
        print(resource.getrlimit(resource.RLIMIT_FSIZE))
    """
    assert run(code).stdout == "(5000, 5000)\n"
