"""Session frames of Holdfast, as docs/format.md lays them out: bytes to messages and back, without any dependency.

A message is a dict with its `kind`; texts are str, bytes are bytes, numbers are int, flags are bool.
"""

VERSION = 1
NUMBER_MAX = 2**53 - 1


class FrameError(Exception):
    """Bytes that are no frame, or a message that cannot be written."""


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise FrameError("the frame ends within a field")
        self.at += count
        return self.data[self.at - count : self.at]

    def u8(self):
        return self.take(1)[0]

    def number(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        if value > NUMBER_MAX or (byte == 0 and shift > 0):
            raise FrameError("a number is too large, or longer than it needs to be")
        return value


def write_number(out, value):
    if not 0 <= value <= NUMBER_MAX:
        raise FrameError(f"{value} is no number of a frame")
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


# A field is a pair: how to read one, and how to write one.
def _read_text(reader):
    return bytes(reader.take(reader.number())).decode("utf-8")


def _write_text(out, value):
    _write_bytes(out, value.encode("utf-8"))


def _read_bytes(reader):
    return bytes(reader.take(reader.number()))


def _write_bytes(out, value):
    write_number(out, len(value))
    out += value


def _read_flag(reader):
    byte = reader.u8()
    if byte > 1:
        raise FrameError("a flag is 0 or 1")
    return byte == 1


def _write_flag(out, value):
    out.append(1 if value else 0)


def _read_texts(reader):
    return [_read_text(reader) for _ in range(reader.number())]


def _write_texts(out, values):
    write_number(out, len(values))
    for value in values:
        _write_text(out, value)


def one_of(*names):
    """A byte that stands for a name: the first for `names[0]`; None where a byte means nothing."""

    def read(reader):
        byte = reader.u8()
        if byte >= len(names) or names[byte] is None:
            raise FrameError(f"{byte} means nothing here")
        return names[byte]

    return read, lambda out, value: out.append(names.index(value))


NUMBER = (Reader.number, write_number)
TEXT = (_read_text, _write_text)
BYTES = (_read_bytes, _write_bytes)
FLAG = (_read_flag, _write_flag)
TEXTS = (_read_texts, _write_texts)

REPLAYED, INVALID_ACK = 1, 2


def _read_flags(reader, answer):
    flags = reader.u8()
    answer["replayed"] = bool(flags & REPLAYED)
    answer["invalidAck"] = bool(flags & INVALID_ACK)


def _read_answer(reader):
    kind = one_of(None, "ok", "rejected", "refused", "notExecuted", "unknown")[0](reader)
    answer = {"kind": kind}
    if kind in ("ok", "rejected", "refused"):
        answer["index"] = reader.number()
    if kind in ("ok", "rejected"):
        _read_flags(reader, answer)
    if kind == "ok":
        answer["value"] = _read_bytes(reader)
        return answer
    answer["code"] = _read_text(reader)
    if kind != "unknown":
        answer["details"] = _read_bytes(reader)
    return answer


def _write_answer(out, answer):
    kind = answer["kind"]
    one_of(None, "ok", "rejected", "refused", "notExecuted", "unknown")[1](out, kind)
    if kind in ("ok", "rejected", "refused"):
        write_number(out, answer["index"])
    if kind in ("ok", "rejected"):
        out.append(REPLAYED * answer["replayed"] + INVALID_ACK * answer["invalidAck"])
    if kind == "ok":
        return _write_bytes(out, answer["value"])
    _write_text(out, answer["code"])
    if kind != "unknown":
        _write_bytes(out, answer["details"])


def _read_query_answer(reader):
    kind = one_of(None, "ok", "rejected", "refused")[0](reader)
    if kind == "ok":
        return {"kind": kind, "value": _read_bytes(reader)}
    return {"kind": kind, "code": _read_text(reader), "details": _read_bytes(reader)}


def _write_query_answer(out, answer):
    kind = answer["kind"]
    one_of(None, "ok", "rejected", "refused")[1](out, kind)
    if kind == "ok":
        return _write_bytes(out, answer["value"])
    _write_text(out, answer["code"])
    _write_bytes(out, answer["details"])


ANSWER = (_read_answer, _write_answer)
QUERY_ANSWER = (_read_query_answer, _write_query_answer)
CONSISTENCY = one_of("linearizable", "sequential", "stale")
ENDED = one_of(None, "expired", "closed")
UNSUBSCRIBED = one_of("rejected", "refused")
SUBJECT = one_of("open", "attach", "ack", "ping", "close")

QUERY = dict(channel=NUMBER, correlationId=NUMBER, consistency=CONSISTENCY, incarnation=NUMBER, minIndex=NUMBER,
             machine=TEXT, query=TEXT, input=BYTES)

# What a client says; every message begins with its channel. A kind's number is its place in the list, from 1.
UP = [
    ("open", dict(channel=NUMBER, secret=BYTES, principal=TEXT, roles=TEXTS, capabilities=BYTES, name=TEXT,
                  timeoutMs=NUMBER, validUntil=NUMBER, ordered=FLAG)),
    ("attach", dict(channel=NUMBER, group=NUMBER, incarnation=NUMBER, index=NUMBER, secret=BYTES, replaces=NUMBER,
                    nonce=BYTES)),
    ("request", dict(channel=NUMBER, requestId=NUMBER, lowestPendingRequestId=NUMBER, ackServerRequests=NUMBER,
                     machine=TEXT, command=TEXT, input=BYTES)),
    ("ack", dict(channel=NUMBER, serverRequestId=NUMBER)),
    ("ping", dict(channel=NUMBER)),
    ("query", QUERY),
    ("close", dict(channel=NUMBER)),
    ("subscribe", dict(channel=NUMBER, subscriptionId=NUMBER, incarnation=NUMBER, minIndex=NUMBER, machine=TEXT,
                       query=TEXT, input=BYTES)),
    ("unsubscribe", dict(channel=NUMBER, subscriptionId=NUMBER)),
    ("boundQuery", QUERY),
]

# What a server says.
DOWN = [
    ("greeting", dict(clusterId=TEXT, group=NUMBER, incarnation=NUMBER, node=TEXT, leader=TEXT, leaderAddress=TEXT,
                      now=NUMBER, commandBytesMax=NUMBER, windowRequests=NUMBER, credit=NUMBER)),
    ("opened", dict(channel=NUMBER, group=NUMBER, incarnation=NUMBER, index=NUMBER, existing=FLAG)),
    ("attached", dict(channel=NUMBER, epoch=NUMBER, nextRequestId=NUMBER, acknowledged=NUMBER, timeoutMs=NUMBER)),
    ("response", dict(channel=NUMBER, requestId=NUMBER, answer=ANSWER)),
    ("serverRequest", dict(channel=NUMBER, serverRequestId=NUMBER, previousId=NUMBER, attempt=NUMBER, index=NUMBER,
                           now=NUMBER, type=TEXT, payload=BYTES)),
    ("acknowledged", dict(channel=NUMBER, upTo=NUMBER)),
    ("pong", dict(channel=NUMBER)),
    ("queryResult", dict(correlationId=NUMBER, index=NUMBER, incarnation=NUMBER, answer=QUERY_ANSWER)),
    ("closed", dict(channel=NUMBER)),
    ("ended", dict(channel=NUMBER, reason=ENDED)),
    ("superseded", dict(channel=NUMBER)),
    ("refused", dict(channel=NUMBER, subject=SUBJECT, code=TEXT, details=BYTES)),
    ("leaderChanged", dict(leader=TEXT, leaderAddress=TEXT)),
    ("failed", dict(code=TEXT, message=TEXT)),
    ("change", dict(subscriptionId=NUMBER, index=NUMBER, compacted=FLAG, value=BYTES)),
    ("subscriptionEnded", dict(subscriptionId=NUMBER, reason=UNSUBSCRIBED, code=TEXT, details=BYTES)),
]


def read_frame(data, messages):
    """The messages of one frame; `messages` is UP or DOWN."""
    reader = Reader(data)
    if reader.u8() != VERSION:
        raise FrameError("a frame of another version")
    found = []
    while reader.at < len(data):
        number = reader.u8()
        if not 1 <= number <= len(messages):
            raise FrameError(f"there is no message of kind {number}")
        kind, fields = messages[number - 1]
        message = {"kind": kind}
        for name, (read, _write) in fields.items():
            message[name] = read(reader)
        found.append(message)
    return found


def write_frame(said, messages):
    """One frame that holds these messages."""
    out = bytearray([VERSION])
    kinds = [kind for kind, _fields in messages]
    for message in said:
        number = kinds.index(message["kind"])
        out.append(number + 1)
        for name, (_read, write) in messages[number][1].items():
            write(out, message[name])
    return bytes(out)
