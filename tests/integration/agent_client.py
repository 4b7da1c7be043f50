"""agent_client: a program that uses a PKCS#11 module step by step, as the lines of its standard input say, and prints the
CKR of each as "NAME 0x...". For tests: how one program fares while things happen to the agent, or to another program.

  init | finalize                 session                a session on the first token
  login                           with a NULL PIN        login PIN
  sign                            with the key of id 01  forget   closes nothing and ends at once
  direct MODULE CONFIGURATION     signs with the token's own module, in this process and without a login
  many N PIN                      N lists of functions, each with a connection, a session and a login of its own
  become    signs, and at the next line runs another program in this process, which has the connection still
  aside N   signs in another thread, after N other calls in quick succession
  joined    what that was answered
  close     the session that was opened last     logout
  close_all the token's sessions                 create, destroy   a public data object of the session; the last one
  random N  bytes                                flood     asks for a random byte until that fails, which is answered
  crowd N   signs in N threads at once, each in a session of its own
Environment: PINWARD_CLIENT_MODULE.
"""
import ctypes
import os
import sys
import threading

ulong = ctypes.c_ulong
CKM_SHA256_RSA_PKCS, CKA_CLASS, CKA_ID, CKO_PRIVATE_KEY, CKO_DATA, CKA_PRIVATE = 0x40, 0x0, 0x102, 3, 0, 2


class Attribute(ctypes.Structure):
    _fields_ = [("type", ulong), ("value", ctypes.c_char_p), ("length", ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ulong), ("parameter", ctypes.c_void_p), ("length", ulong)]


class FunctionList(ctypes.Structure):
    """CK_FUNCTION_LIST: the version, then the functions in the standard's order."""
    _fields_ = [("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * 68)]


C_INITIALIZE, C_FINALIZE, C_GETSLOTLIST, C_OPENSESSION, C_CLOSESESSION, C_CLOSEALLSESSIONS = 0, 1, 4, 12, 13, 14
C_LOGIN, C_LOGOUT, C_CREATEOBJECT, C_DESTROYOBJECT, C_GENERATERANDOM = 18, 19, 20, 22, 64
C_FINDOBJECTSINIT, C_FINDOBJECTS, C_FINDOBJECTSFINAL, C_SIGNINIT, C_SIGN = 26, 27, 28, 42, 43


class Client:
    def __init__(self, module):
        library = ctypes.CDLL(module)
        pointer = ctypes.POINTER(FunctionList)()
        library.C_GetFunctionList(ctypes.byref(pointer))
        self.list = pointer.contents
        self.open = ulong()
        self.slot = ulong()
        self.made = []

    def call(self, number, *arguments):
        return ctypes.CFUNCTYPE(ulong)(self.list.functions[number])(*arguments)

    def init(self):
        return self.call(C_INITIALIZE, None)

    def finalize(self):
        return self.call(C_FINALIZE, None)

    def session(self):
        slots, count = (ulong * 8)(), ulong(8)
        rv = self.call(C_GETSLOTLIST, ctypes.c_ubyte(1), slots, ctypes.byref(count))
        opened = ulong()
        rv = rv or self.call(C_OPENSESSION, ulong(slots[0]), ulong(6), None, None, ctypes.byref(opened))
        self.open = self.open if rv else opened
        self.slot = ulong(slots[0])
        return rv

    def login(self, pin=None):
        return self.call(C_LOGIN, self.open, ulong(1), pin and pin.encode(), ulong(len(pin or "")))

    def many(self, count, pin):
        self.others = [Client(os.environ["PINWARD_CLIENT_MODULE"]) for _ in range(int(count))]
        return max(each.init() or each.session() or each.login(pin) for each in self.others)

    def logout(self):
        return self.call(C_LOGOUT, self.open)

    def close(self):
        return self.call(C_CLOSESESSION, self.open)

    def close_all(self):
        return self.call(C_CLOSEALLSESSIONS, self.slot)

    def create(self):
        kind, made = bytes(ulong(CKO_DATA)), ulong()
        template = (Attribute * 2)(Attribute(CKA_CLASS, kind, len(kind)), Attribute(CKA_PRIVATE, b"\0", 1))
        rv = self.call(C_CREATEOBJECT, self.open, template, ulong(2), ctypes.byref(made))
        self.made += [] if rv else [made]
        return rv

    def destroy(self):
        return self.call(C_DESTROYOBJECT, self.open, self.made.pop())

    def random(self, count):
        return self.call(C_GENERATERANDOM, self.open, ctypes.create_string_buffer(int(count)), ulong(int(count)))

    def flood(self):
        rv = 0
        while not rv:
            rv = self.random(1)
        return rv

    def aside(self, others=0):
        """In the session that is open now, whatever is opened later."""
        def run(session=self.open):
            count = ulong()
            for _ in range(int(others)):
                self.call(C_GETSLOTLIST, ctypes.c_ubyte(1), None, ctypes.byref(count))
            self.answered = self.sign(session)
        self.other = threading.Thread(target=run)
        self.other.start()
        return 0

    def crowd(self, count):
        sessions = [self.session() or self.open.value for _ in range(int(count))]
        for each in sessions:
            threading.Thread(target=self.sign, args=[ulong(each)], daemon=True).start()
        return 0

    def joined(self):
        self.other.join()
        return self.answered

    def key(self, found, session):
        kind = bytes(ulong(CKO_PRIVATE_KEY))
        wanted = (Attribute * 2)(Attribute(CKA_CLASS, kind, len(kind)), Attribute(CKA_ID, b"\x01", 1))
        rv = self.call(C_FINDOBJECTSINIT, session, wanted, ulong(2))
        rv = rv or self.call(C_FINDOBJECTS, session, ctypes.byref(found), ulong(1), ctypes.byref(ulong()))
        return rv or self.call(C_FINDOBJECTSFINAL, session)

    def direct(self, module, configuration):
        """Goes around the agent, in this process: the token's own module, without a login."""
        os.environ["SOFTHSM2_CONF"] = configuration
        other = Client(module)
        rv = other.init() or other.session()
        if rv:
            sys.exit(f"the token's own module answers 0x{rv:08x}")
        return other.sign()

    def sign(self, session=None):
        session = session or self.open
        found, length = ulong(), ulong(256)
        mechanism = Mechanism(CKM_SHA256_RSA_PKCS, None, 0)
        rv = self.key(found, session)
        rv = rv or self.call(C_SIGNINIT, session, ctypes.byref(mechanism), found)
        signature = ctypes.create_string_buffer(256)
        return rv or self.call(C_SIGN, session, b"some data", ulong(9), signature, ctypes.byref(length))


def become(client):
    threading.Thread(target=client.sign).start()
    sys.stdin.readline()
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            os.set_inheritable(descriptor, True)
        except OSError:  # the folder's own
            pass
    os.execv("/usr/bin/sleep", ["sleep", "60"])


if __name__ == "__main__":
    client = Client(os.environ["PINWARD_CLIENT_MODULE"])
    for line in sys.stdin:
        name, *arguments = line.split()
        if name == "forget":
            os._exit(0)
        if name == "become":
            become(client)
        print(f"{name} 0x{getattr(client, name)(*arguments):08x}", flush=True)
