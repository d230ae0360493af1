// Package session is a client of Holdfast: one session, exactly-once commands, server requests, queries,
// subscriptions (subscription.go).
//
// It needs grpc, protobuf and msgpack, and the package sessionpb that protoc makes of proto/holdfast/v1/session.proto
// (README.md).
package session

import (
	"context"
	"crypto/rand"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/grpc"

	"holdfast/frames"
	"holdfast/sessionpb"
)

const (
	channel = uint64(1)
	retry   = 100 * time.Millisecond
	// A stream on which nothing was heard for so long, although something was asked, is given up.
	silence = 2 * time.Second
)

// Answer of a command or query: Kind is ok with Value, rejected, notExecuted, or of a query refused.
type Answer struct {
	Kind    string
	Value   any
	Code    string
	Details any
	Index   uint64
}

// Unknown says that a command may have been executed, or may still be.
type Unknown struct{ Code string }

func (unknown Unknown) Error() string { return "the outcome is unknown: " + unknown.Code }

// Options of a session.
type Options struct {
	// Addresses host:port of nodes; any of them leads to the leader.
	Endpoints []string
	// For example user:ada.
	Principal string
	// Called for each server request, in order; after an error the request comes again. It must not wait for a command of
	// its own session.
	OnRequest func(kind string, payload any) error
	Timeout   time.Duration
}

type command struct {
	machine, command string
	input            []byte
}

// Session outlives connections: whatever has no answer is sent again, under its id, until it has one.
type Session struct {
	options Options
	secret  []byte

	mutex   sync.Mutex
	changed *sync.Cond
	// Why the session is no more; empty while it lives.
	lost        string
	group       uint64
	incarnation uint64
	index       uint64
	// The epoch that the next attach replaces.
	epoch      uint64
	validUntil uint64
	nonce      []byte
	attached   bool
	next       uint64
	pending    map[uint64]command
	answers    map[uint64]Answer
	queries    map[uint64]frames.Message
	told       map[uint64]Answer
	nextQuery  uint64
	received   uint64
	// Subscriptions by the id of the copy that was sent last, and those that wait for an attach.
	subscriptions    map[uint64]*Subscription
	waiting          []*Subscription
	nextSubscription uint64
	stream           *stream
}

// A connection: what is said goes out from one goroutine.
type stream struct {
	node    string
	heardAt time.Time
	out     chan []frames.Message
	context context.Context
	cancel  context.CancelFunc
}

// Open begins a session; the first command waits until it is open.
func Open(options Options) *Session {
	if options.Timeout == 0 {
		options.Timeout = 30 * time.Second
	}
	session := &Session{
		options: options, secret: random(32), next: 1, nextQuery: 1, pending: map[uint64]command{},
		answers: map[uint64]Answer{}, queries: map[uint64]frames.Message{}, told: map[uint64]Answer{},
		subscriptions: map[uint64]*Subscription{}, nextSubscription: 1,
	}
	session.changed = sync.NewCond(&session.mutex)
	go session.run()
	return session
}

