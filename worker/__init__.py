"""The driver: takes jobs from the table and runs each as an ml process of its own."""
