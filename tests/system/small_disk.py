# SPDX-License-Identifier: MIT
"""A file system of its own that can be full."""

import os
import subprocess

from process import wait_until


class SmallDisk:
    """In memory, of `size` bytes, mounted at `path`, which is made."""

    def __init__(self, path, size):
        os.makedirs(path)
        self.path = path
        self._stuffing = os.path.join(path, "stuffing")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                        "tmpfs", path], check=True)

    def fill(self):
        """Until not a byte fits any more."""
        with open(self._stuffing, "wb", buffering=0) as f:
            try:
                while f.write(b"\0" * 4096):
                    pass
            except OSError:
                pass

    def free(self):
        os.unlink(self._stuffing)

    def close(self):
        def unmounted():
            return subprocess.run(["umount", self.path],
                                  capture_output=True).returncode == 0
        wait_until(unmounted, f"{self.path} is unmounted")
        os.rmdir(self.path)
