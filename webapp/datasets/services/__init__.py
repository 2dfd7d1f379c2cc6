"""All that changes datasets, imports, uploads and flow caches: one module an idea."""
