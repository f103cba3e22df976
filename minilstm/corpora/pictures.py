"""The built-in corpus `pictures`: drawn scenes of 8x8 pixels, and sentences about them.

A picture has four quarters of 4x4 pixels. One or two of them hold an object: a shape in
a size and a brightness. A small object has 3x3 pixels and lies at one of four places in
its quarter, which no sentence mentions. A large one fills its quarter. There are 21,840
pictures, and 3,552 without these places.

    . . . . # # # #
    . . . . # . . #       A bright frame at the top right and
    . . . . # . . #       a little dim cross at the bottom left
    . . . . # # # #
    . - . . . . . .       . 0.0    - 0.5    # 1.0
    - - - . . . . .
    . - . . . . . .
    . . . . . . . .

Scenes are drawn with uniform and independent choices:

    (1)  one object with probability 1/3, else two; their quarters; for each object its
         shape, its size, its brightness and, if it is small, its place

The picture determines the scene. A grammar of the scene writes the sentence. It chooses
synonyms, the order of two objects, and whether to mention size and brightness. It names
the quarters, or the direction from one object to the other. So many sentences describe
one picture, and the best possible model cannot know which of them was written. Each of
the L words of a sentence is predicted, and the end token:

    (2)  floor = E[H(sentence | picture)] / E[L + 1]            nats a predicted token

In `minilstm.corpora.grammar` the first token is given. Here a model is given the
picture instead, and predicts the first word, too. Tokens are words and punctuation
marks, as in `minilstm.corpora.wordgrammar`. The expectations are exact: one large
grammar chooses the scene, then the sentence. By the chain rule

    (3)  E[H(sentence | picture)] = H(choices of the large grammar) - H(scene)

since no sentence has two derivations in one scene; a test searches all of them. In (3),
scenes that differ only in places inside of quarters are one.

The task, with photographs: Vinyals, Toshev, Bengio and Erhan (2015), Show and tell: a
neural image caption generator. The chain rule: Cover and Thomas (2006), Elements of
Information Theory, section 2.5.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from minilstm.corpora.grammar import Template
from minilstm.corpora.wordgrammar import WordGrammar
from minilstm.errors import InputError

ONE_OBJECT = 1 / 3  # probability that a scene has one object
QUARTERS = ("top left", "top right", "bottom left", "bottom right")
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))  # of a small object in its quarter
BRIGHTNESS = {"bright": 1.0, "dim": 0.5}
SHAPES = {  # small, large
    "square": ("### ### ###", "#### #### #### ####"),
    "frame": ("### #.# ###", "#### #..# #..# ####"),
    "cross": (".#. ### .#.", ".##. #### #### .##."),
    "diamond": (".#. #.# .#.", ".##. #..# #..# .##."),
    "horizontal line": ("... ### ...", ".... #### #### ...."),
    "vertical line": (".#. .#. .#.", ".##. .##. .##. .##."),
}
SIZES = ("small", "large")
DIRECTIONS = {  # of the first object, and of the second
    ("top left", "bottom left"): ("above", "below"),
    ("top right", "bottom right"): ("above", "below"),
    ("top left", "top right"): ("to the left of", "to the right of"),
    ("bottom left", "bottom right"): ("to the left of", "to the right of"),
}
WORDS: dict[str, list[Template]] = {
    "small": [(3, "small"), "little"],
    "large": [(3, "large"), "big"],
    "bright": [(3, "bright"), "white"],
    "dim": [(3, "dim"), "grey"],
}


class Thing(NamedTuple):
    """An object of a scene: what it is, and where."""

    quarter: str
    size: str
    brightness: str
    shape: str
    place: tuple[int, int] = (0, 0)  # row and column inside of the quarter


Scene = tuple[Thing, ...]  # one or two, in the order of `QUARTERS`


def sample(
    count: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Draw pictures, and a sentence for each.

    Parameters
    ----------
    count : int
        Number of pictures.
    rng : numpy.random.Generator
        Draws them; the same state draws the same pictures and sentences.

    Returns
    -------
    pixels : (count, 64) float64
        Brightnesses, row by row from the top: 0, 0.5 or 1.
    sentences : list of str

    Examples
    --------
    >>> pixels, sentences = sample(2, np.random.default_rng(2))
    >>> for sentence in sentences:
    ...     print(sentence)  # doctest: +ELLIPSIS
    At the top left, a small bright horizontal line
    A little dim square at the top right and a large dim vertical line in the top ...
    >>> [is_true(sentence, row) for sentence in sentences for row in pixels]
    [True, False, False, True]
    """
    scenes = [_draw(rng) for _ in range(count)]
    pixels = np.array([render(scene) for scene in scenes]).reshape(count, 64)
    return pixels, [wording(scene).sample(rng) for scene in scenes]


