"""SIMD vectors: several numbers that one instruction computes.

A processor adds and multiplies several numbers in one instruction if they are in one of
its vector registers. For a loop over an array a compiler uses such instructions, but it
reads and writes the array in every pass. A SIMD vector of this file stays in registers
from the first number to the last. It is two registers wide.

Each of the four functions does what its line of NumPy says, and runs as that line where
nothing is compiled. Below, each is built for the compiler. A complex number is two real
numbers of a vector.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.extending import intrinsic, models, overload, register_model

VECTOR_BYTES = 128 if get_host_cpu_features().get("avx512f") else 64  # two registers


def zeros(array):
    """A vector of zeros of the array's dtype."""
    return np.zeros(VECTOR_BYTES // array.itemsize, array.dtype)


def load(array, k):
    """Row k of an array (K, n) whose rows are as wide as a vector."""
    return array[k]


def add_product(total, x, vector):
    """total + x · vector, for a number x."""
    return total + x * vector


def store(vector, row):
    """Write a vector to a row (n,) of the same width, which is not checked."""
    row[:] = vector


# ---- the same for the compiler ----


class Vector(types.Type):
    """The type of a vector of numbers of a dtype, real or complex."""

    def __init__(self, dtype):  # pragma: no cover: needs the compiler
        self.dtype, self.is_complex = dtype, isinstance(dtype, types.Complex)
        self.real = dtype.underlying_float if self.is_complex else dtype
        super().__init__(f"Vector({dtype})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):  # pragma: no cover: needs the compiler
    """As many real numbers as fit into VECTOR_BYTES."""

    def __init__(self, manager, vector):
        number = manager[vector.real].get_value_type()
        count = VECTOR_BYTES * 8 // vector.real.bitwidth
        super().__init__(manager, vector, ir.VectorType(number, count))


@intrinsic
def _zeros(typing, array):  # pragma: no cover: needs the compiler
    vector = Vector(array.dtype)
    build = lambda context, builder, signature, args: context.get_constant_null(vector)
    return vector(array), build


@intrinsic
def _load(typing, array, k):  # pragma: no cover: needs the compiler
    vector = Vector(array.dtype)

    def build(context, builder, signature, args):
        first = _pointer(context, builder, vector, array, args[0])
        return builder.load(builder.gep(first, [args[1]]), align=vector.real.bitwidth // 8)

    return vector(array, types.intp), build


@intrinsic
def _add_product(typing, total, x, vector):  # pragma: no cover: needs the compiler
    def build(context, builder, signature, args):
        total, x, right = args
        kind = right.type
        indices = ir.VectorType(ir.IntType(32), kind.count)
        add = lambda a, b: builder.fadd(a, b, flags=["contract"])
        times = lambda a, b: builder.fmul(a, b, flags=["contract"])
        shuffle = lambda v, order: builder.shuffle_vector(v, v, indices(order))

        def broadcast(number):
            first = builder.insert_element(kind(ir.Undefined), number, indices.element(0))
            return shuffle(first, [0] * kind.count)

        if not vector.is_complex:
            return add(total, times(broadcast(x), right))
        x = context.make_complex(builder, vector.dtype, x)
        swapped = shuffle(right, [k ^ 1 for k in range(kind.count)])
        signs = kind([(-1.0, 1.0)[k % 2] for k in range(kind.count)])
        total = add(total, times(broadcast(x.real), right))
        # i · (re, im) = (-im, re)
        return add(total, times(times(broadcast(x.imag), signs), swapped))

    return total(total, vector.dtype, vector), build


@intrinsic
def _store(typing, vector, row):  # pragma: no cover: needs the compiler
    def build(context, builder, signature, args):
        pointer = _pointer(context, builder, vector, row, args[1])
        builder.store(args[0], pointer, align=vector.real.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(vector, row), build


def _pointer(context, builder, vector, kind, array):  # pragma: no cover: compiler
    """A pointer to an array's first numbers, as a vector."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(data, context.get_value_type(vector).as_pointer())


overload(zeros)(lambda array: lambda array: _zeros(array))
overload(load)(lambda array, k: lambda array, k: _load(array, k))
overload(add_product)(
    lambda total, x, vector: lambda total, x, vector: _add_product(total, x, vector)
)
overload(store)(lambda vector, row: lambda vector, row: _store(vector, row))
