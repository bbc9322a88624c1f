"""The command line: one module for each verb, which parses, calls one function and prints."""

from fishembed.cli.app import app, main

__all__ = ["app", "main"]
