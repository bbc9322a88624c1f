"""The command line: each verb is one module that parses, calls one function and prints."""

from fishembed.cli.app import app, main

__all__ = ["app", "main"]
