"""Speed and memory, as ratios in one run. Figures and their commands stand in docs/benchmarks.md."""
