"""
A code is a number that names what went wrong: HTTP 404, exit code 137, ORA-00942, X509Error.

Codes are words of a template, while numbers that count or name things are its values. So the digits of a code are
guarded, before numbers are marked, by characters that stand for them until the template is written out.
"""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schedlog_analysis.analysis.failures.templates.numbers import MARK

GUARDED = "\x10-\x19"
"""The ten characters that stand for guarded digits, as a range of a regular expression."""

_SHIFT = np.uint8(ord("0") - 0x10)
_OPENS, _CLOSES = "\x02", "\x03"  # stand around a code until its digits are guarded

_BETWEEN = r"[\"']?(?: (?:is|was|of))?\s?[:=#(\[]{0,2}\s?[\"']?"  # may stand between a name and its code
_NAMED = (
    r"((?i:\b(?:(?:exit|return|result|reason|error|err|sql)[ _-]?code|errno|exit status"
    r"|(?:exited|failed|finished|ended|terminated|crashed|closed) with(?: (?:code|status))?))"
    rf"{_BETWEEN})(-?\d{{1,10}}\b|[A-Z]{{1,8}}[-_]?\d{{2,6}}\b)"
)
_STATUS = (  # behind a comma it is a detail of a sentence that says by itself what went wrong
    r"((?:^|[^,\s]\s|[^\s\w])"
    r"(?i:(?:(?:http[ _-]?)?(?:status|response)[ _-]?(?:status[ _-]?)?code|http[ _-]?(?:code|status)))"
    rf"{_BETWEEN})([1-5]\d\d\b)"
)
_SQLSTATE = r"((?i:\bsqlstate\b)[\"']?(?: (?:is|was))?\s?[:=(\[]{0,2}\s?[\"']?)([0-9A-Z]{5}\b)"
_HTTP = (
    r"(\b(?:HTTP(?:/\d(?:\.\d)?)?(?: (?:[Ee]rror|[Ss]tatus|[Rr]esponse))?"
    r"|(?:failed|responded|replied|answered) with(?: status)?)"
    r"[:=]?\s)([1-5]\d\d\b)"
)
_ERROR = r"(\b(?i:error|warning|fault)\s)([A-Z]{1,6}\d{3,5}\b|\d{3,4}\b)"  # error TS2304, ERROR 1045
_SAID = (
    r"(\b(?:returned|got|gave|status|error|Error|ERROR)[:=]?\s?)([1-5]\d\d)($|[.,;:)\]]|\s(?:for|from|on|when|at)\b)"
)
_REASON = (  # RFC 9110: 404 Not Found
    r"(\b[1-5]\d\d)( (?:Bad Request|Unauthorized|Payment Required|Forbidden|Not Found|Method Not Allowed|Conflict|Gone"
    r"|Too Many Requests|Unprocessable|Internal Server Error|Not Implemented|Bad Gateway|Service Unavailable"
    r"|Gateway Time-?out))"
)
_WORD = (
    # Codes by their makers: Oracle, Db2, TypeScript, C#, MSBuild, NuGet, Azure, MongoDB, npm and others.
    r"(\b(?:ORA|PLS|TNS|RMAN|SP2|DPY|DPI|SQL|DB2|TS|CS|FS|BC|MSB|LNK|NU|NETSDK|SYSLIB|AADSTS|E|EC|ERR|ERRNO|HTTP|HY|IM"
    r"|PGRST)[-_]?\d{3,6}[A-Z]?\b"
    # Names of standards.
    r"|\bISO[ -]?\d{3,5}(?:-\d)?\b|\balpha-\d\b|\bRFC[ -]?\d{3,5}\b|\b[xX]\.?509\b|\b(?:SHA|sha)-?\d{1,3}\b"
    r"|\b(?:UTF|utf)-?\d{1,2}\b|\b(?:AES|aes|RSA|rsa)-?\d{3,4}\b|\b[Bb]ase64\b|\bES\d{4}\b"
    # Classes of errors, and fields of the input.
    r"|\b[A-Za-z_][\w$]*\d[\w$]*(?:Error|Exception|Warning|Fault|Failure|Interrupt)\b|\binput\.[A-Za-z_]\w*\d\w*)"
)
_BEHIND, _BETWEEN_ALL, _BEFORE, _WHOLE = (  # what becomes of the groups of a pattern: where the code stands
    rf"\1{_OPENS}\2{_CLOSES}",
    rf"\1{_OPENS}\2{_CLOSES}\3",
    rf"{_OPENS}\1{_CLOSES}\2",
    rf"{_OPENS}\1{_CLOSES}",
)
# One by one: RE2 takes three times as long to replace by an expression that has all of them.
_PASSES = (
    (_NAMED, _BEHIND),
    (_STATUS, _BEHIND),
    (_SQLSTATE, _BEHIND),
    (_HTTP, _BEHIND),
    (_SAID, _BETWEEN_ALL),
    (_REASON, _BEFORE),
    (_ERROR, _BEHIND),
    (_WORD, _WHOLE),
)
_ANY = "|".join(pattern for pattern, _ in _PASSES)
_CONTROLS = "[\x02\x03\x10-\x19]"
# A code that may turn out to be a value, no class of errors and no field of the input; and the words before it.
_CODE = re.compile(
    rf"((?:[A-Za-z]++[^\w{MARK}{GUARDED}]{{1,3}}){{0,3}})"
    rf"(?<![\w.{GUARDED}])((?:[A-Za-z]{{1,8}}[-_]?)?-?[{GUARDED}][A-Z{GUARDED}]*+)(?![\w.])"
)
_HAS_CODE = re.compile(f"[{GUARDED}]")
_MOST = 20  # more than so many codes behind the same words count something
_RESTORED = {0x10 + digit: str(digit) for digit in range(10)}


