"""Known mistakes, continued: the loop through time, forward and backward.

``mistakes.py`` says how to read the rows. Some mistakes are possible at every weight,
or for each recurrent gradient. A function makes their rows.
"""

from __future__ import annotations

from minilstm.reference.sequence import sequence_backward, sequence_forward
from minilstm.verify.diagnose.variant import Mistake, made_in


def _added(
    name: str, weight: str, shown: str, changed: str, why: str
) -> tuple[str, ...]:
    """A gradient of a weight is added up wrongly.

    ``changed`` follows the line that collects the gradients of a step.
    """
    return (name, _COLLECT, f"{_COLLECT}; {changed.replace('#', weight)}", "", why, "",
            shown, f"d{weight} += grads.{weight}")


def _assigned(name: str) -> tuple[str, ...]:
    return _added(f"gradient of {name} keeps one step only", name,
                  f"d{name} = grads.{name}",
                  "grads[:-1] = [late._replace(#=0 * late.#) for late in grads[:-1]]",
                  "The weights are the same in every step, so their gradients add up.")


def _averaged(name: str) -> tuple[str, ...]:
    return _added(f"gradient of {name} averaged over time", name,
                  f"d{name} += grads.{name} / T",
                  "grads[-1] = grads[-1]._replace(#=grads[-1].# / T)",
                  "If the loss is a mean, dh contains its factor already.")


def _not_at_first(name: str, *also: str) -> tuple[str, ...]:
    zeros = " If h0 was taken for zeros the numbers are the same." if also else ""
    return _added(f"gradient of {name} not added at step 0{''.join(also)}", name,
                  f"d{name} += grads.{name} * (t > 0)",
                  "grads[-1] = grads[-1]._replace(#=grads[-1].# * (t > 0))",
                  "Step 0 has an input, a bias and a hidden state before it,"
                  f" h0.{zeros}")


def _kept_as(
    name: str, wrong: str, why: str, shown: str = "", belongs: str = ""
) -> tuple[str, ...]:
    """A backward pass reads ``wrong`` as the cache of step t."""
    return (name, "caches[t]", wrong, "", why, "", shown or wrong, belongs)


def _one_step_late(last: str, first: str) -> tuple[str, ...]:
    """dc_prev is not multiplied by f of its step, but by f of the step that gets it."""
    name = "dc_next multiplied by f one step late"
    name += ", at the last step too" if last else ""
    multiplied = "" if last else "if t < T - 1 else 1"
    divided = "" if first else "if t else 1"
    return (name + (", handed back without it" if first else ""), _OF_STEP,
            "dh_t, dc_t = dnow\n        dnow = dh_t, dc_t * (caches[t].f"
            f" {multiplied})\n        {_OF_STEP}\n        dprev[1] = dprev[1] /"
            f" (caches[t].f {divided})", "(4)",
            "c[t] = f[t] * c[t-1] + ..., so the gradient from step t to t - 1 is"
            " multiplied by f[t], not by f[t-1].", "", "dc[t] += dc[t + 1] * f[t]",
            "dc[t] += dc[t + 1] * f[t + 1]")


def _not_carried(what: str, lost: str, why: str, seen: str) -> list[tuple[str, ...]]:
    """A recurrent gradient becomes zeros, or stays that of the last step.

    Step 0 may still return its own.
    """

    def pair(h: str, c: str, right_h: str, right_c: str) -> str:
        return f"{h if 'h' in lost else right_h}, {c if 'c' in lost else right_c}"

    # of any cell, if only h is lost: *dprev[1:] is (dc_prev,) or nothing
    zipped = lambda h, c: f"zip(({pair(h, c, 'dprev[0]', '*dprev[1:]')}), dstate)"
    of_lost = lambda form: ", ".join(form.format(part) for part in lost)
    zero, stale, right = (f"{of_lost('d{}_next')} = {of_lost(form)}"
                          for form in ("0 * d{}_prev", "d{}_next", "d{}_prev"))
    still = ("Every step gets the gradient of the final state,"
             " in place of that of the step after it.")
    return [
        (f"{what} dropped between steps", _CARRIES,
         zipped("0 * dprev[0]", "0 * dprev[1]"), "", why, seen, zero, right),
        (f"{what} dropped between steps, handed back at step 0", _CARRIES,
         zipped("dprev[0] * (t == 0)", "dprev[1] * (t == 0)"), "", why, seen, zero,
         right),
        (f"{what} never updated", _CARRIES, zipped("dstate[0]", "dstate[1]"), "", still,
         seen, stale, right),
        (f"{what} never updated, handed back at step 0", _CARRIES,
         zipped("dstate[0] if t else dprev[0]", "dstate[1] if t else dprev[1]"), "",
         still, seen, stale, right),
    ]


