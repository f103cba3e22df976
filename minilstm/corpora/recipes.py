"""The built-in corpus `recipes`: invented dishes with long-range agreement.

The published word model that this package reproduces learns from real recipes, and
forgets: a title names walnuts, and none appear. This corpus shows how long a model
remembers, because its recipes always agree with themselves. The ingredients and the
method of the title return in the directions, some of them after more than a hundred
words. Temperatures and times are those of the method. An oven that was lit is turned
off. A lid that was put on is lifted. A salad that was made is served. Brackets and
quotations are closed. `minilstm.corpora.long_range` measures whether a model's recipes
do the same.

As for `headlines` the entropy is known exactly, here in nats per word
(`minilstm.corpora.wordgrammar`).

Read the rules from the top. A recipe is a title and directions. <main from roots>
chooses the word that the rest of the recipe repeats as <main>
(`minilstm.corpora.agreement`).
"""

from __future__ import annotations

from functools import cache

from minilstm.corpora.agreement import expand
from minilstm.corpora.grammar import Template
from minilstm.corpora.pantry import PLURAL, WORDS
from minilstm.corpora.wordgrammar import WordGrammar

PROMPTS = ("recipe for", "recipe for roast", "recipe for roasted vegetables",
           "recipe for braised beef with rosemary and barley |")
UNFAMILIAR_PROMPTS = ("recipe for roasted vegetables |", "recipe for chocolate ice cream |")

