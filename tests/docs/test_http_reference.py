"""The page about HTTP lists every route, and who may use it."""

import re
from pathlib import Path

from ledger.web.app import openapi_document

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"
ROW = re.compile(r"^\| `([A-Z]+) (/[^`]*)` \| `(\w+)` \| ([a-z, ]+) \|", re.MULTILINE)


def test_every_route_is_documented_and_no_other() -> None:
    documented = {(method, path, name) for method, path, name, _ in ROW.findall(PAGE.read_text())}
    served = {
        (method.upper(), path, operation["operationId"])
        for path, methods in openapi_document()["paths"].items()
        for method, operation in methods.items()
    }
    assert documented == served


def test_the_routes_without_a_key_are_those_of_the_schema() -> None:
    documented = {name for _, _, name, key in ROW.findall(PAGE.read_text()) if key == "none"}
    without = {
        operation["operationId"]
        for methods in openapi_document()["paths"].values()
        for operation in methods.values()
        if not operation.get("security")
    }
    assert documented == without
