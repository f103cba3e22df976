"""Compiled kernels on disk: reused, never used if damaged, never a cause of errors."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilstm
from minilstm.kernels import cache
from minilstm.kernels.activations import tanh_float32
from minilstm.kernels.cache import KernelCache
from minilstm.kernels.compile import SETTINGS, kernel
from minilstm.verify.diagnose.variant import Mistake, variant

# settings that do not change a kernel: output, execution, other kinds of kernels,
# versions
HARMLESS = {
    "ALWAYS_WARN_UNINIT_VAR", "ANNOTATE", "CACHE_DIR", "CACHE_LOCATOR_CLASSES", "CAPTURED_ERRORS", "CHROME_TRACE",
    "COLOR_SCHEME", "DEVELOPER_MODE", "DIFF_IR", "DISABLE_CUDA", "DISABLE_JIT", "DISABLE_PERFORMANCE_WARNINGS",
    "DISABLE_TYPEINFER_FAIL_CACHE", "ENABLE_CUDASIM", "ENABLE_PROFILING", "ENABLE_SYS_MONITORING", "FORCE_CUDA_CC",
    "FUNCTION_CACHE_SIZE", "GDB_BINARY", "HIGHLIGHT_DUMPS", "HTML", "JIT_COVERAGE", "LLVM_PASS_TIMINGS", "NRT_STATS",
    "NUMBA_DEFAULT_NUM_THREADS", "NUMBA_NUM_THREADS", "PARALLEL_DIAGNOSTICS", "PARFOR_MAX_TUPLE_SIZE",
    "RUNNING_UNDER_PROFILER", "SHOW_HELP", "THREADING_LAYER", "THREADING_LAYER_PRIORITY", "TRACE",
    "USE_LLVMLITE_MEMORY_MANAGER", "_HAVE_YAML",
    "DEBUG", "DEBUG_ARRAY_OPT", "DEBUG_ARRAY_OPT_RUNTIME", "DEBUG_ARRAY_OPT_STATS", "DEBUG_CACHE", "DEBUG_FRONTEND",
    "DEBUG_INLINE_CLOSURE", "DEBUG_NRT_STACK_LIMIT", "DEBUG_PRINT_AFTER", "DEBUG_PRINT_BEFORE", "DEBUG_PRINT_WRAP",
    "DEBUG_TYPEINFER", "IS_32BITS", "IS_OSX", "IS_WIN32", "MACHINE_BITS", "PYVERSION",
}
COMPILED = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled, so nothing is kept on disk")
CALL_A_KERNEL = """
import warnings
warnings.simplefilter("error")
from minilstm.kernels.activations import tanh_float32
import numpy as np
print(tanh_float32(np.float32(0.5)), sum(tanh_float32.stats.cache_hits.values()))
"""


def double(x):
    return x + x


def hits_of_a_call(folder, argument, expected):
    """Call the kernel as a new process would; returns whether it came from disk."""
    compiled = numba.njit(**SETTINGS)(double)
    compiled._cache = KernelCache("test.double", folder)
    assert compiled(argument) == expected
    return sum(compiled.stats.cache_hits.values())


def kept(folder):
    return sorted(folder.glob("**/*.kernel"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "caches" / "minilstm" / "0123456789abcdef"


# ---- files ---------------------------------------------------------------------------


@given(content=st.binary())
def test_a_written_file_is_read_back(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("disk") / "a" / "b.kernel"
    cache.write(path, content)
    assert cache.read(path) == content
    assert [p.name for p in path.parent.iterdir()] == ["b.kernel"]


@given(data=st.data(), content=st.binary(min_size=1))
def test_a_damaged_file_is_never_used(tmp_path_factory, data, content):
    path = tmp_path_factory.mktemp("disk") / "b.kernel"
    cache.write(path, content)
    whole = path.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(st.sampled_from((
        whole[:position], b"", data.draw(st.binary(max_size=100)), whole + b"x",
        whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :],
    )))
    path.write_bytes(damaged)
    assert cache.read(path) is None


def test_a_missing_file_or_a_folder_is_not_read(tmp_path):
    assert cache.read(tmp_path / "none.kernel") is None
    assert cache.read(tmp_path) is None


def test_a_failed_write_is_ignored_and_leaves_no_file(tmp_path, monkeypatch):
    path = tmp_path / "a.kernel"
    cache.write(path, b"old")
    file = tmp_path / "file"
    file.touch()
    cache.write(file / "folder" / "a.kernel", b"new")

    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    cache.write(path, b"new")
    assert cache.read(path) == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.kernel", "file"]


# ---- folders -------------------------------------------------------------------------


def test_only_the_newest_folders_are_kept_and_only_our_files_are_deleted(tmp_path):
    for age in range(12):
        key = tmp_path / f"{age:016x}"
        key.mkdir()
        for name in ("a.kernel", "b.unfinished", *(["diary.txt"] if age == 11 else [])):
            (key / name).touch()
        os.utime(key, (1e9 - age, 1e9 - age))
    (tmp_path / "kernels").mkdir()
    os.utime(tmp_path / "kernels", (0, 0))
    cache.delete_old_directories(tmp_path, keep=5)
    left = [f"{age:016x}" for age in (0, 1, 2, 3, 4, 11)] + ["kernels"]
    assert sorted(p.name for p in tmp_path.iterdir()) == left
    assert [p.name for p in (tmp_path / f"{11:016x}").iterdir()] == ["diary.txt"]
    assert len(kept(tmp_path)) == 5


def test_a_new_directory_replaces_the_oldest(tmp_path):
    for number in range(cache.DIRECTORIES_KEPT + 3):
        cache.write(tmp_path / f"{number:016x}" / "a.kernel", b"")
    assert len(kept(tmp_path)) == cache.DIRECTORIES_KEPT


@pytest.mark.parametrize(
    "platform, environ, where",
    [
        ("linux", {}, "/home/me/.cache"),
        ("linux", {"XDG_CACHE_HOME": ""}, "/home/me/.cache"),
        ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches"),
        # by the standard, relative paths are ignored
        ("linux", {"XDG_CACHE_HOME": "caches"}, None),
        ("darwin", {"XDG_CACHE_HOME": "/caches"}, "/home/me/Library/Caches"),
        ("win32", {}, "/home/me/AppData/Local"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local"),
    ],
)
def test_kernels_are_kept_in_the_users_cache_folder(monkeypatch, platform, environ, where):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert cache.cache_directory(environ, platform) == (where and Path(where, "minilstm", cache.cache_key()))


def test_numbas_own_setting_decides_where_kernels_are_kept(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "caches")
    assert cache.cache_directory({}, "linux") == tmp_path / "caches" / "minilstm" / cache.cache_key()


def test_without_a_home_there_is_no_directory(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(Path, "home", homeless)
    assert cache.cache_directory({}, "linux") is None


@pytest.mark.parametrize("problem", ["no sources", "locked sources"])
def test_without_sources_for_the_key_nothing_is_cached(monkeypatch, problem):
    def locked(self):
        raise PermissionError(13, "Permission denied")

    if problem == "no sources":
        monkeypatch.setattr(Path, "glob", lambda self, pattern: [])
    else:
        monkeypatch.setattr(Path, "read_bytes", locked)
    key = cache.cache_key()
    monkeypatch.setattr(cache, "cache_key", cache.cache_key.__wrapped__)
    assert cache.cache_directory({"XDG_CACHE_HOME": "/caches"}, "linux") is None
    monkeypatch.undo()
    assert cache.cache_key.__wrapped__() == key and cache.CACHE_KEY.fullmatch(key)


def test_whether_a_folder_can_be_written_is_known_before_it_is_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert cache.can_be_written(tmp_path) and cache.can_be_written(tmp_path / "a" / "b")
    assert not cache.can_be_written(tmp_path / "file") and not cache.can_be_written(tmp_path / "file" / "a")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert not cache.can_be_written(tmp_path / "a")


def test_info_prints_where_kernels_are_kept_or_why_not(run, tmp_path, monkeypatch):
    def info():
        status, out, _ = run("info")
        assert status == 0
        return " ".join(out.split())

    (tmp_path / "file").touch()
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert f"kernels compiled once, kept in {tmp_path / 'minilstm' / cache.cache_key()}" in info()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file"))
    assert f"because {tmp_path / 'file' / 'minilstm' / cache.cache_key()} cannot be written to" in info()
    monkeypatch.setattr("minilstm.cli.info.cache_directory", lambda: None)
    assert "there is no cache folder" in info()
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert "kernels not compiled" in info()


def test_the_key_covers_everything_of_minilstm_that_kernels_import():
    seen = 0
    for path in Path(cache.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("minilstm"):
                seen += 1
                assert node.module.startswith("minilstm.kernels"), f"{path.name} imports {node.module}"
    assert seen > 5


def test_a_cache_has_a_path_and_the_whole_interface_of_numba(folder):
    cache = KernelCache("test.double", folder)
    assert cache.cache_path == str(folder) and cache.folder == folder
    assert cache.enable() is cache.disable() is cache.flush() is None
    assert not folder.exists()


# ---- kernels -------------------------------------------------------------------------


@COMPILED
def test_a_kernel_is_compiled_once_for_each_type(folder):
    assert hits_of_a_call(folder, 2, 4) == 0
    assert hits_of_a_call(folder, 2, 4) == 1
    assert hits_of_a_call(folder, 2.5, 5.0) == 0
    assert hits_of_a_call(folder, 2.5, 5.0) == hits_of_a_call(folder, 2, 4) == 1
    assert len(kept(folder)) == 2


@COMPILED
def test_only_functions_that_the_key_covers_are_cached():
    assert isinstance(tanh_float32._cache, KernelCache)
    # its file may change unnoticed, and another function may get its name
    assert not isinstance(kernel(double)._cache, KernelCache)
    changed = variant(tanh_float32.py_func, [Mistake("twice", tanh_float32.py_func, "x * p / q", "2 * x * p / q", "", "")])
    assert changed(np.float32(0.5)) == pytest.approx(2 * tanh_float32(np.float32(0.5)), rel=1e-6)


@COMPILED
@pytest.mark.parametrize("damage", [b"", b"garbage", slice(100), slice(31), slice(None, -1)])
def test_a_damaged_file_is_compiled_again_and_replaced(folder, damage):
    hits_of_a_call(folder, 2, 4)
    (path,) = kept(folder)
    path.write_bytes(damage if isinstance(damage, bytes) else path.read_bytes()[damage])
    assert hits_of_a_call(folder, 2, 4) == 0
    assert hits_of_a_call(folder, 2, 4) == 1


@COMPILED
def test_a_file_that_numba_cannot_read_is_compiled_again(folder):
    hits_of_a_call(folder, 2, 4)
    (path,) = kept(folder)
    cache.write(path, b"no pickle, but with the right checksum")
    assert hits_of_a_call(folder, 2, 4) == 0
    assert hits_of_a_call(folder, 2, 4) == 1


@COMPILED
def test_a_read_only_folder_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").touch()
    assert hits_of_a_call(tmp_path / "file" / "key", 2, 4) == 0
    assert hits_of_a_call(tmp_path / "file" / "key", 2, 4) == 0


@COMPILED
def test_a_file_in_the_way_of_a_kernel_costs_nothing_but_time(folder):
    hits_of_a_call(folder, 2, 4)
    (path,) = kept(folder)
    path.unlink()
    path.mkdir()
    assert hits_of_a_call(folder, 2, 4) == 0
    assert list(folder.iterdir()) == [path]


def start(program, cwd, **environment):
    """Start a new process that uses only the given caches; None removes a variable."""
    environ = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    environ |= {"PYTHONPATH": str(Path(minilstm.__file__).parents[1]), "NUMBA_CACHE_DIR": "", **environment}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={name: value for name, value in environ.items() if value is not None},
        cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def call_a_kernel(cwd, **environment):
    """How often a new process took its kernel from disk.

    Asserts that it prints only the right result.
    """
    process = start(CALL_A_KERNEL, cwd, **environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and err == "", (out, err)
    result, hits = out.split()
    assert float(result) == pytest.approx(np.tanh(0.5), rel=1e-6)
    return int(hits)


# ---- the cache key ----------------------------------------------------------------


def test_every_setting_of_numba_is_in_the_key_or_known_to_be_harmless():
    named = {name for name in vars(numba.config) if name.isupper()}
    unknown = {n for n in named - HARMLESS - {*cache.CODE_SETTINGS} if not n.startswith(("CUDA_", "DUMP_"))}
    assert len(named) > 50 and not unknown, "does it change what is compiled? Then it belongs into CODE_SETTINGS"
    assert not HARMLESS & {*cache.CODE_SETTINGS}
    assert {"OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "ENABLE_AVX", "BOUNDSCHECK", "CPU_NAME", "CPU_FEATURES"} <= named


@pytest.mark.parametrize("name", cache.CODE_SETTINGS)
def test_a_setting_that_changes_code_changes_the_key_and_one_that_is_missing_is_no_error(monkeypatch, name):
    before = cache.code_settings()
    monkeypatch.setattr(numba.config, name, "another", raising=False)
    changed = cache.code_settings()
    assert changed != before and len(changed) == len(before)
    monkeypatch.delattr(numba.config, name)
    assert f"{name} = None" in cache.code_settings()


def test_the_key_depends_on_the_version_of_all_that_compiles(monkeypatch):
    import llvmlite

    keys = {cache.cache_key.__wrapped__()}
    for module in (numba, np, llvmlite):
        monkeypatch.setattr(module, "__version__", "another")
        keys.add(cache.cache_key.__wrapped__())
        monkeypatch.undo()
    monkeypatch.setattr(llvmlite.binding, "llvm_version_info", (1, 2, 3))
    keys.add(cache.cache_key.__wrapped__())
    monkeypatch.undo()
    monkeypatch.setattr(sys, "version", f"{sys.version} free-threading build")
    keys.add(cache.cache_key.__wrapped__())
    assert len(keys) == 6


@COMPILED
def test_a_kernel_compiled_under_one_setting_is_not_taken_under_another(folder, monkeypatch):
    assert hits_of_a_call(folder, 2, 4) == 0
    for name, value in (("OPT", 0), ("LOOP_VECTORIZE", 0), ("DEBUGINFO_DEFAULT", 1)):
        with monkeypatch.context() as changed:
            changed.setattr(numba.config, name, value)
            assert hits_of_a_call(folder, 2, 4) == 0
            assert hits_of_a_call(folder, 2, 4) == 1
    assert hits_of_a_call(folder, 2, 4) == 1
    assert len(kept(folder)) == 4


@COMPILED
def test_a_process_with_numba_opt_0_leaves_nothing_that_a_later_one_takes(tmp_path):
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert call_a_kernel(tmp_path, **environment, NUMBA_OPT="0") == 0
    assert call_a_kernel(tmp_path, **environment) == 0
    assert call_a_kernel(tmp_path, **environment) == call_a_kernel(tmp_path, **environment, NUMBA_OPT="0") == 1


@COMPILED
def test_a_second_process_finds_what_the_first_one_compiled(tmp_path):
    home = tmp_path / "home"
    assert call_a_kernel(tmp_path, HOME=str(home), LOCALAPPDATA=str(home)) == 0
    (path,) = kept(tmp_path)
    assert home in path.parents and path.parent.name == cache.cache_key()
    assert call_a_kernel(tmp_path, HOME=str(home), LOCALAPPDATA=str(home)) == 1
    assert kept(Path(minilstm.__file__).parent) == []


@pytest.mark.thorough
@COMPILED
@pytest.mark.parametrize("environment", [{"HOME": None}, {"HOME": "file"}, {"NUMBA_CACHE_DIR": "file"}])
def test_without_a_writable_folder_a_kernel_is_compiled_silently(tmp_path, environment):
    (tmp_path / "file").touch()
    environment = {name: value and str(tmp_path / value) for name, value in environment.items()}
    if environment == {"HOME": None}:
        # so that the real home folder is not used
        environment["XDG_CACHE_HOME"] = "relative"
    assert call_a_kernel(tmp_path, **environment) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.thorough
@COMPILED
def test_processes_that_compile_at_the_same_time_do_not_interfere(tmp_path):
    processes = [start(CALL_A_KERNEL, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert len({out.split()[0] for out, _ in outputs}) == 1 and {err for _, err in outputs} == {""}
    assert len(kept(tmp_path)) == 1 and not list(tmp_path.glob("**/*.unfinished"))


WITH_NO_ROOM_ON_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
"""


@pytest.mark.thorough
@COMPILED
@pytest.mark.skipif(os.name == "nt", reason="limits files in the way of POSIX systems")
def test_a_full_disk_costs_nothing_but_time(tmp_path):
    cache = tmp_path / "cache"
    process = start(WITH_NO_ROOM_ON_DISK + CALL_A_KERNEL, tmp_path, NUMBA_CACHE_DIR=str(cache), PYTHONDONTWRITEBYTECODE="1")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and err == "" and out.split()[1] == "0", (out, err)
    assert cache.is_dir() and not [path for path in cache.glob("**/*") if path.is_file()]


@pytest.mark.thorough
@COMPILED
@pytest.mark.parametrize("file", ["activations.py", "sgd.py"])
def test_a_change_in_any_file_of_kernels_recompiles_all(tmp_path, file):
    package = tmp_path / "copy" / "minilstm"
    shutil.copytree(Path(minilstm.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1",
    }
    assert call_a_kernel(tmp_path, **environment) == 0
    assert call_a_kernel(tmp_path, **environment) == 1
    with open(package / "kernels" / file, "a", encoding="utf-8") as source:
        source.write("\n\nCHANGED = True\n")
    assert call_a_kernel(tmp_path, **environment) == 0
