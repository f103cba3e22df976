"""Common mistakes with the derivative of an activation, for tables of mistakes.

Each is a line of code, with the sentence that a learner gets. In them ``sigmoid`` is
known, also where the solutions do not define it.
"""

from __future__ import annotations


def of_sigmoid(dz: str, ds: str, s: str) -> dict[str, str]:
    """Mistakes in ``dz = ds * s * (1 - s)``, where s is the sigmoid of z.

    >>> of_sigmoid("dzi", "di", "i")["dzi = di"]
    'the derivative of sigmoid is missing: i (1 - i)'
    """
    right = f"{s} (1 - {s})"
    return {
        f"{dz} = {ds} * sigmoid({s}) * (1 - sigmoid({s}))": f"{s} is the sigmoid already,"
        f" and you take the sigmoid of it; its derivative is {right}",
        f"{dz} = {ds} * (1 - {s}**2)": f"{s} comes from a sigmoid, so its derivative is"
        f" {right}; 1 - {s}**2 is that of a tanh",
        f"{dz} = {ds} * {s} * (1 + {s})": f"the derivative of sigmoid is {right}, with a"
        " minus",
        f"{dz} = {ds} * (1 - {s})": "a factor is missing: the derivative of sigmoid is"
        f" {right}",
        f"{dz} = {ds} * {s}": f"the factor 1 - {s} is missing: the derivative of sigmoid"
        f" is {right}",
        f"{dz} = {ds}": f"the derivative of sigmoid is missing: {right}",
    }


def of_tanh(dz: str, dg: str, g: str) -> dict[str, str]:
    """Mistakes in ``dz = dg * (1 - g**2)``, where g is the tanh of z."""
    right = f"1 - {g}**2"
    return {
        f"{dz} = {dg} * (1 - np.tanh({g}) ** 2)": f"{g} is the tanh already, and you take"
        f" the tanh of it; its derivative is {right}",
        f"{dz} = {dg} * (1 - {g})": f"the derivative of tanh is {right}, with a square",
        f"{dz} = {dg} * (1 - {g}) ** 2": f"the derivative of tanh is {right}: only {g} is"
        " squared",
        f"{dz} = {dg} * (1 + {g}**2)": f"the derivative of tanh is {right}, with a minus",
        f"{dz} = {dg} * {g} * (1 - {g})": f"{g} comes from a tanh, so its derivative is"
        f" {right}; {g} (1 - {g}) is that of a sigmoid",
        f"{dz} = {dg}": f"the derivative of tanh is missing: {right}",
    }
