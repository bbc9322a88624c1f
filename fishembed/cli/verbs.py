"""The verbs of the program, by the group that they stand in under ``--help``.

A new verb is a module with one function, and one line here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import typer

from fishembed.cli import (
    audit,
    bundle,
    cluster,
    compare,
    demo,
    encoders,
    export,
    extract,
    fit,
    fix,
    import_,
    info,
    merge,
    predict,
    push,
    report,
    run,
    runs,
    search,
    serve,
    shard,
    split,
    suggest,
    taxonomy,
    zeroshot,
)
from fishembed.cli.help_page import VerbCommand
from fishembed.cli.options import LogFileOption, QuietOption, VerboseOption
from fishembed.cli.output import output, set_output

Verb = Callable[..., None]

GROUPS: dict[str, dict[str, Verb]] = {
    "Start": {
        "demo": demo.demo,
        "run": run.run,
        "extract": extract.extract,
        "info": info.info,
        "encoders": encoders.encoders,
    },
    "Learn": {
        "zeroshot": zeroshot.zeroshot,
        "fit": fit.fit,
        "report": report.report,
        "compare": compare.compare,
        "runs": runs.runs,
        "predict": predict.predict,
        "serve": serve.serve,
    },
    "Check data": {
        "audit": audit.audit,
        "fix": fix.fix,
        "split": split.split,
        "search": search.search,
        "cluster": cluster.cluster,
        "suggest": suggest.suggest,
        "taxonomy": taxonomy.taxonomy,
    },
    "Share": {
        "import": import_.import_,
        "export": export.export,
        "bundle": bundle.bundle,
        "push": push.push,
    },
    "Large scale": {"merge": merge.merge, "shard": shard.shard},
}


def add_verbs(app: typer.Typer) -> None:
    """Add every verb to the program, in the groups' order."""
    for group, verbs in GROUPS.items():
        for name, verb in verbs.items():
            app.command(name, cls=VerbCommand, rich_help_panel=group)(
                _with_output_options(name, verb)
            )


def _with_output_options(name: str, verb: Verb) -> Verb:
    """Return a verb that also takes ``--verbose``, ``--quiet`` and ``--log-file``."""

    @functools.wraps(verb)
    def call(*, verbose: bool, quiet: bool, log_file: Any, **given: Any) -> None:
        set_output(verbose=verbose, quiet=quiet, log_file=log_file)
        output().verb, output().given = name, given
        verb(**given)

    def option(called: str, annotation: Any, default: Any) -> inspect.Parameter:
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(called, kind, default=default, annotation=annotation)

    own = inspect.signature(verb, eval_str=True)
    parameters = [
        *own.parameters.values(),
        option("verbose", VerboseOption, False),
        option("quiet", QuietOption, False),
        option("log_file", LogFileOption, None),
    ]
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call
