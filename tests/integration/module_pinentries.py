#!/usr/bin/env python3
"""The module with Debian's own pinentries, a PIN typed into each: in a terminal, and on a display where there is one."""
import pty

from pinentry_stage import *

ENGLISH_WORDS = {"login": "A program wants to log in to your token.", "sign": "A program wants to SIGN with your key.",
                 "wrong": "The PIN was wrong.", "tries": "Tries left until the PIN is locked: 9", "label": "PIN:",
                 "key": f"Key: {LABEL}", "token": "Token: card"}
CHINESE_WORDS = {"login": "有程式要登入您的載具。", "sign": "有程式要用您的金鑰【簽章】。", "wrong": "PIN 碼錯誤。",
                 "tries": "PIN 碼鎖定前剩餘的機會：9 次", "label": "PIN 碼:", "key": f"金鑰：{LABEL}", "token": "載具：card"}


def in_terminal(stage, pinentry, env, words, buttons):
    """A login with a wrong PIN and the right one, and a signature."""
    need(pinentry)
    stage.configure(shutil.which(pinentry))
    stage.terminal(stage.host("login", "key", LABEL, "sign"), env)
    screen = stage.wait_screen(words["login"], words["label"], words["token"], *buttons)
    check(words["label"] + ":" not in screen, f"two colons:\n{screen}")
    stage.type(WRONG)
    screen = stage.wait_screen(words["wrong"], words["tries"], words["label"], *buttons)
    stage.type(PIN)
    screen = stage.wait_screen(words["sign"], words["key"], "SHA-256", *buttons)
    check(PIN not in screen and WRONG not in screen, f"a PIN shows:\n{screen}")
    stage.type(PIN)
    screen = stage.wait_screen("sign 0x")
    check("sign 0x00000000" in screen, screen)


def tty(stage):
    in_terminal(stage, "pinentry-tty", ENGLISH, ENGLISH_WORDS, [])


def tty_in_chinese(stage):
    in_terminal(stage, "pinentry-tty", CHINESE, CHINESE_WORDS, [])


def curses(stage):
    in_terminal(stage, "pinentry-curses", ENGLISH, ENGLISH_WORDS, ["<OK>", "<Cancel>"])


def curses_in_chinese(stage):
    in_terminal(stage, "pinentry-curses", CHINESE, CHINESE_WORDS, ["<確定(O)>", "<取消(C)>"])


def new_pin(stage, pinentry):
    """Typed twice; one that is too easy to guess is explained, and asked for again."""
    need(pinentry)
    stage.configure(shutil.which(pinentry))
    stage.terminal(stage.host("set-pin"), ENGLISH)
    stage.wait_screen("Enter the present one.")
    stage.type(PIN)
    for chosen, then in (("222222", "The PIN repeats itself."), ("Linden-84", "set-pin 0x00000000")):
        stage.wait_screen("New PIN:", "It needs 6 characters or more.")
        stage.type(chosen)
        stage.wait_screen("New PIN again:")
        stage.type(chosen)
        screen = stage.wait_screen(then)
        check(chosen not in screen, f"the PIN shows:\n{screen}")


def new_pin_tty(stage):
    new_pin(stage, "pinentry-tty")


def new_pin_curses(stage):
    new_pin(stage, "pinentry-curses")


def longest_question_fits(stage):
    """Everything as long as it can be, on the smallest usual terminal."""
    need("pinentry-curses")
    stage.configure(shutil.which("pinentry-curses"))
    label = "a long label of a key, " * 5
    deep = stage.root / ("folder-" * 9)
    deep.mkdir()
    shutil.copy(os.environ["PINWARD_PINENTRY_HOST"], deep / "a-program-with-a-long-name")
    stage.terminal([str(deep / "a-program-with-a-long-name"), *stage.host("login", "key", label, "sign")[1:]], ENGLISH)
    stage.wait_screen(ENGLISH_WORDS["login"], "<OK>")
    stage.type(WRONG)
    stage.wait_screen(ENGLISH_WORDS["wrong"])
    stage.type(PIN)
    stage.wait_screen(ENGLISH_WORDS["sign"], "Key: a long label", "SHA-256", "Program:", "(process", "Command:", "<Cancel>")
    stage.type(WRONG)
    stage.wait_screen(ENGLISH_WORDS["wrong"], ENGLISH_WORDS["sign"], ENGLISH_WORDS["tries"], "(process", "<Cancel>")
    stage.type(PIN)
    stage.wait_screen("sign 0x00000000")


def too_small_a_terminal(stage):
    need("pinentry-curses")
    stage.configure(shutil.which("pinentry-curses"))
    stage.terminal(stage.host("login"), ENGLISH, rows=8)
    stage.wait_screen("login 0x00000006")
    check("the terminal is too small for the question" in stage.log(), stage.log())


