"""routes: the ways from a program to the token of the bench: SoftHSM2 itself, Pinward, and what others offer. Each says what
it needs, and starts what serves it.
"""
import os
import subprocess

from stage import ROOT, SOFTHSM, Cannot, library

CAML_CRUSH_CONF = """\
netplex {{
  controller {{ max_level = "err"; socket_directory = "{folder}/netplex"; logging {{ type = "stderr"; }}; }};
  service {{
    name = "PKCS#11 Filtering Proxy";
    conn_limit = 1;
    protocol {{ name = "rpc_pkcs11"; address {{ type = "local"; path = "{socket}"; }}; }};
    processor {{ type = "rpc_pkcs11"; filter_config = "{folder}/filter.conf"; use_ssl = false; }};
    workload_manager {{
      type = "dynamic"; max_jobs_per_thread = 1; min_free_jobs_capacity = 1; max_free_jobs_capacity = 1; max_threads = 100;
    }};
  }};
}}
"""

CAML_CRUSH_FILTER = """\
debug = 0
modules = [("softhsm", "{softhsm}")]
log_subchannel = filter
"""


def needed(path, package):
    if not path:
        raise Cannot(f"{package} is not installed")
    return path


def pkcs11_spy(_place, _folder):
    module = needed(library("{multiarch}/pkcs11-spy.so", "{multiarch}/pkcs11/pkcs11-spy.so"), "opensc-pkcs11")
    return module, {"PKCS11SPY": SOFTHSM, "PKCS11SPY_OUTPUT": "/dev/null"}


def p11_kit_proxy(place, folder):
    """With SoftHSM2 alone, by the user's own configuration. p11-kit does not read root's own, so root becomes nobody special."""
    module = needed(library("{multiarch}/p11-kit-proxy.so"), "p11-kit-modules")
    modules = folder / ".config" / "pkcs11" / "modules"
    modules.mkdir(parents=True)
    (modules.parent / "pkcs11.conf").write_text("user-config: only\n")
    (modules / "softhsm2.module").write_text(f"module: {SOFTHSM}\n")
    before = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []
    if before and subprocess.run([*before, "true"], capture_output=True).returncode != 0:
        raise Cannot("p11-kit does not read root's own configuration, and this machine allows no other user here")
    return module, {}, before


def p11_kit_server(place, folder):
    client = needed(library("{multiarch}/pkcs11/p11-kit-client.so"), "p11-kit-modules")
    program = needed(library("/usr/bin/p11-kit"), "p11-kit")
    socket = place.sockets / f"{folder.name}-p11-kit"
    words = [program, "server", "--foreground", "--name", str(socket), "--provider", SOFTHSM, "pkcs11:"]
    place.serve(words, place.environment(folder), socket.exists, folder / "p11-kit.log")
    return client, {"P11_KIT_SERVER_ADDRESS": f"unix:path={socket}"}


def caml_crush(place, folder):
    client = needed(library("{multiarch}/caml-crush/libp11clientunix.so"), "caml-crush-clients")
    program = needed(library("/usr/bin/pkcs11proxyd", f"{ROOT}/build/caml-crush/usr/bin/pkcs11proxyd"), "caml-crush-server")
    home = folder / "caml-crush"
    (home / "netplex").mkdir(parents=True)
    socket = place.sockets / f"{folder.name}-caml-crush"
    (home / "server.conf").write_text(CAML_CRUSH_CONF.format(folder=home, socket=socket))
    (home / "filter.conf").write_text(CAML_CRUSH_FILTER.format(softhsm=SOFTHSM))
    words = [program, "-fg", "-conf", str(home / "server.conf")]
    place.serve(words, place.environment(folder), socket.exists, folder / "caml-crush.log")
    return client, {"PKCS11PROXY_SOCKET_PATH": str(socket), "PKCS11PROXY_LIBNAME": "softhsm"}


def pinward_agent(place, folder):
    client = needed(library("{multiarch}/pkcs11/p11-kit-client.so"), "p11-kit-modules")
    socket = place.sockets / f"{folder.name}-agent"
    control = place.sockets / f"{folder.name}-agent.control"
    place.serve([place.agent, "--socket", str(socket)], place.environment(folder), control.exists, folder / "agent.log")
    return client, {"P11_KIT_SERVER_ADDRESS": f"unix:path={socket}"}


# What is measured beside SoftHSM2 itself and Pinward, which run in one process and share the token's state.
OTHERS = {
    "pkcs11-spy": pkcs11_spy,
    "p11-kit proxy": p11_kit_proxy,
    "p11-kit server": p11_kit_server,
    "Caml Crush": caml_crush,
    "pinward-agent": pinward_agent,
}
DIRECT = "SoftHSM2"
PINWARD = "Pinward"
NAMES = [DIRECT, PINWARD, *OTHERS]


def open_other(place, folder, name):
    """The module of that way, and the environment and the words before its own that a program needs to go it. Cannot says why
    not."""
    module, more, *before = OTHERS[name](place, folder)
    return os.path.realpath(module), place.environment(folder, **more), before[0] if before else []
