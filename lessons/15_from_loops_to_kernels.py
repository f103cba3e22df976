# %% [markdown]
# # 15. From loops to kernels
#
# After this lesson you know where the time of an LSTM goes, and what each way to make
# it faster gains:
#
# - NumPy instead of Python's loops
# - one large matrix product instead of many
# - a compiled loop, a *kernel*, instead of twenty calls
# - threads
#
# You also know when to stop: there is a limit, and you can measure it.
#
# The lesson takes three quarters of an hour, an hour and a half with its exercises. You
# need lesson 2, and lesson 3 for the exercises.
#
# All times are those of your machine in this run. Let nothing else run meanwhile, and
# start the lesson with
#
#     OPENBLAS_NUM_THREADS=1 python lessons/15_from_loops_to_kernels.py
#
# so that the versions can be compared. NumPy multiplies matrices with a library, BLAS.
# With this setting BLAS uses one thread. It reads the setting once, when NumPy is
# loaded.

# %%
import numpy as np

import math
import time
from functools import partial

import numba

from minilstm import LSTM, kernels
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.kernels.activations import sigmoid_in_place, tanh, tanh_in_place
from minilstm.layers import Workspace
from minilstm.parallel import threads

B, D, H, T, ROUNDS = 32, 100, 128, *((40, 5) if quick() else (200, 15))


# Median seconds of each version. The versions take turns, so that a disturbance of the
# machine disturbs all of them.
def median_seconds(versions, rounds=ROUNDS):
    times, end = {name: [] for name in versions}, time.perf_counter() + 20
    for _ in range(rounds):
        for name, version in versions.items():
            began = time.perf_counter()
            version()
            times[name].append(time.perf_counter() - began)
        if time.perf_counter() > end:
            break
    return {name: np.median(taken) for name, taken in times.items()}


# Median microseconds of one call.
micro = lambda function, *arguments: 1e6 * median_seconds({"": partial(function, *arguments)}, 200)[""]


# %% [markdown]
# ## The work
#
# One LSTM, forward over a mini-batch: T time steps of B sequences, D inputs, H units.
# The size is that of a published recipe writer (Foster, Generative Deep Learning, 2nd
# edition, 2023, chapter 5). For each time step of each sequence there are 4H sums, z =
# x Wx + h_prev Wh + b. Each sum has D + H products. With one addition for each
# multiplication that makes
#
#     (1)  2 · T · B · 4H · (D + H)                  floating-point operations, FLOP
#
# What follows the sums is computed once for a unit, not once for a weight: a few dozen
# operations. The four sums of a unit take 2 · 4 · (D + H), here 1,824.
#
# The first version uses lists and Python's own numbers. A number that counts its
# multiplications shows that (1) is right.

# %%
sigmoid = lambda z: 1 / (1 + math.exp(-z))


# One time step of one sequence: lists of numbers in and out.
def python_step(x, h, c, Wx, Wh, b):
    H, terms = len(h), list(zip(x + h, Wx + Wh))  # D + H numbers with weights
    z = [b[k] + sum(number * weights[k] for number, weights in terms) for k in range(4 * H)]
    c = [sigmoid(z[H + j]) * c[j] + sigmoid(z[j]) * math.tanh(z[2 * H + j]) for j in range(H)]
    return [sigmoid(z[3 * H + j]) * math.tanh(c[j]) for j in range(H)], c


class Counting(float):
    count = 0

    def __mul__(self, other):
        Counting.count += 1
        return float(self) * other


rng = np.random.default_rng(0)
x5, h3, *others = (rng.normal(size=shape).tolist() for shape in (5, 3, 3, (5, 12), (3, 12), 12))
python_step([Counting(number) for number in x5], [Counting(number) for number in h3], *others)
FLOP = 2 * T * B * 4 * H * (D + H)
print(f"D = 5, H = 3: {Counting.count} multiplications in the sums of a time step, 4 · 3 · (5 + 3)")
print(f"here, with T = {T}, B = {B}, D = {D}, H = {H}: {FLOP / 1e9:.2f} billion operations")
assert Counting.count == 4 * 3 * (5 + 3) and 2 * 4 * (D + H) == 1824

