"""Paths on this machine, and URLs that fsspec knows.

These are `s3://`, `gs://`, `memory://` and whatever else fsspec has a file system for. Each file
system finds its own keys (`AWS_…` and `~/.aws` for S3, `GOOGLE_APPLICATION_CREDENTIALS` for GCS,
fsspec's own configuration); a URL that holds keys is refused, except in the query of `https://`,
as presigned URLs have it. The text of what `to_path` returns holds none: see `Place`. Where no
folder is named, ./data, ./cache and ./reports are used, or those of the environment variables
FISHEMBED_DATA, FISHEMBED_CACHE and FISHEMBED_REPORTS.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from fishembed.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import TypeIs
    from upath import UPath

    AnyPath: TypeAlias = Path | UPath

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_COLLAPSED = re.compile(r"^((?:s3a?|gs|gcs|az|abfs|memory|file|https?):)/(?!/)")  # by a Path
_S3, _GCS = ("s3fs", "s3"), ("gcsfs", "gs")
_EXTRAS = {"s3": _S3, "s3a": _S3, "gs": _GCS, "gcs": _GCS}
_ADDRESSES: dict[str, str] = {}
"""Whole addresses by their place, of this process only."""

_HIDDEN: set[str] = set()
"""Users and passwords of URLs, to be removed from the messages of other libraries."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s'\"<>]|(?<==)'[^']*'?|(?<==)\"[^\"]*\"?)+")
_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:]*):\d*")
_MARK = re.compile(r"\?[0-9a-f]{8}")

_KEYS = (
    r"(?:access[_-]?key|api[_-]?key|account[_-]?key|subscription[_-]?key|awsaccesskeyid"
    r"|googleaccessid|key|secret|token|signature|sig|sas|password|passwd|passphrase|pass|pwd|pw"
    r"|credentials?|auth|authorization|bearer|jwt|hmac|sessionid)"
)
_KEY = rf"(?:[\w.-]*[_.-])?{_KEYS}(?:[_-]?id)?"
_IS_KEY = re.compile(rf"(?i)(?:{_KEY}|x-(?:amz|goog|ms)-.*)")
_BESIDE_A_KEY = re.compile(
    r"(?i)expires|expiry|exp|policy|key-pair-id|s[vterpkis]|srt?|sk[a-z]+|sduoid|ssoid|spr|sip"
)
"""Parameters of presigned URLs on whom and how long they serve: they differ by signing."""

_SECRET_PART = re.compile(rf"(?i)(?<![\w.-])({_KEY})=[^/;&,]+")
_SECRET_PAIR = re.compile(
    rf"(?i)((?<![A-Za-z]){_KEY}['\"]?\s*[=:]\s*['\"]?(?:(?:bearer|basic|digest)\s+)?)"
    r"[^\s&'\",};]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{8,}=*")
_LOGIN = re.compile(r"(?<![\w.%+-])[\w.%+-]+:[^\s/@:'\"<>]+@(?=[\w.-])")

HTTP = ("http", "https")
_PLAIN = frozenset({"s3", "s3a", "gs", "gcs", "memory", "file", "local"})
"""File systems in whose names a question mark is a sign like any other, unless keys follow."""

_SHORT = 8
"""Shorter passwords are words of the language too, and are removed from URLs only."""


class Place(str):
    """The text of a path or URL without user, password, query or fragment.

    It is a `str` to everything that accepts one. Two places that differ in their query only,
    such as ``photo?id=1`` and ``photo?id=2``, stay distinct: eight digits stand for the query,
    except for the keys and dates in it. Only a place that is pickled for another process carries
    its whole address.

    Examples
    --------
    >>> place = Place("https://host/cod.jpg?X-Amz-Signature=0123")
    >>> print(place, repr(place))
    https://host/cod.jpg 'https://host/cod.jpg'
    >>> Place("s3://KEY:secret/with/slash@bucket/cod.jpg")
    's3://bucket/cod.jpg'
    """

    __slots__ = ()

    def __new__(cls, text: object) -> Place:  # noqa: PYI034 - Self needs Python 3.11
        if isinstance(text, cls):
            return text
        whole = str(text)
        if "://" not in whole:
            return super().__new__(cls, whole)
        clean = "::".join(map(_clean, whole.split("::")))
        if clean != whole:
            _ADDRESSES[clean] = whole
        return super().__new__(cls, clean)

    def __reduce__(self) -> tuple[type[Place], tuple[str]]:
        return Place, (self.address,)

    @property
    def address(self) -> str:
        """The whole URL as it came in, for a request; the text itself where no more is known."""
        return _ADDRESSES.get(str(self), str(self))

    @property
    def has_login(self) -> bool:
        """Whether the URL had a user or a password."""
        return any(_parts(part)[1] for part in self.address.split("::"))

    @property
    def lacks_query(self) -> bool:
        """Whether a query was removed from its text."""
        return any(_parts(part)[3] for part in self.address.split("::"))


def places_of(paths: Sequence[str]) -> Sequence[str]:
    """Return paths, those that are URLs as places."""
    if any("://" in path for path in paths):
        return [Place(path) if "://" in path else path for path in paths]
    return paths


