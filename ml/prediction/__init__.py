"""A trained stream or fusion → labels for a plain video."""