# %% [markdown]
# ## From lists to arrays, and out of the loop
#
# For each multiplication Python takes two objects from lists, looks up what `*` means
# for them, and makes a third. NumPy does that once for a whole array, and compiled code
# does the rest. Python computes only one step of one sequence here. Its time is then
# multiplied by T · B.
#
# The second version follows the equations, one time step after another. In the third,
# the products with the inputs are outside the loop. All x are known from the start, so
# one product with T · B rows replaces T products with B rows. Only h_prev Wh must wait
# for the step before. The arithmetic is the same.
#
# Do not expect much of this alone; it may even be slower. As long as the gates take
# most of the time, a faster product hardly shows. The array for the result is made once
# and kept. The operating system provides new memory page by page, which takes longer
# than filling it.

# %%
params = LSTM(D, H).init(rng)
Wx, Wh, b = params.values()
x = rng.normal(size=(T, B, D)).astype(np.float32)
zeros = np.zeros((B, H), np.float32)
in_python = partial(python_step, *(array.tolist() for array in (x[0, 0], zeros[0], zeros[0], Wx, Wh, b)))


def gates_in_numpy(z, c):
    zi, zf, zg, zo = np.split(z, 4, axis=1)
    i, f, o = 1 / (1 + np.exp(-zi)), 1 / (1 + np.exp(-zf)), 1 / (1 + np.exp(-zo))
    c = f * c + i * np.tanh(zg)
    return o * np.tanh(c), c


def over_time(x_Wx):
    h, c, out = zeros, zeros, []
    for t in range(T):
        h, c = gates_in_numpy(x_Wx(t) + h @ Wh + b, c)
        out.append(h)
    return np.array(out)  # (T, B, H)


kept = np.empty((T, B, 4 * H), np.float32)


def inputs_first():
    np.matmul(x.reshape(T * B, D), Wx, out=kept.reshape(T * B, 4 * H))
    return over_time(lambda t: kept[t])


step_by_step = partial(over_time, lambda t: x[t] @ Wx)
right = step_by_step()
# Sums in another order have other rounding errors.
same = lambda h: h.dtype == np.float32 and np.abs(h - right).max() < 1e-4
assert same(inputs_first()) and np.abs(in_python()[0] - right[0, 0]).max() < 1e-5

# %% [markdown]
# ## What the gates cost in NumPy
#
# `gates_in_numpy` is short. But each operator in it is a call. Each call reads whole
# arrays from memory and writes a new one, which the next call reads again. An array
# that counts shows how often. A call also costs something if there is almost nothing to
# do: that is the time with a single unit.


# %%
class Traffic(np.ndarray):
    calls = moved = 0

    def __array_ufunc__(self, ufunc, method, *inputs):
        result = ufunc(*map(np.asarray, inputs))
        Traffic.calls += 1
        Traffic.moved += sum(map(np.size, inputs)) + result.size
        return result.view(Traffic)


random = lambda *shape: rng.normal(size=shape).astype(np.float32)
z, zh, c = random(B, 4 * H), random(B, 4 * H), random(B, H)
gates_in_numpy(z.view(Traffic) + zh + b, c.view(Traffic))
step = lambda z, zh, b, c: gates_in_numpy(z + zh + b, c)
one = [array.copy() for array in (z[:1, :4], zh[:1, :4], b[:4], c[:1, :1])]
print(f"\ngates of a step in NumPy: {micro(step, z, zh, b, c):.0f} µs; with a single unit {micro(step, *one):.0f} µs")
print(f"{Traffic.calls} calls read and write {Traffic.moved / B / H:.0f} numbers per unit")
assert Traffic.calls == 20 and round(Traffic.moved / B / H) == 60

