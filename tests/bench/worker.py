"""worker: a pinward-bench-worker process, which measures when it is told to."""
import select
import subprocess
import tempfile


class Failed(Exception):
    """What the worker said before it ended, or that it does not answer."""


class Worker:
    def __init__(self, place, env, token, objects, *modules, before=()):
        self.command = [*before, place.program("worker"), token, str(objects), *modules]
        self.env = env
        self.start()

    def start(self):
        self.errors = tempfile.TemporaryFile(mode="w+", errors="replace")  # no pipe: some modules say very much
        self.process = subprocess.Popen(self.command, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        self.answer(60)

    def answer(self, timeout):
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline().strip() if ready else ""
        if line:
            return line
        why = None if ready else f"no answer in {timeout} seconds"
        self.process.kill()
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().split("\n")[-1]
        raise Failed(why or said or f"it ended with {self.process.returncode}")

    def ask(self, *words, timeout=60):
        try:
            self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # why it ended is told below
        rate, done, waits, used_ns = self.answer(timeout).split()
        return float(rate), int(done), int(waits), int(used_ns)

    def run(self, module, operation, threads, seconds):
        """Operations a second, how many there were, how often a thread waited, and nanoseconds of processor time."""
        return self.ask("run", module, operation, threads, int(seconds * 1e9))

    def begin(self, module, times):
        """C_Initialize with C_GetSlotList, a second. The worker is good for nothing else afterwards."""
        return self.ask("begin", module, times)[0]

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdout, self.errors):
            stream.close()
