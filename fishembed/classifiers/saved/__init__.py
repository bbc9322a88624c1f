"""Fitted heads in files that are read without pickle."""
