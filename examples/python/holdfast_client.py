"""A client of Holdfast in Python: one session, exactly-once commands, server requests, queries, subscriptions.

Needs grpcio, protobuf and msgpack, and `session_pb2.py`, which protoc makes of proto/holdfast/v1/session.proto (README.md).
"""

import os
import threading
import time

import grpc
import msgpack

import frames
import session_pb2

CONNECT = "/holdfast.v1.SessionService/Connect"
CHANNEL = 1
RETRY_S = 0.1
# A stream on which nothing was heard for so long, although something was asked, is given up.
SILENCE_S = 2.0


class Lost(Exception):
    """The session is no more, or was never opened; its text is the code."""


class Unknown(Exception):
    """No answer within the time that the call had: the command may have been executed, or may still be."""


def encode(value):
    return msgpack.packb(value, use_bin_type=True)


def decode(data):
    return msgpack.unpackb(data, raw=False, strict_map_key=True)


class Session:
    """A session that outlives connections: whatever has no answer is sent again, under its id, until it has one.

    `on_request(type, payload)` is called for each server request, in order; an exception in it leaves the request
    unacknowledged, and it comes again later. It must not wait for a command of its own session. Call `close()` at the end.
    """

    def __init__(self, endpoints, principal, on_request=lambda type, payload: None, timeout_ms=30_000):
        self.endpoints = list(endpoints)
        self.principal = principal
        self.on_request = on_request
        self.timeout_ms = timeout_ms
        self.secret = os.urandom(32)
        self.changed = threading.Condition()
        self.lost = None
        self.closed = False
        # The session's numbers, and the epoch that the next attach replaces.
        self.id = None
        self.epoch = 0
        self.valid_until = None
        self.nonce = None
        self.attached = False
        self.next_request = 1
        self.pending = {}
        self.answers = {}
        self.queries = {}
        self.next_query = 1
        # Those that go on, by the id of the copy that was sent last: what comes under an earlier id is of another connection.
        self.subscriptions = {}
        self.waiting_subscriptions = []
        self.next_subscription = 1
        self.received = 0
        self.outgoing = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def execute(self, machine, command, value, timeout_s=10.0):
        """Executes a command exactly once; a dict: `kind` ok with `value`, rejected or notExecuted with `code` and `details`.

        Raises Unknown when there is no answer in time, and Lost when the session is no more.
        """
        with self.changed:
            request_id = self.next_request
            self.next_request += 1
            self.pending[request_id] = (machine, command, encode(value))
            if self.attached:
                self._send([self._request(request_id)])
            # Without an answer it stays pending: the session sends it again, and the floor does not pass it.
            if not self.changed.wait_for(lambda: request_id in self.answers or self.lost, timeout_s):
                raise Unknown("DEADLINE")
            if request_id not in self.answers:
                raise Unknown(self.lost)
            answer = self.answers.pop(request_id)
            if answer["kind"] == "unknown":
                raise Unknown(answer["code"])
            return answer

    def query(self, machine, query, value, consistency="linearizable", timeout_s=10.0):
        """Asks a query; a dict: `kind` ok with `value` and `index`, rejected or refused with `code`."""
        with self.changed:
            number = self.next_query
            self.next_query += 1
            message = dict(kind="query", channel=0, correlationId=number, consistency=consistency, incarnation=0,
                           minIndex=0, machine=machine, query=query, input=encode(value))
            self.queries[number] = (message, None)
            self._send([message])
            self.changed.wait_for(lambda: self.queries[number][1] or self.lost, timeout_s)
            answer = self.queries.pop(number)[1]
            return answer or {"kind": "refused", "code": self.lost or "DEADLINE"}

    def subscribe(self, machine, query, value, on_change, on_end=lambda code: None):
        """Calls `on_change(value, index, compacted)` with a query's answer now, and with every other one after it.

        `compacted`: answers before this one may have been left out. `on_end(code)` is the last call, if it ends otherwise than by
        `close()` of what is returned. Both are called as `on_request` is.
        """
        with self.changed:
            subscription = Subscription(self, machine, query, encode(value), on_change, on_end)
            if self.lost is not None:
                on_end(self.lost)
            elif self.attached:
                self._subscribe(subscription)
            else:
                self.waiting_subscriptions.append(subscription)
            return subscription

    def close(self, timeout_s=5.0):
        """Ends the session at the server as well."""
        with self.changed:
            self.closed = True
            if self.attached:
                self._send([dict(kind="close", channel=CHANNEL)])
                self.changed.wait_for(lambda: self.lost, timeout_s)
            self.lost = self.lost or "SESSION_CLOSED"
            if self.outgoing is not None:
                self.outgoing.end()

    # Everything below runs on the session's own thread, or holds `changed`.

    def _run(self):
        at = 0
        wanted = None
        while self.lost is None:
            address = wanted or self.endpoints[at % len(self.endpoints)]
            at += 1
            wanted = None
            with grpc.insecure_channel(address) as channel:
                call = channel.stream_stream(
                    CONNECT,
                    request_serializer=session_pb2.Frame.SerializeToString,
                    response_deserializer=session_pb2.Frame.FromString,
                )
                outgoing = Outgoing()
                try:
                    wanted = self._talk(call(outgoing), outgoing)
                except grpc.RpcError:
                    pass
                finally:
                    outgoing.end()
                    with self.changed:
                        self.attached = False
                        self.outgoing = None
                        self.waiting_subscriptions += self.subscriptions.values()
                        self.subscriptions = {}
            if wanted is None and self.lost is None:
                time.sleep(RETRY_S)
        for subscription in self.waiting_subscriptions:
            subscription.on_end(self.lost)

    def _talk(self, stream, outgoing):
        """Until the stream ends, or another node leads: then its address, where it is known."""
        watch = threading.Thread(target=self._watch, args=(stream, outgoing), daemon=True)
        watch.start()
        for frame in stream:
            outgoing.heard_at = time.monotonic()
            for packed in frame.packed:
                for message in frames.read_frame(packed, frames.DOWN):
                    with self.changed:
                        wanted = self._hear(message, outgoing)
                        self.changed.notify_all()
                    if wanted is not None or self.lost is not None:
                        stream.cancel()
                        return wanted or None
        return None

    def _watch(self, stream, outgoing):
        """Gives up a silent stream, and tells the server that this client lives."""
        while not outgoing.ended.wait(min(SILENCE_S / 2, self.timeout_ms / 3000)):
            if time.monotonic() - outgoing.heard_at > SILENCE_S:
                stream.cancel()
                return
            with self.changed:
                outgoing.put([dict(kind="ping", channel=CHANNEL if self.attached else 0)])

    def _hear(self, message, outgoing):
        kind = message["kind"]
        if kind == "greeting":
            return self._greeted(message, outgoing)
        if kind == "leaderChanged":
            # A leader that names itself hands over; until another one is known, this one answers.
            return None if message["leader"] == outgoing.node else message["leaderAddress"]
        if kind == "opened":
            self.id = {name: message[name] for name in ("group", "incarnation", "index")}
            self._attach()
        elif kind == "attached":
            self._now_attached(message)
        elif kind == "response":
            self._answered(message["requestId"], message["answer"])
        elif kind == "serverRequest":
            self._handle(message)
        elif kind == "queryResult":
            self._query_answered(message)
        elif kind == "change":
            self._changed(message)
        elif kind == "subscriptionEnded":
            self._subscription_ended(message)
        elif kind == "refused":
            return self._refused(message)
        elif kind == "ended":
            self.lost = "SESSION_EXPIRED" if message["reason"] == "expired" else "SESSION_CLOSED"
        elif kind in ("closed", "superseded"):
            self.lost = "SESSION_CLOSED" if kind == "closed" else "SUPERSEDED"
        return None

    def _greeted(self, greeting, outgoing):
        if greeting["leader"] != greeting["node"]:
            return greeting["leaderAddress"]
        outgoing.node = greeting["node"]
        self.outgoing = outgoing
        if self.id is None:
            if self.valid_until is None:
                self.valid_until = greeting["now"] + 120_000
            self._send([dict(kind="open", channel=CHANNEL, secret=self.secret, principal=self.principal, roles=[],
                             capabilities=encode({}), name="python", timeoutMs=self.timeout_ms,
                             validUntil=self.valid_until, ordered=False)])
        else:
            self._attach()
        self._send([message for message, answer in self.queries.values() if answer is None])
        return None

    def _attach(self):
        # The nonce stays until an attach is answered: a copy of one whose answer was lost is no second attach.
        if self.nonce is None:
            self.nonce = os.urandom(16)
        self._send([dict(kind="attach", channel=CHANNEL, **self.id, secret=self.secret, replaces=self.epoch,
                         nonce=self.nonce)])

    def _now_attached(self, message):
        self.attached = True
        self.epoch = message["epoch"]
        self.nonce = None
        self.next_request = max(self.next_request, message["nextRequestId"])
        waiting, self.waiting_subscriptions = self.waiting_subscriptions, []
        for subscription in waiting:
            self._subscribe(subscription)
        self._send([self._request(request_id) for request_id in sorted(self.pending)])

    def _request(self, request_id):
        machine, command, value = self.pending[request_id]
        return dict(kind="request", channel=CHANNEL, requestId=request_id, lowestPendingRequestId=min(self.pending),
                    ackServerRequests=self.received, machine=machine, command=command, input=value)

    def _answered(self, request_id, answer):
        if request_id not in self.pending:
            return
        code = answer.get("code")
        if answer["kind"] == "unknown" or code in RETRIED:
            # Nobody knows, or not here, or not now: the same id again is never a second execution.
            threading.Timer(RETRY_S, self._again, [request_id]).start()
            return
        del self.pending[request_id]
        if answer["kind"] == "refused":
            answer["kind"] = "unknown" if code in UNTOLD else "notExecuted"
        for name in ("value", "details"):
            if name in answer:
                answer[name] = decode(answer[name])
        self.answers[request_id] = answer

    def _again(self, request_id):
        with self.changed:
            if request_id in self.pending and self.attached:
                self._send([self._request(request_id)])

    def _handle(self, message):
        if message["previousId"] > self.received or message["serverRequestId"] <= self.received:
            return
        try:
            self.on_request(message["type"], decode(message["payload"]))
        except Exception as error:
            print(f"a server request could not be handled and comes again: {error}")
            return
        self.received = message["serverRequestId"]
        self._send([dict(kind="ack", channel=CHANNEL, serverRequestId=self.received)])

    def _query_answered(self, message):
        number = message["correlationId"]
        if number not in self.queries:
            return
        answer = message["answer"]
        if answer.get("code") in RETRIED:
            said = self.queries[number][0]
            threading.Timer(RETRY_S, self._ask_again, [number, said]).start()
            return
        for name in ("value", "details"):
            if name in answer:
                answer[name] = decode(answer[name])
        answer["index"] = message["index"]
        self.queries[number] = (self.queries[number][0], answer)

    def _ask_again(self, number, said):
        with self.changed:
            if number in self.queries:
                self._send([said])

    def _subscribe(self, subscription):
        """Subscribes on this connection, from the last index that was heard."""
        if subscription.closed:
            return
        subscription.number = self.next_subscription
        subscription.resumes = subscription.index > 0
        self.next_subscription += 1
        self.subscriptions[subscription.number] = subscription
        incarnation = self.id["incarnation"] if subscription.resumes else 0
        self._send([dict(kind="subscribe", channel=CHANNEL, subscriptionId=subscription.number, incarnation=incarnation,
                         minIndex=subscription.index, machine=subscription.machine, query=subscription.query,
                         input=subscription.input)])

    def _changed(self, message):
        subscription = self.subscriptions.get(message["subscriptionId"])
        if subscription is None:
            return
        # The first one after a reconnect stands for all that was missed; where it is the last one again, the next change does.
        subscription.compacted |= message["compacted"] or subscription.resumes
        subscription.resumes = False
        subscription.index = message["index"]
        if message["value"] == subscription.value:
            return
        subscription.value = message["value"]
        compacted, subscription.compacted = subscription.compacted, False
        subscription.on_change(decode(message["value"]), message["index"], compacted)

    def _subscription_ended(self, message):
        subscription = self.subscriptions.pop(message["subscriptionId"], None)
        if subscription is None:
            return
        code = message["code"]
        if message["reason"] == "refused" and code in RETRIED and code != "OVERLOADED":
            self.waiting_subscriptions.append(subscription)
            threading.Timer(RETRY_S, self._subscribe_again, [subscription]).start()
            return
        subscription.on_end(code)

    def _subscribe_again(self, subscription):
        with self.changed:
            if self.attached and subscription in self.waiting_subscriptions:
                self.waiting_subscriptions.remove(subscription)
                self._subscribe(subscription)

    def _refused(self, message):
        subject, code = message["subject"], message["code"]
        if code in RETRIED:
            return "" if subject in ("open", "attach") else None
        if subject in ("open", "attach"):
            self.lost = code
        return None

    def _send(self, messages):
        if self.outgoing is not None and messages:
            self.outgoing.put(messages)