def without_secrets(document: Any) -> Any:
    """Return a JSON document whose texts hold no credentials; see `shown`."""
    if isinstance(document, str):
        return shown(document)
    if isinstance(document, dict):
        return {shown(str(key)): without_secrets(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [without_secrets(value) for value in document]
    return document


def shown(text: str) -> str:
    """Return a text of this program with the credentials removed from each URL in it."""
    for secret in _HIDDEN:
        text = text.replace(secret, "…")
    return _IN_TEXT.sub(_cleaned, text) if "://" in text else text


def scrub(text: str) -> str:
    """Return a text of another library without logins, keys, tokens, signatures and queries.

    What is a path or URL from the start needs no such guessing: it is a `Place`.
    """
    text = shown(text)
    if "@" in text:
        text = _LOGIN.sub("", text)
    return _SECRET_PAIR.sub(r"\1…", _BEARER.sub(r"\1 …", text))


def _cleaned(found: re.Match[str]) -> str:
    url = found[0].rstrip(".,;:!)]}")
    return "::".join(map(_clean, url.split("::"))) + found[0][len(url) :]


def _clean(url: str) -> str:
    """Return one part of a chained URL without credentials."""
    start, login, rest, query = _parts(url)
    if login:
        password = login.partition(":")[2]
        hidden = {login, password, unquote(password)}
        _HIDDEN.update(one for one in hidden if len(one) >= _SHORT)
    return start + _SECRET_PART.sub(r"\1=…", rest) + _mark(query)


def _parts(url: str) -> tuple[str, str, str, str]:
    """Split a URL into scheme, login, the rest of the name, query and fragment."""
    scheme = _SCHEME.match(url)
    if not scheme:
        return "", "", url, ""
    start, rest = scheme[0], url[scheme.end() :]
    login, rest = _without_login(rest)
    kind = start[:-3].lower()
    at = len(re.split(r"[?#]", rest, maxsplit=1)[0])
    if kind in _PLAIN and not any(_IS_KEY.fullmatch(name) for name, _ in _pairs(rest[at:])):
        at = len(rest)
    return start, login, rest[:at], rest[at:]


def _without_login(rest: str) -> tuple[str, str]:
    """Split off ``user:password@``; a secret key of AWS may hold slashes, and stays whole."""
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in host:
        login, _, host_only = rest[: len(host)].rpartition("@")
        return login, host_only + rest[len(host) :]
    odd = ":" in host and not _PORT.fullmatch(host) and not host.startswith("arn:")
    if odd and "@" in rest:
        login, _, without = rest.rpartition("@")
        return login, without
    return "", rest


def _mark(query: str) -> str:
    """Return a mark that differs by query; "" where it has only keys and their parameters."""
    if _MARK.fullmatch(query):
        return query
    pairs = _pairs(query)
    shared = [pair for pair in pairs if not _IS_KEY.fullmatch(pair[0])]
    if len(shared) < len(pairs):
        shared = [pair for pair in shared if not _BESIDE_A_KEY.fullmatch(pair[0])]
    if not shared:
        return ""
    return "?" + hashlib.sha256(repr(sorted(shared)).encode("utf-8", "replace")).hexdigest()[:8]


def _pairs(query: str) -> list[tuple[str, str]]:
    plain = query.partition("#")[0].removeprefix("?")
    return parse_qsl(plain, keep_blank_values=True)


@cache
def _use_whole_addresses() -> None:
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
            whole = _ADDRESSES.get(url, url)
            # What was signed is sent as it is, and not quoted anew.
            signed = whole != url and whole.isascii() and whole.isprintable() and " " not in whole
            return URL(whole, encoded=True) if signed else super().encode_url(whole)

    for kind in HTTP:
        fsspec.register_implementation(kind, WholeAddresses, clobber=True)


def is_url(path: object) -> bool:
    """Return whether this is a URL and no path of this machine; `file://` is one too."""
    return bool(_URL.match(str(path)))


def is_remote(path: AnyPath) -> TypeIs[UPath]:
    """Return whether what `to_path` returned lies on another machine."""
    return not isinstance(path, Path)


def to_path(path: str | Path | UPath) -> AnyPath:
    """Return a `Path` for what lies on this machine, a `UPath` for what a URL names.

    Raises
    ------
    InputError
        When the URL holds a password or key, or fsspec does not know its kind.
    MissingExtraError
        When the package for that kind is not installed.
    """
    place = Place(_COLLAPSED.sub(r"\1//", str(path)))
    if not is_url(place):
        return Path(str(place))
    if place.has_login:
        raise InputError(
            f"{str(place)!r} was given with a user or a key in it: leave it out and put it where "
            "the file system looks for it, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    kind = place.partition("://")[0].lower()
    if kind == "file":
        return Path("/" + unquote(place.partition("://")[2].lstrip("/")))
    if kind in HTTP:
        _use_whole_addresses()
    elif place.lacks_query:
        raise InputError(
            f"{str(place)!r} was given with keys behind a question mark, which only http:// and "
            "https:// have: put them where the file system looks for them"
        )
    return _remote(place.rstrip("/"), kind)


def _remote(url: str, kind: str) -> UPath:
    from upath import UPath

    try:
        path = UPath(url)
        _ = path.fs
    except ImportError as error:
        package, extra = _EXTRAS.get(kind, ("", ""))
        if not package:
            raise InputError(f"{kind}:// needs a package: {error}") from error
        raise MissingExtraError(f"{kind}://", package, extra) from error
    except ValueError as error:
        raise InputError(f"{url!r} is of a kind that fsspec does not know") from error
    return path


def data_dir() -> str:
    """Return the dataset: FISHEMBED_DATA, which may be a URL or a pattern, else ``data``."""
    return os.environ.get("FISHEMBED_DATA", "data")


def cache_dir() -> AnyPath:
    """Return the folder of feature stores: FISHEMBED_CACHE, which may be a URL, else ``cache``."""
    return to_path(os.environ.get("FISHEMBED_CACHE", "cache"))


def reports_dir() -> Path:
    """Return the folder of runs: FISHEMBED_REPORTS, else ``reports``."""
    return Path(os.environ.get("FISHEMBED_REPORTS", "reports"))