def is_true(sentence: str, pixels: npt.ArrayLike) -> bool:
    """Whether a sentence is one of those that describe a picture.

    Parameters
    ----------
    sentence : str
        Its words count, not its spaces and capitals.
    pixels : (64,) or (8, 8) array_like
        A picture of the corpus.

    Returns
    -------
    bool

    Raises
    ------
    InputError
        If `pixels` is no such picture.
    """
    return wording(read(pixels)).accepts(sentence)


def floor() -> float:
    """Nats a predicted token below which no model's loss is on average: (2).

    Returns
    -------
    float
        The lowest possible mean cross-entropy of words and end tokens, given pictures.

    Examples
    --------
    >>> round(floor(), 4)
    0.3428
    """
    kinds = [Thing(*fields) for fields in product(QUARTERS, SIZES, BRIGHTNESS, SHAPES)]
    alone = [(thing,) for thing in kinds]
    pairs = [(a, b) for a, b in combinations(kinds, 2) if a.quarter != b.quarter]
    scenes: list[tuple[float, Scene]] = [(ONE_OBJECT / len(alone), s) for s in alone]
    scenes += [((1 - ONE_OBJECT) / len(pairs), s) for s in pairs]
    rules: dict[str, list[Template]] = {
        "start": [(p, f"{{scene_{i}}}") for i, (p, _) in enumerate(scenes)]
    }
    for i, (_, scene) in enumerate(scenes):
        rules |= _rules(scene, f"scene_{i}")
    grammar = WordGrammar(rules, "start")
    scene_entropy = -math.fsum(p * math.log(p) for p, _ in scenes)
    return (grammar.entropy - scene_entropy) / (grammar.mean_length + 1)  # (3), (2)


def wording(scene: Scene) -> WordGrammar:
    """The grammar of all sentences that describe a scene.

    Parameters
    ----------
    scene : tuple of Thing
        One or two, in the order of `QUARTERS`.

    Returns
    -------
    WordGrammar
        Its `entropy` is that of a sentence, given this scene.

    Examples
    --------
    >>> square = wording((Thing("top left", "large", "dim", "square"),))
    >>> square.accepts("in the top left corner, a grey square")
    True
    >>> square.accepts("a small square at the top left")
    False
    """
    return _wording(tuple(thing._replace(place=(0, 0)) for thing in scene))


@cache
def _wording(scene: Scene) -> WordGrammar:
    return WordGrammar(_rules(scene, "scene"), "scene")


def _rules(scene: Scene, start: str) -> dict[str, list[Template]]:
    """The rules of a scene. Those that scenes share have equal names."""
    rules, whats, wheres = dict(WORDS), [], []
    for thing in scene:
        what = "_".join(thing[1:4]).replace(" ", "_")
        where = thing.quarter.replace(" ", "_")
        size, brightness = f"{{{thing.size}}}", f"{{{thing.brightness}}}"
        rules[what] = [
            (4, f"a {size} {brightness} {thing.shape}"),
            (1, f"a {size} {thing.shape}"),
            (1, f"a {brightness} {thing.shape}"),
        ]
        rules[where] = [
            (3, f"at the {thing.quarter}"),
            (1, f"in the {thing.quarter} corner"),
        ]
        whats.append(f"{{{what}}}")
        wheres.append(f"{{{where}}}")
    if len(scene) == 1:
        [a], [p] = whats, wheres
        rules[start] = [(3, f"{a} {p}"), (1, f"{p}, {a}"), (1, f"there is {a} {p}")]
    else:
        (a, b), (p, q) = whats, wheres
        rules[start] = [
            (3, f"{a} {p} and {b} {q}"),
            (1, f"{p}, {a}, and {q}, {b}"),
            (3, f"{b} {q} and {a} {p}"),
            (1, f"{q}, {b}, and {p}, {a}"),
        ]
        if (scene[0].quarter, scene[1].quarter) in DIRECTIONS:
            ab, ba = DIRECTIONS[scene[0].quarter, scene[1].quarter]
            rules[start] += [(2, f"{a} {ab} {b}"), (2, f"{b} {ba} {a}")]
    return rules


