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
    request. An exception in either closes the connection without an answer."""

    def __init__(self, world):
        self.hook = None
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
                connection = http.client.HTTPSConnection(*upstream, context=trust, timeout=30)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
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
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = relay

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(world.data / "tls.pem", world.data / "tls.key")
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def change_json(part, change):
    """A hook that changes the JSON of answers to paths that hold part."""

    def hook(method, path, status, headers, body):
        if part in path and 200 <= status < 300 and body:
            value = json.loads(body)
            change(value)
            body = json.dumps(value).encode()
        return status, headers, body

    return hook
