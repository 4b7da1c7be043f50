#!/usr/bin/env python3
"""cmake --install into a prefix: what is there and what is not, and that the parts find each other from there.

Environment (set by CTest): PINWARD_BUILD, PINWARD_CC, PINWARD_SANITIZE, PINWARD_PRELOAD, PINWARD_SCRIPTED_PINENTRY.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import traceback

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["PINWARD_BUILD"])
EXPECTED = {"bin/pinward", "bin/pinward-agent", "lib/systemd/user/pinward-agent.socket", "include/pinward.h",
            "lib/systemd/system/pinward-service.service", "lib/systemd/system/pinward-service.socket",
            "lib/systemd/user/pinward-prompt.service", "lib/sysusers.d/pinward.conf", "lib/tmpfiles.d/pinward.conf",
            "etc/pinward/pinward.conf", "share/p11-kit/modules/pinward.module",
            "share/locale/zh_TW/LC_MESSAGES/pinward.mo", "share/pinward/softhsm-config/softhsm2.conf.in",
            "share/doc/pinward/README.md", "share/doc/pinward/docs/README.md", "share/doc/pinward/docs/configuration.md",
            "share/doc/pinward/docs/tool-output.schema.json", "share/doc/pinward/docs/pictures/prompt.png",
            "share/man/man1/pinward.1", "share/man/man1/pinward-apply.1", "share/man/man5/pinward.conf.5",
            "share/man/man7/pinward-pkcs11.7", "share/bash-completion/completions/pinward",
            "share/zsh/vendor-completions/_pinward", "share/fish/vendor_completions.d/pinward.fish"}


class Skipped(Exception):
    """What this machine does not let a test see."""


def check(condition, why=""):
    if not condition:
        raise AssertionError(why)


class Installed:
    def __init__(self, folder):
        # Not below the build's folder, and with a blank in it: nothing may depend on either.
        self.root = pathlib.Path(folder).resolve()
        self.prefix = self.root / "a prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", self.prefix], check=True, stdout=subprocess.DEVNULL)
        self.files = {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if not path.is_dir()}
        [self.client] = self.prefix.glob("lib*/**/pkcs11/pinward-client.so")
        [self.module] = self.prefix.glob("lib*/**/pkcs11/pinward-pkcs11.so")
        (self.root / "home").mkdir()
        (self.root / "softhsm2.conf").write_text(f"directories.tokendir = {self.root}\nobjectstore.backend = file\n")
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "LC_ALL": "C.UTF-8",
                    "SOFTHSM2_CONF": str(self.root / "softhsm2.conf")}
        self.env.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})

    def tool(self, *arguments, **more):
        return subprocess.run([self.prefix / "bin" / "pinward", *arguments], env={**self.env, **more}, cwd="/",
                              capture_output=True, text=True, timeout=60)

    def findings(self):
        checks = json.loads(self.tool("doctor", "--json").stdout)["checks"]
        return {each["name"]: each for each in checks}


def files(it):
    check(EXPECTED <= it.files, EXPECTED - it.files)
    strays = [name for name in it.files if re.search(r"portal(-admin)?$|scripted|test-|\.a$|CMake|/tests/", name)]
    check(not strays, strays)
    text = b"".join((it.prefix / name).read_bytes() for name in sorted(it.files) if re.search(r"\.(pc|module|conf)$", name))
    check(str(BUILD).encode() not in text and str(SOURCE).encode() not in text and b"@" not in text, text)


def vendor_interface(it):
    """A program is compiled with what pkg-config says, and finds the module by what it says."""
    env = {**it.env, "PKG_CONFIG_PATH": str(it.module.parents[1] / "pkgconfig")}

    def pkg_config(*arguments):
        return subprocess.run(["pkg-config", *arguments], env=env, check=True, capture_output=True, text=True).stdout.strip()

    flags = pkg_config("--cflags", "pinward", "p11-kit-1")
    module = pkg_config("--variable=module", "pinward")
    check(os.path.realpath(shlex.split(module)[0]) == str(it.module), module)
    version = pkg_config("--modversion", "pinward")
    check(version in it.tool("--version").stdout, version)
    sanitize = [f"-fsanitize={os.environ['PINWARD_SANITIZE']}"] if os.environ["PINWARD_SANITIZE"] else []
    program = it.root / "vendor"
    subprocess.run([os.environ["PINWARD_CC"], "-Wall", "-Wextra", "-Werror", "-std=c11", *sanitize, *shlex.split(flags),
                    SOURCE / "tests/package/vendor.c", "-o", program], check=True)
    done = subprocess.run([program, it.module], env=env, capture_output=True, text=True, timeout=60)
    check(done.returncode == 0 and "interface 1.0" in done.stdout, done)


def parts_find_each_other(it):
    found = it.findings()
    machines = pathlib.Path("/etc/pinward/pinward.conf")
    expected = machines if machines.exists() else it.prefix / "etc/pinward/pinward.conf"
    check(found["configuration"]["says"] == str(expected), found["configuration"])
    check(found["module"]["verdict"] == "ok" and found["module"]["says"] == str(it.module), found["module"])


def a_link_to_the_program(it):
    link = it.root / "pinward-link"
    link.symlink_to(it.prefix / "bin" / "pinward")
    done = subprocess.run([link, "doctor", "--json"], env=it.env, cwd="/", capture_output=True, text=True, timeout=60)
    says = [each["says"] for each in json.loads(done.stdout)["checks"] if each["name"] == "module"]
    check(says == [str(it.module)], done)


def translations(it):
    english = it.tool("--help").stdout
    done = it.tool("--help", LANGUAGE="zh_TW")
    if done.stdout == english:  # later C libraries take C.UTF-8 for a locale without a language
        done = it.tool("--help", LANGUAGE="zh_TW", LC_ALL="en_US.UTF-8")
    check("用法" in done.stdout or re.search("[\u4e00-\u9fff]", done.stdout), done.stdout[:200])


def windows_of_the_module(it):
    """The module finds its translations from where it lies itself, in a program that has none."""
    pinentry = it.root / "pinentry"
    pinentry.mkdir()
    (pinentry / "script").write_text("pin 240817\n")
    settings = it.root / "windows.conf"
    settings.write_text(f"[module]\npinentry = {os.environ['PINWARD_SCRIPTED_PINENTRY']}\n")
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "card", "--pin", "240817", "--so-pin", "58261940"],
                   env=it.env, check=True, capture_output=True)
    env = {**it.env, "PINWARD_CONF": str(settings), "SCRIPTED_PINENTRY_DIR": str(pinentry), "LANGUAGE": "zh_TW",
           "LD_PRELOAD": os.environ["PINWARD_PRELOAD"], "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(["pkcs11-tool", "--module", it.module, "--token-label", "card", "--login", "--list-objects"], env=env,
                          cwd="/", capture_output=True, text=True, timeout=60)
    asked = (pinentry / "log").read_text(encoding="utf-8")
    check(done.returncode == 0 and "GETPIN" in asked and "載具" in asked, (done, asked))


def configuration(it):
    """A key that is uncommented in the installed file holds; the user's own file comes before it."""
    if os.path.exists("/etc/pinward/pinward.conf"):
        raise Skipped("/etc/pinward/pinward.conf comes before the installed one")
    conf = it.prefix / "etc/pinward/pinward.conf"
    text = conf.read_text()
    conf.write_text(text.replace(";level = high", "level = no-such-level"))
    done = it.tool("status")
    check(done.returncode == 3 and str(conf) in done.stderr, done)
    users = it.root / "home/.config/pinward"
    users.mkdir(parents=True)
    (users / "pinward.conf").write_text("[module]\n")
    check(it.findings()["configuration"]["says"] == str(users / "pinward.conf"))
    conf.write_text(text)


def main():
    tests = [files, vendor_interface, parts_find_each_other, a_link_to_the_program, translations, windows_of_the_module, configuration]
    failed = 0
    print(f"1..{len(tests)}")
    with tempfile.TemporaryDirectory(prefix="pinward-installed-") as folder:
        installed = Installed(folder)
        for number, test in enumerate(tests, 1):
            try:
                test(installed)
                print(f"ok {number} - {test.__name__}")
            except Skipped as why:
                print(f"ok {number} - {test.__name__} # SKIP {why}")
            except Exception:
                failed += 1
                print(f"not ok {number} - {test.__name__}")
                traceback.print_exc(file=sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
