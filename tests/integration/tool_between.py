"""tool_between: a TLS server between the tool and the portal that can change answers, lose them, or end the tool.

It serves with the portal's own TLS certificate, so that the tool takes it for the portal: what a dishonest or broken
portal could do, without a portal that has such code in it.
"""
import http.client
import http.server
import json
import ssl
import threading


class Between:
    """hook(method, path, status, headers, body) -> (status, headers, body) sees each answer; before(method, path) each
    request. An exception in either closes the connection without an answer. A body that is not bytes but yields them is
    sent piece by piece, for as long as it lasts. twice(method, path): does this request reach the portal twice, so that
    the second answer is the one? identity: (certificate, key) to serve with, instead of the portal's."""

    def __init__(self, world, identity=None):
        self.hook = None
        self.twice = None
        self.before = None
        self.requests = []
        upstream = ("127.0.0.1", int(world.url.rsplit(":", 1)[1]))
        trust = ssl.create_default_context(cafile=world.data / "root.pem")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def log_message(self, *_):
                pass

            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path))
                if outer.before:
                    outer.before(self.command, self.path)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                for _ in range(2 if outer.twice and outer.twice(self.command, self.path) else 1):
                    connection = http.client.HTTPSConnection(*upstream, context=trust, timeout=30)
                    connection.request(self.command, self.path, body, kept)
                    answer = connection.getresponse()
                    status, headers, data = answer.status, dict(answer.getheaders()), answer.read()
                    connection.close()
                if outer.hook:
                    status, headers, data = outer.hook(self.command, self.path, status, headers, data)
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                if isinstance(data, bytes):
                    self.send_header("Content-Length", str(len(data)))
                    data = [data]
                elif hasattr(data, "promised"):
                    self.send_header("Content-Length", str(data.promised))
                self.end_headers()
                for piece in data:
                    self.wfile.write(piece)

            do_GET = do_POST = do_PUT = do_DELETE = relay

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(identity or (world.data / "tls.pem", world.data / "tls.key")))
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Cut(list):
    """A body of which only a part arrives."""

    def __init__(self, body):
        super().__init__([body[:len(body) // 2]])
        self.promised = max(len(body), 2)


def change_json(part, change):
    """A hook that changes the JSON of answers to paths that hold part."""

    def hook(method, path, status, headers, body):
        if part in path and 200 <= status < 300 and body:
            value = json.loads(body)
            change(value)
            body = json.dumps(value).encode()
        return status, headers, body

    return hook
