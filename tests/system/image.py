# SPDX-License-Identifier: MIT
"""The one image of the tests, made from the host's static busybox: no registry
is ever asked."""

import io
import shutil
import subprocess
import tarfile


def _entry(name, kind, mode=0o755, link=""):
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.mode = mode
    entry.linkname = link
    return entry


def busybox_tar():
    binary = shutil.which("busybox")
    assert binary, "the tests need a static busybox (busybox-static)"
    with open(binary, "rb") as f:
        content = f.read()
    applets = subprocess.run([binary, "--list"], capture_output=True,
                             text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for directory in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            tar.addfile(_entry(directory, tarfile.DIRTYPE))
        program = _entry("bin/busybox", tarfile.REGTYPE)
        program.size = len(content)
        tar.addfile(program, io.BytesIO(content))
        for applet in applets:
            if applet != "busybox":
                tar.addfile(_entry(f"bin/{applet}", tarfile.SYMTYPE,
                                   link="busybox"))
    return buffer.getvalue()


def import_busybox(engine):
    engine.api("POST", "/images/create?fromSrc=-&repo=busybox&tag=latest",
               busybox_tar(), timeout=60)
