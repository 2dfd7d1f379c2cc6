"""Datasets: upload, import, browse, share."""
