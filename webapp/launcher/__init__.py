"""Starting everything on one machine: broker, workers, web server, as children of one process."""
