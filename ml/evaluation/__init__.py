"""Views → scores → fusion → metrics."""
