"""Sends the progress of streaming queries to `lakeproof export spark`.

    spark.streams.addListener(ProgressListener("http://lakeproof:9000/v1/spark/progress", app))

It never harms a query: Spark's listener bus only puts a message into a bounded
queue, out of which the oldest falls when it is full. A thread of its own sends,
with a second's patience; a receiver that is away is tried again, one that
refuses a message has lost it. What was dropped is counted, and said with the
next message.
"""

import json
import logging
import queue
import threading
import urllib.error
import urllib.request

try:
    from pyspark.sql.streaming import StreamingQueryListener
except ImportError:  # all but Spark's side of it works without Spark
    StreamingQueryListener = object

log = logging.getLogger("progress")


class ProgressListener(StreamingQueryListener):
    def __init__(self, url, app, token="", size=200, timeout=1.0):
        self.url, self.app, self.timeout = url, app, timeout
        self.headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
        self.waiting, self.stop, self.away = queue.Queue(size), threading.Event(), False
        self.fallen, self.refused = 0, 0  # messages dropped: each is written by one thread only
        self.thread = threading.Thread(target=self.run, name="progress-listener", daemon=True)
        self.thread.start()

    def onQueryStarted(self, event):
        self.offer("started", lambda: {"id": str(event.id), "run_id": str(event.runId), "name": event.name or ""})

    def onQueryProgress(self, event):
        self.offer("progress", dict, lambda: event.progress.json)

    def onQueryIdle(self, event):
        self.offer("idle", lambda: {"id": str(event.id), "run_id": str(event.runId)})

    def onQueryTerminated(self, event):
        self.offer("terminated", lambda: {"id": str(event.id), "run_id": str(event.runId)})

    def offer(self, event, fields, progress=lambda: "null"):
        """Puts a message into the queue and returns at once, whatever happens."""
        try:
            message = (json.dumps({"app": self.app, "event": event, **fields()}), progress())
            while True:
                try:
                    return self.waiting.put_nowait(message)
                except queue.Full:
                    self.fall()
        except Exception as error:
            log.debug("an event was not taken: %s", error)

    def fall(self):
        try:
            self.waiting.get_nowait()
            self.fallen += 1
        except queue.Empty:
            pass  # it was sent in the meantime

    def run(self):
        while not (self.stop.is_set() and self.waiting.empty()):
            try:
                message = self.waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            while not self.send(message):
                if self.stop.wait(1.0):
                    return
                if self.waiting.full():  # this one is the oldest
                    self.refused += 1
                    break

    def send(self, message) -> bool:
        """Sends a message; False when it is worth another attempt."""
        head, progress = message  # progress is JSON as Spark wrote it
        body = f'{head[:-1]}, "dropped": {self.fallen + self.refused}, "progress": {progress}}}'.encode()
        try:
            request = urllib.request.Request(self.url, body, self.headers, method="POST")
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                answer.read(1024)
        except urllib.error.HTTPError as error:
            error.close()
            self.refused += 1
            self.tell(f"a message was refused: {error}")
        except OSError as error:
            self.tell(f"nobody answers: {error}")
            return False
        except Exception as error:  # an address that is none
            self.refused += 1
            self.tell(f"a message cannot be sent: {error}")
        else:
            self.away = False
        return True

    def tell(self, text):
        """Logs the first of a row of failures."""
        if not self.away:
            log.warning("progress is not delivered to %s: %s", self.url, text)
        self.away = True

    def close(self, timeout=2.0):
        """Sends what waits, for so long at most, and ends the thread."""
        self.stop.set()
        self.thread.join(timeout)