_DH, _DH_T = "dh[t] + dh_next", "dh_t = dh[t] + dh_next"
_STEP = "h, c, cache = lstm_step(x[t], h, c, Wx, Wh, b)"
_CARRIES = "zip(dprev, dstate)"  # in the reference
_HANDED_ON = "dh_next, dc_next = dh_prev, dc_prev"  # in most loops
_COLLECT = "grads.append(dweights)"
_OF_STEP = "dx[t], *dprev, dweights = step_backward(*dnow, caches[t], Wx, Wh)"
_BACKWARD = "reversed(range(T))"
_FINAL, _REAL = "dh_next, dc_next = dstate", "real = (t < lengths)[:, None]"
_BEGIN = "hs, caches = [], []"
_LAST_C = "caches[-1].f * caches[-1].c_prev + caches[-1].i * caches[-1].g"
# a state one step too early, which wraps round at t = 0
_BEFORE = "(caches[t - 1].{} if t else {})"
_LAST_H = "caches[-1].o * caches[-1].tanh_c"

SEQUENCE = made_in(
    sequence_forward,
    ("initial state not read", _BEGIN,
     f"{_BEGIN}; state = (0 * state[0], 0 * state[1])", "",
     "A sequence may continue another one.", "keras-team/keras 2468, 2750",
     "h, c = 0 * state[0], 0 * state[1]", "h, c = state"),
    ("initial cell state not read", _BEGIN,
     f"{_BEGIN}; state = (state[0], 0 * state[1])", "",
     "The state has two parts, h and c.", "", "h, c = state[0], 0 * state[1]",
     "h, c = state"),
    ("hidden state not carried", "x[t], *state",
     "x[t], caches[0].h_prev if t else state[0], state[1]", "",
     "The step after begins with the h of this one, not with that of the beginning.",
     "", _STEP.replace("x[t], h, c", "x[t], state[0], c"), _STEP),
    ("cell state not carried", "x[t], *state",
     "x[t], state[0], caches[0].c_prev if t else state[1]", "",
     "The step after begins with the c of this one, not with that of the beginning:"
     " c is the memory.", "", _STEP.replace("x[t], h, c", "x[t], h, state[1]"), _STEP),
    ("cell state in place of the hidden state", "hs.append(state[0])",
     "hs.append(state[1])", "",
     "The output is the hidden state o * tanh(c); the cell state stays inside.", "",
     "outputs.append(c)", "outputs.append(h)"),
    ("inputs in reversed order", "x[t], *state", "x[T - 1 - t], *state", "",
     "Time runs from the first input to the last.", "",
     _STEP.replace("x[t]", "x[T - 1 - t]"), _STEP),
)

# ---- backward, of any cell -----------------------------------------------------------

