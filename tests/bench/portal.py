"""portal: the reference portal with 100 to 100,000 certificates in its store: applications a second, what single requests
take, and for each of its queries how SQLite runs it and in how many steps.

The portal's queries are noted by query_notes.c while people use it: one account goes through everything that the tool and
the registration authority can do, the same at each size. A query whose steps do not change does not grow with the table.
"""
import collections
import json
import os
import re
import sqlite3
import subprocess
import time

import portal_load
import stage
from apply_renew import ISSUED_DAYS, LOGIN, PASSWORD, PIN, World, use_build
from figures import median, rate, summary
from portal_store import Store

SIZES = (100, 1000, 10000, 100000)
DAY_S = 86400
CONNECTIONS = 4
REQUESTS = (("GET /certificates (of one account)", "/certificates"), ("GET /applications (of one account)", "/applications"),
            ("GET /certificates/SERIAL", "/certificates/{serial}"))
SEED = "seed"


def now_s(days):
    return int(time.time() + days * DAY_S)


class Portal:
    """A portal with its world, and what a measurement needs of it."""

    def __init__(self, place, world):
        self.place, self.world = place, world
        self.store = Store(world.data)
        self.notes = world.root / "queries"
        world.enroll(SEED)
        with self.store as store:
            self.seed_cookie = store.session(SEED, now_s(ISSUED_DAYS))
            self.serial = store.row("SELECT serial FROM certificate WHERE account = ?", SEED)["serial"]
        connection = self.connection()
        self.terms = json.loads(connection.must(200, "GET", "/terms", cookie=self.seed_cookie))
        subject = json.loads(connection.must(200, "GET", "/registration", cookie=self.seed_cookie))["subject_dn"]
        connection.close()
        count = 4 if place.settings.quick else 48
        self.requests = place.run(place.program("requests"), str(count), subject, env=world.env).split()

    def connection(self):
        return portal_load.Connection(self.world.url, self.world.data / "root.pem")

    def restart(self, noting):
        """The portal anew, with its queries noted or not; the registration authority's programs likewise."""
        self.world.stop_portal()
        for name in ("LD_PRELOAD", "PINWARD_BENCH_QUERIES"):
            self.world.env.pop(name, None)
        if noting:
            self.world.env["LD_PRELOAD"] = str(stage.built() / "tests" / "bench" / "query-notes.so")
            self.world.env["PINWARD_BENCH_QUERIES"] = str(self.notes)
        self.world.start_portal()
        self.world.configure()  # it has another port now

    def rates(self):
        """Applications a second, round by round."""
        with self.store as store:
            cookies = list(store.applicants(SEED, len(self.requests), now_s(ISSUED_DAYS)).values())
        connections = [self.connection() for _ in range(CONNECTIONS)]
        figures = []
        for _ in range(1 if self.place.settings.quick else max(4, round(6 * self.place.settings.seconds))):
            figures.append(portal_load.apply_all(connections, cookies, self.requests, self.terms))
            with self.store as store:
                store.forget_applications()
        for connection in connections:
            connection.close()
        with self.store as store:
            store.forget_applicants()
        return figures[1:] or figures  # the first also opens the connections

    def request_times(self):
        """Milliseconds of each of a few requests."""
        connection = self.connection()
        with self.store as store:
            cookie = store.session(SEED, now_s(ISSUED_DAYS))
        times = {}
        for label, path in REQUESTS:
            took = portal_load.seconds_of(connection, 2 if self.place.settings.quick else 41, "GET",
                                          path.format(serial=self.serial), cookie=cookie)
            times[label] = median(took[1:]) * 1000
        connection.close()
        return times

    def noted(self, size):
        """One person's and the registration authority's whole story; every query's runs, steps and nanoseconds."""
        self.notes.unlink(missing_ok=True)
        self.restart(True)
        story(self.world, f"story{size}")
        self.connection_story()
        self.world.stop_portal()
        noted = collections.defaultdict(lambda: [0, 0, 0])
        for line in self.notes.read_text().split("\n"):
            if line:
                *numbers, sql = line.split("\t", 3)
                for index, number in enumerate(numbers):
                    noted[sql][index] += int(number)
        self.restart(False)
        return noted

    def connection_story(self):
        """What needs no account."""
        connection = self.connection()
        for path in ("/time", "/ca", "/crl", "/password-policy"):
            connection.must(200, "GET", path)
        connection.send("POST", "/ocsp", body=ocsp_request(self.world, self.serial), kind="application/ocsp-request")
        connection.close()


def ocsp_request(world, serial):
    path = world.root / "ocsp.der"
    subprocess.run(["openssl", "ocsp", "-issuer", world.data / "issuing.pem", "-serial", f"0x{serial}", "-reqout", path, "-no_nonce"],
                   check=True, capture_output=True)
    return path.read_bytes()


def story(world, account):
    """All that a person can do with the tool, and the registration authority with its program."""
    sheet = world.admin("register", "--common-name", account, "--country", "TW", "--email", "a@example.org",
                        "--registration-number", "R", "--account", account, "--pending", "--json")
    world.admin("approve", account)
    world.tool("login", "--account", account, answers=[f"pin {PIN}"], expect=LOGIN)  # a wrong password
    world.login(account, json.loads(sheet)["first_password"])
    world.apply(name=account)
    world.activate()
    serials = [c["serial"] for c in world.status()["certificates"]]
    world.set_clock(0)
    world.tool("login", "--account", account, answers=[f"pin {PASSWORD}"])
    world.tool("renew", "--name", f"{account}-2", "--accept-terms", world.terms_version(), "--yes",
               answers=[f"pin {PIN}", f"pin {PASSWORD}"])
    world.tool("download", "--certificate", "signing")
    world.tool("suspend", "--certificate", "all", "--yes", answers=[f"pin {PASSWORD}"])
    world.admin("resume", serials[0])
    world.admin("suspend", serials[0])
    world.admin("revoke", serials[0])
    for kind in ("accounts", "applications", "certificates"):
        world.admin("list", kind, "--json")
    world.admin("unlock", account)
    world.tool("logout")
    world.admin("reset-password", account, "--json")
    world.set_clock(ISSUED_DAYS)


