"""portal_load: requests to the portal over TLS on connections that stay open, as many at once as there are connections."""
import http.client
import json
import socket
import ssl
import threading
import time
import uuid


class Loopback(http.client.HTTPSConnection):
    """To the name in the portal's certificate, which a bare machine cannot look up."""

    def __init__(self, host, context, timeout):
        super().__init__(host, context=context, timeout=timeout)
        self.context = context

    def connect(self):
        tcp = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self.context.wrap_socket(tcp, server_hostname=self.host)


class Connection:
    def __init__(self, url, ca_file):
        context = ssl.create_default_context(cafile=str(ca_file))
        self.http = Loopback(url.removeprefix("https://"), context, 60)

    def send(self, method, path, cookie=None, body=None, kind="application/json"):
        """Status and body of the answer."""
        headers = {"Cookie": cookie} if cookie else {}
        if body is not None:
            headers["Content-Type"] = kind
        self.http.request(method, "/api/v1" + path, body, headers)
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def must(self, wanted, *request, **more):
        status, body = self.send(*request, **more)
        if status != wanted:
            raise RuntimeError(f"{request[:2]}: {status} {body[:300]!r}")
        return body

    def close(self):
        self.http.close()


def seconds_of(connection, times, method, path, **more):
    """How long each of so many equal requests took."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.must(200, method, path, **more)
        took.append(time.perf_counter() - begun)
    return took


def application(request, terms):
    return json.dumps({"request_id": str(uuid.uuid4()), "terms_version": terms["version"], "terms_sha256": terms["sha256"],
                       "request": request})


def apply_all(connections, cookies, requests, terms):
    """All applications, spread over the connections; how many a second."""
    jobs = list(zip(cookies, (application(request, terms) for request in requests)))
    faults = []

    def work(connection, share):
        try:
            for cookie, body in share:
                connection.must(201, "POST", "/applications", cookie=cookie, body=body)
        except Exception as fault:  # is told by who waits for the threads
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(connection, jobs[i::len(connections)]))
               for i, connection in enumerate(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    if faults:
        raise faults[0]
    return len(jobs) / took
