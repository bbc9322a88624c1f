"""Files behind http:// and https://, whose queries are in the requests and nowhere else."""

from __future__ import annotations

from functools import cache

from fishembed._base.remote.places import address_of

HTTP = ("http", "https")


@cache
def use_whole_addresses() -> None:
    """Have fsspec ask for the whole address behind a place; see `Place`.

    The path that fsspec knows, and names in its errors, is the place. A file system of our own
    puts the query back when the request is made, the last moment there is.
    """
    import fsspec
    from fsspec.implementations.http import HTTPFileSystem
    from yarl import URL

    class WholeAddresses(HTTPFileSystem):  # type: ignore[misc]
        """fsspec's file system for HTTP, with queries that its paths do not show."""

        def encode_url(self, url: str) -> object:
            whole = address_of(url)
            # What was signed is sent as it is, and not quoted anew.
            signed = whole != url and whole.isascii() and whole.isprintable() and " " not in whole
            return URL(whole, encoded=True) if signed else super().encode_url(whole)

    for kind in HTTP:
        fsspec.register_implementation(kind, WholeAddresses, clobber=True)