def plan_of(db, sql):
    """How SQLite says that it will run it, in one line."""
    try:
        return "; ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN " + sql, [None] * sql.count("?")))
    except (sqlite3.OperationalError, sqlite3.ProgrammingError):
        return "; ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN " + re.sub(r"\?\d*", "NULL", sql)))


def plan_text(plan):
    """Its searches and scans, each once."""
    parts = [part for part in plan.split("; ") if "SUBQUERY" not in part]
    return "; ".join(dict.fromkeys(parts)) or "no search"


def is_query(sql):
    return re.match(r"(SELECT|INSERT|UPDATE|DELETE)\b", sql) is not None


def query_rows(world, noted):
    """A row for each query: what it is, its plan, and its steps and time at each size."""
    db = sqlite3.connect(world.data / "portal.db")
    sizes = list(noted)
    rows = []
    for sql in sorted({sql for each in noted.values() for sql in each if is_query(sql)}):
        row = {"sql": sql, "plan": plan_of(db, sql), "runs": [], "steps": [], "us": []}
        for size in sizes:
            runs, steps, took_ns = noted[size].get(sql, (0, 0, 0))
            row["runs"].append(runs)
            row["steps"].append(steps / runs if runs else None)
            row["us"].append(took_ns / runs / 1000 if runs else None)
        known = [steps for steps in row["steps"] if steps is not None]
        row["grows"] = known[-1] > 2 * known[0] + 50
        rows.append(row)
    db.close()
    return rows


def short(sql):
    """What the query is about: its verb and table, and what it asks for."""
    text = re.sub(r"\s+", " ", sql)
    kind = re.match(r"(SELECT)|(INSERT|DELETE|UPDATE)", text)[0]
    # The outermost FROM: those of the columns' own queries stand in brackets.
    bare = text
    while re.search(r"\([^()]*\)", bare):
        bare = re.sub(r"\([^()]*\)", "", bare)
    where = bare[bare.index(" FROM "):] if kind == "SELECT" and " FROM " in bare else bare[len(kind):]
    return (kind + where)[:110]


def measure_sizes(portal, sizes):
    figures, noted = {}, {}
    for size in sizes:
        with portal.store as store:
            store.fill(SEED, size)
            count = store.certificates()
        portal.restart(False)
        figures[size] = {"certificates": count, "rates": portal.rates(), "requests": portal.request_times()}
        noted[size] = portal.noted(size)
        stage.say(f"  {count:,} certificates: {median(figures[size]['rates']):.0f} applications a second")
    return figures, noted


def render(figures, rows):
    sizes = list(figures)
    columns = ["", *(f"{size:,}" for size in sizes)]
    growth = [["applications a second", *(rate(median(figures[s]["rates"])) for s in sizes)]]
    for label, _ in REQUESTS:
        growth.append([f"{label}, ms", *(f"{figures[s]['requests'][label]:.2f}" for s in sizes)])
    queries = [[short(row["sql"]), plan_text(row["plan"]), *("-" if step is None else f"{step:,.0f}" for step in row["steps"]),
                *("-" if us is None else f"{us:,.0f}" for us in (row["us"][0], row["us"][-1]))] for row in rows]
    return {
        "portal": {"title": f"The portal, with so many certificates in its store ({CONNECTIONS} connections)", "columns": columns,
                   "rows": growth},
        "queries": {"document_only": True, "title": "Its queries: plan, steps of SQLite's machine for one run at each size, and microseconds at the ends",
                    "columns": ["query", "plan", *(f"{size:,}" for size in sizes), f"µs at {sizes[0]:,}", f"µs at {sizes[-1]:,}"],
                    "rows": queries}}


def measure(place):
    before = os.getcwd()
    use_build(place.work / "portal")
    world = World(offset_days=ISSUED_DAYS)
    sizes = SIZES[:1] if place.settings.quick else SIZES
    try:
        portal = Portal(place, world)
        figures, noted = measure_sizes(portal, sizes)
        rows = query_rows(world, noted)
    finally:
        world.close()
        os.chdir(before)
    first, last = (summary(figures[size]["rates"]) for size in (sizes[0], sizes[-1]))
    grows = [short(row["sql"]) for row in rows if row["grows"]]
    return {"figures": figures, "queries": rows, "tables": render(figures, rows), "verdicts": [
        f"With {sizes[-1]:,} certificates the portal takes {last['median'] / first['median']:.2f} of the applications a second that "
        f"it takes with {sizes[0]:,} ({last['median']:.0f} and {first['median']:.0f}).",
        f"{len(rows)} queries were noted; {len(rows) - len(grows)} of them take as many steps with {sizes[-1]:,} certificates as with "
        f"{sizes[0]:,}" + (f"; {len(grows)} grow: " + "; ".join(f"`{each}`" for each in grows) if grows else "") + "."]}
