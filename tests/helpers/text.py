"""Text without its line breaks, for tests of wrapped output."""


def one_line(shown):
    """The text of an object, or a text, in one line."""
    return " ".join(str(shown).split())
