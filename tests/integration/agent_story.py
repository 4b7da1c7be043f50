"""The module isolated: pinward-agent holds gate and token, programs load p11-kit-client.so, and every use asks as it does
without."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess

import jsonschema

import agent_world
from agent_world import PIN, check, descendants, until

OK, DEVICE_ERROR, DEVICE_REMOVED = "0x00000000", "0x00000030", "0x00000032"
CANCELED, NOT_LOGGED_IN, NOT_INITIALIZED, REJECTED = "0x00000050", "0x00000101", "0x00000190", "0x00000200"
SCHEMA = jsonschema.Draft202012Validator(json.loads(
    (pathlib.Path(__file__).parents[2] / "docs" / "tool-output.schema.json").read_text(encoding="utf-8")))
PKCS11_TOOL = os.path.realpath("/usr/bin/pkcs11-tool")


# ------------------------------------------------------------------ programs


def test_tool_lists_and_signs(world):
    """At level high each signature asks once; the login's own PIN covers the first."""
    check(world.start() == f"P11_KIT_SERVER_ADDRESS=unix:path={world.socket}\n", "the address is not said")
    world.script(f"pin {PIN}")
    listed = world.pkcs11_tool("--login", "--list-objects")
    check("Private Key Object" in listed.stdout, listed.stdout + listed.stderr)
    (world.root / "data").write_text("some data")
    world.script(f"pin {PIN}")
    sign = world.pkcs11_tool("--login", "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01", "-i", "data", "-o",
                             "signature")
    check(sign.returncode == 0, sign.stdout + sign.stderr)
    check(len(world.windows()) == 2, f"{world.windows()}")
    check(all(f"Program: {PKCS11_TOOL}" in window for window in world.windows()), f"{world.windows()}")
    check([(line["operation"], line["verdict"], line["program"]) for line in world.ledger()] ==
          [("login", "allowed", PKCS11_TOOL)] * 2 + [("sign", "allowed", PKCS11_TOOL)], f"{world.ledger()}")


def test_openssl_signs(world):
    """A real program that knows p11-kit's module only as a provider of PKCS#11."""
    world.start()
    world.script(*[f"pin {PIN}"] * 3)
    (world.root / "data").write_text("some data")
    (world.root / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nengines = engines\n[engines]\npkcs11 = pkcs11\n[pkcs11]\n"
        f"engine_id = pkcs11\nMODULE_PATH = {os.environ['PINWARD_P11_CLIENT']}\ninit = 0\n")
    environment = {**world.client_environment(), "OPENSSL_CONF": str(world.root / "openssl.cnf")}
    done = subprocess.run(["openssl", "dgst", "-engine", "pkcs11", "-keyform", "engine", "-sign",
                           "pkcs11:id=%01;type=private", "-sha256", "-out", "signature", "data"], env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=world.root)
    check(done.returncode == 0 and (world.root / "signature").stat().st_size == 256, done.stderr)
    program = os.path.realpath("/usr/bin/openssl")
    check([line["operation"] for line in world.ledger() if line["program"] == program and line["verdict"] == "allowed"]
          == ["login", "sign"], f"{world.ledger()}")


def test_each_use_asks_and_refusal_is_told(world):
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}", "cancel")
    client = world.client()
    client.ready()
    check(client("sign") == OK and len(world.windows()) == 1, "the login covers the first use")
    check(client("sign") == OK and len(world.windows()) == 2, "the second use asks")
    check(client("sign") == CANCELED, "cancelled")
    owner = f"owner={client.pid}/{os.getuid()} "
    check((world.root / "pinentry" / "log").read_text().count(owner) == 3, f"pinentry is not told {owner}")
    check("SIGN" in world.windows()[2] and f"(process {client.pid})" in world.windows()[2], world.windows()[2])
    check([line["pid"] for line in world.ledger()] == [client.pid] * 4, f"{world.ledger()}")


def test_unanswered_is_rejected(world):
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}", "timeout")
    client = world.client()
    client.ready()
    check([client("sign"), client("sign"), client("sign")] == [OK, OK, REJECTED], "no answer is no consent")


