"""The verb `serve`: answer photos in a browser on this machine."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated

import typer

from fishembed.cli.program.console import Console
from fishembed.cli.program.options import DeviceOption, TrustEncoderOption, run_names
from fishembed.cli.program.resolve_paths import resolve_run
from fishembed.cli.program.summaries import print_stale
from fishembed.errors import InputError, MissingExtraError

_HERE = ("127.0.0.1", "localhost", "::1")


def serve(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Run with a head: its folder, or its name in ./reports.",
            show_default="newest in ./reports",
            autocompletion=run_names,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; any but this machine's needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for any that is free.")
    ] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="FISHEMBED_TOKEN",
            help="What requests have to bring.",
            show_default="none on this machine, else a random one that is printed",
        ),
    ] = None,
    device: DeviceOption = "auto",
    trust_encoder: TrustEncoderOption = False,
) -> None:
    """Answer photos in a browser on this machine: drop a photo, see what it is and what is like it.

    Examples
    --------
    fishembed serve
    fishembed serve fish-auto --port 8000
    """
    with Console(as_json=False) as console:
        folder = resolve_run(run, console)
        try:
            import uvicorn
        except ImportError as error:
            raise MissingExtraError("fishembed serve", "uvicorn", "serve") from error
        import secrets

        from fishembed.experiments import Run
        from fishembed.experiments.predicting.input_features import run_encoder
        from fishembed.serve import UploadClassifier, make_app

        secret = token or ("" if host in _HERE else secrets.token_urlsafe(24))
        opened = Run.open(folder)
        print_stale(console, opened)
        with _listen(host, port) as listener:  # before the encoder is loaded, which takes seconds
            encoder = run_encoder(opened, device, console, trust=trust_encoder)
            # Without a token other names for this machine are refused: a page from elsewhere could
            # have its own name lead here and read the answers.
            app = make_app(UploadClassifier(opened, encoder), secret, hosts=() if secret else _HERE)
            shown = f"[{host}]" if ":" in host else host
            console.message(
                f"open http://{shown}:{listener.getsockname()[1]}/ in a browser; Ctrl-C ends it"
            )
            if secret and token is None:  # not as a message: those are kept in the log file
                console.result(f"its token: {secret}\n")
                sys.stdout.flush()
            config = uvicorn.Config(app, log_level="warning", access_log=False)
            with suppress(KeyboardInterrupt):  # the way to end it, so no failure
                uvicorn.Server(config).run(sockets=[listener])
            console.message("ended")


def _listen(host: str, port: int) -> socket:
    family = AF_INET6 if ":" in host else AF_INET
    try:
        return create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen at {host!r}, port {port}: {error.strerror or error}; name another "
            "--port"
        ) from error