def controlling_terminal(stage):
    """A host whose input and output are files is still asked for in the terminal that it runs in."""
    need("pinentry-curses")
    stage.configure(shutil.which("pinentry-curses"))
    out = stage.root / "out"
    stage.terminal([*stage.host("login"), "</dev/null", f">{out}", "2>&1"], ENGLISH)
    stage.wait_screen(ENGLISH_WORDS["login"], "<OK>")
    stage.type(PIN)
    wait_for(lambda: "login 0x00000000" in out.read_text(), "the login")


def nowhere_to_ask(stage):
    """Neither terminal nor display: a failure at once, with a line that says why; nothing is taken for a PIN."""
    pinentries = [name for name in ("tty", "curses", "gtk-2", "qt", "gnome3") if shutil.which(f"pinentry-{name}")]
    if not pinentries:
        raise Skip("no pinentry is installed")
    for name in pinentries:
        stage.configure(shutil.which(f"pinentry-{name}"))
        (stage.root / "pinward.log").unlink(missing_ok=True)
        start = time.monotonic()
        out = stage.run_host("login", env={**ENGLISH, "GPG_TTY": "/dev/null", "TERM": "xterm"})
        check("login 0x00000006" in out, f"{name}: {out}")
        check("has neither a display nor a terminal" in stage.log(), f"{name}: {stage.log()}")
        check(time.monotonic() - start < 10, f"{name} took its time")


def where_and_how_is_told(stage):
    """Owner, terminal, display and locale reach pinentry as options."""
    stage.configure(os.environ["PINWARD_SCRIPTED_PINENTRY"])
    (stage.root / "pinentry" / "script").write_text("cancel\n")
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    env = {**stage.env, "TERM": "vt220", "DISPLAY": ":93", "LC_CTYPE": "C.UTF-8", "LC_MESSAGES": "zh_TW.UTF-8"}
    host = stage.start(stage.host("login"), env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    host.wait(timeout=30)
    os.close(master)
    asked = (stage.root / "pinentry" / "log").read_text()
    for option in (f"ttyname={name} ", "ttytype=vt220 ", "display=:93 ", "lc-ctype=C.UTF-8 ", "lc-messages=zh_TW.UTF-8 ",
                   f"owner={host.pid}/{os.getuid()} {os.uname().nodename}"):
        check(option in asked, f"{option} is not in {asked}")


def on_display(stage, pinentry, session=()):
    """The same with windows, which must be on the screen as a whole."""
    need(pinentry, "Xvfb", "xdotool", *session[:1])
    stage.configure(shutil.which(pinentry))
    reader, writer = os.pipe()
    stage.start(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"],
                pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as told:
        env = {**stage.env, **CHINESE, "DISPLAY": f":{told.readline().strip()}"}

    def xdotool(*arguments):
        return subprocess.run(["xdotool", *arguments], env=env, capture_output=True, text=True).stdout

    def window():
        """Where the only window is, once it stands: one that is about to go takes no keys."""
        names = xdotool("search", "--onlyvisible", "--name", "Pinward").split()
        time.sleep(0.4)
        if len(names) != 1 or xdotool("search", "--onlyvisible", "--name", "Pinward").split() != names:
            return None
        lines = xdotool("getwindowgeometry", "--shell", names[0]).splitlines()
        geometry = {name: int(value) for name, value in (line.split("=") for line in lines)}
        return geometry if "HEIGHT" in geometry else None

    def answer(pin):
        at = wait_for(window, "a window")
        check(at["X"] >= 0 and at["Y"] >= 0 and at["X"] + at["WIDTH"] <= 1024 and at["Y"] + at["HEIGHT"] <= 768,
              f"outside the screen: {at}")
        xdotool("type", pin)
        xdotool("key", "Return")

    out = stage.root / "out"
    label = "a long label of a key, " * 5
    host = stage.start([*session, *stage.host("login", "key", label, "sign")], env=env, stdin=subprocess.DEVNULL,
                       stdout=out.open("w"), stderr=subprocess.DEVNULL, start_new_session=True)
    answer(WRONG)
    wait_for(lambda: "wrong PIN" in stage.log(), "the wrong PIN")
    answer(PIN)
    wait_for(lambda: "login: allowed" in stage.log(), "the login")
    answer(PIN)
    host.wait(timeout=30)
    check("sign 0x00000000" in out.read_text(), out.read_text())


def gtk2(stage):
    on_display(stage, "pinentry-gtk-2")


def qt(stage):
    on_display(stage, "pinentry-qt")


def gnome3(stage):
    """Its windows are those of gcr, over the session's bus."""
    if not os.path.exists("/usr/libexec/gcr-prompter"):
        raise Skip("gcr is not installed")
    on_display(stage, "pinentry-gnome3", ("dbus-run-session", "--"))


run([tty, tty_in_chinese, curses, curses_in_chinese, new_pin_tty, new_pin_curses, longest_question_fits, too_small_a_terminal, controlling_terminal,
     nowhere_to_ask, where_and_how_is_told, gtk2, qt, gnome3])
