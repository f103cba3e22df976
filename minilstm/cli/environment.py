"""The kernels that OpenBLAS uses: set before NumPy is first loaded.

OpenBLAS, which multiplies matrices for NumPy, chooses kernels by the processor's name.
Some of its versions do not know an AMD processor by name. They then use 256-bit kernels
(AVX2, "Haswell"). But the 512-bit ones ("SkylakeX") run too, in up to half the time.
These need five groups of AVX-512 instructions, which AMD's processors have from Zen 4
on. Intel's are known to OpenBLAS.

The choice is set in ``OPENBLAS_CORETYPE``, which OpenBLAS reads once, when NumPy loads
it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

VARIABLE, KERNELS = "OPENBLAS_CORETYPE", "SkylakeX"
SWITCH, OFF = "MINILSTM_CORETYPE", "off"
NEEDED = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}
# of Linux; it lists only what the kernel lets programs use
PROCESSORS = "/proc/cpuinfo"
FIRST = 16_384  # characters that surely describe the first processor


class Choice(NamedTuple):
    """What to set the variable to, or None; and a sentence for people."""

    value: str | None
    sentence: str


def choose_kernels(
    environ: Mapping[str, str], processors: str, numpy_is_loaded: bool
) -> Choice:
    """What is best for these processors, described as in Linux's /proc/cpuinfo.

    It is "" for any other system.
    """
    if VARIABLE in environ:
        return Choice(None, f"{VARIABLE}={environ[VARIABLE]}, as the environment says")
    if not gains(processors):
        return Choice(
            None, f"chosen by the matrix library; {VARIABLE} would gain nothing here"
        )
    why = "for OpenBLAS may not know this processor's AVX-512"
    if environ.get(SWITCH, "").lower() == OFF:
        return Choice(
            None,
            f"chosen by the matrix library, as {SWITCH}={OFF} says;"
            f" without, {VARIABLE}={KERNELS}, {why}",
        )
    own = f"in programs of your own: export {VARIABLE}={KERNELS}"
    if numpy_is_loaded:
        return Choice(
            None,
            "chosen by the matrix library, since NumPy was loaded before;"
            f" {own}, {why}",
        )
    return Choice(
        KERNELS,
        f"{VARIABLE}={KERNELS}, set by minilstm, {why} ({SWITCH}={OFF}: not set);"
        f" {own}",
    )


def gains(processors: str) -> bool:
    """Whether the first processor is AMD's and has the instructions needed."""
    fields = [
        line.partition(":")
        for line in processors.strip().partition("\n\n")[0].splitlines()
    ]
    described = {name.strip(): value for name, _, value in fields}
    vendor, flags = described.get("vendor_id", ""), described.get("flags", "")
    return vendor.strip() == "AuthenticAMD" and NEEDED <= set(flags.split())


def read_processors() -> str:
    """The description of the first processors of an x86-64 Linux; else ""."""
    if sys.platform != "linux" or os.uname().machine != "x86_64" or sys.maxsize < 2**32:
        return ""
    try:
        with open(PROCESSORS, encoding="ascii", errors="replace") as file:
            return file.read(FIRST)
    except OSError:
        return ""


def set_kernels(environ: MutableMapping[str, str] = os.environ) -> str:
    """Choose for this machine, unless it is too late; return a sentence for people."""
    choice = choose_kernels(environ, read_processors(), "numpy" in sys.modules)
    if choice.value is not None:
        environ[VARIABLE] = choice.value
    return choice.sentence
