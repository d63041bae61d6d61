"""What a run measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """The gas of one act."""

    name: str
    gas: int
    budget: int | None = None
    """The most that the design allows; None for a peer, or where it sets nothing."""
    note: str = ""

    @property
    def is_within_budget(self) -> bool:
        """Return whether the design allows this much."""
        return self.budget is None or self.gas <= self.budget


@dataclass(frozen=True, slots=True)
class Run:
    """Every figure of one run, and the rules it was measured under."""

    hardfork: str
    anvil: str
    compiler: str
    peers_from: tuple[str, ...]
    """Name and version of each peer's package."""
    ours: tuple[Figure, ...]
    peers: tuple[Figure, ...]
    paths: tuple[Figure, ...]
    """Execution alone: no transaction, no calldata."""

    def gas_of(self, name: str) -> int:
        """Return one figure by its name."""
        every = (*self.ours, *self.peers, *self.paths)
        return next(figure.gas for figure in every if figure.name == name)

    def over_budget(self) -> list[Figure]:
        """Return the figures above their budget."""
        every = (*self.ours, *self.paths)
        return [figure for figure in every if not figure.is_within_budget]
