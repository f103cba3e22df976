"""The variable that is set before NumPy is loaded.

It is set only if it helps, never against the user's choice, and ``minilstm info``
reports it.
"""

import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.cli import environment
from minilstm.cli.environment import NEEDED, choose_kernels, gains

EVERYDAY = "fpu vme de pse msr sse sse2 ht syscall nx lm ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c avx2 bmi2"
AVX512 = "avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl avx512_bf16 avx512vbmi avx512_vnni"


def processors(vendor="AuthenticAMD", family=26, flags=f"{EVERYDAY} {AVX512}", count=2):
    """The description of processors in the form of Linux."""
    each = [
        f"processor\t: {number}\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel name\t: Some: processor\n"
        f"cache size\t: 1024 KB\nflags\t\t: {flags}\nbugs\t\t: sysret_ss_attrs spectre_v1\npower management:\n"
        for number in range(count)
    ]
    return "\n".join(each)


ZEN_3 = processors(family=25, flags=EVERYDAY)
ZEN_4 = processors(family=25)
ZEN_5 = processors(family=26)
INTEL = processors("GenuineIntel", family=6)
HYGON = processors("HygonGenuine", family=24)
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes sve\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize("text", [ZEN_4, ZEN_5, ZEN_5.rstrip(), ZEN_5 + "\n\n", processors(count=1), ZEN_5.replace("\t", " ")])
def test_amd_processors_with_avx_512_gain(text):
    assert gains(text)


@pytest.mark.parametrize(
    "text",
    [ZEN_3, INTEL, HYGON, ARM, "", "\n\n", "nonsense", ":", "flags", AVX512, ZEN_5.replace(":", ""),
     f"vendor_id\t: AuthenticAMD\nmodel name\t: {AVX512}\n",
     f"vendor_id\t: GenuineIntel\nmodel name: AuthenticAMD\nflags: {AVX512}"],
)
def test_no_other_processor_gains(text):
    assert not gains(text)


@pytest.mark.parametrize("missing", sorted(NEEDED))
def test_each_group_of_instructions_is_needed(missing):
    assert not gains(processors(flags=" ".join(flag for flag in AVX512.split() if flag != missing)))


@given(text=st.text())
def test_any_description_of_a_processor_is_accepted(text):
    assert gains(text) is False


@given(end=st.integers(0, len(ZEN_5)))
def test_a_truncated_description_counts_only_for_what_it_has(end):
    first = ZEN_5[:end].partition("\n\n")[0]
    assert gains(ZEN_5[:end]) == (NEEDED <= set(re.findall(r"\w+", first)))


def test_the_variable_is_set_for_a_processor_that_gains_and_reported():
    value, report = choose_kernels({}, ZEN_5, numpy_is_loaded=False)
    assert value == "SkylakeX"
    for words in ("OPENBLAS_CORETYPE=SkylakeX, set by minilstm", "MINILSTM_CORETYPE=off", "export OPENBLAS_CORETYPE=SkylakeX"):
        assert words in report


@pytest.mark.parametrize("chosen", ["Haswell", "SkylakeX", ""])
@pytest.mark.parametrize("text", [ZEN_3, ZEN_5])
def test_a_value_set_by_the_user_is_kept(chosen, text):
    value, report = choose_kernels({"OPENBLAS_CORETYPE": chosen}, text, numpy_is_loaded=False)
    assert value is None and report == f"OPENBLAS_CORETYPE={chosen}, as the environment says"


@pytest.mark.parametrize("off", ["off", "OFF"])
def test_the_switch_turns_it_off_and_the_report_says_what_it_would_do(off):
    value, report = choose_kernels({"MINILSTM_CORETYPE": off}, ZEN_5, numpy_is_loaded=False)
    assert value is None and "as MINILSTM_CORETYPE=off says; without, OPENBLAS_CORETYPE=SkylakeX" in report


def test_any_other_value_of_the_switch_leaves_it_on():
    assert choose_kernels({"MINILSTM_CORETYPE": "on"}, ZEN_5, numpy_is_loaded=False).value == "SkylakeX"


def test_after_numpy_is_loaded_the_report_says_what_to_do():
    value, report = choose_kernels({}, ZEN_5, numpy_is_loaded=True)
    assert value is None and "NumPy was loaded before" in report and "export OPENBLAS_CORETYPE=SkylakeX" in report


@pytest.mark.parametrize("text", [ZEN_3, INTEL, ARM, ""])
@pytest.mark.parametrize("loaded", [True, False])
def test_on_other_processors_nothing_is_set_or_recommended(text, loaded):
    value, report = choose_kernels({}, text, loaded)
    assert value is None and "export" not in report and "would gain nothing" in report


