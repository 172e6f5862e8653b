r"""Names of files that say where in an experiment an image belongs: plate, well, field, channel, depth, time.

A pattern is the name of a file with words in braces where the names differ::

    {plate}_{well}_s{field}_w{channel}.tif          P1_B03_s2_w1.tif
    {plate}/r{row}c{column}f{field}-ch{channel}.tiff a folder for each plate
    {well}_w{channel:[0-9]}[_z{z}].tif               what is in brackets may be absent
    {well}_{_}.tif                                   any text, which is not kept

It is compared with the end of a path, capitals or not; folders before it say nothing. A word may have a regular
expression of its own, ``{channel:DAPI|GFP}``, and stand in several places, which must then say the same. A brace or
bracket of the name has ``\`` before it. Files that differ only in ``channel``, ``z`` and ``t`` are one image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bigimg.errors import ParameterError, UnknownNameError

STACKED = {"t": "t", "channel": "c", "z": "z"}
"""Words along which files are put together, and the axis that each becomes."""

RESERVED = {
    "id", "path", "item", "shape", "dtype", "dims", "chunks", "scale", "unit", "channel_names", "time", "source",
    "digest", "reference", "reference_relative", "reference_part", "attrs", "c", "y", "x",
}  # fmt: skip
"""Words that the table of items has for something else."""

_WORD = re.compile(r"_|[A-Za-z](?:_?[A-Za-z0-9])*")
_TEXT = {
    "well": r"[A-Za-z]{1,2}[0-9]{1,3}",
    "row": r"[A-Za-z]{1,2}|[0-9]{1,3}",
    "column": r"[0-9]{1,3}",
    "field": r"[0-9]+",
    "z": r"[0-9]+",
    "t": r"[0-9]+",
    "_": r"[^/]*?",
}
_ANY = r"[^/]+?"

NAMINGS: Mapping[str, str] = {
    "imagexpress": (
        "[TimePoint_{t}/][ZStep_{z}/][{plate}_]{well:(?:A?[A-F]|[G-P])[0-9]{2}}[_s{field}][_w{channel:[0-9]}]"
        "[_z{z}][_t{t}][{_:[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}}].tif[f]"
    ),
    "operetta": (
        "[{plate}/Images/]r{row:[0-9]{2}}c{column:[0-9]{2}}f{field}p{z}-ch{channel:[0-9]+}"
        "[sk{t}][fk{_:[0-9]+}fl{_:[0-9]+}].tif[f]"
    ),
    "cellvoyager": "[{plate}_]{well}_T{t}F{field}L{_:[0-9]+}A{_:[0-9]+}Z{z}C{channel:[0-9]+}.{_:tiff?|png}",
    "bbbc021": "{plate}/{well:[A-H][0-9]{2}}_s{field}_w{channel:[0-9]}{_:[0-9A-F-]{36}}.tif",
    "bbbc013": "Channel{channel:[0-9]+}-{_:[0-9]+}-{row:[A-Z]}-{column}.{_:bmp|tiff?|png}",
    "micromanager": "img_channel{channel:[0-9]+}_position{field}_time{t}_z{z}.tif[f]",
}
"""Patterns of known namings, by name.

=============== ========================================================================================
imagexpress     Molecular Devices MetaXpress: ``P1_B03_s2_w1<GUID>.tif``, ``_s2``, ``_w1`` and the rest where they are,
                with folders ``TimePoint_1`` and ``ZStep_1``; thumbnails (``_thumb``) are not images
