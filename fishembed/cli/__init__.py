"""The command line: each verb is one function that parses, calls one function and prints."""

from fishembed.cli.app import app, main

__all__ = ["app", "main"]