def other_threads_go_on(world, calls_before):
    world.start()
    world.script(f"pin {PIN}", "hang")
    client = world.client()
    client.ready()
    check(client("sign") == OK and client(f"aside {calls_before}") == OK, "the login covers the first use")
    until(lambda: len(world.windows()) == 2, "no window")
    check(client("session") == OK and client("close") == OK, "a session comes and goes")
    check(client("session") == OK and client("logout") == OK, "logs out")
    check(client("joined") == NOT_LOGGED_IN, "the question is withdrawn")
    check(world.ledger()[-1]["verdict"] == "denied" and client("sign") != OK, f"{world.ledger()[-1]}")


def test_other_threads_go_on(world):
    """While the user of one thread is asked, another opens and closes a session, and logs out, which withdraws the question."""
    other_threads_go_on(world, 0)


def test_other_threads_go_on_after_many_calls(world):
    """The same when the question comes amid calls in quick succession, which stay in the connection until they are answered."""
    other_threads_go_on(world, 500)


def finalize_amid_a_call(world):
    """Whether the program went on. What was answered in the right order p11-kit's client may still take up in the wrong one,
    on a machine that has much else to do; it then ends the program by an assertion."""
    client = world.client()
    client.ready()
    check(client("sign") == OK and client("aside") == OK, "the login covers the first use")
    until(lambda: len(world.windows()) == 2, "no window")
    try:
        answers = [client("finalize"), client("joined")]
    except BrokenPipeError:  # it has ended
        answers = [""]
    if "" in answers:
        check(client.process.wait(agent_world.TIMEOUT_S) == -signal.SIGABRT, f"it ended otherwise: {answers}")
        return False
    check(answers == [OK, NOT_INITIALIZED], f"{answers}")
    world.script(f"pin {PIN}")
    client.ready()
    check(client("sign") == OK, "and the program goes on")
    return True


def test_finalize_amid_a_call(world):
    """C_Finalize withdraws the question of another thread, which has its answer first: the program goes on."""
    went_on = 0
    for _ in range(25):
        world.start()
        world.script(f"pin {PIN}", "hang")
        went_on += finalize_amid_a_call(world)
        world.stop()
        (world.root / "pinentry" / "log").unlink()
        if went_on == 3:
            return
    raise AssertionError(f"of 25 programs only {went_on} went on")


def test_more_calls_than_threads(world):
    """Of ten threads that sign at once eight have a window each; when the program goes, all of them do."""
    world.start()
    world.script(f"pin {PIN}", *["hang"] * 10)
    client = world.client()
    client.ready()
    check(client("sign") == OK and client("crowd 10") == OK, "the login covers the first use")
    until(lambda: len(world.windows()) == 1 + 8, "no windows")
    ((worker, _, _),) = world.connections()
    check(len(os.listdir(f"/proc/{worker}/task")) == 8 + 1, "eight threads, and the one that watches")
    client.kill()
    until(lambda: not descendants(world.agent.pid), "something is left")
    check([line["verdict"] for line in world.ledger()[2:]] == ["denied"] * 8, f"{world.ledger()}")


def test_logins_are_not_shared(world):
    """Two programs, two processes: what one has agreed to is not the other's."""
    world.start()
    world.script(f"pin {PIN}")
    first, second = world.client(), world.client()
    first.ready()
    check([second("init"), second("session")] == [OK, OK], "the second connects")
    check(second("sign") != OK and len(world.windows()) == 1, "the second is not logged in")
    check(first("sign") == OK, "the first is")
    check({client for _, client, _ in world.connections()} == {first.pid, second.pid}, f"{world.connections()}")


def test_pin_of_the_application(world):
    """It may log in, and is no consent."""
    world.start()
    world.script("cancel")
    client = world.client()
    check([client("init"), client("session"), client(f"login {PIN}")] == [OK, OK, OK], "logged in")
    check(client("sign") == CANCELED and len(world.windows()) == 1, "the use asks")


def test_label_of_a_new_token_is_padded(world):
    """On the wire it is a text that ends in a NUL."""
    world.start()
    done = world.pkcs11_tool("--init-token", "--slot-index", "1", "--label", "new", "--so-pin", "12345678")
    check(done.returncode == 0, done.stdout + done.stderr)
    listed = world.pkcs11_tool("--list-token-slots")
    check(re.search(r"token label +: new$", listed.stdout, flags=re.M), listed.stdout)


