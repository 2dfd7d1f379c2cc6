"""The engine: video in, flow, training, evaluation, fusion and prediction in plain PyTorch. Runs alone: `python -m ml`."""
