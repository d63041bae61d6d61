"""A local chain to try everything on: Anvil, started and ended with its user.

It makes a block a second and finalises two blocks behind the newest, so that
"final" takes seconds. Its state is kept in a folder and it can be started again
from there. Linux ends it when the thread that started it ends, so start it from
the main thread.
"""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ledger.chain.rpc import Rpc
from ledger.errors import ChainError, ConflictError, NotFoundError
from ledger.primitives import Address, format_address

CHAIN: Final = 31337
"""The chain id every development chain uses."""

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 20
STOP_SECONDS: Final = 20
GRANT_WEI: Final = 100 * 10**18
"""Worthless ether for each key."""


def find_anvil() -> Path:
    """Return the Anvil executable: from PATH, else from `node_modules` beside the environment.

    Raises:
        NotFoundError: there is none.

    """
    beside = Path(sys.prefix).parent / "node_modules" / ".bin"
    found = shutil.which("anvil") or shutil.which("anvil", path=str(beside))
    if found is None:
        raise NotFoundError(
            "no-anvil", "Anvil is not installed: install Foundry, or run `make setup` on Linux"
        )
    return Path(found)


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def is_free(port: int) -> bool:
    """Return whether nobody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class DevChain:
    """One running Anvil."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self._process = process
        self.url = url

    @classmethod
    def start(cls, folder: Path, *, port: int, block_seconds: int = 1) -> "DevChain":
        """Start Anvil with the state kept in `folder`, and return when it answers.

        Raises:
            NotFoundError: Anvil is not installed.
            ConflictError: the port is taken.
            ChainError: it ended, or did not answer in time; its words are in `anvil.log`.

        """
        if not is_free(port):
            raise ConflictError("port-taken", f"port {port} is taken: end what listens there")
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "anvil.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*_tether(), *_command(folder, port=port, block_seconds=block_seconds)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        chain = cls(process, f"http://{HOST}:{port}")
        try:
            chain._wait_until_it_answers(log)
        except BaseException:
            chain.stop()
            raise
        return chain

    def _wait_until_it_answers(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        with Rpc(self.url, timeout_seconds=2) as rpc:
            while True:
                if self._process.poll() is not None:
                    raise ChainError("devchain-failed", f"Anvil ended at once: see {log}")
                try:
                    rpc.call("eth_chainId", [])
                except ChainError:
                    if time.monotonic() > deadline:
                        raise ChainError(
                            "devchain-failed", f"Anvil does not answer: see {log}"
                        ) from None
                    time.sleep(0.05)
                else:
                    return

    def wait(self) -> int:
        """Wait until Anvil ends, and return its exit code."""
        return self._process.wait()

    def stop(self) -> None:
        """End Anvil and return when its state is on disk."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def fund(url: str, addresses: Iterable[Address]) -> None:
    """Give each address `GRANT_WEI` out of nothing; no chain but Anvil can.

    Raises:
        ChainError: the node does not answer, or is no Anvil.

    """
    with Rpc(url) as rpc:
        rpc.batch([("anvil_setBalance", [format_address(a), hex(GRANT_WEI)]) for a in addresses])


def _tether() -> list[str]:
    """Return the prefix that ends Anvil when we are killed; empty where there is none."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _command(folder: Path, *, port: int, block_seconds: int) -> list[str]:
    return [
        str(find_anvil()),
        *("--host", HOST, "--port", str(port), "--chain-id", str(CHAIN)),
        *("--block-time", str(block_seconds), "--slots-in-an-epoch", "1"),
        # Without the old states every read below the newest block fails after a restart.
        *("--state", str(folder / "state.json"), "--preserve-historical-states"),
        *("--accounts", "1", "--quiet"),
    ]
