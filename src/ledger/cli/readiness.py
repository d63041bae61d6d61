"""Tell the service manager that a long-running command has begun its work.

Source: sd_notify(3). Without such a manager nothing is said.
"""

import socket
from contextlib import suppress

from ledger.config import notify_socket


def tell_ready() -> None:
    """Say `READY=1` to whom started this process, if he wants to hear it."""
    address = notify_socket()
    if address is None:
        return
    # A manager that has gone is no reason to end what works.
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # A leading @ stands for the abstract namespace.
        channel.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        channel.sendall(b"READY=1")
