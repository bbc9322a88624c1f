"""A way to the S3 server of the tests that breaks at a chosen request."""

from __future__ import annotations

import http.client
import http.server
import threading
from urllib.parse import urlsplit

FAULTS = ("cut before", "cut after", "412", "500")


class FaultyWay:
    """A proxy that passes requests on, all but one, or all from one on.

    Attributes
    ----------
    fault
        One of `FAULTS`: the connection ends before the request arrives, or before its answer
        does, or another answer comes; "" for none.
    at, lasting
        Number of the request that breaks, and whether all that follow do too.
    seen
        Method of each request since `start`.
    """

    def __init__(self, server: str) -> None:
        self._there = urlsplit(server).netloc
        self.start()
        way = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = way._next(self.command)
                if fault == "cut before":
                    return self._cut()
                if fault in ("412", "500"):
                    return self._answer(int(fault), [("Content-Length", "0")], b"")
                status, headers, answer = way._pass_on(self.command, self.path, self.headers, body)
                return self._cut() if fault else self._answer(status, headers, answer)

            do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815 - the server's names

            def _cut(self) -> None:
                self.close_connection = True

            def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self, fault: str = "", at: int = 0, *, lasting: bool = False) -> None:
        """Count requests anew, and break at one of them."""
        self.fault, self.at, self.lasting = fault, at, lasting
        self.seen: list[str] = []

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _next(self, method: str) -> str:
        number = len(self.seen)
        self.seen.append(method)
        hit = number >= self.at if self.lasting else number == self.at
        return self.fault if hit else ""

    def _pass_on(self, method: str, path: str, headers, body: bytes):
        there = http.client.HTTPConnection(self._there)
        there.request(method, path, body, dict(headers.items()))
        answer = there.getresponse()
        data = answer.read()
        drop = {"transfer-encoding", "connection"} | ({"content-length"} if data else set())
        kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in drop]
        there.close()
        if data or not any(n.lower() == "content-length" for n, _ in kept):
            kept.append(("Content-Length", str(len(data))))
        return answer.status, kept, data
