"""Runs in memory and in their folders."""
