"""Config → optimiser, objective, trainer, checkpoint."""
