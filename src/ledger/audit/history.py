"""The history as several sources tell it: one replay for all, as long as they agree.

Where their logs differ, the replay is copied and each version goes on by itself. At the
end the heads in the contract decide which one is true, and the others are held against it:
the first event that a source left out, added, moved or changed is named.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final

from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.recording import Header
from ledger.audit.replay import Heads, Replay
from ledger.audit.world import World
from ledger.chain.registry.events import Log
from ledger.primitives import Hash32

COMPARED_LOGS: Final = 4_096
"""Of each source from where it began to differ: what stands there may come later elsewhere."""


@dataclass(slots=True)
class Version:
    """What some of the sources tell alike."""

    tellers: list[int]
    """Which sources, by their number."""
    replay: Replay


@dataclass(slots=True)
class History:
    """Every version there is; one, while nobody lies."""

    names: Sequence[str]
    """Of the sources."""
    versions: list[Version]
    _splits: list[dict[int, list[Log]]] = field(default_factory=list)
    """The logs by source, from wherever sources that had agreed began to differ."""

    @classmethod
    def begin(cls, header: Header, names: Sequence[str]) -> "History":
        """Begin with nothing, in which all sources agree."""
        replay = Replay(header.chain, header.registry, _logs_of(names))
        return cls(names, [Version(list(range(len(names))), replay)])

    @property
    def world(self) -> World:
        """Return the registry as the most believable version tells it."""
        return self.versions[0].replay.world

    @property
    def agrees(self) -> bool:
        """Return whether all sources have told the same so far."""
        return len(self.versions) == 1

    def take(self, told: Sequence[list[Log]]) -> None:
        """Take the next logs, as each source tells them."""
        for split in self._splits:
            if max(map(len, split.values())) < COMPARED_LOGS:
                split.update({teller: [*logs, *told[teller]] for teller, logs in split.items()})
        for version in list(self.versions):
            self._split(version, told)
        for version in self.versions:
            for log in told[version.tellers[0]]:
                version.replay.apply(log)

    def close(self, heads: Sequence[Heads]) -> list[Finding]:
        """Compare with the contract's heads, one answer a source, and return what is wrong."""
        for version in self.versions:
            version.replay.close(heads[version.tellers[0]])
        proved = [version for version in self.versions if not version.replay.findings]
        if not proved:
            return [found for version in self.versions for found in version.replay.findings]
        self.versions.sort(key=lambda version: bool(version.replay.findings))
        return [self._hold_against(proved[0], other) for other in self.versions[1:]]

    def _split(self, version: Version, told: Sequence[list[Log]]) -> None:
        groups: list[list[int]] = []
        for teller in version.tellers:
            same = next((group for group in groups if told[group[0]] == told[teller]), None)
            if same is None:
                groups.append([teller])
            else:
                same.append(teller)
        if len(groups) == 1:
            return
        self._splits.append({teller: told[teller] for teller in version.tellers})
        for group in groups[1:]:
            self.versions.append(Version(group, deepcopy(version.replay)))
        version.tellers = groups[0]
        for each in self.versions:
            each.replay.source = _logs_of([self.names[teller] for teller in each.tellers])

    def _hold_against(self, proved: Version, other: Version) -> Finding:
        a, b = proved.tellers[0], other.tellers[0]
        logs = next(s for s in self._splits if a in s and b in s and s[a] != s[b])
        answers = (
            other.replay.source,
            f"{proved.replay.source}, which lead to the heads in the contract",
        )
        code, message, log = _first_difference(logs[a], logs[b])
        issuer = int.from_bytes(log.topics[1], "big") if len(log.topics) > 1 else None
        known = proved.replay.world.issuers.get(issuer) if issuer else None
        position = known.position_of(Hash32(log.data[-32:])) if known else None
        return Finding(code, message, Place.of(log, issuer, position), answers)


def _logs_of(names: Sequence[str]) -> str:
    return f"the logs of {' and '.join(names)}"


def _first_difference(true: list[Log], told: list[Log]) -> tuple[FindingCode, str, Log]:
    """Name the first log in which `told` differs from `true`; they do differ."""
    a, b = [_content(log) for log in true], [_content(log) for log in told]
    if a == b:
        log = next(ours for ours, theirs in zip(true, told, strict=True) if ours != theirs)
        return FindingCode.PLACE_ALTERED, "one event is told to be in two places", log
    same = zip(a, b, strict=False)
    at = next((n for n, (x, y) in enumerate(same) if x != y), min(len(a), len(b)))
    is_later = at < len(a) and a[at] in b[at + 1 :]
    comes_later = at < len(b) and b[at] in a[at + 1 :]
    if is_later and comes_later:
        return FindingCode.EVENT_REORDERED, "an event is not in its place", true[at]
    if at == len(a) or is_later:
        return FindingCode.EVENT_EXTRA, "an event that never happened", told[at]
    if at == len(b) or comes_later:
        return FindingCode.EVENT_MISSING, "an event is left out", true[at]
    return FindingCode.EVENT_ALTERED, "an event is altered", true[at]


def _content(log: Log) -> tuple[tuple[bytes, ...], bytes]:
    """Return what the heads cover of a log."""
    return log.topics, log.data