def guard_codes(messages: pa.LargeStringArray) -> pa.LargeStringArray:
    """
    Guard the digits of the codes in messages; what messages have of the characters used for it becomes a value.

    One pass of RE2 finds the messages that may have a code, so that most are looked at once only.
    """
    messages = _replaced(messages, _CONTROLS, MARK)
    may_have = pc.match_substring_regex(messages, _ANY)
    if not pc.any(may_have).as_py():
        return messages
    some = messages.filter(may_have)
    for pattern, fenced in _PASSES:
        some = _replaced(some, pattern, fenced)
    return pc.replace_with_mask(messages, may_have, _guarded(some))


def restore_codes(text: str) -> str:
    """Write the digits of codes again."""
    return text.translate(_RESTORED)


def join_codes(texts: list[str]) -> list[str]:
    r"""
    Take codes for values after all, where other texts have a number in their place that is no code, or all too many.

    Examples
    --------
    >>> join_codes(["port \x18\x10", "port \x01"]) == ["port \x01"] * 2
    True
    """
    coded = [at for at, text in enumerate(texts) if _HAS_CODE.search(text)]
    if not coded:
        return texts
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for at in coded:
        for context, code in _CODE.findall(texts[at]):
            codes[context].add(code)
    known, joined = set(texts), list(texts)
    for at in coded:
        plain = _CODE.sub(rf"\g<1>{MARK}", texts[at])
        counts = any(len(codes[context]) > _MOST for context, _ in _CODE.findall(texts[at]))
        joined[at] = plain if counts or plain in known else texts[at]
    return joined


def _replaced(messages: pa.LargeStringArray, pattern: str, by: str) -> pa.LargeStringArray:
    """Replace where there is something to replace: to look costs a tenth of replacing."""
    found = pc.match_substring_regex(messages, pattern)
    if not pc.any(found).as_py():
        return messages
    return pc.replace_with_mask(messages, found, pc.replace_substring_regex(messages.filter(found), pattern, by))


def _guarded(fenced: pa.LargeStringArray) -> pa.LargeStringArray:
    """Guard the digits between fences, and take the fences away."""
    borders = np.frombuffer(fenced.buffers()[1], np.int64)[fenced.offset : fenced.offset + len(fenced) + 1]
    text = np.frombuffer(fenced.buffers()[2] or b"", np.uint8)[borders[0] : borders[-1]]
    opens, closes = text == ord(_OPENS), text == ord(_CLOSES)
    is_code = np.cumsum(opens.view(np.int8) - closes.view(np.int8), dtype=np.int8) > 0
    is_code &= text - np.uint8(ord("0")) <= ord("9") - ord("0")
    fences = np.flatnonzero(opens | closes)
    kept = borders - borders[0] - np.searchsorted(fences, borders - borders[0])
    shifted = np.delete(text - _SHIFT * is_code, fences)
    return pa.LargeStringArray.from_buffers(len(fenced), pa.py_buffer(kept), pa.py_buffer(shifted))
