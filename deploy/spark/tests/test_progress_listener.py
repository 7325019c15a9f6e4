"""The listener's queue and sender, against an HTTP server of this process."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import progress_listener
import pytest
from progress_listener import ProgressListener

PATIENCE = 20  # seconds until a test gives up waiting


class Receiver:
    """Keeps what is posted to it."""

    def __init__(self):
        self.bodies, self.headers, self.status, self.got, self.gate = [], [], 204, threading.Condition(), threading.Event()
        self.gate.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.gate.wait(PATIENCE)
                with receiver.got:  # before the answer: the sender goes on when it has that
                    receiver.bodies.append(body.decode())
                    receiver.headers.append(dict(self.headers))
                    receiver.got.notify_all()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/spark/progress"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def wait(self, n):
        with self.got:
            assert self.got.wait_for(lambda: len(self.bodies) >= n, PATIENCE), f"{len(self.bodies)} of {n} arrived"
            return [json.loads(b) for b in self.bodies]


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.gate.set()
    r.server.shutdown()
    r.server.server_close()


@pytest.fixture
def listen(receiver):
    listeners = []

    def start(url=receiver.url, **more):
        listeners.append(ProgressListener(url, "pay", **more))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close(0.1)


def event(batch=1, **more):
    text = json.dumps({"id": "q", "runId": "r", "batchId": batch})
    return SimpleNamespace(id="q", runId="r", name="bronze", progress=SimpleNamespace(json=text), **more)


def test_every_event_arrives_in_order_with_the_name_and_the_token(receiver, listen):
    listener = listen(token="secret")
    listener.onQueryStarted(event())
    listener.onQueryProgress(event(7))
    listener.onQueryIdle(event())
    listener.onQueryTerminated(event())
    got = receiver.wait(4)
    assert [m["event"] for m in got] == ["started", "progress", "idle", "terminated"]
    assert all(m["app"] == "pay" and m["dropped"] == 0 for m in got)
    assert got[0]["id"] == "q" and got[0]["run_id"] == "r" and got[0]["name"] == "bronze"
    assert got[1]["progress"] == {"id": "q", "runId": "r", "batchId": 7}
    assert receiver.headers[0]["Authorization"] == "Bearer secret"


def test_progress_is_sent_as_spark_wrote_it(receiver, listen):
    listener = listen()
    listener.onQueryProgress(SimpleNamespace(progress=SimpleNamespace(json='{"a":NaN,"b":-Infinity,"c":"\u20ac"}')))
    receiver.wait(1)
    assert receiver.bodies[0].endswith('"progress": {"a":NaN,"b":-Infinity,"c":"\u20ac"}}')


def test_a_receiver_that_hangs_harms_nobody_and_the_oldest_fall_out(receiver, listen):
    receiver.gate.clear()
    listener = listen(size=5, timeout=30)
    began = time.monotonic()
    for batch in range(1000):
        listener.onQueryProgress(event(batch))
    assert time.monotonic() - began < 2, "the listener bus had to wait"
    assert listener.waiting.qsize() == 5
    receiver.gate.set()
    deadline = time.monotonic() + PATIENCE
    while not receiver.bodies or json.loads(receiver.bodies[-1])["progress"]["batchId"] != 999:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    got = [json.loads(b) for b in receiver.bodies]
    assert [m["progress"]["batchId"] for m in got[-5:]] == [995, 996, 997, 998, 999]
    assert got[-1]["dropped"] == 1000 - len(got)


def test_a_receiver_that_is_away_is_tried_again(receiver, listen, monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    listener = listen(closed)
    monkeypatch.setattr(listener.stop, "wait", lambda seconds: time.sleep(0.01))
    listener.onQueryProgress(event(3))
    deadline = time.monotonic() + PATIENCE
    while not listener.away:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    listener.url = receiver.url
    assert receiver.wait(1)[0]["progress"]["batchId"] == 3
    assert listener.fallen + listener.refused == 0


def test_what_is_refused_is_lost_and_counted(receiver, listen):
    receiver.status = 400
    listener = listen()
    listener.onQueryProgress(event(1))
    receiver.wait(1)
    receiver.status = 204
    listener.onQueryProgress(event(2))
    assert [(m["progress"]["batchId"], m["dropped"]) for m in receiver.wait(2)] == [(1, 0), (2, 1)]


@pytest.mark.parametrize("url", ["", "nothing", "file:///etc/passwd", "http://[", "ftp://127.0.0.1"])
def test_an_address_that_is_none_harms_nobody(listen, url):
    listener = listen(url)
    listener.onQueryProgress(event())
    listener.close(0.5)


def test_an_event_without_what_is_expected_harms_nobody(receiver, listen):
    listener = listen()
    for method in ("onQueryStarted", "onQueryProgress", "onQueryIdle", "onQueryTerminated"):
        getattr(listener, method)(object())
    listener.onQueryProgress(event(1))
    assert receiver.wait(1)[0]["progress"]["batchId"] == 1


def test_close_sends_what_waits(receiver):
    listener = ProgressListener(receiver.url, "pay")
    for batch in range(50):
        listener.onQueryProgress(event(batch))
    listener.close(PATIENCE)
    assert len(receiver.bodies) == 50 and not listener.thread.is_alive()


def test_the_thread_does_not_keep_the_driver_alive(listen):
    assert listen().thread.daemon
    assert progress_listener.log.name == "progress"
