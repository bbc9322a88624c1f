"""The verb `taxonomy`: fill a table of the taxa of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.text import counted, listed
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import JsonOption


def taxonomy(
    classes: Annotated[
        Path,
        typer.Argument(
            help="Names of the classes: a CSV with a column class, one name a line, or a feature "
            "store."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table to write; none that is there.")
    ] = Path("taxa.csv"),
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask nobody: the genus from names such as Gadus morhua."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look the classes up in GBIF and write their genus, family, order and so on.

    The table is what **--taxonomy** of fit, report and predict reads; edit it as you like.

    Examples
    --------
    fishembed taxonomy cache/fish.h5 -o taxa.csv
    fishembed taxonomy names.csv --offline
    """
    with Console(as_json=as_json, working="asking GBIF", interrupted=NOTHING_WRITTEN) as console:
        from fishembed.cache import is_store, open_store
        from fishembed.errors import InputError
        from fishembed.experiments.predicting.class_tables import (
            fill_taxonomy,
            read_class_names,
            write_taxonomy,
        )

        if output.exists():
            raise InputError(f"{str(output)!r} is there already: name another --output")
        if is_store(classes):
            with open_store(classes) as store:
                names = list(store.classes)
        else:
            names = read_class_names(classes)
        rows, missing = fill_taxonomy(names, offline=offline)
        write_taxonomy(output, rows)
        if missing:
            n = counted(len(missing), "class", "classes")
            console.message(f"nothing was found for {n}: {listed(missing[:8])}")
        console.message(f"wrote {output}: {counted(len(rows), 'class', 'classes')}")
        console.document({"taxonomy": str(output), "classes": len(rows), "missing": missing})
