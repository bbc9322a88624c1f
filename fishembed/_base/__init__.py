"""Helpers that every package may import: arrays, files, tables, paths, progress."""
