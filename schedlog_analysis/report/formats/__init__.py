"""
A format is a way to write a report; this is the one list of them.

A new one is a file in this folder with a function ``render(facts, analysis)``, and an entry here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schedlog_analysis.errors import ConfigError

if TYPE_CHECKING:
    from schedlog_analysis.account.analysis import Analysis


@dataclass(frozen=True)
class Format:
    """
    A way to write a report.

    Attributes
    ----------
    suffix
        What its files end in.
    about
        What it is, in a few words.
    module
        The file of this folder that renders it. It is imported when it is needed: Jinja and matplotlib are slow.
    further
        What its files may end in as well.
    is_of_facts
        Whether it is made of the facts; a notebook is made of the options, which only the command line knows.
    """

    suffix: str
    about: str
    module: str
    further: tuple[str, ...] = ()
    is_of_facts: bool = True

    def render(self, facts: dict[str, Any], analysis: Analysis) -> bytes:
        """Render facts, with what there is to draw."""
        if not self.is_of_facts:
            raise ConfigError(f"A report alone cannot be written as .{self.suffix}; use `schedlog report` for that.")
        content = import_module(f"{__name__}.{self.module}").render(facts, analysis)
        return content if isinstance(content, bytes) else content.encode("utf-8", "replace")


FORMATS: dict[str, Format] = {
    "html": Format("html", "one file without scripts or network: light, dark, printable", "html", ("htm",)),
    "email": Format("eml", "an `.eml` with pictures attached and a plain-text part, ready to send", "email"),
    "md": Format("md", "Markdown, for an issue or a wiki", "markdown", ("markdown",)),
    "txt": Format("txt", "the same as the mail in plain letters", "text"),
    "json": Format("json", "every figure and sentence, for other programs", "json"),
    "csv": Format("csv", "one row per schedule", "csv"),
    "ipynb": Format("ipynb", "a notebook with the same analysis, to go on from", "notebook", is_of_facts=False),
}


def find_format(name: str) -> Format:
    """
    Find a format by its name.

    Raises
    ------
    ConfigError
        If there is no such format.

    Examples
    --------
    >>> find_format("email").suffix
    'eml'
    """
    if name not in FORMATS:
        raise ConfigError(f"There is no format {name!r}; expected one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def format_of(path: str | Path) -> str:
    """
    Tell the format of a file by what its name ends in.

    Raises
    ------
    ConfigError
        If that does not say it.

    Examples
    --------
    >>> format_of("october.eml")
    'email'
    """
    by_suffix = {suffix: name for name, each in FORMATS.items() for suffix in (each.suffix, *each.further)}
    suffix = Path(path).suffix.lstrip(".").lower()
    if suffix not in by_suffix:
        expected = ", .".join(by_suffix)
        raise ConfigError(f"The name {Path(path).name!r} does not say the format; expected it to end in .{expected}.")
    return by_suffix[suffix]
