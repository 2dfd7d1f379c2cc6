"""Processes that train together, forked from the test: nothing has to be imported again."""

import json
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from ml.training.team import Team

SECONDS = 120


def in_team(folder: Path, size: int, work: Callable[[Team], Any]) -> list[Any]:
    """What `work` returns, as JSON, in each of `size` processes that have met."""
    folder.mkdir(parents=True, exist_ok=True)
    meeting = folder / "meeting"
    meeting.unlink(missing_ok=True)
    processes = [get_context("fork").Process(target=_member, args=(folder, rank, size, work)) for rank in range(size)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
        process.kill()
    answers = [json.loads((folder / f"answer{rank}").read_text()) for rank in range(size)]
    for answer in answers:
        if "error" in answer:
            raise AssertionError(answer["error"])
    return [answer["result"] for answer in answers]


def _member(folder: Path, rank: int, size: int, work: Callable[[Team], Any]) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=size)
    try:
        answer = {"result": work(Team(torch.device("cpu"), rank, size))}
    except Exception:  # noqa: BLE001 - the test reads it
        answer = {"error": traceback.format_exc()}
    (folder / f"answer{rank}").write_text(json.dumps(answer))
    distributed.destroy_process_group()
