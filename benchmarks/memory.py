"""Memory of one ml process over a long training."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Row
from ml.config.presets import PRESETS


def run(epochs: int = 40) -> list[Row]:
    """Resident memory a tenth into a long training and at its end."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for command in (
            ["draw", "--out", str(root / "clips"), "--groups", "4", "--clips-per-group", "2"],
            ["ingest", str(root / "clips"), "--out", str(root / "dataset")],
        ):
            subprocess.run([sys.executable, "-m", "ml", *command], check=True, capture_output=True)
        config = PRESETS["cpu_spatial"].config
        data = config.data.replace(dataset=str(root / "dataset"))
        config = config.replace(data=data, training=config.training.replace(epochs=epochs))
        (root / "config.json").write_text(config.model_dump_json())
        command = [sys.executable, "-m", "ml", "train", str(root / "config.json"), "--out", str(root / "run")]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    uses = [e["memory_bytes"] for e in map(json.loads, output.splitlines()) if e["event"] == "DeviceUse"]
    early, late = uses[len(uses) // 10], uses[-1]
    return [
        Row(
            f"training process after {epochs} epochs",
            f"{late / 2**20:.0f} MiB",
            f"a tenth in: {early / 2**20:.0f} MiB",
            early / late,
            "flat",
        )
    ]
