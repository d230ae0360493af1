// Package frames reads and writes the session frames of Holdfast as docs/format.md lays them out.
package frames

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Version of a frame.
const Version = 1

const numberMax = 1<<53 - 1

// Message is a message by the names of its fields: numbers are uint64, texts string, flags bool, bytes []byte, lists of
// texts []string, answers Message. `kind` is its kind.
type Message map[string]any

type field struct {
	name string
	read func(*reader) (any, error)
	// write panics for a value of another type, as a map of the wrong shape is a mistake of the program.
	write func(*bytes.Buffer, any)
}

type layout struct {
	kind   string
	fields []field
}

// Layouts are the messages of one direction; a kind's number is its place, from 1.
type Layouts []layout

var errShort = errors.New("the frame ends within a field")

type reader struct {
	data []byte
	at   int
}

func (r *reader) take(count uint64) ([]byte, error) {
	if count > uint64(len(r.data)-r.at) {
		return nil, errShort
	}
	from := r.at
	r.at += int(count)
	return r.data[from:r.at], nil
}

func (r *reader) u8() (byte, error) {
	taken, err := r.take(1)
	if err != nil {
		return 0, err
	}
	return taken[0], nil
}

func (r *reader) number() (uint64, error) {
	value, size := binary.Uvarint(r.data[r.at:])
	if size == 0 {
		return 0, errShort
	}
	if size < 0 || value > numberMax || (size > 1 && r.data[r.at+size-1] == 0) {
		return 0, errors.New("a number is too large, or longer than it needs to be")
	}
	r.at += size
	return value, nil
}

func (r *reader) bytes() ([]byte, error) {
	size, err := r.number()
	if err != nil {
		return nil, err
	}
	taken, err := r.take(size)
	return append([]byte{}, taken...), err
}

func (r *reader) text() (string, error) {
	taken, err := r.bytes()
	if err == nil && !utf8.Valid(taken) {
		err = errors.New("a text is no UTF-8")
	}
	return string(taken), err
}

func writeNumber(out *bytes.Buffer, value uint64) {
	var room [binary.MaxVarintLen64]byte
	out.Write(room[:binary.PutUvarint(room[:], value)])
}

func writeBytes(out *bytes.Buffer, value []byte) {
	writeNumber(out, uint64(len(value)))
	out.Write(value)
}

func number(name string) field {
	return field{name, func(r *reader) (any, error) { return r.number() },
		func(out *bytes.Buffer, value any) { writeNumber(out, value.(uint64)) }}
}

func text(name string) field {
	return field{name, func(r *reader) (any, error) { return r.text() },
		func(out *bytes.Buffer, value any) { writeBytes(out, []byte(value.(string))) }}
}

func blob(name string) field {
	return field{name, func(r *reader) (any, error) { return r.bytes() },
		func(out *bytes.Buffer, value any) { writeBytes(out, value.([]byte)) }}
}

func flag(name string) field {
	return oneOf(name, false, true)
}

func texts(name string) field {
	read := func(r *reader) (any, error) {
		count, err := r.number()
		found := []string{}
		for ; err == nil && count > 0; count-- {
			var one string
			if one, err = r.text(); err == nil {
				found = append(found, one)
			}
		}
		return found, err
	}
	return field{name, read, func(out *bytes.Buffer, value any) {
		writeNumber(out, uint64(len(value.([]string))))
		for _, one := range value.([]string) {
			writeBytes(out, []byte(one))
		}
	}}
}

// oneOf is a byte that stands for a value, the first for meanings[0]; nil where a byte means nothing.
func oneOf(name string, meanings ...any) field {
	read := func(r *reader) (any, error) {
		at, err := r.u8()
		if err != nil {
			return nil, err
		}
		if int(at) >= len(meanings) || meanings[at] == nil {
			return nil, fmt.Errorf("%d means nothing as %s", at, name)
		}
		return meanings[at], nil
	}
	return field{name, read, func(out *bytes.Buffer, value any) {
		for at, meaning := range meanings {
			if meaning == value {
				out.WriteByte(byte(at))
				return
			}
		}
		panic(fmt.Sprintf("%v is no %s", value, name))
	}}
}

// variant is a byte that says which fields follow.
func variant(name string, of ...layout) field {
	read := func(r *reader) (any, error) {
		at, err := r.u8()
		if err != nil {
			return nil, err
		}
		if at < 1 || int(at) > len(of) {
			return nil, fmt.Errorf("%d is no %s", at, name)
		}
		return readFields(r, of[at-1])
	}
	return field{name, read, func(out *bytes.Buffer, value any) { writeMessage(out, value.(Message), of) }}
}

// flags are the two bits of an answer, which become two fields.
var flags = field{"flags", func(r *reader) (any, error) {
	bits, err := r.u8()
	return bits, err
}, func(out *bytes.Buffer, value any) { out.WriteByte(value.(byte)) }}

const (
	replayed   = 1
	invalidAck = 2
)

func readFields(r *reader, of layout) (Message, error) {
	message := Message{"kind": of.kind}
	for _, field := range of.fields {
		value, err := field.read(r)
		if err != nil {
			return nil, err
		}
		if field.name == "flags" {
			bits := value.(byte)
			message["replayed"], message["invalidAck"] = bits&replayed != 0, bits&invalidAck != 0
		} else {
			message[field.name] = value
		}
	}
	return message, nil
}