IN_ANY_LOOP = made_in(
    sequence_backward,
    *_not_carried("hidden-state gradient", "h",
                  "The hidden-state gradient is not carried to the step before.",
                  "qixianbiao/RNN 2"),
    ("hidden-state gradient carried and not added", _DH, "dh[t] + 0 * dh_next", "",
     "h[t] acts on the loss as an output and through step t + 1:"
     " both gradients add up.", "", "dh_t = dh[t] + 0 * dh_next", _DH_T),
    ("hidden-state gradient subtracted", _DH, "dh[t] - dh_next", "",
     "h[t] acts on the loss as an output and through step t + 1:"
     " both gradients add up.", "", "dh_t = dh[t] - dh_next", _DH_T),
    ("gradients of the outputs left out", _DH, "dh_next", "",
     "h[t] acts on the loss as an output and through step t + 1:"
     " both gradients add up.", "", "dh_t = dh_next", _DH_T),
    ("gradient of the last output only", _DH, "(dh[t] if t == T - 1 else 0) + dh_next",
     "", "The loss may depend on the output of every step.", "",
     "dh_t = (dh[t] if t == T - 1 else 0) + dh_next", _DH_T),
    ("output of the step before", _DH, "dh[t - 1] + dh_next", "",
     "Step t has the output h[t].", "",
     "dh_t = dh[t - 1] + dh_next", _DH_T),
    ("dh changed in place", _DH, "np.add(dh[t], dh_next, out=dh[t])", "",
     "The array belongs to the caller. A second call then gives other gradients.",
     "Element-Research/rnn 31, 203", "dh_t = dh[t]; dh_t += dh_next", _DH_T),
    ("cache of the step before", "caches[t]", "caches[t - 1]", "",
     "The backward pass of step t needs the cache of step t."),
    _kept_as("cache of the step after", "caches[min(t + 1, T - 1)]",
             "The backward pass of step t needs the cache of step t.", "caches[t + 1]"),
    _kept_as("cache of the last step in every step", "caches[-1]",
             "All caches are one: an object or an array that every step overwrites."
             " Keep a copy for each step."),
    _kept_as("x of the step before", "caches[t]._replace(x=caches[t - 1].x)",
             "Step t read x[t].", "x[t - 1]", "x[t]"),
    ("gradients of the weights clipped at the end", "dstate, total",
     "dstate, type(total)(*(np.clip(d, -1, 1) for d in total))", "",
     "Backward is linear in dh and dc. A clipped array is no longer the gradient, and"
     " a check with small numbers does not notice. Clip the gradients that the"
     " optimizer gets.", "", "np.clip(d, -1, 1), for d of dWx, dWh, db",
     "dWx, dWh, db"),
    ("dx in reversed order", "dx[t], *dprev", "dx[T - 1 - t], *dprev", "",
     "The loop runs backward, and so does a list to which its results are appended.",
     "", "dx[T - 1 - t] = dx_t", "dx[t] = dx_t"),
    ("gradient of the final hidden state not read", "grads = []",
     "grads, dstate = [], (0 * dstate[0], *dstate[1:])", "",
     "The loss of what follows depends on the final state.",
     "keras-team/keras 2468, 2750", "dh_next = 0 * dhT", "dh_next = dhT"),
    ("first step left out", _REAL, f"{_REAL} & (t > 0)", "",
     "Step 0 has an input and an output too.", "", "reversed(range(1, T))", _BACKWARD),
    ("last step left out", _REAL, f"{_REAL} & (t < T - 1)", "",
     "Step T - 1 has an input and an output too.", "", "reversed(range(T - 1))",
     _BACKWARD),
    ("loop in the order of the forward pass", _BACKWARD, "range(T)", "",
     "Step t needs the gradient from step t + 1: backward begins at the end."),
    ("backward through the last step only", _REAL, f"{_REAL} & (t == T - 1)", "",
     "A return that stands within the loop ends it after one step.", "",
     "range(T - 1, T)", _BACKWARD),
    ("backward through no step", _REAL, f"{_REAL} & False", "",
     "A range that counts down needs -1 as its third number, without which it is"
     " empty: range(T - 1, -1, -1).", "", "range(T, 0)", _BACKWARD),
)


def of_weights(*biases: str) -> list[Mistake]:
    """Known mistakes in the sums over time of a cell's weight gradients."""
    names = "Wx", "Wh", *biases
    return made_in(
        sequence_backward,
        _not_at_first("Wx"),
        _not_at_first("Wh", ", or h0 forgotten"),
        *map(_not_at_first, biases),
        *map(_assigned, names),
        *map(_averaged, names),
    )


# ---- backward, of an LSTM ------------------------------------------------------------

