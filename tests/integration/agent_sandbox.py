"""What a process of the agent's that serves a connection can still do: by what /proc says of it, and by a token's module
that tries (hostile_token.c). Each attempt and what it got is printed."""
import ctypes
import errno
import json
import os
import pathlib
import re
import signal
import subprocess

import agent_world
from agent_world import PIN, check, descendants, until

OK, FUNCTION_FAILED, DEVICE_ERROR, REJECTED = "0x00000000", "0x00000006", "0x00000030", "0x00000200"
SANITIZED = bool(os.environ.get("PINWARD_SANITIZE"))
LANDLOCK = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset: the version

FREE = {"read-system", "write-state", "thread", "socket-log"}  # whatever the sandbox
SOCKETS = {"socket-unix", "connect-unix"}
FILES = {"write-home", "remove-home", "read-listener"}  # what Landlock is for


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def limits(pid):
    """Name: (soft, hard) as written."""
    rows = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()[1:]
    return {row[:26].strip(): tuple(row[26:].split()[:2]) for row in rows}


def protection(world):
    (line,) = [line for line in world.control("status") if line.startswith("protection ")]
    return set(line.split()[1:])


def doctor(world):
    done = subprocess.run([os.environ["PINWARD_TOOL"], "doctor", "--json"], env=world.environment(),
                          capture_output=True, text=True, timeout=60)
    return next(row for row in json.loads(done.stdout)["checks"] if row["name"] == "agent")


def hostile(world, sandbox=None):
    """The agent on the hostile module; what its attempts got."""
    world.replace(os.environ["PINWARD_SOFTHSM"], os.environ["PINWARD_HOSTILE_TOKEN"])
    world.configure("[agent]", f"writable = {world.root}/card/tokens", *([f"sandbox = {sandbox}"] if sandbox else []))
    (world.root / "home" / "kept").write_text("")
    (world.root / "state" / "pinward").mkdir(mode=0o700)
    world.start()


def attempts(world):
    found = (world.root / "state" / "pinward" / "hostile").read_text().split()
    rows = dict(zip(found[::2], map(int, found[1::2])))
    for name, number in rows.items():
        print(f"# {name}: {errno.errorcode[number] if number else 'done'}")
    return rows


# ------------------------------------------------------------------ what /proc says


def test_status_is_true(world):
    """Each word of `pinward agent status`, in the process that serves while it keeps a PIN."""
    world.start()
    world.script(f"pin {PIN}")
    client = world.client()
    client.ready()
    ((worker, _, _),) = world.connections()
    words = protection(world)
    landlock = f"landlock={LANDLOCK}" if LANDLOCK > 0 else "no-landlock"
    check(words == {"not-dumpable", "no-new-privileges", "no-core", "limits", "sandbox=strict", "seccomp", landlock}, f"{words}")
    for pid in (world.agent.pid, worker):
        check(status(pid)["NoNewPrivs"] == "1" and limits(pid)["Max core file size"] == ("0", "0"), f"{status(pid)}")
        check(os.stat(f"/proc/{pid}/environ").st_uid == 0, "not dumpable: its files in /proc are root's")
    now, most = status(worker), limits(worker)
    check((now["Seccomp"], now["Seccomp_filters"]) == ("2", "1"), f"{now}")
    check(most["Max open files"] == ("128", "128"), f"{most}")
    check(pathlib.Path(f"/proc/{worker}/oom_score_adj").read_text() == "500\n", "the first to go")
    if SANITIZED:
        return None
    check(most["Max data size"] == (str(64 << 20), str(64 << 20)), f"{most}")
    check(int(now["VmLck"].split()[0]) > 0, "the PIN is in locked memory")
    return None


def test_without_landlock_it_is_said(world):
    """On a kernel that has none: status, log and doctor say so, and all else holds."""
    world.start(preexec_fn=lacks("landlock_create_ruleset", errno.ENOSYS))
    client = world.client()
    check([client("init"), client("session")] == [OK, OK], "it serves")
    ((worker, _, _),) = world.connections()
    check({"no-landlock", "seccomp", "sandbox=strict"} <= protection(world), f"{protection(world)}")
    check(status(worker)["Seccomp_filters"] == "2", "the filter is on top of this test's own")
    check("not confined as far as they could be" in world.log(), world.log())
    check(doctor(world)["verdict"] == "note" and "Landlock" in doctor(world)["says"], f"{doctor(world)}")


def test_without_seccomp_it_does_not_serve(world):
    """A process that cannot have its filter ends before it reads anything."""
    world.start(preexec_fn=lacks("seccomp", errno.EINVAL, "prctl", 22))
    client = world.client()
    check(client("init") != OK, "it serves without a filter")
    until(lambda: "cannot protect itself (seccomp)" in world.log(), world.log())