operetta        PerkinElmer Operetta and Opera Phenix (Harmony): ``r02c03f01p01-ch1sk1fk1fl1.tiff``
cellvoyager     Yokogawa CV7000, CV8000: ``Assay_B03_T0001F001L01A01Z01C01.tif``
bbbc021         BBBC021, a folder for each plate: ``Week1_22123/G10_s1_w1<GUID>.tif``
bbbc013         BBBC013, BBBC014 and BBBC016: ``Channel1-01-A-01.BMP``
micromanager    Micro-Manager 2, separate files: ``img_channel000_position000_time000000000_z000.tif``
=============== ========================================================================================
"""


@dataclass(frozen=True)
class Naming:
    """A pattern of names, ready to compare."""

    given: str
    """A pattern, or the name of a known naming."""

    @classmethod
    def of(cls, given: str) -> Naming:
        """Return the naming called ``given``, or that of the pattern ``given``.

        Raises
        ------
        UnknownNameError
            If it has no word in braces, and no naming is called so.
        ParameterError
            If it is no pattern; says where.

        Examples
        --------
        >>> Naming.of("{well}_w{channel}.tif").read("plate/B03_w2.tif")
        {'well': 'B03', 'channel': '2'}
        >>> Naming.of("operetta").read("r02c03f04p01-ch1sk1fk1fl1.tiff")
        {'row': '02', 'column': '03', 'field': '04', 'z': '01', 'channel': '1', 't': '1'}
        """
        if "{" not in given and given not in NAMINGS:
            raise UnknownNameError.of(
                "naming (or pattern with words in braces, such as {well}_{field}.tif)", given, NAMINGS
            )
        naming = cls(given)
        reserved = sorted(RESERVED & set(naming.words))
        if reserved:
            raise ParameterError(
                f"the pattern {given!r} has the word {{{reserved[0]}}}, which the table of images has for something "
                f"else; call it another name, such as {{{reserved[0]}_of_file}}"
            )
        return naming

    @property
    def pattern(self) -> str:
        """The pattern of names."""
        return NAMINGS.get(self.given, self.given)

    @property
    def words(self) -> tuple[str, ...]:
        """The words whose text is kept, in their order."""
        kept = (group.partition("__")[0] for group in self._regex.groupindex if not group.startswith("__"))
        return tuple(dict.fromkeys(kept))

    def read(self, path: str) -> dict[str, str] | None:
        """Return the text of each word in ``path``, which has ``/``; None if the name is another one."""
        match = self._regex.fullmatch(path)
        if match is None:
            return None
        found: dict[str, str] = {}
        for group, text in match.groupdict().items():
            word = group.partition("__")[0]
            if text is None or not word:
                continue
            if found.setdefault(word, text) != text:
                return None
        return {word: found[word] for word in self.words if word in found}

    def missing(self, path: str, said: Mapping[str, str], other: Mapping[str, str]) -> str:
        """Return the path of a file beside ``path``, which says ``said``, that would say ``other`` instead.

        Text that is not kept stays as it is in ``path``.
        """
        match = self._regex.fullmatch(path)
        assert match is not None
        changed = path
        spans = sorted(
            ((match.span(group), group.partition("__")[0]) for group in self._regex.groupindex), reverse=True
        )
        for (start, stop), word in spans:
            if start >= 0 and word in other and other[word] != said.get(word):
                changed = changed[:start] + other[word] + changed[stop:]
        return changed

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts: list[str] = []
        times: dict[str, int] = {}
        depth = 0
        for kind, text, at in _pieces(self.pattern):
            if kind == "text":
                parts.append(re.escape(text))
            elif kind == "[":
                depth += 1
                parts.append("(?:")
            elif kind == "]":
                depth -= 1
                if depth < 0:
                    raise self._wrong(at, "this bracket closes none")
                parts.append(")?")
            else:
                parts.append(self._group(text, at, times))
        if depth:
            raise self._wrong(len(self.pattern), "a bracket is not closed")
        # Folders that are not named are skipped, as few as can be.
        return re.compile(f"(?:.*?/)??{''.join(parts)}", re.IGNORECASE | re.DOTALL)

    def _group(self, text: str, at: int, times: dict[str, int]) -> str:
        word, colon, own = text.partition(":")
        if not _WORD.fullmatch(word):
            raise self._wrong(at, f"{word!r} is no word: letters, digits and single underscores")
        expression = own if colon else _TEXT.get(word, _ANY)
        try:
            if re.compile(expression).groups:
                raise self._wrong(at, "a regular expression in a pattern has no groups; write (?:...)")
        except re.error as error:
            raise self._wrong(at, f"{expression!r} is no regular expression: {error}") from None
        times[word] = times.get(word, 0) + 1
        name = "" if word == "_" else word
        marked = f"{name}__{times[word]}" if times[word] > 1 or not name else name
        return f"(?P<{marked}>{expression})"

    def _wrong(self, at: int, why: str) -> ParameterError:
        return ParameterError(f"{self.pattern!r} is no pattern of names, at character {at + 1}: {why}")


def _pieces(pattern: str) -> Iterator[tuple[str, str, int]]:
    """Yield the pieces of a pattern, with where each begins: text, brackets, and what is between braces."""
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "\\" and pattern[at + 1 : at + 2] in set("{}[]\\"):
            yield "text", pattern[at + 1], at
            at += 2
        elif letter in "[]":
            yield letter, letter, at
            at += 1
        elif letter == "{":
            depth, end = 1, at + 1
            while end < len(pattern) and depth:
                depth += {"{": 1, "}": -1}.get(pattern[end], 0)
                end += 1
            if depth:
                raise ParameterError(
                    f"{pattern!r} is no pattern of names, at character {at + 1}: a brace is not closed"
                )
            yield "word", pattern[at + 1 : end - 1], at
            at = end
        elif letter == "}":
            raise ParameterError(f"{pattern!r} is no pattern of names, at character {at + 1}: this brace closes none")
        else:
            yield "text", letter, at
            at += 1