OF_LSTM = made_in(
    sequence_backward,
    *_not_carried("cell-state gradient", "c",
                  "The cell-state gradient is not carried to the step before.",
                  "nicodjimenez/lstm 2, 33, 39"),
    *_not_carried("both gradients", "hc",
                  "Neither gradient is carried to the step before.",
                  "CaptainE/RNN-LSTM-in-numpy 1;"
                  " sagarnildass/andrew_ng_deep_learning 1"),
    ("dcT changed in place", _OF_STEP,
     f"{_OF_STEP}; dc_next[0] += dh[t] * caches[t].o * (1 - caches[t].tanh_c**2)", "",
     "The array belongs to the caller. A second call then gives other gradients.",
     "Element-Research/rnn 31, 203", "dc_next += dh_t * o * (1 - tanh_c**2)",
     "dc = dc_next + dh_t * o * (1 - tanh_c**2)"),
    _kept_as("c_prev overwritten by later steps",
             f"caches[t]._replace(c_prev={_LAST_C})",
             "c is changed in place, and every cache refers to the one array, which"
             " holds the last c. Keep a copy.", "c_prev = the last c",
             "c_prev = c of the step before"),
    _kept_as("h_prev overwritten by later steps",
             "caches[t]._replace(h_prev=caches[-1].o * caches[-1].tanh_c)",
             "h is changed in place, and every cache refers to the one array, which"
             " holds the last h. Keep a copy.", "h_prev = the last h",
             "h_prev = h of the step before"),
    _kept_as("c overwritten by later steps",
             "caches[t]._replace(tanh_c=caches[-1].tanh_c)",
             "c is changed in place, and every cache refers to the one array, which"
             " holds the last c. Keep a copy.", "tanh_c = np.tanh(the last c)",
             "tanh_c = np.tanh(this step's c)"),
    _kept_as("c and c_prev overwritten by later steps",
             f"caches[t]._replace(c_prev={_LAST_C}, tanh_c=caches[-1].tanh_c)",
             "c is changed in place, and every cache refers to the one array, which"
             " holds the last c. Keep a copy.", "c_prev, c = the last c, twice",
             "c_prev, c = c[t - 1], c[t]"),
    _kept_as("h_prev and c_prev overwritten by later steps",
             "caches[t]._replace(h_prev=caches[-1].o * caches[-1].tanh_c,"
             f" c_prev={_LAST_C})",
             "h and c are changed in place, and every cache refers to the same two"
             " arrays. Keep copies.", "h_prev, c_prev = the last h and c",
             "h_prev, c_prev = h[t - 1], c[t - 1]"),
    _kept_as("c_prev of step 0 is the last c",
             f"caches[t] if t else caches[0]._replace(c_prev={_LAST_C})",
             "cs[t - 1] at t = 0 is the last one in Python; c0 belongs there.",
             "c_prev = cs[t - 1], at t = 0 too", "c_prev = cs[t - 1] if t else c0"),
    _kept_as("h_prev and c_prev of step 0 are the last h and c",
             "caches[t] if t else caches[0]._replace(h_prev=caches[-1].o *"
             f" caches[-1].tanh_c, c_prev={_LAST_C})",
             "hs[t - 1] and cs[t - 1] at t = 0 are the last ones in Python;"
             " h0 and c0 belong there.",
             "h_prev, c_prev = hs[t - 1], cs[t - 1], at t = 0 too",
             "h_prev, c_prev = h0, c0 at t = 0"),
    _kept_as("c0 forgotten",
             "caches[t] if t else caches[0]._replace(c_prev=0 * caches[0].c_prev)",
             "The forget gate of step 0 was multiplied by c0.", "c_prev = 0 at t = 0",
             "c_prev = c0 at t = 0"),
    _kept_as("h0 and c0 forgotten",
             "caches[t] if t else caches[0]._replace(h_prev=0 * caches[0].h_prev,"
             " c_prev=0 * caches[0].c_prev)", "Step 0 reads h0 and c0.",
             "h_prev, c_prev = 0, 0 at t = 0", "h_prev, c_prev = h0, c0 at t = 0"),
    _kept_as("states with c0 in front, read as if they had T entries",
             f"caches[t]._replace(c_prev={_BEFORE.format('c_prev', _LAST_C)},"
             " tanh_c=np.tanh(caches[t].c_prev))",
             "With c0 in front, c of step t is cs[t + 1] and c_prev is cs[t];"
             " cs[t - 1] wraps round at t = 0.", "c, c_prev = cs[t], cs[t - 1]",
             "c, c_prev = cs[t + 1], cs[t]"),
    _kept_as("c_prev read from states with c0 in front as if they had T entries",
             f"caches[t]._replace(c_prev={_BEFORE.format('c_prev', _LAST_C)})",
             "With c0 in front, c_prev of step t is cs[t];"
             " cs[t - 1] wraps round at t = 0.", "c_prev = cs[t - 1]",
             "c_prev = cs[t]"),
    _kept_as("h_prev read from states with h0 in front as if they had T entries",
             f"caches[t]._replace(h_prev={_BEFORE.format('h_prev', _LAST_H)})",
             "With h0 in front, h_prev of step t is hs[t];"
             " hs[t - 1] wraps round at t = 0.", "h_prev = hs[t - 1]",
             "h_prev = hs[t]"),
    _kept_as("gates of the step before",
             "caches[t]._replace(i=caches[t - 1].i, f=caches[t - 1].f, g=caches[t -"
             " 1].g, o=caches[t - 1].o)",
             "The backward pass of step t needs the gates of step t.",
             "i, f, g, o = gates[t - 1]", "i, f, g, o = gates[t]"),
    _kept_as("tanh(c) of the step before",
             "caches[t]._replace(tanh_c=caches[t - 1].tanh_c)", "h[t] is made of c[t].",
             "tanh_c = np.tanh(c[t - 1])", "tanh_c = np.tanh(c[t])"),
    ("dh_next handed on as dc_next", _CARRIES, "zip((dprev[0], dprev[0]), dstate)", "",
     "dh_prev becomes dh_next, and dc_prev becomes dc_next.", "",
     "dh_next, dc_next = dh_prev, dh_prev", _HANDED_ON),
    ("dc_next handed on as dh_next", _CARRIES, "zip((dprev[1], dprev[1]), dstate)", "",
     "dh_prev becomes dh_next, and dc_prev becomes dc_next.", "",
     "dh_next, dc_next = dc_prev, dc_prev", _HANDED_ON),
    ("dh_next passed as dc", "*dc_next)]", "dh_next)]", "",
     "A step gets two recurrent gradients: dh_next is added to dh, dc_next is its dc.",
     "", "lstm_step_backward(dh_t, dh_next, ...)",
     "lstm_step_backward(dh_t, dc_next, ...)"),
    ("dh passed as dc", "*dc_next)]", "dh_next + dh[t])]", "",
     "A step gets two recurrent gradients: dh_next is added to dh, dc_next is its dc.",
     "", "lstm_step_backward(dh_t, dh_t, ...)",
     "lstm_step_backward(dh_t, dc_next, ...)"),
    ("dh_next left out at the output gate", "(dh[t] + dh_next, *dc_next)",
     "(dh[t], dc_next[0] + dh_next * caches[t].o * (1 - caches[t].tanh_c**2))", "(6)",
     "The output gate needs all of dh: the part from the step after as well.", "",
     "do = dh[t] * tanh_c", "do = (dh[t] + dh_next) * tanh_c"),
    ("dh_next left out of dc", "*dc_next)]",
     "dc_next[0] - dh_next * caches[t].o * (1 - caches[t].tanh_c**2))]", "(6)",
     "dc needs all of dh: the part from the step after as well.", "",
     "dc = dc_next + dh[t] * o * (1 - tanh_c**2)",
     "dc = dc_next + (dh[t] + dh_next) * o * (1 - tanh_c**2)"),
    *(_one_step_late(last, first) for last in ("", "last") for first in ("", "first")),
    ("dh_next and dc_next exchanged", _CARRIES, "zip(dprev[::-1], dstate)", "",
     "dh_prev becomes dh_next, and dc_prev becomes dc_next.", "",
     "dh_next, dc_next = dc_prev, dh_prev", _HANDED_ON),
    ("Wh paired with the last h at step 0", "caches[t]",
     "caches[t] if t else caches[0]._replace(h_prev=caches[-1].o * caches[-1].tanh_c)",
     "", "hs[t - 1] at t = 0 is the last one in Python; h0 belongs there."),
    ("gradients of the final state not read", "grads = []",
     "grads, dstate = [], (0 * dstate[0], 0 * dstate[1])", "",
     "The loss of what follows depends on the final state.",
     "keras-team/keras 2468, 2750", "dh_next, dc_next = 0 * dstate[0], 0 * dstate[1]",
     _FINAL),
    ("gradient of the final cell state not read", "grads = []",
     "grads, dstate = [], (dstate[0], 0 * dstate[1])", "",
     "The loss of what follows depends on the final state.",
     "keras-team/keras 2468, 2750", "dh_next, dc_next = dstate[0], 0 * dstate[1]",
     _FINAL),
    ("gradients of the final states exchanged", "grads = []",
     "grads, dstate = [], dstate[::-1]", "",
     "The hidden state comes first, the cell state second.", "",
     "dc_next, dh_next = dstate", _FINAL),
    ("gradients of the initial states exchanged", "np.stack(dx), dstate",
     "np.stack(dx), dstate[::-1]", "",
     "The hidden state comes first, the cell state second.", "",
     "(dc_next, dh_next), LSTM", "(dh_next, dc_next), LSTM"),
)

SEQUENCE_BACKWARD = [*OF_LSTM, *IN_ANY_LOOP, *of_weights("b")]