def test_lost_label_makes_no_token(world):
    """p11-kit loses the label when no PIN comes with it: nobody is asked and nothing is made. A p11-kit that keeps it makes the
    token."""
    world.start()
    world.script("repeat 12345678")
    done = world.pkcs11_tool("--init-token", "--slot-index", "1", "--label", "new")
    if done.returncode == 0:
        listed = world.pkcs11_tool("--list-token-slots")
        check(re.search(r"token label +: new$", listed.stdout, flags=re.M), listed.stdout)
        return
    check("CKR_ARGUMENTS_BAD" in done.stderr and world.windows() == [], done.stderr)
    check("has lost the label" in world.log(), world.log())
    check(len(os.listdir(world.root / "card" / "tokens")) == 1, "a token was made")


def test_login_is_not_one_of_the_program(world):
    """Going around the agent, the program finds a token that it has not logged in to."""
    world.start()
    world.script(f"pin {PIN}")
    client = world.client()
    client.ready()
    answer = client(f"direct {os.environ['PINWARD_SOFTHSM']} {world.root}/card/softhsm2.conf")
    check(answer.startswith("0x") and answer != OK, f"it answers {answer!r}")
    check(client("sign") == OK, "through the agent it is logged in")


# ------------------------------------------------------------------ who is asking


def test_another_user_is_refused(world):
    """The folder keeps other users out; and if it did not, the connection is closed before anything is read."""
    if os.geteuid() != 0:
        return "needs root, to be another user"
    world.start()
    folder = world.socket.parent
    check(stat.S_IMODE(folder.stat().st_mode) == 0o700 and stat.S_IMODE(world.socket.stat().st_mode) == 0o600,
          "folder and socket are private")
    for path, mode in ((world.root, 0o755), (world.root / "run", 0o755), (folder, 0o755), (world.socket, 0o666)):
        path.chmod(mode)
    program = ("import os, socket, sys\nos.setresgid(65534, 65534, 65534)\nos.setresuid(65534, 65534, 65534)\n"
               "s = socket.socket(socket.AF_UNIX)\ns.settimeout(20)\ns.connect(sys.argv[1])\n"
               "try:\n    s.send(b'\\0')\n    sys.stdout.write(repr(s.recv(1)))\n"
               "except (BrokenPipeError, ConnectionResetError):\n    sys.stdout.write('closed')\n")
    done = world.run("/usr/bin/python3", "-c", program, str(world.socket))
    check(done.stdout in ("b''", "closed"), f"{done.stdout} {done.stderr}")
    until(lambda: "another user (uid 65534)" in world.log(), "the refusal is not in the log")
    check(world.connections() == [], f"{world.connections()}")


def test_program_that_becomes_another(world):
    """The process runs another program while its user is asked: what was agreed to is not that program's."""
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}", f"late 4000 {PIN}")
    client = world.client()
    client.ready()
    check(client("sign") == OK and client("sign") == OK, "as itself")
    client.ask("become")
    until(lambda: len(world.windows()) == 3, "no window")
    client.ask("now")
    until(lambda: len(world.ledger()) == 4, "no decision")
    last = world.ledger()[-1]
    check((last["operation"], last["verdict"], last["how"], last["program"]) == ("sign", "denied", "program gone", "?"),
          f"{last}")


def test_client_that_dies_takes_its_window_along(world):
    """Killed while it is asked: question and process go."""
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}", "hang")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    client.ask("sign")
    client.ask("sign")
    until(lambda: len(world.windows()) == 3, "no window")
    check(len(descendants(world.agent.pid)) == 2, "a process and its pinentry")
    client.kill()
    until(lambda: not descendants(world.agent.pid), "something is left")
    check(world.connections() == [], f"{world.connections()}")
    check(world.ledger()[-1]["verdict"] == "denied", f"{world.ledger()[-1]}")


# ------------------------------------------------------------------ what goes wrong


