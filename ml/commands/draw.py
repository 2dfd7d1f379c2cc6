"""The demo dataset as real video files, in a folder per class."""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ml.demo import clips, write_clip, write_list
from ml.events import Event, Finished, Progress, Started, Stopped
from ml.parallel import in_processes
from ml.process import Stop
from ml.words import Words

HELP = "Draw the demo dataset: 9 classes = 3 appearances × 3 motions, as mp4 files in a folder per class, with their groups in clips.csv."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the class folders go")
    parser.add_argument("--groups", type=int, default=12, help="recordings, each with its own background and texture (default: 12)")
    parser.add_argument("--clips-per-group", type=int, default=3, help="clips of each class from each recording (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another dataset (default: 0)")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:
    drawn = clips(args.groups, args.clips_per_group, args.seed)
    yield Started("draw", len(drawn), "videos")
    done = size = 0
    for done, written in enumerate(in_processes(partial(write_clip, out=args.out), drawn, stop), start=1):
        size += written
        yield Progress(done, len(drawn), "videos")
    if done < len(drawn):
        yield Stopped(Words("{done} of {total} videos are drawn.", done=done, total=len(drawn)))
    else:
        write_list(drawn, args.out)
        yield Finished({"videos": done, "bytes": size, "folder": str(args.out)})
