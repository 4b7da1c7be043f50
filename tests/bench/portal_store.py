"""portal_store: fills the reference portal's database with certificates, and puts in it what a measurement begins with. It
writes what the portal itself would have written: every row is the copy of one that it did write, under other names.
"""
import hashlib
import os
import sqlite3
import uuid

SESSION_COOKIE = "pinward_session"


class Store:
    def __init__(self, data):
        self.path = data / "portal.db"

    def __enter__(self):
        self.db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind, *_):
        self.db.execute("COMMIT" if kind is None else "ROLLBACK")
        self.db.close()

    def row(self, sql, *values):
        return dict(self.db.execute(sql, values).fetchone())

    def insert(self, table, rows):
        names = list(rows[0])
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        self.db.executemany(sql, ([row[name] for name in names] for row in rows))

    def certificates(self):
        return self.db.execute("SELECT count(*) FROM certificate").fetchone()[0]

    def fill(self, seed, wanted):
        """Accounts with an active pair each, like that of the account seed, until there are so many certificates. Of a
        hundred pairs, one is suspended and two are revoked."""
        account = self.row("SELECT * FROM account WHERE account = ?", seed)
        application = self.row("SELECT * FROM application WHERE account = ?", seed)
        pair = [dict(r) for r in self.db.execute("SELECT * FROM certificate WHERE account = ?", (seed,))]
        begin = self.db.execute("SELECT count(*) FROM account").fetchone()[0]
        rows = {"account": [], "application": [], "certificate": [], "key": []}
        for number in range(begin, begin + max(0, wanted - self.certificates()) // 2):
            self.copy(rows, f"filled{number}", number, account, application, pair)
        for table in ("account", "application", "certificate", "key"):
            if rows[table]:
                self.insert(table, rows[table])
        self.db.execute("UPDATE crl SET change = change + 1")

    def copy(self, rows, name, number, account, application, pair):
        application_id = str(uuid.uuid4())
        state = {0: "suspended", 1: "revoked", 2: "revoked"}.get(number % 100, "active")
        rows["account"].append({**account, "account": name, "registration_number": f"R-{number}"})
        copied = {**application, "application_id": application_id, "account": name, "request_id": str(uuid.uuid4())}
        del copied["seq"]
        rows["application"].append(copied)
        for certificate in pair:
            made = {**certificate, "serial": os.urandom(16).hex(), "application_id": application_id, "account": name,
                    "state": state, "resumes_to": "active" if state == "suspended" else None,
                    "reason": {"suspended": 6, "revoked": 4}.get(state)}
            del made["seq"]
            rows["certificate"].append(made)
            rows["key"].append({"spki_sha256": os.urandom(32), "application_id": application_id})

    def applicants(self, seed, count, now_s):
        """So many approved accounts, each with a session; their cookies."""
        account = self.row("SELECT * FROM account WHERE account = ?", seed)
        names = [f"applicant{number}" for number in range(count)]
        self.insert("account", [{**account, "account": name, "password_change_required": 0} for name in names])
        return {name: self.session(name, now_s) for name in names}

    def session(self, account, now_s):
        cookie = uuid.uuid4().hex
        self.db.execute("INSERT INTO session VALUES (?, ?, ?, ?)",
                        (hashlib.sha256(cookie.encode()).digest(), account, now_s, now_s))
        return f"{SESSION_COOKIE}={cookie}"

    def forget_applications(self):
        """What the applicants have applied for, so that they can do it again with the same keys."""
        ours = "application_id IN (SELECT application_id FROM application WHERE account GLOB 'applicant*')"
        for table in ("challenge", "key", "certificate", "application"):
            self.db.execute(f"DELETE FROM {table} WHERE {ours}")

    def forget_applicants(self):
        self.forget_applications()
        self.db.execute("DELETE FROM session WHERE account GLOB 'applicant*'")
        self.db.execute("DELETE FROM account WHERE account GLOB 'applicant*'")
