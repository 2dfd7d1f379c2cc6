"""The cockpit: pages, forms and rows. Knows ml.config, never torch."""
