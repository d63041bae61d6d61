"""What nobody can leave out of making a badge: a signature, two digests, a file.

python -m benchmarks.speed.floor ROWS FOLDER DOCUMENT_BYTES FILE_BYTES
"""

import hashlib
import json
import os
import sys
import time
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def main(rows: int, folder: Path, document_bytes: int, file_bytes: int) -> None:
    """Sign what one digest says, digest what was signed, and write a file, `rows` times."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    document, content = bytes(document_bytes), bytes(file_bytes)
    folder.mkdir()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(rows):
        key.sign(hashlib.sha256(document).digest() * 2)
        hashlib.sha256(document).digest()
        file = os.open(folder / f"{uuid.uuid4()}.json", os.O_WRONLY | os.O_CREAT)
        os.write(file, content)
        os.close(file)
    os.sync()
    used = time.process_time() - cpu
    print(json.dumps({"floor": (time.perf_counter() - wall, used, used)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
