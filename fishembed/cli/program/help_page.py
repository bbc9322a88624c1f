"""The help of the program and of its verbs, within 80 columns."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from fishembed.cli.program.exit_codes import EXIT_CODES
from fishembed.cli.program.output import width_of

_WIDEST = 100
_NAMES = 24
"""Columns for the names of options; longer ones stand on a line of their own."""
_VERBS = 8
"""Columns for the names of verbs."""
_EXAMPLES = "Examples\n--------\n"
_VALUES = {"int": "N", "integer": "N", "float": "X", "path": "PATH", "Path": "PATH"}


class VerbCommand(TyperCommand):
    """A verb whose help shows examples first, then options in panels."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help within 80 columns."""
        formatter.write(_page([*_head(self, ctx), *_options(self, ctx)]))


class ProgramGroup(TyperGroup):
    """The program, whose help lists the verbs by group, and the exit codes."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help within 80 columns."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if not command.hidden:
                first = _text(command.help).split("\n\n", maxsplit=1)[0]
                panel = getattr(command, "rich_help_panel", None) or "Other"
                groups.setdefault(str(panel), []).append((name, " ".join(first.split())))
        verbs = [part for group in groups.items() for part in _section(*group, names=_VERBS)]
        codes = [(f"{one.code:>3}", one.meaning) for one in EXIT_CODES]
        end = [*_section("Exit codes", codes, names=3), "", *_wrapped(_END, 0)]
        formatter.write(_page([*_head(self, ctx), *verbs, *_options(self, ctx), *end]))


_END = "'fishembed VERB --help' has examples and every option of a verb."


def split_examples(doc: str) -> tuple[str, list[str]]:
    """Return a verb's description, and the commands of its section of examples."""
    text, _, examples = inspect.cleandoc(doc).partition(_EXAMPLES)
    return text.strip(), [line.strip() for line in examples.split("\n") if line.strip()]


def _head(command: Any, ctx: Any) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    yield f"{_heading('Usage')} {ctx.command_path} {pieces}"
    text, examples = split_examples(command.help or "")
    for paragraph in text.split("\n\n"):
        yield ""
        yield from _wrapped(re.sub(r"\*\*|`", "", " ".join(paragraph.split())), 0)
    if examples:
        yield from ("", _heading("Examples"), *(f"  {one}" for one in examples))


def _options(command: Any, ctx: Any) -> Iterator[str]:
    panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for param in command.get_params(ctx):
        if getattr(param, "hidden", False):
            continue
        argument = param.param_type_name == "argument"
        panel = getattr(param, "rich_help_panel", None)
        if param.name == "help" or "completion" in (param.name or ""):
            panel = "Output"
        name = panel or ("Arguments" if argument else "Options")
        panels.setdefault(str(name), []).append((_names(param, argument), _help(param)))
    output = panels.pop("Output", [])
    for panel, rows in {**panels, "Output": output}.items():
        yield from _section(panel, rows, names=_NAMES)


def _section(title: str, rows: list[tuple[str, str]], *, names: int) -> Iterator[str]:
    if not rows:
        return
    yield from ("", _heading(title))
    longest = max(len(name) for name, _ in rows)
    column = 4 + (names if names <= _VERBS else min(names, longest))
    for name, text in rows:
        lines = _wrapped(text, column)
        start = f"  {name}"
        if len(start) + 2 > column or not lines:
            yield start
            yield from lines
        else:
            yield start.ljust(column) + lines[0].lstrip()
            yield from lines[1:]


def _names(param: Any, argument: bool) -> str:
    if argument:
        return f"{param.name}{'...' if param.nargs != 1 else ''}"
    flag = bool(getattr(param, "is_flag", False))
    options = sorted(param.opts, key=lambda one: not one.startswith("--"))
    names = "/".join([", ".join(options), *param.secondary_opts])
    return names if flag else f"{names} {_value(param)}"


def _value(param: Any) -> str:
    """Return the placeholder of an option's value: its choices where they are few."""
    choices = _choices(param)
    if choices:
        few = "|".join(choices)
        return few if len(few) <= 14 else "NAME"
    if param.metavar:
        return str(param.metavar)
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    kind = getattr(annotation, "__name__", None) or getattr(getattr(param, "type", 0), "name", "")
    return _VALUES.get(str(kind), "PATH" if "Path" in str(annotation) else "TEXT")


def _choices(param: Any) -> list[str]:
    found = getattr(getattr(param, "type_descriptor", None), "choices", None)
    found = found or getattr(getattr(param, "type", None), "choices", None)
    return [str(getattr(one, "value", one)) for one in found or ()]


def _help(param: Any) -> str:
    text = " ".join(_text(param.help).split())
    choices = _choices(param)
    if len("|".join(choices)) > 14:
        text += f" [{', '.join(choices)}]"
    shown = param.show_default
    default = shown if isinstance(shown, str) else None
    if default is None and shown and not getattr(param, "is_flag", False):
        value = param.default
        default = None if value is None or callable(value) or value == "" else f"{value}"
    if param.required:
        text += " [required]"
    if getattr(param, "envvar", None):
        text += f" [or {param.envvar}]"
    return text if default is None else f"{text} [default: {default}]"


def _text(text: str | None) -> str:
    return re.sub(r"\*\*|`", "", split_examples(text or "")[0])


def _wrapped(text: str, indent: int) -> list[str]:
    blanks = " " * indent
    return textwrap.wrap(
        text,
        _width(),
        initial_indent=blanks,
        subsequent_indent=blanks,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width() -> int:
    return min(_WIDEST, width_of(sys.stdout) or 80)


def _heading(title: str) -> str:
    return typer.style(f"{title}:", bold=True)


def _page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