func writeMessage(out *bytes.Buffer, message Message, of []layout) {
	for at, layout := range of {
		if layout.kind != message["kind"] {
			continue
		}
		out.WriteByte(byte(at + 1))
		for _, field := range layout.fields {
			if field.name == "flags" {
				var bits byte
				if message["replayed"].(bool) {
					bits |= replayed
				}
				if message["invalidAck"].(bool) {
					bits |= invalidAck
				}
				field.write(out, bits)
			} else {
				field.write(out, message[field.name])
			}
		}
		return
	}
	panic(fmt.Sprintf("there is no message %v", message["kind"]))
}

var answer = variant("answer",
	layout{"ok", []field{number("index"), flags, blob("value")}},
	layout{"rejected", []field{number("index"), flags, text("code"), blob("details")}},
	layout{"refused", []field{number("index"), text("code"), blob("details")}},
	layout{"notExecuted", []field{text("code"), blob("details")}},
	layout{"unknown", []field{text("code")}})

var queryAnswer = variant("answer",
	layout{"ok", []field{blob("value")}},
	layout{"rejected", []field{text("code"), blob("details")}},
	layout{"refused", []field{text("code"), blob("details")}})

var channel = number("channel")

var query = []field{channel, number("correlationId"), oneOf("consistency", "linearizable", "sequential", "stale"),
	number("incarnation"), number("minIndex"), text("machine"), text("query"), blob("input")}

// Up is what a client says; every message begins with its channel.
var Up = Layouts{
	{"open", []field{channel, blob("secret"), text("principal"), texts("roles"), blob("capabilities"), text("name"),
		number("timeoutMs"), number("validUntil"), flag("ordered")}},
	{"attach", []field{channel, number("group"), number("incarnation"), number("index"), blob("secret"),
		number("replaces"), blob("nonce")}},
	{"request", []field{channel, number("requestId"), number("lowestPendingRequestId"), number("ackServerRequests"),
		text("machine"), text("command"), blob("input")}},
	{"ack", []field{channel, number("serverRequestId")}},
	{"ping", []field{channel}},
	{"query", query},
	{"close", []field{channel}},
	{"subscribe", []field{channel, number("subscriptionId"), number("incarnation"), number("minIndex"), text("machine"),
		text("query"), blob("input")}},
	{"unsubscribe", []field{channel, number("subscriptionId")}},
	{"boundQuery", query},
}

// Down is what a server says.
var Down = Layouts{
	{"greeting", []field{text("clusterId"), number("group"), number("incarnation"), text("node"), text("leader"),
		text("leaderAddress"), number("now"), number("commandBytesMax"), number("windowRequests"), number("credit")}},
	{"opened", []field{channel, number("group"), number("incarnation"), number("index"), flag("existing")}},
	{"attached", []field{channel, number("epoch"), number("nextRequestId"), number("acknowledged"), number("timeoutMs")}},
	{"response", []field{channel, number("requestId"), answer}},
	{"serverRequest", []field{channel, number("serverRequestId"), number("previousId"), number("attempt"),
		number("index"), number("now"), text("type"), blob("payload")}},
	{"acknowledged", []field{channel, number("upTo")}},
	{"pong", []field{channel}},
	{"queryResult", []field{number("correlationId"), number("index"), number("incarnation"), queryAnswer}},
	{"closed", []field{channel}},
	{"ended", []field{channel, oneOf("reason", nil, "expired", "closed")}},
	{"superseded", []field{channel}},
	{"refused", []field{channel, oneOf("subject", "open", "attach", "ack", "ping", "close"), text("code"), blob("details")}},
	{"leaderChanged", []field{text("leader"), text("leaderAddress")}},
	{"failed", []field{text("code"), text("message")}},
	{"change", []field{number("subscriptionId"), number("index"), flag("compacted"), blob("value")}},
	{"subscriptionEnded", []field{number("subscriptionId"), oneOf("reason", "rejected", "refused"), text("code"),
		blob("details")}},
}

// Kinds of the messages of a direction.
func (layouts Layouts) Kinds() []string {
	kinds := []string{}
	for _, layout := range layouts {
		kinds = append(kinds, layout.kind)
	}
	return kinds
}

// Read gives the messages of one frame.
func (layouts Layouts) Read(data []byte) ([]Message, error) {
	r := &reader{data: data}
	if version, err := r.u8(); err != nil || version != Version {
		return nil, errors.New("a frame of another version")
	}
	messages := []Message{}
	for r.at < len(data) {
		kind, _ := r.u8()
		if kind < 1 || int(kind) > len(layouts) {
			return nil, fmt.Errorf("there is no message of kind %d", kind)
		}
		message, err := readFields(r, layouts[kind-1])
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
	return messages, nil
}

// Write gives one frame that holds these messages.
func (layouts Layouts) Write(messages []Message) []byte {
	out := &bytes.Buffer{}
	out.WriteByte(Version)
	for _, message := range messages {
		writeMessage(out, message, layouts)
	}
	return out.Bytes()
}