def render(scene: Scene) -> npt.NDArray[np.float64]:
    """The picture of a scene.

    Parameters
    ----------
    scene : tuple of Thing
        One or two, in the order of `QUARTERS`.

    Returns
    -------
    (64,) float64
        Brightnesses, row by row from the top: 0, 0.5 or 1.
    """
    pixels = np.zeros((8, 8))
    for thing in scene:
        at = QUARTERS.index(thing.quarter)
        row, column = 4 * (at // 2) + thing.place[0], 4 * (at % 2) + thing.place[1]
        drawn = _pattern(thing)
        pixels[row : row + len(drawn), column : column + len(drawn)] = drawn
    return pixels.ravel()


def read(pixels: npt.ArrayLike) -> Scene:
    """The scene of a picture.

    Parameters
    ----------
    pixels : (64,) or (8, 8) array_like
        Brightnesses, as `render` returns them.

    Returns
    -------
    tuple of Thing
        One or two, in the order of `QUARTERS`.

    Raises
    ------
    InputError
        If `pixels` is no picture of the corpus.

    Examples
    --------
    >>> scene = (Thing("top right", "small", "dim", "cross", place=(1, 0)),)
    >>> read(render(scene)) == scene
    True
    """
    picture = np.asarray(pixels, np.float64) + 0.0  # -0.0 becomes 0.0
    if picture.size == 64:
        found = [
            _things(quarter).get(block.tobytes())
            for quarter, block in zip(QUARTERS, _quarters(picture))
            if block.any()
        ]
        scene = tuple(thing for thing in found if thing)
        if len(scene) == len(found) and len(scene) in (1, 2):
            return scene
    raise InputError("pixels: expected an 8x8 picture of this corpus; this is none")


@cache
def _things(quarter: str) -> dict[bytes, Thing]:
    """All things that a quarter can hold, by their 4x4 pixels."""
    at = QUARTERS.index(quarter)
    table = {}
    for size, brightness, shape in product(SIZES, BRIGHTNESS, SHAPES):
        for place in PLACES if size == "small" else PLACES[:1]:
            thing = Thing(quarter, size, brightness, shape, place)
            table[_quarters(render((thing,)))[at].tobytes()] = thing
    return table


def _quarters(pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The pixels (4, 4, 4) of each quarter, in the order of `QUARTERS`."""
    return pixels.reshape(2, 4, 2, 4).swapaxes(1, 2).reshape(4, 4, 4)


def _pattern(thing: Thing) -> npt.NDArray[np.float64]:
    """The pixels of a thing: (3, 3) or (4, 4)."""
    rows = SHAPES[thing.shape][SIZES.index(thing.size)].split()
    filled = np.array([[pixel == "#" for pixel in row] for row in rows])
    return BRIGHTNESS[thing.brightness] * filled


def _draw(rng: np.random.Generator) -> Scene:
    """Draw a scene: (1)."""
    number = 1 if rng.random() < ONE_OBJECT else 2
    choices = list(combinations(QUARTERS, number))
    scene = []
    for quarter in choices[rng.integers(len(choices))]:
        size = SIZES[rng.integers(2)]
        brightness = list(BRIGHTNESS)[rng.integers(2)]
        shape = list(SHAPES)[rng.integers(len(SHAPES))]
        place = PLACES[rng.integers(4)] if size == "small" else PLACES[0]
        scene.append(Thing(quarter, size, brightness, shape, place))
    return tuple(scene)
