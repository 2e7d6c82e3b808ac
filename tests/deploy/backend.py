"""A build backend that makes an empty wheel, so that a test can install a project without any package index."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

NAME = "nothing-0-py3-none-any.whl"
FILES = {
    "nothing-0.dist-info/METADATA": "Metadata-Version: 2.1\nName: nothing\nVersion: 0\n",
    "nothing-0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: str | None = None) -> str:
    """PEP 660's hook."""
    with zipfile.ZipFile(Path(wheel_directory) / NAME, "w") as wheel:
        record = ""
        for name, text in FILES.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\n"
        wheel.writestr("nothing-0.dist-info/RECORD", f"{record}nothing-0.dist-info/RECORD,,\n")
    return NAME