def lacks(name, answer, second=None, first_argument=0):
    """For preexec_fn: a kernel without the call, for the agent and what it starts; nor, of the second, with that argument."""
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p

    class Compare(ctypes.Structure):
        _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]

    def install():
        action = ctypes.c_uint32(0x00050000 | answer)  # SCMP_ACT_ERRNO
        context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(0x7fff0000)))  # SCMP_ACT_ALLOW
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        assert seccomp.seccomp_rule_add_array(context, action, number, 0, None) == 0
        if second:
            number = seccomp.seccomp_syscall_resolve_name(second.encode())
            equal = Compare(0, 4, first_argument, 0)  # SCMP_CMP_EQ
            assert seccomp.seccomp_rule_add_array(context, action, number, 1, ctypes.byref(equal)) == 0
        assert seccomp.seccomp_load(context) == 0
    return install


# ------------------------------------------------------------------ what a hostile module gets


def check_attempts(world, free):
    rows = attempts(world)
    if LANDLOCK <= 0:
        free = free | FILES
    check({name for name, number in rows.items() if number == 0} == free, f"{rows}")
    check(all(number in (errno.EPERM, errno.EACCES) for name, number in rows.items() if name not in free), f"{rows}")
    check((world.root / "home" / "kept").exists() == ("remove-home" not in free), "the user's file")


def test_hostile_module_is_confined(world):
    """It does what a token's module needs, nothing else; and the token behind it signs."""
    hostile(world)
    world.script(f"pin {PIN}")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the token does not sign")
    check_attempts(world, FREE)


def test_sockets_and_network_are_allowed_by_name(world):
    hostile(world, "sockets")
    client = world.client()
    check(client("init") == OK, "it serves")
    check_attempts(world, FREE | SOCKETS)
    world.stop()
    world.replace("sandbox = sockets", "sandbox = network")
    world.start()
    client = world.client()
    check(client("init") == OK, "it serves")
    check_attempts(world, FREE | SOCKETS | {"socket-internet"})


def test_switched_off_it_confines_nothing(world):
    """What shows that the attempts are real; status, log and doctor say that it is off."""
    hostile(world, "off")
    client = world.client()
    check(client("init") == OK, "it serves")
    rows = attempts(world)
    refused = {name for name, number in rows.items() if number}
    # As another process of the same user: the agent is not dumpable, and what can be is the machine's to say.
    check(refused <= {"read-listener", "limit", "namespace"}, f"{rows}")
    check(protection(world) == {"not-dumpable", "no-new-privileges", "no-core", "limits", "sandbox=off"}, f"{protection(world)}")
    check("not confined as far as they could be" in world.log(), world.log())
    check(doctor(world)["verdict"] == "note" and "switched off" in doctor(world)["says"], f"{doctor(world)}")


def test_deadly_calls_end_the_process(world):
    """Its own, and no other: another program signs meanwhile."""
    hostile(world)
    world.script(f"pin {PIN}")
    other = world.client()
    other.ready()
    deadly = ["execve", "ptrace", "other-memory"] + (["x32"] if os.uname().machine == "x86_64" else [])
    for name in deadly:
        (world.root / "state" / "deadly").write_text(name)
        client = world.client()
        answer = client("init")
        check(answer != OK, f"{name}: C_Initialize answers {answer}")
        until(lambda: len(world.connections()) == 1, "its process is left")
        print(f"# {name}: its process was ended")
    check(world.log().count(f"was ended by signal {signal.SIGSYS}") == len(deadly), world.log())
    check(other("sign") == OK, "the other program's process is not touched")


# ------------------------------------------------------------------ pinentry


def test_pinentry_is_the_configurations(world):
    """Started by the agent's first process, without the filter; never by the one that serves."""
    world.start()
    world.script(f"pin {PIN}", "hang")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    ((worker, _, _),) = world.connections()
    client.ask("sign")
    until(lambda: len(world.windows()) == 2, "no window")
    check(descendants(worker) == set(), "the process that serves has a child")
    (pinentry,) = descendants(world.agent.pid) - {worker}
    program = os.readlink(f"/proc/{pinentry}/exe")
    check(program == os.path.realpath(os.environ["PINWARD_SCRIPTED_PINENTRY"]), program)
    check(status(pinentry)["Seccomp"] == "0", "pinentry is filtered")
    check(re.search(r"^[0-9]+ \(scripted-pinent\)", pathlib.Path(f"/proc/{pinentry}/stat").read_text()), "its name")
    descriptors = os.listdir(f"/proc/{pinentry}/fd")
    check({"0", "1", "2"} <= set(descriptors), f"{descriptors}")


def test_pinentry_ends_with_the_agent(world):
    """kill -9 of the agent while it asks."""
    world.start()
    world.script(f"pin {PIN}", "hang")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    client.ask("sign")
    until(lambda: len(world.windows()) == 2, "no window")
    left = descendants(world.agent.pid)
    check(len(left) == 2, f"{left}")
    world.agent.kill()
    world.agent.communicate()
    answer = client.answer()  # pinentry, the question and the connection end at the same moment: whichever is first
    check(answer in (DEVICE_ERROR, FUNCTION_FAILED, REJECTED), f"it answers {answer}")
    until(lambda: client("session") == DEVICE_ERROR, "the connection is left")
    until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in left), f"{left} are left")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    agent_world.run_all(TESTS, "pinward-agent-")
