"""What people type, brought to one spelling."""

import pytest

from ledger.credentials.plain_text import find_misleading, tidy


@pytest.mark.parametrize(
    ("typed", "one_spelling"),
    [
        ("Zoe\u0301", "Zo\u00e9"),
        ("  Ana \t Andromeda\u00a0", "Ana Andromeda"),
        ("Ana\u3000Andromeda", "Ana Andromeda"),
        ("\u212bsa", "\u00c5sa"),
        ("N'Diaye", "N'Diaye"),
        ("김서연", "\uae40\uc11c\uc5f0"),
        ("", ""),
    ],
)
def test_one_name_has_one_spelling(typed: str, one_spelling: str) -> None:
    assert tidy(typed) == one_spelling


@pytest.mark.parametrize(
    "code",
    [0x00, 0x0A, 0x1F, 0x7F, 0x85, 0xAD, 0x200B, 0x2028, 0x202E, 0x2060, 0x2066, 0xFEFF, 0xFFFF],
)
def test_what_cannot_be_seen_is_named(code: int) -> None:
    assert find_misleading(f"Ana{chr(code)}") == f"U+{code:04X}"


@pytest.mark.parametrize(
    "text", ["", "Ana 王芳 김서연", "\u0645\u06cc\u200c\u062e", "क्\u200dष", "א\u200f", "🎓"]
)
def test_what_names_are_written_with_is_kept(text: str) -> None:
    assert find_misleading(text) is None
