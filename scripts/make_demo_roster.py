"""Write, or with --check compare, the example roster: 1,000 invented learners.

The same learners come out every time. Names are common given and family names combined
by counting, so that none is taken from a real list.
"""

import csv
import io
import sys
import unicodedata
import uuid
from datetime import date, timedelta
from itertools import product
from pathlib import Path

ROSTER = (
    Path(__file__).parent.parent / "src" / "ledger" / "credentials" / "examples" / "learners.csv"
)
LEARNERS = 1_000
FIRST_DAY = date(2026, 9, 1)

GIVEN = """
Zoé Anaïs Noël Chloé Léa Inès Maëlle François Hélène Jérôme Loïc Gaël Solène Théo Aurélie
Jean-Baptiste Marie-Thérèse Anne-Sophie Pierre-Yves Björn Åsa Søren Jürgen Łucja Žofia Ángel
Begoña João Íñigo Đorđe Şebnem Çağla Thảo Đức Siân Aoife Eiríkur Kateřina Ștefan Aminata
"""
FAMILY = """
Lefèvre N'Diaye Müller Núñez Dvořák Łukasiewicz O'Brien D'Angelo Garcia-López Le-Goff Håkansson
Sørensen Öztürk Žižka Šimunić Țurcanu Ferreira-Conceição Saint-Exupère Guðmundsdóttir Trần
Van-der-Straeten L'Hôte Bérenger Çelik Ó-Ceallaigh
"""

# Given and family names that belong together, in the order they are written.
OTHER_SCRIPTS = [
    ("Ольга Дмитрий Ганна Сергій Милица", "Иванова Коваленко Шевчук Петровић Йорданова"),
    ("Ελένη Γιώργος Αθηνά Νίκος Ζωή", "Παπαδοπούλου Νικολάου Κωνσταντίνου Οικονόμου Δήμου"),
    ("مريم يوسف ليلى كريم نور", "الحداد بنعلي المصري خليل العربي"),
    ("נועה דוד תמר יוסף מאיה", "כהן לוי מזרחי פרץ ביטון"),
    ("ანა გიორგი ნინო ლევან მარიამ", "ბერიძე კაპანაძე გელაშვილი მამედოვი ლომიძე"),
    ("Անի Արամ Նարե Տիգրան Լիլիթ", "Հակոբյան Սարգսյան Գրիգորյան Պետրոսյան Մանուկյան"),
    ("आशा राहुल प्रिया विजय मीरा", "शर्मा वर्मा गुप्ता पटेल राव"),
    ("王 李 张 陈 刘", "芳 伟 秀英 静 磊"),
    ("佐藤 鈴木 高橋 田中 渡辺", "さくら 健太 美咲 翔 葵"),
    ("김 이 박 최 정", "서연 민준 지우 하은 도윤"),
]


def names() -> list[str]:
    """Return `LEARNERS` different names: three in Latin letters, then one in another script."""
    latin = [f"{given} {family}" for family, given in product(FAMILY.split(), GIVEN.split())]
    others = [
        f"{first} {second}"
        for firsts, seconds in OTHER_SCRIPTS
        for first, second in product(firsts.split(), seconds.split())
    ]
    # A stride that shares no factor with the length visits every name once.
    return [
        others[(n // 4) * 37 % len(others)] if n % 4 == 3 else latin[n * 387 % len(latin)]
        for n in range(LEARNERS)
    ]


def email(number: int, name: str) -> str:
    """Return the address of a learner at a domain nobody can have (RFC 2606)."""
    letters = unicodedata.normalize("NFKD", name.replace(" ", ".")).encode("ascii", "ignore")
    local = letters.decode().replace("'", "").lower().strip(".-") or "learner"
    return f"{local}.{number}@example.org"


def learner(number: int, name: str) -> dict[str, str]:
    """Return the row of one learner: most have an e-mail, some an id, some neither."""
    ended = FIRST_DAY + timedelta(days=number % 30)
    row = {
        "name": name,
        "awarded": str(ended),
        "started": str(ended - timedelta(days=number % 3)),
        "ended": str(ended),
        "score": str(60 + number * 7 % 41),
    }
    if number % 5 != 4:
        row["email"] = email(number, name)
    if number % 7 == 3:
        row["learner_id"] = uuid.uuid5(uuid.NAMESPACE_DNS, f"{number}.example.org").urn
    return row


def roster() -> str:
    """Return the roster as CSV."""
    text = io.StringIO(newline="")
    columns = ["name", "email", "learner_id", "awarded", "started", "ended", "score"]
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(learner(number, name) for number, name in enumerate(names(), 1))
    return text.getvalue()


def main() -> None:
    """Write the roster, or compare it when `--check` is given."""
    if "--check" not in sys.argv[1:]:
        ROSTER.write_text(roster(), "utf-8", newline="")
    elif not ROSTER.exists() or ROSTER.read_text("utf-8") != roster():
        sys.exit(f"{ROSTER} is out of date: run scripts/make_demo_roster.py")


if __name__ == "__main__":
    main()