def test_killed_in_the_middle(world):
    """kill -9 of the process that serves: a clear CKR, no window left, and the next connection works."""
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}", "hang", f"pin {PIN}")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    client.ask("sign")
    client.ask("sign")
    until(lambda: len(world.windows()) == 3, "no window")
    ((worker, _, _),) = world.connections()
    os.kill(worker, signal.SIGKILL)
    check([client.answer(), client.answer()] == [OK, DEVICE_ERROR], "the call ends with CKR_DEVICE_ERROR")
    until(lambda: not descendants(world.agent.pid), "the window stays")
    check("was ended by signal 9" in world.log(), world.log())
    again = world.client()
    again.ready()
    check(again("sign") == OK, "another program goes on")
    check(client("finalize") in (OK, DEVICE_ERROR, DEVICE_REMOVED), "finalize")
    world.script(f"pin {PIN}")
    client.ready()
    check(client("sign") == OK, "and so does the first, after C_Initialize")


def test_agent_killed_and_back(world):
    """kill -9 of the agent: its processes go with it; started again, it takes its place and serves."""
    world.start()
    world.script(f"pin {PIN}")
    client = world.client()
    client.ready()
    ((worker, _, _),) = world.connections()
    world.agent.kill()
    world.agent.communicate()
    check(client("sign") == DEVICE_ERROR, "a clear CKR")
    until(lambda: not os.path.exists(f"/proc/{worker}"), "its process is left")
    check(world.start() != "", "it does not start again")
    world.script(f"pin {PIN}")
    client("finalize")
    client.ready()
    check(client("sign") == OK, "the program goes on")


def test_fifty_programs_leave_nothing(world):
    """Connections that end well, badly and not at all."""
    world.start()
    agent = world.agent.pid
    check(world.connections() == [], "it serves")
    before = len(os.listdir(f"/proc/{agent}/fd"))
    for number in range(25):
        bare = socket.socket(socket.AF_UNIX)
        bare.connect(str(world.socket))
        if number % 2:
            bare.send(bytes(1))
        bare.close()
    for number in range(0, 25, 5):
        clients = [world.client() for _ in range(5)]
        for client in clients:
            check([client("init"), client("session")] == [OK, OK], "connects")
        for client in clients:
            client.ask("forget")
        clients[0].kill()
    until(lambda: world.connections() == [], "connections are left")
    check(not descendants(agent), "processes are left")
    check(len(os.listdir(f"/proc/{agent}/fd")) == before, "descriptors are left")
    check(sorted(os.listdir(world.socket.parent)) == ["agent.socket", "agent.socket.control"], "files are left")


def test_garbage_and_huge_messages(world):
    """They end their own connection; who is connected besides goes on."""
    world.start()
    world.script(f"pin {PIN}")
    good = world.client()
    good.ready()
    for message in (b"\x07", b"\0" + b"\xff" * 64, b"\0" + struct.pack(">III", 16, 0, 0xfffffff0) + b"x" * 100,
                    b"\0" + struct.pack(">III", 16, 0xfffffff0, 0), b"\0" + struct.pack(">III", 16, 0, 4) + b"\0\0\0\x63"):
        with socket.socket(socket.AF_UNIX) as bad:
            bad.settimeout(20)
            bad.connect(str(world.socket))
            bad.send(message)
            bad.shutdown(socket.SHUT_WR)
            try:
                while bad.recv(4096):
                    pass
            except ConnectionResetError:  # closed before all of it was read
                pass
    until(lambda: len(world.connections()) == 1, f"{world.connections()}")
    check(good("sign") == OK, "the good one goes on")


def test_too_many_connections_of_one_process(world):
    """They are its own loss: others are served."""
    world.start()
    bare = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    try:
        for each in bare:
            each.settimeout(30)
            each.connect(str(world.socket))
        answers = []
        for each in bare:
            try:
                each.send(bytes(1))
                answers.append(len(each.recv(1)))
            except (BrokenPipeError, ConnectionResetError):
                answers.append(0)
        check(answers == [1] * 32 + [0] * 8, f"{answers}")
        check("there are too many" in world.log() and world.client()("init") == OK, "others are served")
    finally:
        for each in bare:
            each.close()


# ------------------------------------------------------------------ its place


def test_stop_removes_what_it_made(world):
    world.start()
    client = world.client()
    check(client("init") == OK, "connects")
    world.control("stop")
    status, said = world.stop()
    check(status == 0 and said == "", f"{status} {said}")
    check(os.listdir(world.socket.parent) == [], "files are left")


