"""A report is one result object: it holds the analysis and its facts, and writes them in any format."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Self, Unpack

import pandas as pd

from schedlog_analysis._core.files import write_whole
from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.account.options import Changes, Options, takes_options
from schedlog_analysis.report.facts import TITLE, facts
from schedlog_analysis.report.formats import csv, find_format, format_of
from schedlog_analysis.report.topics.pages import PAGES
from schedlog_analysis.report.values import Facts


class Report:
    """
    A reliability report of one period, in any format.

    The same analysis makes the same bytes in every format, on every day: no clock is read. Every number of every format
    is one of `facts`.

    Parameters
    ----------
    analysis
        Every table that the report is made of.
    pages
        How many schedules get a page of their own at most: the worst.
    source
        Where the log came from, for the footer.
    title
        What it is called.
    now
        When it is made; None where nobody looked at a clock.

    Examples
    --------
    >>> from schedlog_analysis import Report, load_sample
    >>> sample = load_sample()
    >>> Report.build(sample.log, sample.schedules, period="2026-10", tz="Europe/Prague")
    <Report: Inventory feed of the shop has not run since 24 Oct 2026 06:10; 94.5 % of 2,050 scheduled starts worked in October 2026.>
    """  # noqa: E501 - a verdict is one sentence

    def __init__(
        self,
        analysis: Analysis,
        *,
        pages: int = PAGES,
        source: str | None = None,
        title: str = TITLE,
        now: str | None = None,
    ) -> None:
        self.analysis = analysis
        self.pages = pages
        self.source = source
        self.title = title
        self.now = now

    @classmethod
    @takes_options
    def build(
        cls,
        log: pd.DataFrame,
        schedules: pd.DataFrame | None = None,
        *,
        runs: pd.DataFrame | None = None,
        fetches: pd.DataFrame | None = None,
        source: str | None = None,
        options: Options | None = None,
        **changes: Unpack[Changes],
    ) -> Self:
        """
        Analyse a log and report on it.

        Parameters
        ----------
        log, schedules, runs, fetches, options, changes
            See `Analysis.build`.
        source
            Where the log came from, for the footer.

        Raises
        ------
        InputError
            If an argument cannot be read.
        """
        chosen = Options.of(options, changes)
        analysis = Analysis.build(log, schedules, runs=runs, fetches=fetches, options=chosen)
        return cls(analysis, pages=chosen.pages, source=source, title=chosen.title, now=chosen.now)

    @cached_property
    def facts(self) -> Facts:
        """All figures and sentences, as plain data; the one source of every format."""
        return facts(self.analysis, pages=self.pages, source=self.source, title=self.title, now=self.now)

    @property
    def verdict(self) -> str:
        """The one sentence to take away."""
        return str(self.facts["verdict"])

    @property
    def up_share(self) -> float | None:
        """Availability: share of scheduled starts that worked; None if nothing was due. [0..1]"""  # noqa: D400 - a unit
        share: float | None = self.facts["figures"]["up_rate"]["value"]
        return share

    def to_html(self) -> str:
        """Render one self-contained page that needs neither network nor script."""
        return self.to_bytes("html").decode()

    def to_email(self) -> bytes:
        """
        Render a mail (``.eml``): subject, plain text, HTML, pictures.

        It has no sender, no recipient and no date, which whoever sends it adds.
        """
        return self.to_bytes("email")

    def to_markdown(self) -> str:
        """Render Markdown with tables and without pictures."""
        return self.to_bytes("md").decode()

    def to_json(self) -> str:
        """Render the facts as JSON."""
        return self.to_bytes("json").decode()

    def to_csv(self, table: str = "schedules") -> str:
        """
        Render one table as CSV.

        Parameters
        ----------
        table
            ``"schedules"`` (a row per schedule, worst first), ``"incidents"``, ``"clusters"``, ``"causes"``,
            ``"figures"``, ``"fates"`` (what became of the scheduled starts), ``"days"`` or ``"hours"``.

        Raises
        ------
        ConfigError
            If there is no such table.
        """
        return csv.render(self.facts, table=table)

    def to_bytes(self, format: str) -> bytes:  # noqa: A002 - what users call it
        """
        Render in a format given by name.

        Parameters
        ----------
        format
            One of `formats.FORMATS`, such as ``"html"``, ``"email"``, ``"md"``, ``"txt"``, ``"json"`` or ``"csv"``.

        Raises
        ------
        ConfigError
            If there is no such format.
        """
        return find_format(format).render(self.facts, self.analysis)

    def write(self, path: str | os.PathLike[str], format: str | None = None) -> Path:  # noqa: A002 - as above
        """
        Write the report to a file, all of it or nothing.

        Parameters
        ----------
        path
            File to write; one that exists is replaced.
        format
            See `to_bytes`; by default what the file's name ends in.

        Returns
        -------
        path
            The file.

        Raises
        ------
        ConfigError
            If the format is not known.
        """
        return write_whole(path, self.to_bytes(format or format_of(Path(path))))

    def _repr_html_(self) -> str:
        from schedlog_analysis.report.formats.html import render_fragment  # noqa: PLC0415 - Jinja is slow to import

        return render_fragment(self.facts)

    def __repr__(self) -> str:
        return f"<Report: {self.verdict}>"
