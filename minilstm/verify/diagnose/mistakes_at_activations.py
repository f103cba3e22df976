"""Known mistakes that are possible at every sigmoid and every tanh, as rows.

``mistakes.py`` says how to read a row. A line of our source takes the gradient ``ds``
of a sigmoid s = σ(z) to that of its pre-activation, ``dz = ds * s * (1 - s)``, and for
a tanh t = tanh(z) it is ``dz = dt * (1 - t**2)``.
"""

from __future__ import annotations

Row = tuple[str, ...]


def at_a_sigmoid(title: str, s: str, ds: str, dz: str, equation: str) -> list[Row]:
    """Of a gate s, with the names of both gradients."""
    line, z = f"{dz} = {ds} * {s} * (1 - {s})", dz[1:]
    wrong = lambda name, factors, why: (
        name, line, f"{dz} = {ds} * {factors}", equation, why)
    law = "The derivative of a sigmoid s is s * (1 - s)"
    return [
        *_at_any(title, s, line, equation),
        wrong(f"derivative of the {title} at the activated value",
              f"sigmoid({s}) * (1 - sigmoid({s}))",
              f"{s} is already the sigmoid; its derivative is {s} * (1 - {s}).")
        + ("nicodjimenez/lstm 41",),
        wrong(f"factor {s} missing at the {title}", f"(1 - {s})", f"{law}."),
        wrong(f"factor 1 - {s} missing at the {title}", s,
              f"{law}. The sigmoid of {z} in its place gives the same numbers."),
        wrong(f"sigmoid in place of its derivative at the {title}", f"sigmoid({s})",
              f"{law}, and {s} is already the sigmoid."),
        wrong(f"{s} in place of 1 - {s}", f"{s} * {s}", f"{law}."),
        wrong(f"1 - {s} in place of {s}", f"(1 - {s}) * (1 - {s})", f"{law}."),
        wrong(f"sign in the derivative of the {title}", f"{s} * (1 + {s})", f"{law}."),
        wrong(f"derivative of a tanh for the {title}", f"(1 - {s}**2)",
              "It is a sigmoid, whose derivative is s * (1 - s)."),
    ]


def at_a_tanh(title: str, t: str, dt: str, dz: str, equation: str) -> list[Row]:
    """Of a candidate t, with the names of both gradients."""
    line = f"{dz} = {dt} * (1 - {t}**2)"
    wrong = lambda name, factors, why: (
        name, line, f"{dz} = {dt} * {factors}", equation, why)
    law = "The derivative of tanh is 1 - tanh**2"
    return [
        *_at_any(title, t, line, equation),
        wrong(f"derivative of the {title} at the activated value",
              f"(1 - np.tanh({t})**2)",
              f"{t} is already the tanh; its derivative is 1 - {t}**2.")
        + ("nicodjimenez/lstm 41",),
        wrong(f"square missing at the {title}", f"(1 - {t})", f"{law}."),
        wrong(f"sign in the derivative of the {title}", f"(1 + {t}**2)", f"{law}."),
        wrong(f"derivative of a sigmoid for the {title}", f"{t} * (1 - {t})",
              "It is a tanh, whose derivative is 1 - tanh**2."),
        wrong(f"tanh in place of its derivative at the {title}", t, f"{law}."),
        wrong(f"square over the whole bracket at the {title}", f"(1 - {t})**2",
              f"{law}: only the tanh is squared."),
    ]


def _at_any(title: str, s: str, line: str, equation: str) -> list[Row]:
    dz, _, right = line.partition(" = ")
    ds = right.partition(" * ")[0]
    return [
        (f"derivative of the {title} missing", line, f"{dz} = {ds}", equation,
         f"{s} is a function of {dz[1:]}, whose derivative belongs in the product."),
        (f"gradient of the {title} left out", line, f"{dz} = 0 * {ds}", equation,
         "Without it the weights of this block never learn."),
        (f"sign of the {title}", line, f"{dz} = -{right}", equation,
         f"{s} grows with {dz[1:]}, so the gradient keeps its sign."),
    ]
