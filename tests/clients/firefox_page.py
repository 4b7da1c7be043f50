"""firefox_page PORT URL SECONDS: has the Firefox that listens on PORT for Marionette, its own protocol for automation, open
URL, and prints the title and the text of what it then shows. Ends with status 1 when Firefox says that it cannot."""
import json
import socket
import sys
import time


class Marionette:
    def __init__(self, port, patience_s):
        self.stream = self.connect(port, patience_s).makefile("rwb")
        self.last_id = 0
        self.receive()  # its greeting

    @staticmethod
    def connect(port, patience_s):
        end = time.monotonic() + patience_s
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), patience_s)
            except ConnectionRefusedError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def receive(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.stream.read(1)
            if not byte:
                sys.exit("Firefox has ended")
            length += byte
        return json.loads(self.stream.read(int(length[:-1])))

    def call(self, command, **parameters):
        """The result; an error of Firefox's ends this program."""
        self.last_id += 1
        message = json.dumps([0, self.last_id, command, parameters]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, _, error, result = self.receive()
        if error:
            sys.exit(f"{command}: {error['error']}: {error['message']}")
        return result


def main():
    port, url, patience_s = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    firefox = Marionette(port, patience_s)
    firefox.call("WebDriver:NewSession")
    firefox.call("WebDriver:Navigate", url=url)
    print(firefox.call("WebDriver:GetTitle")["value"])
    print(firefox.call("WebDriver:ExecuteScript", script="return document.body.innerText", args=[])["value"])


main()
