"""The names of what was made elsewhere: UUIDs of version 7, which nobody can guess.

    48 bits   Unix milliseconds, here always those of a whole second
     4 bits   the version, 7
    12 bits   random
     2 bits   the variant, binary 10
    62 bits   random

The id is all that a proof is asked for with, so its 74 random bits are the secret. The time in
front makes neighbours in the index of what is accepted together: with an id that is random
throughout, each of a million digests would be written into a page of its own. A credential that
we make has an id of 122 random bits: there it is a part of what is digested, and hides the rest.

Source: RFC 9562 section 5.7.
"""

import secrets
from typing import Final

_VARIANTS: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit that holds the variant and two random bits, by a random digit."""

_DIGITS: Final = 20
"""Random digits that are drawn for one id; the last is not used."""


def draw_public_ids(count: int, *, now: int) -> list[str]:
    """Return so many new ids of the second `now`."""
    time = f"{now * 1000:012x}"
    front = f"{time[:8]}-{time[8:]}-7"
    drawn = secrets.token_hex(count * _DIGITS // 2)
    ids = []
    for at in range(0, len(drawn), _DIGITS):
        digits = drawn[at : at + _DIGITS]
        middle = f"{_VARIANTS[digits[3]]}{digits[4:7]}"
        ids.append(f"{front}{digits[:3]}-{middle}-{digits[7:19]}")
    return ids