// Execute executes a command exactly once. The error is Unknown where there is no answer in time, or the session is no more.
func (s *Session) Execute(machine, name string, input any, within time.Duration) (Answer, error) {
	data, err := msgpack.Marshal(input)
	if err != nil {
		return Answer{}, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	id := s.next
	s.next++
	s.pending[id] = command{machine, name, data}
	if s.attached {
		s.send(s.request(id))
	}
	// Without an answer it stays pending: the session sends it again, and the floor does not pass it.
	s.wait(within, func() bool { _, answered := s.answers[id]; return answered || s.lost != "" })
	answer, answered := s.answers[id]
	delete(s.answers, id)
	if !answered {
		return Answer{}, Unknown{or(s.lost, "DEADLINE")}
	}
	if answer.Kind == "unknown" {
		return Answer{}, Unknown{answer.Code}
	}
	return answer, nil
}

// Query asks a linearizable query.
func (s *Session) Query(machine, query string, input any, within time.Duration) (Answer, error) {
	data, err := msgpack.Marshal(input)
	if err != nil {
		return Answer{}, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	id := s.nextQuery
	s.nextQuery++
	s.queries[id] = frames.Message{"kind": "query", "channel": uint64(0), "correlationId": id,
		"consistency": "linearizable", "incarnation": uint64(0), "minIndex": uint64(0), "machine": machine,
		"query": query, "input": data}
	s.send(s.queries[id])
	s.wait(within, func() bool { _, told := s.told[id]; return told || s.lost != "" })
	answer, told := s.told[id]
	delete(s.told, id)
	delete(s.queries, id)
	if !told {
		return Answer{Kind: "refused", Code: or(s.lost, "DEADLINE")}, nil
	}
	return answer, nil
}

// Close ends the session at the server as well.
func (s *Session) Close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.attached {
		s.send(frames.Message{"kind": "close", "channel": channel})
		s.wait(5*time.Second, func() bool { return s.lost != "" })
	}
	s.lost = or(s.lost, "SESSION_CLOSED")
	if s.stream != nil {
		s.stream.cancel()
	}
}

func (s *Session) run() {
	wanted := ""
	for at := 0; !s.over(); at++ {
		address := or(wanted, s.options.Endpoints[at%len(s.options.Endpoints)])
		var err error
		wanted, err = s.talk(address)
		if err != nil && wanted == "" {
			time.Sleep(retry)
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.subscriptionsOver()
}

func (s *Session) over() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.lost != ""
}

// talk goes on until the stream ends, or another node leads: then with its address, where it is known.
func (s *Session) talk(address string) (string, error) {
	connection, err := grpc.Dial(address, grpc.WithInsecure())
	if err != nil {
		return "", err
	}
	defer connection.Close()
	on, cancel := context.WithCancel(context.Background())
	defer cancel()
	call, err := sessionpb.NewSessionServiceClient(connection).Connect(on)
	if err != nil {
		return "", err
	}
	talk := &stream{heardAt: time.Now(), out: make(chan []frames.Message, 4096), context: on, cancel: cancel}
	go s.say(talk, call)
	go s.watch(talk)
	defer func() {
		s.mutex.Lock()
		s.attached = false
		s.stream = nil
		s.detachSubscriptions()
		s.mutex.Unlock()
	}()
	for {
		frame, err := call.Recv()
		if err != nil {
			return "", err
		}
		for _, packed := range frame.Packed {
			messages, err := frames.Down.Read(packed)
			if err != nil {
				return "", err
			}
			for _, message := range messages {
				wanted, leave := s.hear(message, talk)
				if leave {
					return wanted, fmt.Errorf("left")
				}
			}
		}
	}
}

func (s *Session) say(talk *stream, call sessionpb.SessionService_ConnectClient) {
	for {
		select {
		case <-talk.context.Done():
			return
		case messages := <-talk.out:
			if call.Send(&sessionpb.Frame{Packed: [][]byte{frames.Up.Write(messages)}}) != nil {
				talk.cancel()
				return
			}
		}
	}
}

// watch gives up a silent stream, and tells the server that this client lives.
func (s *Session) watch(talk *stream) {
	ticker := time.NewTicker(silence / 2)
	defer ticker.Stop()
	for {
		select {
		case <-talk.context.Done():
			return
		case <-ticker.C:
			s.mutex.Lock()
			of := uint64(0)
			if s.attached {
				of = channel
			}
			silent := time.Since(talk.heardAt) > silence
			s.mutex.Unlock()
			if silent {
				talk.cancel()
				return
			}
			talk.put(frames.Message{"kind": "ping", "channel": of})
		}
	}
}

// hear takes one message; leave says that another stream is needed, to `wanted` where that is known.
func (s *Session) hear(message frames.Message, talk *stream) (wanted string, leave bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	defer s.changed.Broadcast()
	talk.heardAt = time.Now()
	switch message["kind"] {
	case "greeting":
		return s.greeted(message, talk)
	case "leaderChanged":
		// A leader that names itself hands over; until another one is known, this one answers.
		return message["leaderAddress"].(string), message["leader"] != talk.node
	case "opened":
		s.group, s.incarnation = message["group"].(uint64), message["incarnation"].(uint64)
		s.index = message["index"].(uint64)
		s.attach()
	case "attached":
		s.nowAttached(message)
	case "response":
		s.answered(message["requestId"].(uint64), message["answer"].(frames.Message))
	case "serverRequest":
		s.handle(message)
	case "queryResult":
		s.queryAnswered(message)
	case "change":
		s.changedTo(message)
	case "subscriptionEnded":
		s.subscriptionEnded(message)
	case "refused":
		return s.refused(message)
	case "ended":
		s.lost = map[any]string{"expired": "SESSION_EXPIRED", "closed": "SESSION_CLOSED"}[message["reason"]]
	case "closed":
		s.lost = "SESSION_CLOSED"
	case "superseded":
		s.lost = "SUPERSEDED"
	}
	return "", s.lost != ""
}

func (s *Session) greeted(greeting frames.Message, talk *stream) (string, bool) {
	if greeting["leader"] != greeting["node"] {
		return greeting["leaderAddress"].(string), true
	}
	talk.node = greeting["node"].(string)
	s.stream = talk
	if s.index != 0 {
		s.attach()
	} else {
		if s.validUntil == 0 {
			s.validUntil = greeting["now"].(uint64) + 120_000
		}
		capabilities, _ := msgpack.Marshal(map[string]any{})
		s.send(frames.Message{"kind": "open", "channel": channel, "secret": s.secret, "principal": s.options.Principal,
			"roles": []string{}, "capabilities": capabilities, "name": "go",
			"timeoutMs": uint64(s.options.Timeout.Milliseconds()), "validUntil": s.validUntil, "ordered": false})
	}
	for id, query := range s.queries {
		if _, told := s.told[id]; !told {
			s.send(query)
		}
	}
	return "", false
}

func (s *Session) attach() {
	// The nonce stays until an attach is answered: a copy of one whose answer was lost is no second attach.
	if s.nonce == nil {
		s.nonce = random(16)
	}
	s.send(frames.Message{"kind": "attach", "channel": channel, "group": s.group, "incarnation": s.incarnation,
		"index": s.index, "secret": s.secret, "replaces": s.epoch, "nonce": s.nonce})
}

func (s *Session) nowAttached(message frames.Message) {
	s.attached = true
	s.epoch = message["epoch"].(uint64)
	s.nonce = nil
	if next := message["nextRequestId"].(uint64); len(s.pending) == 0 && next > s.next {
		s.next = next
	}
	waiting := s.waiting
	s.waiting = nil
	for _, subscription := range waiting {
		s.subscribe(subscription)
	}
	for _, id := range s.ids() {
		s.send(s.request(id))
	}
}

// ids of the commands without an answer, lowest first.
func (s *Session) ids() []uint64 {
	ids := []uint64{}
	for id := range s.pending {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(left, right int) bool { return ids[left] < ids[right] })
	return ids
}

func (s *Session) request(id uint64) frames.Message {
	call := s.pending[id]
	return frames.Message{"kind": "request", "channel": channel, "requestId": id, "lowestPendingRequestId": s.ids()[0],
		"ackServerRequests": s.received, "machine": call.machine, "command": call.command, "input": call.input}
}

func (s *Session) answered(id uint64, message frames.Message) {
	if _, waits := s.pending[id]; !waits {
		return
	}
	answer := decoded(message)
	if answer.Kind == "unknown" || retried[answer.Code] {
		// Nobody knows, or not here, or not now: the same id again is never a second execution.
		time.AfterFunc(retry, func() {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			if _, waits := s.pending[id]; waits && s.attached {
				s.send(s.request(id))
			}
		})
		return
	}
	delete(s.pending, id)
	if answer.Kind == "refused" {
		answer.Kind = "notExecuted"
		if untold[answer.Code] {
			answer.Kind = "unknown"
		}
	}
	s.answers[id] = answer
}

func (s *Session) handle(message frames.Message) {
	id := message["serverRequestId"].(uint64)
	if message["previousId"].(uint64) > s.received || id <= s.received {
		return
	}
	var payload any
	err := msgpack.Unmarshal(message["payload"].([]byte), &payload)
	if err == nil && s.options.OnRequest != nil {
		err = s.options.OnRequest(message["type"].(string), payload)
	}
	if err != nil {
		return
	}
	s.received = id
	s.send(frames.Message{"kind": "ack", "channel": channel, "serverRequestId": id})
}

func (s *Session) queryAnswered(message frames.Message) {
	id := message["correlationId"].(uint64)
	query, waits := s.queries[id]
	if !waits {
		return
	}
	answer := decoded(message["answer"].(frames.Message))
	if retried[answer.Code] {
		time.AfterFunc(retry, func() {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.send(query)
		})
		return
	}
	answer.Index = message["index"].(uint64)
	s.told[id] = answer
}

func (s *Session) refused(message frames.Message) (string, bool) {
	opening := message["subject"] == "open" || message["subject"] == "attach"
	code := message["code"].(string)
	if opening && !retried[code] {
		s.lost = code
	}
	return "", opening
}

func (s *Session) send(message frames.Message) {
	if s.stream != nil {
		s.stream.put(message)
	}
}

func (talk *stream) put(message frames.Message) {
	select {
	case talk.out <- []frames.Message{message}:
	case <-talk.context.Done():
	}
}

// wait holds the mutex whenever `reached` is asked and when it returns.
func (s *Session) wait(within time.Duration, reached func() bool) {
	over := false
	timer := time.AfterFunc(within, func() {
		s.mutex.Lock()
		over = true
		s.mutex.Unlock()
		s.changed.Broadcast()
	})
	defer timer.Stop()
	for !reached() && !over {
		s.changed.Wait()
	}
}

func decoded(message frames.Message) Answer {
	answer := Answer{Kind: message["kind"].(string)}
	if code, ok := message["code"].(string); ok {
		answer.Code = code
	}
	if index, ok := message["index"].(uint64); ok {
		answer.Index = index
	}
	if value, ok := message["value"].([]byte); ok {
		_ = msgpack.Unmarshal(value, &answer.Value)
	}
	if details, ok := message["details"].([]byte); ok {
		_ = msgpack.Unmarshal(details, &answer.Details)
	}
	return answer
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func random(count int) []byte {
	bytes := make([]byte, count)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return bytes
}

func set(names ...string) map[string]bool {
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
	}
	return found
}

// The refusals that say: not here, or not now (docs/design/wire.md §6; `holdfast explain CODE`).
var retried = set("NOT_LEADER", "LEADER_LOST", "OVERLOADED", "NO_QUORUM", "STORAGE_STALLED", "APPLY_BEHIND",
	"DISK_FULL", "SHUTTING_DOWN", "HALTED", "TRANSFERRING", "MACHINE_NOT_ACTIVE", "VERSION_CHANGED", "WINDOW_EXCEEDED",
	"RESPONSE_BACKLOG", "NOT_ATTACHED", "OUT_OF_ORDER", "READ_UNCONFIRMED", "BEHIND", "TOO_MANY_SESSIONS")

// Of these refusals an earlier copy may have been executed.
var untold = set("RESPONSE_EVICTED", "SESSION_EXPIRED", "SESSION_UNKNOWN", "FENCED")
