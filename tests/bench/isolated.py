"""isolated: the agent beside SoftHSM2 directly, each with a token state of its own."""
from stage import SOFTHSM, Cannot, library


def measure(place):
    folder = place.work / "isolated"
    client = library("{multiarch}/pkcs11/p11-kit-client.so")
    if not client:
        raise Cannot("p11-kit-modules is not installed")
    place.store(folder)
    place.configure(folder, '[key "low"]', "level = low")
    socket = place.sockets / "agent"
    env = place.environment(folder, P11_KIT_SERVER_ADDRESS=f"unix:path={socket}")
    control = place.sockets / "agent.control"
    server = place.serve([place.agent, "--socket", str(socket)], env, control.exists, folder / "agent.log")
    seconds = 0.1 if place.settings.quick else 6 * place.settings.seconds
    said = place.run(place.program("isolated"), SOFTHSM, client, place.pinentry, str(seconds), "isolated", env=env)
    place.end(server)
    lines = [line.rsplit(None, 4) for line in said.strip().split("\n")[1:]]
    return {"tables": {"isolated": {
        "title": "Signatures a second with a key at level low, isolated",
        "columns": ["operation", "threads", "SoftHSM2 /s", "pinward-agent /s", "ratio"], "rows": lines}}}
