"""pinward-agent as a service: a user of its own has tokens, counters and ledgers, several users use theirs, and each is asked
in a session of their own."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import agent_world
import service_world
from agent_world import PIN, check, until
from service_world import HUA, MING, SERVICE, STRANGER, mode_of, sees_programs

OK, FAILED, CANCELED = "0x00000000", "0x00000006", "0x00000050"
PIN_INCORRECT, PIN_LOCKED = "0x000000a0", "0x000000a4"


def uids_of(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("Uid:"):
            return {int(number) for number in line.split()[1:]}
    return set()


def rights_of(pid):
    """What is left of root's: permitted, effective, inheritable and ambient."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return {name: int(value, 16) for name, value in
            (line.split(":\t") for line in status.splitlines() if line.startswith("Cap"))}


# ------------------------------------------------------------------ users


def test_user_signs_and_is_asked_in_own_session(world):
    """The window opens where the user's prompter runs, the ledger is the service's, and names user and program."""
    check(world.start() == f"P11_KIT_SERVER_ADDRESS=unix:path={world.socket}\n", "the address is not said")
    ming, hua = world.user(MING), world.user(HUA)
    hua.prompter(), ming.prompter()
    ming.script(f"pin {PIN}", f"pin {PIN}", "cancel")
    client = ming.client()
    client.ready()
    check([client("sign"), client("sign"), client("sign")] == [OK, OK, CANCELED], "signs as it is told")
    check(len(ming.windows()) == 3 and hua.windows() == [], f"{ming.windows()} {hua.windows()}")
    check(f"(process {client.pid})" in ming.windows()[0], ming.windows()[0])
    ledger = world.ledger_of(MING)
    check({(line["uid"], line["pid"]) for line in ledger} == {(MING, client.pid)}, f"{ledger}")
    check([(line["operation"], line["verdict"]) for line in ledger] ==
          [("login", "allowed"), ("sign", "allowed"), ("sign", "allowed"), ("sign", "denied")], f"{ledger}")
    program = os.path.realpath("/usr/bin/python3") if sees_programs() else "?"
    check({line["program"] for line in ledger} == {program}, f"{ledger}")


