"""Logging in; users and their passwords."""
