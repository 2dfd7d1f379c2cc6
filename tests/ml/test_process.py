"""Whole files, owned folders, and no orphans."""

import os
import platform
import select
import subprocess
import sys
from pathlib import Path

import pytest

from ml.errors import BadPack, FolderBusy
from ml.process import Stop, atomic_path, locked


def test_a_file_appears_whole(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "deep" / "a.txt") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "deep" / "a.txt").exists() and temporary.parent == tmp_path / "deep"
    assert (tmp_path / "deep" / "a.txt").read_text() == "whole"


def test_after_an_error_the_old_file_stands_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(BadPack), atomic_path(tmp_path / "a.txt") as temporary:
        _fail_half_way(temporary)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


def _fail_half_way(path: Path) -> None:
    path.write_text("half")
    raise BadPack("torn")


def test_a_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "run"), pytest.raises(FolderBusy, match="run"), locked(tmp_path / "run"):
        pass
    with locked(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()


def test_nobody_has_asked_to_stop_at_first() -> None:
    assert not Stop().requested


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's PR_SET_PDEATHSIG is Linux's")
def test_a_child_dies_with_its_parent() -> None:
    child = "import sys; from ml.process import die_with_parent; die_with_parent(); print('ready', flush=True); sys.stdin.read()"
    parent = (
        "import subprocess, sys, os\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        watch = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
        process.wait(timeout=10)
        try:
            assert select.select([watch], [], [], 10)[0], "the child outlived its parent"
        finally:
            os.close(watch)


FAULTS = """
import resource
import numpy as np
from ml.process import keep_freed_memory
{call}
def faults():
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        kept = [np.ones(2**17) for _ in range(8)]  # 8 MiB in pieces of 1 MiB
        del kept
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators keep freed memory by themselves or not at all")
def test_freed_memory_is_used_again_without_asking_the_kernel() -> None:
    usual, kept = (
        int(subprocess.run([sys.executable, "-c", FAULTS.format(call=call)], check=True, capture_output=True, text=True).stdout)
        for call in ("", "keep_freed_memory()")
    )
    assert kept < 1000 < 10_000 < usual
