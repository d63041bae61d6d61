"""Write docs/reference/openapi.json: the HTTP service for machines."""

import json
from pathlib import Path

from ledger.web.app import openapi_document

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "openapi.json"


def page() -> str:
    """Return the text of the file."""
    return json.dumps(openapi_document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
