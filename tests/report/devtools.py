"""Chromium without a window, driven over a pipe (the DevTools protocol of --remote-debugging-pipe)."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-headless-shell")
PATIENCE = 60  # seconds until something that should have come counts as lost


class BrowserError(Exception):
    pass


def _out_of_the_way(descriptor):
    """Above those that the browser reads from and writes to, 3 and 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


class Browser:
    """Throws BrowserError when there is no browser that runs here."""

    def __init__(self):
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            raise BrowserError("no browser is installed (Debian: chromium)")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self.write_end = map(_out_of_the_way, os.pipe())
        self.read_end, theirs_out = map(_out_of_the_way, os.pipe())

        def place():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        command = [program, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
                   "--disable-background-networking", "--user-data-dir=" + self.profile.name]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        self.process = subprocess.Popen(command, preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest = b""
        self.number = 0
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def close(self):
        os.close(self.write_end)  # which ends it
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read_end)
        self.profile.cleanup()

    def _message(self, until):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read_end], [], [], max(0, until - time.monotonic()))
            more = os.read(self.read_end, 1 << 20) if ready else b""
            if not more:
                raise BrowserError("the browser ended" if ready else f"the browser was silent for {PATIENCE} s")
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        """The answer; events on the way to it are kept in self.events."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        try:
            os.write(self.write_end, json.dumps(message).encode() + b"\0")
        except BrokenPipeError as error:
            raise BrowserError("the browser ended") from error
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._message(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def wait_for(self, method):
        """The next event of this name that has not been waited for."""
        until = time.monotonic() + PATIENCE
        while True:
            for i, event in enumerate(self.events):
                if event["method"] == method and not event.get("seen"):
                    self.events[i]["seen"] = True
                    return event["params"]
            message = self._message(until)
            if "method" in message:
                self.events.append(message)

    def open(self, url):
        self.events = []
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=13 if key == "Enter" else 9,
                      text="\r" if key == "Enter" and kind == "keyDown" else "")

    def of_kind(self, method):
        return [event["params"] for event in self.events if event["method"] == method]
