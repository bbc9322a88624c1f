"""A progress that keeps the messages it receives."""

from __future__ import annotations

from fishembed._base.progress import NoProgress


class MessageLog(NoProgress):
    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)
