"""Videos on disk → frames → snippets: probing, decoding, packs, sampling, transforms, datasets."""
