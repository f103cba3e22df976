"""Some numbers at a time, in the registers of a processor.

A processor adds and multiplies several numbers in one instruction when they stand in one of its few vector registers. For a
loop over an array a compiler uses such instructions, but it reads and writes the array anew in every pass. What is kept in
lines, as two registers full of numbers are called here, stays in registers from the first number to the last.

Each of the four functions means what its line of NumPy says, and runs as that where nothing is compiled. Below, the compiler is
told the same in its own terms: a line is a vector, which it cuts into as many registers as it takes; a complex number is two
numbers of it.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.extending import intrinsic, models, overload, register_model

LINE = 128 if get_host_cpu_features().get("avx512f") else 64  # bytes of two registers


def zeros(array):
    """A line of zeros of the array's dtype."""
    return np.zeros(LINE // array.itemsize, array.dtype)


def load(array, k):
    """Row k of an array (K, n) whose rows are a line wide."""
    return array[k]


def add_product(total, x, line):
    """total + x · line, for a number x."""
    return total + x * line


def store(line, row):
    """Write the line to a row (n,) of just as many numbers, which nothing checks once this is compiled."""
    row[:] = line


# ---- what the compiler makes of them ----


class Vector(types.Type):
    """A line of numbers of a dtype, real or complex."""

    def __init__(self, dtype):  # pragma: no cover: coverage is measured without the compiler
        self.dtype, self.is_complex = dtype, isinstance(dtype, types.Complex)
        self.real = dtype.underlying_float if self.is_complex else dtype
        super().__init__(f"Vector({dtype})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):  # pragma: no cover: coverage is measured without the compiler
    """As many real numbers as fit."""

    def __init__(self, manager, vector):
        number = manager[vector.real].get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, LINE * 8 // vector.real.bitwidth))


@intrinsic
def _zeros(typing, array):  # pragma: no cover: coverage is measured without the compiler
    vector = Vector(array.dtype)
    return vector(array), lambda context, builder, signature, args: context.get_constant_null(vector)


@intrinsic
def _load(typing, array, k):  # pragma: no cover: coverage is measured without the compiler
    vector = Vector(array.dtype)

    def build(context, builder, signature, args):
        first = _place(context, builder, vector, array, args[0])
        return builder.load(builder.gep(first, [args[1]]), align=vector.real.bitwidth // 8)

    return vector(array, types.intp), build


@intrinsic
def _add_product(typing, total, x, line):  # pragma: no cover: coverage is measured without the compiler
    def build(context, builder, signature, args):
        total, x, right = args
        kind, places = right.type, ir.VectorType(ir.IntType(32), right.type.count)
        add, times = (lambda *a: builder.fadd(*a, flags=["contract"])), (lambda *a: builder.fmul(*a, flags=["contract"]))
        arranged = lambda vector, order: builder.shuffle_vector(vector, vector, places(order))
        first = lambda number: builder.insert_element(kind(ir.Undefined), number, places.element(0))
        everywhere = lambda number: arranged(first(number), [0] * kind.count)
        if not line.is_complex:
            return add(total, times(everywhere(x), right))
        x = context.make_complex(builder, line.dtype, x)
        swapped = arranged(right, [place ^ 1 for place in range(kind.count)])  # i · (re, im) = (-im, re)
        signs = kind([(-1.0, 1.0)[place % 2] for place in range(kind.count)])
        return add(add(total, times(everywhere(x.real), right)), times(times(everywhere(x.imag), signs), swapped))

    return total(total, line.dtype, line), build


@intrinsic
def _store(typing, line, row):  # pragma: no cover: coverage is measured without the compiler
    def build(context, builder, signature, args):
        builder.store(args[0], _place(context, builder, line, row, args[1]), align=line.real.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(line, row), build


def _place(context, builder, vector, kind, array):  # pragma: no cover: coverage is measured without the compiler
    """Where an array's numbers begin, as the place of a vector."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(data, context.get_value_type(vector).as_pointer())


overload(zeros)(lambda array: lambda array: _zeros(array))
overload(load)(lambda array, k: lambda array, k: _load(array, k))
overload(add_product)(lambda total, x, line: lambda total, x, line: _add_product(total, x, line))
overload(store)(lambda line, row: lambda line, row: _store(line, row))