# %% [markdown]
# ## A kernel
#
# Numba compiles a Python function to machine code when it is first called with arrays
# of some dtype. A loop then costs almost nothing, and the gates can be computed row by
# row. A row, 4H numbers, stays in the nearest memory until it is finished. Instead of
# 60 numbers per unit, 15 are read or written: z, zh and c_prev are read, z, c and h
# written, 4 + 4 + 1 and 4 + 1 + 1.
#
# A loop is fast if the processor computes several numbers with one instruction, a *SIMD
# vector*: 8 or 16 of float32 on most processors. The compiler arranges that, unless
# something prevents it:
#
# - `error_model="numpy"`: a division by zero gives inf, as in NumPy. Python requires an
#   exception. The check before every division limits the loop to one number at a time.
#   Both are measured below.
# - Slices such as `z[r, :H]`, and a loop for each gate: the compiler must prove that
#   the arrays do not overlap. With many arrays in one loop it gives up.
# - σ and tanh as quotients of polynomials. Those of the mathematical library are calls,
#   one for each number. Ours are in `minilstm/kernels/activations.py`, with their
#   largest error.


# %%
def squash(x, y):
    for j in range(x.size):
        y[j] = x[j] / (1 + abs(x[j]))


row, out = random(4000), random(4000)
for model in ("python", "numpy"):
    # The first call compiles; a median ignores it.
    compiled = numba.njit(error_model=model)(squash)
    print(f"\na division, error_model={model!r}: {micro(compiled, row, out) / 4:.2f} ns", end="")
    assert np.allclose(out, row / (1 + abs(row)))


@numba.njit(error_model="numpy")
def gates_kernel(zh, b, c_prev, z, c, h):
    for r in range(len(z)):
        for j in range(b.size):
            z[r, j] += zh[r, j] + b[j]
        H = c.shape[1]
        i, f, g, o = z[r, :H], z[r, H : 2 * H], z[r, 2 * H : 3 * H], z[r, 3 * H :]
        sigmoid_in_place(z[r, : 2 * H])  # i and f are side by side
        tanh_in_place(g)
        sigmoid_in_place(o)
        for j in range(H):
            c[r, j] = f[j] * c_prev[r, j] + i[j] * g[j]
        for j in range(H):
            h[r, j] = o[j] * tanh(c[r, j])


def with_kernel():
    np.matmul(x.reshape(T * B, D), Wx, out=kept.reshape(T * B, 4 * H))
    h, c = np.zeros((T + 1, B, H), np.float32), zeros.copy()
    for t in range(T):
        np.matmul(h[t], Wh, out=zh)
        gates_kernel(zh, b, c, kept[t], c, h[t + 1])
    return h[1:]


assert same(with_kernel())
print(f"\ngates of a step in the kernel: {micro(gates_kernel, zh, b, zeros, z, c, c.copy()):.0f} µs")

# %% [markdown]
# ## Two threads
#
# `LSTM.forward` is built in the same way. With a `Workspace` it keeps all its arrays
# from call to call. The sequences of a mini-batch are independent, so each of two
# threads can compute half of them: its *shard*. Python lets only one thread at a time
# run Python code. But NumPy's products release that lock, and so do our kernels
# (`nogil`, in `minilstm/kernels/compile.py`).
#
# BLAS has its own threads, which divide a single product. They must meet T times, ours
# meet once. Both together are slowest: four threads on two cores wait for each other.
# So our threads are used if BLAS has one thread (`minilstm/parallel/threads.py`).
# `MINILSTM_THREADS` sets their number.


# %%
def forward(count):
    shards = [np.ascontiguousarray(shard) for shard in np.array_split(x, count, axis=1)]
    jobs = [partial(LSTM(D, H).forward, params, shard, workspace=Workspace()) for shard in shards]
    return lambda: threads.run(jobs)


count = threads.ours()
assert all(same(np.concatenate([h for h, _, _ in forward(n)()], axis=1)) for n in (1, count))

# %% [markdown]
# ## The limit
#
# The products must be computed. So we time them alone, in the same shapes, with the
# same library. That time is the limit for all programs that use this library. Limits of
# this kind, operations per second against operations per byte, are called rooflines
# (Williams, Waterman and Patterson, Roofline: an insightful visual performance model,
# 2009).
#
# Many small products are slower than a large one. The library first copies `Wh` into an
# order of its own, which is good for many rows. And the fewer rows h has, the less
# often each number of `Wh` is used after it was read: the last column counts operations
# per byte.
#
# The package has two products of its own:
#
# - `multiply` in `minilstm/kernels/product.py` is a plain loop that copies nothing. The
#   package generates text with it.
# - `multiply_packed` in `minilstm/kernels/packed_weights.py` gets packed weights: a
#   `Wh` that was copied once, for all time steps of a mini-batch. `LSTM.forward`
#   multiplies with it. So the limit of the library is not quite its own limit.


