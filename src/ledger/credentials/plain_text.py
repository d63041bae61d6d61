"""What people type: names and sentences, brought to one spelling.

One name can be typed with different code points that look alike (`é` is one or two), so
text is in Unicode NFC with single spaces. What a reader cannot see, and could be misled
by, is refused.

Source: Unicode Standard Annexes 9 (bidirectional text) and 15 (NFC).
"""

import re
import unicodedata
from typing import Final

# Controls, soft hyphen and what has no width, line and paragraph separators, direction
# overrides and isolates, lone surrogates, noncharacters of the first plane. The joiners
# U+200C and U+200D and the marks U+200E and U+200F stay: names are written with them.
_MISLEADING: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u200b\u2028-\u202e\u2060-\u2064\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet calculates instead of showing."""


def tidy(text: str) -> str:
    """Return `text` in NFC, trimmed, every run of white space a single space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def find_misleading(text: str) -> str | None:
    """Return the name, such as `U+202E`, of the first character that does not belong in text."""
    match = _MISLEADING.search(text)
    return f"U+{ord(match[0]):04X}" if match else None


def visible(text: str) -> str:
    """Return `text` with every character that cannot be seen as a Python escape.

    What strangers wrote is shown this way, so that it cannot move the cursor of a terminal.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def spreadsheet_safe(text: str) -> str:
    """Return `text` as a cell that no spreadsheet takes for a formula.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