def test_second_agent_and_foreign_folder_are_refused(world):
    world.start()
    again = subprocess.run([os.environ["PINWARD_AGENT"]], env=world.environment(), capture_output=True, text=True,
                           timeout=60)
    check(again.returncode == 17 and "Another pinward-agent" in again.stderr, again.stderr)
    check(world.connections() == [], "the first one serves on")
    world.stop()
    world.socket.parent.chmod(0o755)
    check(world.start() == "", "a folder that others can look into is taken")
    status, said = world.stop()
    check(status == 5 and "must be yours" in said, said)


def test_socket_activation(world):
    """sd_listen_fds(3): the socket is systemd's, on descriptor 3, and stays when the agent ends."""
    world.socket.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(world.socket))
        listening.listen(8)
        program = ("import os, sys\nos.dup2(int(sys.argv[1]), 3)\nos.environ['LISTEN_FDS'] = '1'\n"
                   "os.environ['LISTEN_PID'] = str(os.getpid())\nos.execv(sys.argv[2], sys.argv[2:])\n")
        agent = os.environ["PINWARD_AGENT"]
        os.environ["PINWARD_AGENT"] = "/usr/bin/python3"
        try:
            said = world.start("-c", program, str(listening.fileno()), agent, pass_fds=[listening.fileno()])
        finally:
            os.environ["PINWARD_AGENT"] = agent
        check(said == f"P11_KIT_SERVER_ADDRESS=unix:path={world.socket}\n", said)
        client = world.client()
        check(client("init") == OK, "connects")
        check("activated yes" in world.control("status"), "says so")
        check(world.stop()[0] == 0 and world.socket.exists(), "the socket stays")


ATTACK = """
import ctypes, sys
libc = ctypes.CDLL(None)
PTRACE_SEIZE = 0x4206
for pid in map(int, sys.argv[1:]):
    for name in ("mem", "environ"):
        try:
            open(f"/proc/{pid}/{name}", "rb").read(0 if name == "mem" else 1)
            print(name, "read")
        except PermissionError:
            print(name, "refused")
    print("ptrace", "refused" if libc.ptrace(PTRACE_SEIZE, pid, 0, 0) == -1 else "attached")
"""


def test_nobody_reads_its_memory(world):
    """No other process of the user: not through /proc, not as a debugger. The same attack reads a program's."""
    world.without_privileges()
    world.start()
    world.script(f"pin {PIN}")
    client = world.client()
    client.ready()
    ((worker, _, _),) = world.connections()
    done = world.run("/usr/bin/python3", "-c", ATTACK, str(world.agent.pid), str(worker))
    check(done.stdout == "mem refused\nenviron refused\nptrace refused\n" * 2, done.stdout + done.stderr)
    done = world.run("/usr/bin/python3", "-c", ATTACK, str(client.pid))
    check("environ read\n" in done.stdout, done.stdout + done.stderr)


def holds_pin(pid):
    """Is the PIN anywhere in the memory of the process?"""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            try:
                memory.seek(start)
                if line.split()[1].startswith("r") and PIN.encode() in memory.read(end - start):
                    return True
            except (OSError, OverflowError, ValueError):  # a page that nobody can read
                pass
    return False


def test_pin_is_never_in_the_program(world):
    """Not while it is asked for, not after; a PIN that the program brings itself is, which shows that the search finds it."""
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}", f"late 500 {PIN}")
    client = world.client()
    client.ready()
    check(client("sign") == OK and client("sign") == OK and not holds_pin(client.pid), "the PIN is in the program")
    client.ask("sign")
    while len(world.windows()) < 3:
        check(not holds_pin(client.pid), "the PIN is in the program")
    check(client.answer() == OK and not holds_pin(client.pid), "the PIN is in the program")
    other = world.client()
    check([other("init"), other("session"), other(f"login {PIN}")] == [OK, OK, OK] and holds_pin(other.pid),
          "the search finds no PIN where there is one")