def test_processes_have_no_rights_of_root(world):
    """Those that read what programs send have none at all; the one that takes connections may tell programs, no more."""
    world.start()
    client = world.user(MING).client()
    check(client("init") == OK, "connects")
    served_by = [int(pid) for pid in os.listdir("/proc") if pid.isdecimal() and parent_of(pid) == world.agent.pid]
    check(served_by, "no process serves the connection")
    check(all(uids_of(pid) == {SERVICE} for pid in (world.agent.pid, *served_by)), "it is not the service's user")
    check(all(not any(rights[name] for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"))
              for rights in map(rights_of, served_by)), f"{[rights_of(pid) for pid in served_by]}")
    own = rights_of(world.agent.pid)
    check(own["CapPrm"] in (0, 1 << 19) and own["CapInh"] == own["CapAmb"] == 0, f"{own}")


def parent_of(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_users_have_tokens_and_counts_of_their_own(world):
    """Hua's wrong PINs lock Hua's token. Ming's has the same serial number here, and is untouched."""
    world.start(tokens=(MING, HUA))
    ming, hua = world.user(MING), world.user(HUA)
    hua.prompter()
    hua.script("ok")  # to the last try
    first = hua.client()
    check([first("init"), first("session")] == [OK, OK], "connects")
    answers = [first(f"login wrong-{number}") for number in range(11)]
    check(answers == [PIN_INCORRECT] * 10 + [PIN_LOCKED], f"{answers}")
    ming.prompter()
    ming.script(f"pin {PIN}")
    client = ming.client()
    client.ready()
    check(client("sign") == OK, "Ming's token is locked")
    check({line["uid"] for line in world.ledger_of(HUA)} == {HUA}, f"{world.ledger_of(HUA)}")
    check({line["uid"] for line in world.ledger_of(MING)} == {MING}, f"{world.ledger_of(MING)}")


def test_user_without_a_token_sees_no_other(world):
    world.start(tokens=(MING,))
    client = world.user(HUA).client()
    check(client("init") == OK, "connects")
    check(client("session") != OK, "Hua has a session on a token, and no token")
    check(mode_of(world.var / str(HUA)) == 0o700 and (world.var / str(HUA)).stat().st_uid == SERVICE, "the folder's mode")


def test_user_with_settings_of_their_own(world):
    """users/NAME.conf beside the service's file; the other users' stay as they are."""
    folder = world.root / "users"
    folder.mkdir()
    (folder / f"{MING}.conf").write_text(world.conf.read_text().replace("[log]", "prompt = application\n[log]"))
    world.start(tokens=(MING, HUA))
    client = world.user(MING).client()
    check([client("init"), client("session"), client(f"login {PIN}")] == [OK, OK, OK], "logs in")
    check(client("sign") == "0x00000101", "Ming's own settings leave the PIN to the program")
    other = world.user(HUA)
    other.prompter()
    other.script("cancel")
    client = other.client()
    check([client("init"), client("session"), client(f"login {PIN}"), client("sign")] == [OK, OK, OK, CANCELED],
          "Hua's are the service's")


def test_user_who_is_not_named_is_refused(world):
    """Neither programs nor prompters."""
    world.start()
    stranger = world.user(STRANGER)
    check(stranger.client()("init") != OK, "a stranger is served")
    until(lambda: f"another user (uid {STRANGER})" in world.log(), "the log does not say so")
    status, said = stranger.run(world.agent_program, "--prompt", "--socket", world.socket,
                                environment={"PINWARD_CONF": str(world.conf)})
    check(status == 14 and "does not serve you" in said, said)
    check(not (world.var / str(STRANGER)).exists(), "a stranger has a folder")


# ------------------------------------------------------------------ questions


def test_nobody_to_ask_is_a_refusal(world):
    world.start()
    client = world.user(MING).client()
    check([client("init"), client("session"), client(f"login {PIN}")] == [OK, OK, OK], "logs in")
    check(client("sign") == FAILED, "it is allowed")
    check("nobody puts questions in the session" in world.log(), world.log())
    check(world.ledger_of(MING)[-1]["verdict"] == "denied", f"{world.ledger_of(MING)}")


def test_yes_is_not_enough(world):
    """Level medium: any program of the user's could be the prompter that says yes. So the PIN is asked for."""
    world.start()
    ming = world.user(MING)
    ming.prompter()
    ming.script("ok", f"pin {PIN}")
    client = ming.client()
    check([client("init"), client("session"), client(f"login {PIN}")] == [OK, OK, OK], "logs in")
    check(client("sign") != OK, "a yes is enough")
    check(client("sign") == OK and "CONFIRM" not in ming.asked(), ming.asked())


test_yes_is_not_enough.options = {"lines": "level = medium\n", "always_authenticate": False}


def test_first_prompter_stays(world):
    """What a program of the user's starts later does not take its place, and is told so."""
    world.start()
    ming = world.user(MING)
    first = ming.prompter()
    status, said = ming.run(world.agent_program, "--prompt", "--socket", world.socket,
                            environment={"PINWARD_CONF": str(world.conf)})
    check(status == 17 and "Another prompter" in said, said)
    first.terminate()
    check(first.wait(timeout=agent_world.TIMEOUT_S) == 0, "the prompter does not end as it is told")
    ming.prompter()


def test_prompter_believes_the_service_only(world):
    """Hua poses as the service; Ming's prompter opens no window for that."""
    folder = world.root / "hua"
    folder.mkdir()
    os.chown(folder, HUA, HUA)
    world.conf.write_text(world.conf.read_text().replace(f"user = {SERVICE}", f"user = {HUA}"))
    hua, ming = world.user(HUA), world.user(MING)
    posing = hua.start(world.agent_program, "--service", "--socket", folder / "agent.socket",
                       environment={"PINWARD_CONF": str(world.conf)})
    try:
        check("P11_KIT_SERVER_ADDRESS" in posing.stdout.readline(), "Hua's service does not begin")
        true_conf = world.root / "true.conf"
        true_conf.write_text(world.conf.read_text().replace(f"user = {HUA}", f"user = {SERVICE}"))
        status, said = ming.run(world.agent_program, "--prompt", "--socket", folder / "agent.socket",
                                environment={"PINWARD_CONF": str(true_conf)})
        check(status == 14 and "belongs neither to root" in said, said)
    finally:
        posing.terminate()
        posing.communicate(timeout=agent_world.TIMEOUT_S)


def test_service_that_comes_back_is_found_again(world):
    """Killed, with a program connected: the program gets a clear CKR, the prompter waits and puts the next question."""
    world.start()
    ming = world.user(MING)
    ming.prompter()
    ming.script(f"pin {PIN}", f"pin {PIN}")
    client = ming.client()
    client.ready()
    world.kill()
    check(client("sign") == "0x00000030", "no CKR_DEVICE_ERROR")
    world.start()
    until(lambda: world.log().count("are put by a prompter") == 2, "the prompter does not come back")
    other = ming.client()
    other.ready()
    check(other("sign") == OK, "it does not sign")


def test_program_that_dies_takes_its_window_along(world):
    world.start()
    ming = world.user(MING)
    prompter = ming.prompter()
    ming.script("hang")
    client = ming.client()
    check([client("init"), client("session")] == [OK, OK], "connects")
    client.ask("login")
    until(lambda: len(ming.windows()) == 1, "no window")
    client.kill()
    until(lambda: not [pid for pid in os.listdir("/proc") if pid.isdecimal() and parent_of(pid) == prompter.pid],
          "the window stays")
    until(lambda: len(world.ledger_of(MING)) == 1, "no decision")
    check(world.ledger_of(MING)[0]["verdict"] == "denied", f"{world.ledger_of(MING)}")


def test_prompter_that_dies_denies(world):
    """With the question on the screen: its window goes, and nothing was agreed to."""
    world.start()
    ming = world.user(MING)
    prompter = ming.prompter()
    ming.script("hang")
    client = ming.client()
    check([client("init"), client("session")] == [OK, OK], "connects")
    client.ask("login")
    until(lambda: len(ming.windows()) == 1, "no window")
    prompter.send_signal(signal.SIGKILL)
    check(client.answer() == FAILED, "it is allowed")
    check(world.ledger_of(MING)[-1]["verdict"] == "denied", f"{world.ledger_of(MING)}")


# ------------------------------------------------------------------ where the PIN is


def holds_pin(pid):
    """Is the PIN anywhere in the memory of the process? Root asks."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            if end - start > 1 << 30:  # a sanitizer's shadow, which has no byte of the program's
                continue
            try:
                memory.seek(start)
                if line.split()[1].startswith("r") and PIN.encode() in memory.read(end - start):
                    return True
            except (OSError, OverflowError, ValueError):  # a page that nobody can read
                pass
    return False


def test_pin_passes_pinentry_only(world):
    """Of the user's processes neither program nor prompter ever has it, of the service's not the one that takes connections.
    The pinentry has it, which shows that the search finds it."""
    if not sees_programs():
        return "root may not read other processes' memory here"
    world.start()
    ming = world.user(MING)
    prompter = ming.prompter()
    ming.script(f"pin {PIN}", f"pin {PIN}", f"late 100000 {PIN}")
    client = ming.client()
    client.ready()
    check(client("sign") == OK and client("sign") == OK and len(ming.windows()) == 2, "signs, and asks once more")
    check(not any(map(holds_pin, (client.pid, prompter.pid, world.agent.pid))), "the PIN is left where it was not typed")
    client.ask("sign")
    until(lambda: pinentries_of(prompter.pid), "no window")
    (pinentry,) = pinentries_of(prompter.pid)
    until(lambda: holds_pin(pinentry), "the search finds no PIN where there is one")
    check(uids_of(pinentry) == {MING}, f"{uids_of(pinentry)}")
    without = (client.pid, prompter.pid, parent_of(pinentry), world.agent.pid)
    check(not any(holds_pin(pid) for pid in without), "the PIN is where it is not typed")
    return None


def pinentries_of(prompter):
    """Below the process that watches each."""
    pids = [int(pid) for pid in os.listdir("/proc") if pid.isdecimal()]
    watching = {pid for pid in pids if parent_of(pid) == prompter}
    return [pid for pid in pids if parent_of(pid) in watching and
            os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "scripted-pinentry"]


# ------------------------------------------------------------------ how it is started


def test_service_refuses_to_be_root(world):
    for user in ("root", "0", "no-such-user-here"):
        world.conf.write_text(world.conf.read_text().replace(f"user = {SERVICE}", f"user = {user}"))
        done = subprocess.run([world.agent_program, "--service", "--socket", world.socket], env=world.environment(),
                              capture_output=True, text=True, timeout=agent_world.TIMEOUT_S, check=False)
        check(done.returncode == 3 and "needs a user of its own" in done.stderr, done.stderr)
        world.conf.write_text(world.conf.read_text().replace(f"user = {user}", f"user = {SERVICE}"))


def test_service_serves_nobody_by_default(world):
    world.conf.write_text("\n".join(line for line in world.conf.read_text().splitlines() if "clients" not in line) + "\n")
    done = subprocess.run([world.agent_program, "--service", "--socket", world.socket], env=world.environment(),
                          capture_output=True, text=True, timeout=agent_world.TIMEOUT_S, check=False)
    check(done.returncode == 3 and "Nobody is named" in done.stderr, done.stderr)


def test_another_user_cannot_be_the_service(world):
    status, said = world.user(MING).run(world.agent_program, "--service", "--socket", world.root / "x" / "agent.socket",
                                        environment={"PINWARD_CONF": str(world.conf)})
    check(status == 3 and "start it as that user, or as root" in said, said)


def test_sockets_of_systemd(world):
    """Both are made by somebody else, here root, as systemd does; the prompter believes root, too."""
    world.start()  # makes the folders
    world.agent.terminate()
    world.agent.communicate(timeout=agent_world.TIMEOUT_S)
    sockets = []
    for kind, path in ((socket.SOCK_STREAM, world.socket), (socket.SOCK_SEQPACKET, f"{world.socket}.prompt")):
        pathlib.Path(path).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, kind)
        listening.bind(str(path))
        os.chmod(path, 0o666)
        listening.listen(8)
        sockets.append(listening)
    first, second = (listening.fileno() for listening in sockets)
    world.agent = subprocess.Popen(
        ["/bin/bash", "-c", f"exec 18<&{first} 19<&{second} 3<&18 4<&19 18<&- 19<&- && LISTEN_PID=$$ LISTEN_FDS=2 exec "
         f"{world.agent_program} --service"], env=world.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, pass_fds=(first, second), user=SERVICE, group=SERVICE, extra_groups=[])
    check(world.agent.stdout.readline() == f"P11_KIT_SERVER_ADDRESS=unix:path={world.socket}\n", "it does not begin")
    ming = world.user(MING)
    ming.prompter()
    ming.script(f"pin {PIN}")
    client = ming.client()
    client.ready()
    check(client("sign") == OK, "it does not sign")
    for listening in sockets:
        listening.close()


def test_units(world):
    """systemd itself reads them, and makes user and folders, in a root of the test's own."""
    if not shutil.which("systemd-analyze") or not shutil.which("systemd-sysusers"):
        return "systemd is not there"
    built, sources = pathlib.Path(os.environ["PINWARD_AGENT_UNITS"]), pathlib.Path(os.environ["PINWARD_SERVICE_SOURCES"])
    for name in ("pinward-service.service", "pinward-prompt.service"):
        text = (built / name).read_text()
        check(re.search(r"^ExecStart=/\S+/pinward-agent --(service|prompt)$", text, flags=re.M), text)
        (world.root / name).write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={world.agent_program}", text, flags=re.M)
                                       .replace("User=pinward", "User=root").replace("Group=pinward", "Group=root"))
    shutil.copy(sources / "pinward-service.socket", world.root)
    for manager, names in (("--system", ("pinward-service.socket", "pinward-service.service")),
                           ("--user", ("pinward-prompt.service",))):
        done = subprocess.run(["systemd-analyze", "verify", manager, "--man=no", *names], cwd=world.root, capture_output=True,
                              text=True, timeout=60, check=False, env={**world.environment(), "XDG_RUNTIME_DIR": str(world.root)})
        check(done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr)
    inside = world.root / "machine"
    (inside / "etc").mkdir(parents=True)
    for command, source in ((["systemd-sysusers"], "sysusers.conf"), (["systemd-tmpfiles", "--create"], "tmpfiles.conf")):
        done = subprocess.run([*command, f"--root={inside}", "-"], input=(sources / source).read_text(), capture_output=True,
                              text=True, timeout=60, check=False)
        check(done.returncode == 0, done.stdout + done.stderr)
    uid = int(re.search(r"^pinward:[^:]*:([0-9]+):", (inside / "etc" / "passwd").read_text(), flags=re.M).group(1))
    made = [(mode_of(inside / name), (inside / name).stat().st_uid) for name in ("run/pinward", "var/lib/pinward")]
    check(made == [(0o755, uid), (0o700, uid)], f"{made}")
    return None


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    service_world.run_all(TESTS, "pinward-service-")