# ---- on this machine -----------------------------------------------------------------


@pytest.fixture
def as_if(tmp_path, monkeypatch):
    """Pretend that this is an x86-64 Linux with such processors, and a new process."""

    def pretend(text, system="linux", machine="x86_64"):
        path = tmp_path / "cpuinfo"
        path.write_text(text, "ascii")
        monkeypatch.setattr(environment, "PROCESSORS", str(path))
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(os, "uname", lambda: type("", (), {"machine": machine}), raising=False)
        monkeypatch.delitem(sys.modules, "numpy", raising=False)
        return path

    return pretend


def test_the_variable_is_set_in_the_environment(as_if):
    as_if(ZEN_5)
    environ = {"HOME": "/home/me"}
    report = environment.set_kernels(environ)
    assert environ == {"HOME": "/home/me", "OPENBLAS_CORETYPE": "SkylakeX"} and "set by minilstm" in report


def test_only_the_first_of_many_processors_is_read(as_if):
    as_if(processors(count=500))
    assert len(environment.read_processors()) < 100_000
    environ = {}
    environment.set_kernels(environ)
    assert environ == {"OPENBLAS_CORETYPE": "SkylakeX"}


@pytest.mark.parametrize("system, machine", [("darwin", "x86_64"), ("win32", "AMD64"), ("linux", "aarch64"), ("linux", "i686")])
def test_on_other_systems_no_file_is_read(as_if, system, machine):
    as_if(ZEN_5, system, machine)
    environ = {}
    environment.set_kernels(environ)
    assert environment.read_processors() == "" and environ == {}


def test_nothing_is_set_for_a_program_of_32_bits(as_if, monkeypatch):
    as_if(ZEN_5)
    assert environment.read_processors() != ""
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert environment.read_processors() == ""


def test_without_a_description_nothing_is_set(as_if):
    as_if(ZEN_5).unlink()
    environ = {}
    environment.set_kernels(environ)
    assert environ == {}


def test_nothing_is_set_once_numpy_is_loaded(as_if, monkeypatch):
    as_if(ZEN_5)
    monkeypatch.setitem(sys.modules, "numpy", object())
    environ = {}
    assert "NumPy was loaded before" in environment.set_kernels(environ) and environ == {}


AS_A_COMMAND = """
import os, sys, types
from minilstm.cli import main as cli, environment

def show(arguments):
    print("numpy" in sys.modules, os.environ.get("OPENBLAS_CORETYPE"), "|", arguments.matrix_kernels)
    return 0

environment.PROCESSORS = sys.argv[1]
sys.modules["minilstm.cli.info"] = types.SimpleNamespace(run=show)
sys.exit(cli.main(["info"]))
"""


def command(*arguments, **environ):
    environ = {**{name: value for name, value in os.environ.items() if not name.endswith("_CORETYPE")}, **environ}
    result = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0 and result.stderr == "", result
    return result.stdout


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="nothing is set on this system")
@pytest.mark.parametrize(
    "environ, value", [({}, "SkylakeX"), ({"MINILSTM_CORETYPE": "off"}, "None"), ({"OPENBLAS_CORETYPE": "Zen"}, "Zen")]
)
def test_the_command_line_sets_it_before_numpy_is_loaded(tmp_path, environ, value):
    (tmp_path / "cpuinfo").write_text(ZEN_5)
    out = command("-c", AS_A_COMMAND, str(tmp_path / "cpuinfo"), **environ)
    assert out.startswith(f"False {value} | ") and ("set by minilstm" in out) == (environ == {})


def test_info_prints_what_was_set():
    out = command("-m", "minilstm", "info", OPENBLAS_CORETYPE="Haswell")
    assert re.search(r"BLAS kernels +OPENBLAS_CORETYPE=Haswell, as the environment says", out)
    out = command("-m", "minilstm", "info", MINILSTM_CORETYPE="off")
    assert re.search(r"BLAS kernels +chosen by the matrix library", out) and "set by minilstm" not in out
    assert max(map(len, out.splitlines())) <= 128


@pytest.mark.skipif("avx2" not in environment.read_processors(), reason="asks for kernels that this processor may not run")
def test_the_matrix_library_uses_the_variable():
    pools = "import numpy, threadpoolctl; print([p.get('architecture') for p in threadpoolctl.threadpool_info()])"
    pytest.importorskip("threadpoolctl")
    if "None" in command("-c", pools) or "'" not in command("-c", pools):
        pytest.skip("the matrix library does not tell its kernels")
    assert "Nehalem" in command("-c", pools, OPENBLAS_CORETYPE="Nehalem")
    assert "Haswell" in command("-c", pools, OPENBLAS_CORETYPE="Haswell")