def test_program_of_another_mount_namespace(world):
    """A program that lies under another's name where it runs, but not here, is unknown: no rule for that name is its."""
    world.start()
    world.script(f"pin {PIN}")
    (world.root / "data").write_text("some data")
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", 'mount --bind "$1" /usr/bin/openssl && shift && exec "$@"',
               "sh", PKCS11_TOOL, "/usr/bin/openssl", "--module", os.environ["PINWARD_P11_CLIENT"], "--login",
               "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01", "-i", "data", "-o", "signature"]
    done = world.run(*command)
    if "unshare" in done.stderr:
        return f"this machine has no user namespaces: {done.stderr.strip()}"
    check(done.returncode == 0, done.stdout + done.stderr)
    check([line["program"] for line in world.ledger()] == ["?"] * 2, f"{world.ledger()}")
    check("Program: unknown (process" in world.windows()[0], world.windows()[0])


# ------------------------------------------------------------------ pinward agent, pinward doctor, systemd


def tool(world, *arguments, expect):
    done = subprocess.run([os.environ["PINWARD_TOOL"], *arguments, "--json"], env=world.environment(),
                          capture_output=True, text=True, timeout=60)
    check(done.returncode == expect, f"{done.returncode} {done.stdout} {done.stderr}")
    document = json.loads(done.stdout)
    SCHEMA.validate(document)
    return document


def test_status_and_stop(world):
    check("No pinward-agent runs" in tool(world, "agent", "status", expect=17)["error"]["message"], "none runs")
    tool(world, "agent", "stop", expect=17)
    world.start()
    client = world.client()
    check(client("init") == OK, "connects")
    status = tool(world, "agent", "status", expect=0)
    agent, (connection,) = status["agent"], status["connections"]
    check((agent["pid"], agent["socket"], agent["activated"]) == (world.agent.pid, str(world.socket), False), f"{agent}")
    check((connection["pid"], connection["program"]) == (client.pid, os.path.realpath("/usr/bin/python3")), f"{connection}")
    check(connection["served_by"] in descendants(world.agent.pid), f"{connection}")
    # What the status says of its protection is true.
    for pid in (world.agent.pid, connection["served_by"]):
        state = open(f"/proc/{pid}/status", encoding="ascii").read()
        limits = open(f"/proc/{pid}/limits", encoding="ascii").read()
        check("NoNewPrivs:\t1" in state and re.search(r"Max core file size +0 +0 ", limits), state + limits)
    check({"not-dumpable", "no-new-privileges", "no-core", "limits"} <= set(agent["protection"].split()), f"{agent}")
    tool(world, "agent", "stop", expect=0)
    check(world.stop()[0] == 0 and client("session") == DEVICE_ERROR, "it stops, and its connections")
    tool(world, "agent", "status", expect=17)


def test_doctor_says_whether_programs_are_isolated(world):
    def finding():
        done = subprocess.run([os.environ["PINWARD_TOOL"], "doctor", "--json"], env=world.environment(),
                              capture_output=True, text=True, timeout=60)
        return next(row for row in json.loads(done.stdout)["checks"] if row["name"] == "agent")
    before = finding()
    check(before["verdict"] == "note" and "pinward-agent.socket" in before["mend"], f"{before}")
    world.start()
    after = finding()
    check(after["verdict"] == "ok" and str(world.socket) in after["says"], f"{after}")


def test_units(world):
    """systemd itself reads them; with the program where it is in the build."""
    if not shutil.which("systemd-analyze"):
        return "systemd-analyze is not there"
    units = pathlib.Path(os.environ["PINWARD_AGENT_UNITS"])
    service = (units / "pinward-agent.service").read_text()
    check(re.search(r"^ExecStart=/\S+/pinward-agent$", service, flags=re.M), service)
    service = re.sub(r"^ExecStart=.*$", f"ExecStart={os.environ['PINWARD_AGENT']}", service, flags=re.M)
    (world.root / "pinward-agent.service").write_text(service)
    shutil.copy(os.environ["PINWARD_AGENT_SOCKET_UNIT"], world.root)
    done = subprocess.run(["systemd-analyze", "verify", "--user", "--man=no", "pinward-agent.service",
                           "pinward-agent.socket"], env=world.environment(), cwd=world.root, capture_output=True,
                          text=True, timeout=60)
    check(done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    agent_world.run_all(TESTS, "pinward-agent-")
