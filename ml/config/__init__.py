"""What can be asked for: schemas that are form, API body, validation, stored JSON and command-line file at once."""
