"""What users fill in; the configs themselves get their forms from `webapp.forms`."""