# The refusals that say: not here, or not now (docs/design/wire.md §6; `holdfast explain CODE`).
RETRIED = {
    "NOT_LEADER", "LEADER_LOST", "OVERLOADED", "NO_QUORUM", "STORAGE_STALLED", "APPLY_BEHIND", "SHUTTING_DOWN",
    "HALTED", "TRANSFERRING", "MACHINE_NOT_ACTIVE", "VERSION_CHANGED", "WINDOW_EXCEEDED", "RESPONSE_BACKLOG",
    "NOT_ATTACHED", "OUT_OF_ORDER", "READ_UNCONFIRMED", "BEHIND", "TOO_MANY_SESSIONS", "DISK_FULL",
}
# Of these refusals an earlier copy may have been executed.
UNTOLD = {"RESPONSE_EVICTED", "SESSION_EXPIRED", "SESSION_UNKNOWN", "FENCED"}


class Subscription:
    """A query that goes on (`Session.subscribe`)."""

    def __init__(self, session, machine, query, data, on_change, on_end):
        self.session = session
        self.machine, self.query, self.input = machine, query, data
        self.on_change, self.on_end = on_change, on_end
        # Of the copy that was sent last; 0: none was.
        self.number = 0
        # What was heard last, and at which index.
        self.value, self.index = None, 0
        self.resumes = self.compacted = self.closed = False

    def close(self):
        """Ends it; nothing more is heard."""
        session = self.session
        with session.changed:
            self.closed = True
            if self in session.waiting_subscriptions:
                session.waiting_subscriptions.remove(self)
            if session.subscriptions.pop(self.number, None) is not None:
                session._send([dict(kind="unsubscribe", channel=CHANNEL, subscriptionId=self.number)])


class Outgoing:
    """What this side says on one stream: an iterator that grpc reads from a thread of its own."""

    def __init__(self):
        self.waiting = []
        self.filled = threading.Condition()
        self.ended = threading.Event()
        self.heard_at = time.monotonic()
        self.node = None

    def put(self, messages):
        with self.filled:
            self.waiting += messages
            self.filled.notify()

    def end(self):
        self.ended.set()
        with self.filled:
            self.filled.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self.filled:
            self.filled.wait_for(lambda: self.waiting or self.ended.is_set())
            if not self.waiting:
                raise StopIteration
            said, self.waiting = self.waiting, []
        return session_pb2.Frame(packed=[frames.write_frame(said, frames.UP)])