# %%
def products(count):
    def job(sequences, inputs):
        z, zh = np.empty((T * sequences, 4 * H), np.float32), np.empty((sequences, 4 * H), np.float32)
        return lambda: [np.matmul(inputs, Wx, out=z), *(np.matmul(zeros[:sequences], Wh, out=zh) for _ in range(T))]

    jobs = [job(len(shard), random(T * len(shard), D)) for shard in np.array_split(zeros, count)]
    return lambda: threads.run(jobs)


kernels.packed_weights.pack(Wh, packed_Wh := np.empty(kernels.packed_weights.shape(Wh), np.float32))
print("\nGFLOP/s of h Wh\nrows of h       BLAS     a loop     packed   operations per byte")
for rows in (1, 4, 16, 64, 256):
    h, y, work = random(rows, H), random(rows, 4 * H), 2 * rows * H * 4 * H
    ways = (np.matmul, Wh), (kernels.product.multiply, Wh), (kernels.packed_weights.multiply_packed, packed_Wh)
    speeds = "".join(f"{work / 1000 / micro(product, h, W, y):11.1f}" for product, W in ways)
    print(f"{rows:9}{speeds} {work / (h.nbytes + Wh.nbytes + y.nbytes):21.1f}")
    assert np.allclose(y, h @ Wh, atol=1e-4)

# %% [markdown]
# ## All versions
#
# All versions gave the same numbers. On a quiet machine, look for three things:
#
# - The first gain is by far the largest.
# - `LSTM.forward` keeps all that backward needs. It is still no slower than our own
#   loop, because it packs `Wh` once.
# - The time above the limit is small. Better loops can gain little more. Only fewer or
#   larger products could, or other ways to multiply.
#
# Whether two threads gain anything shows in the limits first. Two virtual cores often
# have one arithmetic unit between them. Then the products alone are no faster with two
# threads.
#
# The last two rows are missing if BLAS has several threads, or if there is one core. If
# all times are many times as long, another program is running: threads that must meet
# wait for the one that was interrupted.

# %%
versions = {"Python's lists": in_python, "NumPy, step by step": step_by_step, "inputs in one product": inputs_first}
versions |= {"gates in a kernel": with_kernel, "LSTM.forward": forward(1), "products alone": products(1)}
if count > 1:
    versions |= {f"LSTM.forward, {count} threads": forward(count), f"products alone, {count} threads": products(count)}
seconds = median_seconds(versions)
seconds["Python's lists"] *= T * B  # measured: one step of one sequence
print(f"\nBLAS with {threads.blas_threads()} threads; medians of {ROUNDS} rounds\n\n{'ms':>35}     GFLOP/s   limit / time")
for name, taken in seconds.items():
    limit = seconds["products alone" + name[name.find(",") :] * ("threads" in name)]
    print(f"{name:<25} {1e3 * taken:9.1f} {FLOP / taken / 1e9:11.2f} {limit / taken:13.2%}")

if plt := pyplot():
    figure, axes = plt.subplots(figsize=(7, 3.2))
    shown = {name: 1e3 * taken for name, taken in seconds.items()}
    limits = {name: shown.pop(name) for name in seconds if "alone" in name}
    for (name, limit), line in zip(limits.items(), ("-", "--")):
        axes.axvline(limit, color=COLOURS[1], linestyle=line, label=f"the limit: {name}")
    axes.plot([*shown.values()], [f"{name}: {taken:,.1f} ms" for name, taken in shown.items()], "o", color=COLOURS[0])
    axes.set(xscale="log", ylim=(len(shown) - 0.4, -0.6), xlabel=f"ms for {T} time steps of {B} sequences, forward")
    axes.legend(loc="lower right")
    save(figure, "15_from_loops_to_kernels")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 15` makes your copy, `lessons/my/15_from_loops_to_kernels.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Count the operations of all products, forward and backward.
# 2. The gates in NumPy without a single new array.
# 3. A kernel of your own: the elementwise part of a step backward.
