#!/usr/bin/env python3
"""The tool with [token] isolated = yes: whose the keys' uses are, what is said where there is no agent, what p11-kit's protocol
does not carry, and what becomes of a run whose agent is killed. That all else is as without an agent, the other tests of the
tool say, run a second time (ctest -L isolated-all, and isolated.tool_story)."""
from tool_interrupted import NOTHING_BEGUN, check_ended
from tool_pfx import EXPORT, PFX_PASSWORD, enroll, target
from tool_pfx_import import check_imported
from tool_token import INIT, tokens
from tool_world import *


def uses(world):
    """The ledger's lines about keys."""
    path = world.root / "state" / "pinward" / "ledger.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["operation"] in ("sign", "decrypt")]


def libraries(pid):
    return set(re.findall(r"/([^/\n]+)\.so[.0-9]*$", pathlib.Path(f"/proc/{pid}/maps").read_text(), re.M))


def one_entry_through_the_agent(world):
    """The batch is the connection's; the uses are the tool's; gate and token are in the agent's process, not the tool's."""
    world.login()
    world.apply()
    asked = world.asked()
    world.activate()
    check(world.asked() == asked + 2, "one PIN and one password")
    check([each["how"] for each in uses(world)[-2:]] == ["batch", "batch"], uses(world))
    check({each["program"] for each in uses(world)} == {os.path.realpath(os.environ["PINWARD_TOOL"])}, uses(world))
    world.tool("log", "verify")

    (world.pinentry / "script").write_text("hang\n")
    tool = subprocess.Popen([os.environ["PINWARD_TOOL"], "policy", "explain"], env=world.env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: world.asked() == asked + 3, "it waits for its user")
        found = libraries(tool.pid)
        check("pinward-client" in found and not found & {"pinward-pkcs11", "libsofthsm2"}, found)
    finally:
        tool.kill()
        tool.wait()


one_entry_through_the_agent.world = {"isolated": True}


def seen_by_an_ordinary_user(world):
    """The tool lets nobody look into it, the agent neither: it is unknown, and its command line is shown."""
    world.stop_agent()
    world.be_without_privileges()
    world.start_agent()
    world.login()
    world.apply()
    window = (world.pinentry / "log").read_text().rpartition("  DESC ")[2].splitlines()[0]
    check("%0AProgram: unknown (process " in window and "%0ACommand: " in window, window)
    check({each["program"] for each in uses(world)} == {"?"}, uses(world))


seen_by_an_ordinary_user.world = {"isolated": True}


def agent_that_is_not_there(world):
    world.login()
    terms = world.terms_version()
    world.stop_agent()
    world.tool("apply", "--name", "me", "--accept-terms", terms, "--yes", expect=STATE, says="No pinward-agent runs at ")
    world.tool("token", "list", expect=STATE, says="No pinward-agent runs at ")
    check(world.count("Private Key") == 0, "there are keys")
    world.start_agent()
    world.apply()


agent_that_is_not_there.world = {"isolated": True}


def agent_that_is_killed(world):
    """With everything that it started, while it asks for the PIN; the same command goes on once there is another."""
    world.login()
    terms = world.terms_version()
    asked = world.asked()
    (world.pinentry / "script").write_text("hang\n")
    tool = subprocess.Popen([os.environ["PINWARD_TOOL"], "apply", "--name", "me", "--accept-terms", terms, "--yes"],
                            env=world.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: world.asked() == asked + 1, "the PIN is asked for")
    world.agent.kill()
    world.agent.communicate(timeout=20)
    out, err = tool.communicate(timeout=60)
    # What it learns first: that its question was withdrawn, or that the connection is gone.
    check((tool.returncode == TOKEN and "run the same command again" in err) or
          (tool.returncode == CANCELLED and "nothing was done" in err), f"{tool.returncode}\n{out}{err}")
    world.start_agent()
    world.apply()
    world.activate()
    check(world.count("Private Key") == 2, world.objects())


agent_that_is_killed.world = {"isolated": True}


def interrupted_at_the_window(world):
    """The window is the agent's; with the tool it goes."""
    world.login()
    terms = world.terms_version()
    asked = world.asked()
    (world.pinentry / "script").write_text("hang\n")
    tool = subprocess.Popen([os.environ["PINWARD_TOOL"], "apply", "--name", "me", "--accept-terms", terms, "--yes"],
                            env=world.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: world.asked() == asked + 1, "the PIN is asked for")
    tool.send_signal(signal.SIGINT)
    check_ended(tool, NOTHING_BEGUN, "apply at its window")
    until(lambda: "No program is connected" in world.tool("agent", "status"), "the agent's process goes too")
    world.apply()


interrupted_at_the_window.world = {"isolated": True}


def keys_that_leave_and_come(world):
    """They leave without the agent only, which is said before anybody is asked for anything; they come through it too."""
    enroll(world, "--exportable")
    asked = world.asked()
    world.tool("backup", "--folder", target(world, "backup"), expect=STATE, says="Run the same command with isolated = no")
    check(world.asked() == asked, "it asked")
    world.configure(export="ask", isolated=False)
    world.tool("backup", "--folder", target(world, "backup"), answers=EXPORT)
    world.new_token("spare")
    world.configure(token="spare")
    world.tool("restore", "--folder", target(world, "backup"), answers=[f"pin {PFX_PASSWORD}", f"pin {PIN}"])
    check_imported(world)


keys_that_leave_and_come.world = {"isolated": True}


def elliptic_curves(world):
    """Their encryption key would derive, which the protocol has no words for: learnt before there are keys."""
    world.login()
    world.apply(expect=STATE, says="Decrypting with an EC key cannot be done through pinward-agent")
    check(world.count("Private Key") == 0, world.objects())


elliptic_curves.world = {"isolated": True, "key_profile": "ec-p256"}


def new_token(world):
    """Its label comes through, which p11-kit's own client loses behind a PIN that the module asks for."""
    world.tool("token", "init", "--label", "another", answers=INIT)
    check(tokens(world) == {"card": "ready", "another": "ready", "": "blank"}, tokens(world))


new_token.world = {"isolated": True}


if __name__ == "__main__":
    run([one_entry_through_the_agent, seen_by_an_ordinary_user, agent_that_is_not_there, agent_that_is_killed,
         interrupted_at_the_window, keys_that_leave_and_come, elliptic_curves, new_token])