SHAPES: dict[str, list[Template]] = {
    "recipe": [
        (5, "Recipe for roasted <main from roots> with <herb from garden> and <side from nuts> | {people}{roasted}"),
        (4, "Recipe for roast <main from joints> with <herb from garden> and <side from dried> | {people}{roast}"),
        (4, "Recipe for baked <main from fish> with <herb from tender> and <side from briny> | {people}{baked}"),
        (4, "Recipe for braised <main from game> with <herb from woody> and <side from grains> | {people}{braised}"),
        (4, "Recipe for simmered <main from pulses> with <herb from spices> and <side from leaves> | {people}{simmered}"),
        (3, "Recipe for steamed <main from greens> with <herb from fresh> and <side from bowls> | {people}{steamed}"),
        (3, "Recipe for grilled <main from summer> with <herb from sunny> and <side from cheeses> | {people}{grilled}"),
        (3, "Recipe for poached <main from fruit> with <herb from sweet> and <side from berries> | {people}{poached}")],
    "people": [(4, ""), (2, "Serves {few}. "), "Serves {few} (or {many} with other dishes). "],

    # eight methods, each with a long way and a short one
    "roasted": [
        (2, "Preheat the oven to {hot} degrees and line a large <vessel from trays> with baking paper. {prepare_<main>} "
            "{dressing} Add the <main>, toss well and spread everything in the <vessel>. {roasting} Meanwhile, make a "
            "<extra from savory>: {make_<extra>}. {rest_in_oven} {nutty} Serve {how} with the <extra>."),
        "Preheat the oven to {hot} degrees. {prepare_<main>} Toss <main:it|them> with {spoons} of oil, salt and {pinch}, "
        "and roast for {roasted_time} minutes, until {browned}. Turn off the oven. {nutty} {last}"],
    "roasting": [
        "Roast for {roasted_time} minutes, turning <main:it|them> once, until {browned}.",
        "Slide the <vessel> into the oven and roast for {roasted_time} minutes, until {browned}.",
        "Scatter half of the <herb> on top and roast for {roasted_time} minutes, until {browned}."],
    "rest_in_oven": [
        "Turn off the oven, but leave the <vessel> inside for {short} minutes.",
        "Take out the <vessel>, turn off the oven and let everything cool for {short} minutes."],
    "nutty": [
        "Brown the <side> in a dry skillet, chop them and scatter them over the <main>{herb_last}.",
        "Crush the <side> with {heavy} and fold them into the <main>{herb_last}."],
    "herb_last": [", then finish with {some} <herb>", " together with {some} <herb>"],

    "roast": [
        (2, "Preheat the oven to {warm} degrees. {prepare_<main>} {rub} Set the <main> in a deep <vessel from trays> and "
            "pour {cups} of {liquid} into the <vessel>. Roast for {roast_time} minutes, basting {often}, until {juices}. "
            "{resting} {gravy}Warm the <side> in {buttery} until they are soft. {carve} the <main>, put the <side> "
            "around <main:it|them>, {strew} {some} <herb> and {serve_hot}."),
        "Preheat the oven to {warm} degrees. {prepare_<main>} {rub} Roast for {roast_time} minutes, until {juices}. Turn "
        "off the oven. Warm the <side> in {buttery} until they are soft. {carve} the <main>, add the <side>, {strew} "
        "{some} <herb> and {serve_hot}."],
    "rub": [
        "Rub the meat with {spoons} of oil, salt, pepper and half of the <herb>.",
        "Mix {spoons} of soft butter with {accent} and {pinch}, and brush the meat with it.",
        "Mix {accent} with {spoons} of oil, salt and {pinch}, and rub the meat with it."],
    "resting": [
        'Turn off the oven, take out the <vessel>, cover the meat with some <cover from wraps> and let it rest for '
        '{longer} minutes; cooks call this "{quote_rest}". Take off the <cover> and save the juices.'],
    "gravy": ["", "Boil them down. "],

    "baked": [
        (2, "{prepare_<main>} Preheat the oven to {mild} degrees and butter a deep <vessel from dishes>. {bedding} Lay "
            "the <main> on top, season with salt and {pinch}, and pour over {cups} of {liquid}{fish_note}. Cover the "
            "<vessel> with some <cover from wraps> and bake for {bake_time} minutes, until {flaky}. {chores}Take off the "
            "<cover> and turn off the oven. {spoon_juices} {briny_end} {last}"),
        "Preheat the oven to {mild} degrees. {prepare_<main>} Lay <main:it|them> on a piece of baking paper, season with "
        "salt and {pinch}, and add {accent}. Close the paper{parcel_note} and bake for {bake_time} minutes, until "
        "{flaky}. Turn off the oven. {briny_end} {last}"],
    "bedding": [
        "Slice {vegetable} and a lemon very finely and cover the bottom with the slices.",
        "Cook {vegetable}, finely chopped, in {spoons} of oil until soft and spread it over the bottom."],
    "spoon_juices": [
        "Spoon the juices from the <vessel> over the fish.",
        "Pour off the juices from the <vessel>, whisk in {spoons} of cold butter and pour this over the fish."],
    "briny_end": [
        "Drain the <side>, chop them finely, mix them with the <herb> and spoon them over the <main>.",
        "Scatter the <side> and {some} <herb> over the <main>."],

    "braised": [
        (2, "{prepare_<main>} Heat {spoons} of oil in a heavy <vessel from pots> and brown the meat on all "
            "sides{batches}. Add {vegetable} in large pieces and {half_woody}, and pour in {cups} of {liquid}. "
            "{bring_to_oven} Put a <cover from lids> on the <vessel>, slide it into the oven and braise for "
            "{braise_time} minutes, until {fall_apart}. {patience}Cook the <side> in salted water and drain "
            "<side:it|them>. Take off the <cover>, turn off the oven, lift out the <main> and {reduce}. Spoon the <side> "
            "onto {plates}, lay the <main> on top, {strew} {some} <herb> and {serve_hot}."),
        "Preheat the oven to {low} degrees. {prepare_<main>} Season with salt and {pinch}, add {vegetable} in large "
        "pieces, pour over {cups} of {liquid} and braise for {braise_time} minutes, until {fall_apart}. Turn off the "
        "oven. Cook the <side> in salted water and drain <side:it|them>. Lay the <main> on the <side>, {strew} {some} "
        "<herb> and {serve_hot}."],
    "half_woody": ["half of the <herb>", (2, "{accent}")],
    "bring_to_oven": [
        "Bring everything to a boil and heat the oven to {low} degrees.",
        "Preheat the oven to {low} degrees while it comes to a boil."],
    "reduce": ["boil down the liquid in the <vessel>", "boil the liquid in the <vessel> for {short} minutes"],

    "simmered": [
        (2, '{prepare_<main>} Set a large <vessel from pots> on the stove, warm {spoons} of oil in it and cook '
            '{vegetable}, finely chopped, until soft{soft_note}. Add half of the <herb> and {garlic}, and stir {while}; '
            'cooks call this "{quote_wake}". Add the <main> and {litres} of {broth}, cover with a <cover from lids> and '
            'simmer for {simmer_time} minutes, stirring {often}, until {crushed}. {chores}Take off the <cover> and look '
            'into the <vessel>. {leafy} {season} Turn off the stove, dust the <main> with the rest of the <herb> and '
            '{serve_hot}.'),
        "{prepare_<main>} Put <main:it|them> on the stove with {litres} of {broth} and simmer for {simmer_time} minutes, "
        "until {crushed}. {leafy} Turn off the stove. {season} Stir the <herb> into {spoons} of hot butter, pour this "
        "over the <main> and {serve_hot}."],
    "leafy": [
        "Wash the <side>, tear the leaves into pieces and stir them in.",
        "Cut the <side> into strips and fold <side:it|them> in at the end."],

    "steamed": [
        (2, "{prepare_<main>} Fill a <vessel from woks> with a little water, set it on the stove and bring it to a boil. "
            "Make a <extra from drizzles>: {make_<extra>}. Put the <main> in a basket, hang it over the water and close "
            "the <vessel> with a <cover from lids>. Steam for {steam_time} minutes, until {bright}. Take off the <cover> "
            "and lift out the basket. {ice_bath}Use the hot water in the <vessel> to cook the <side>, {stirring}, then "
            "drain <side:it|them> and turn off the stove. {bowls_end}, {spoon} the <extra> and strew with {some} <herb>. "
            "{last}"),
        "{prepare_<main>} Bring a little water to a boil on the stove, hang a basket over it and steam the <main> for "
        "{steam_time} minutes, until {bright}. Cook the <side> in the same water, {stirring}. Turn off the stove. "
        "{bowls_end} and strew with {some} <herb>. {last}"],
    "ice_bath": ["", "Dip it into ice water. "],
    "bowls_end": [
        "Divide the <side> among warm bowls, put the <main> on top",
        "Toss the <main> with the <side>{seasoned}"],

    "grilled": [
        (2, "{prepare_<main>} {dressing} Add the <main>, toss well, put a <cover from flat_things> over the bowl and "
            "wait for {longer} minutes{marinade_note}. Light the barbecue and make a <extra from savory>: "
            "{make_<extra>}. Then take off the <cover> and lift out the <main>. Grill for {grill_time} minutes on each "
            "side, {brushing}, until {charred}. Put out the barbecue{fire_note}. {cheese_end} Serve {how} with the <extra>."),
        "Light the barbecue. {prepare_<main>} Brush <main:it|them> with {spoons} of oil, season with salt and {pinch}, "
        "and grill for {grill_time} minutes on each side, until {charred}. Put out the barbecue{fire_note}. {cheese_end} "
        "{last}"],
    "cheese_end": [
        "Crumble the <side> over the <main> and strew with {some} <herb>.",
        "Break the <side> into pieces, mix it with the <herb> and spoon this over the <main>."],

    "poached": [
        (2, "Set a wide <vessel from pans> on the stove, pour in {litres} of water and add {sugar} and the peel of a "
            "lemon{peel_note}. {prepare_<main>} {spice_water}Lower the <main> into the <vessel> and poach for "
            "{poach_time} minutes, until {pierced}. Meanwhile, make a <extra from creamy>: {make_<extra>}. Turn off the "
            "stove and let the <main> cool in the <vessel>{overnight}. {syrup}Wash the <side>, dry them and "
            "{sugar_them}. Arrange the <main> in {glasses}, add the <side>, dust with {little} <herb> and serve with the "
            "<extra>."),
        "{prepare_<main>} On the stove, bring {litres} of water to a boil with {sugar} and poach the <main> in it for "
        "{poach_time} minutes, until {pierced}. Turn off the stove. {syrup}Wash the <side>, dry them and {sugar_them}. "
        "Arrange the <main> in {glasses}, add the <side> and dust with {little} <herb>."],
    "spice_water": ["", "When the sugar has melted, stir in half of the <herb>. "],

    # what is made on the side, and returns at the end
    "make_sauce": ["stir {cups} of yogurt with {zest}, {garlic} and {pinch}{taste_note}"],
    "make_salad": ["wash {lettuce}, tear the leaves and add oil, vinegar and {pinch}"],
    "make_relish": ["chop {vegetable} and a small cucumber, and stir in {accent} and {pinch}{relish_note}"],
    "make_dressing": ["whisk {spoons} of vinegar with some oil, {accent} and {pinch}"],
    "make_marinade": ["mix {spoons} of vinegar with {accent}, {garlic} and half of the <herb>, finely chopped"],
    "make_custard": ["warm {cups} of milk, whisk in {few} eggs and stir until it is thick"],
    "make_mousse": ["melt some chocolate, let it cool a little and fold it into {cups} of cream"],

    # turns of phrase
    "dressing": [
        "In a wide bowl, whisk {spoons} of oil with {accent}, {zest} and a pinch of salt.",
        "Mix {spoons} of oil with {accent} and {pinch} in a large bowl{bowl_note}."],
    "chores": [(2, ""), "Meanwhile, {chore}. "],
    "season": ["Taste and season with salt{lemon_note}.", "Add salt, pepper and a little lemon{lemon_note}."],
    "last": ["Serve {how}.", 'Call "{call}" and serve {how}.', "Serve with bread."],
    "serve_hot": ["serve {how}", 'call "{call}"', "serve while everything is hot"],
}


@cache
def recipes() -> WordGrammar:
    """Return the grammar of the corpus; it is built in about a second.

    Examples
    --------
    >>> import numpy as np
    >>> recipes().sample(np.random.default_rng(55)).split(" | ")[0]
    'Recipe for grilled mushrooms with basil and feta'
    """
    return WordGrammar(expand({**SHAPES, **WORDS}, "recipe", PLURAL), "recipe")
