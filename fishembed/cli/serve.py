"""The verb `serve`: classify photos in a browser on this machine."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated

import typer

from fishembed.cli.program.console import Console
from fishembed.cli.program.options import DeviceOption, TrustEncoderOption, option, run_names
from fishembed.cli.program.resolve_paths import resolve_run
from fishembed.cli.program.summaries import print_stale
from fishembed.errors import InputError, MissingExtraError

_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ServingOptions:
    """Options of the address of the page."""

    host: str = option("127.0.0.1", "Address to listen at; any but this machine's needs a token.")
    port: int = option(8765, "Port to listen at; 0 for any that is free.", min=0, max=65535)
    token: str | None = option(
        None,
        "What requests have to bring.",
        shown="none on this machine, else a random one that is printed",
        envvar="FISHEMBED_TOKEN",
    )
    device: DeviceOption = "auto"
    trust_encoder: TrustEncoderOption = False


ServedRun = Annotated[
    Path | None,
    typer.Argument(
        help="Run with a head: its folder, or its name in ./reports.",
        show_default="newest in ./reports",
        autocompletion=run_names,
    ),
]


def serve(
    run: ServedRun = None,
    *,
    options: ServingOptions,
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

        secret = options.token or ("" if options.host in _HERE else secrets.token_urlsafe(24))
        opened = Run.open(folder)
        print_stale(console, opened)
        # Listen before the encoder is loaded, which takes seconds.
        with _listen(options.host, options.port) as listener:
            encoder = run_encoder(opened, options.device, console, trust=options.trust_encoder)
            # Without a token other names for this machine are refused: a foreign page could
            # resolve its own name to this machine and read the responses.
            app = make_app(UploadClassifier(opened, encoder), secret, hosts=() if secret else _HERE)
            shown = f"[{options.host}]" if ":" in options.host else options.host
            console.message(
                f"open http://{shown}:{listener.getsockname()[1]}/ in a browser; Ctrl-C ends it"
            )
            if secret and options.token is None:  # not as a message: those go to the log file
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
