package session

import (
	"bytes"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"holdfast/frames"
)

// Change is an answer of a subscribed query. Compacted: answers before it may have been left out.
type Change struct {
	Value     any
	Index     uint64
	Compacted bool
}

// Subscription is a query that goes on.
type Subscription struct {
	session        *Session
	machine, query string
	input          []byte
	onChange       func(Change)
	onEnd          func(code string)
	// Of the copy that was sent last; 0: none was.
	id uint64
	// What was heard last, and at which index.
	value []byte
	index uint64
	// The next change is the first of its copy, or stands for more than itself.
	resumes, compacted bool
	closed             bool
}

// Subscribe calls onChange with a query's answer now, and with every other one after it. onEnd is the last call, if it ends
// otherwise than by Close. Both are called as OnRequest is, and may be called before Subscribe returns.
func (s *Session) Subscribe(machine, query string, input any, onChange func(Change), onEnd func(code string)) (*Subscription, error) {
	data, err := msgpack.Marshal(input)
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	subscription := &Subscription{session: s, machine: machine, query: query, input: data, onChange: onChange, onEnd: onEnd}
	switch {
	case s.lost != "":
		onEnd(s.lost)
	case s.attached:
		s.subscribe(subscription)
	default:
		s.waiting = append(s.waiting, subscription)
	}
	return subscription, nil
}

// Close ends it; nothing more is heard.
func (subscription *Subscription) Close() {
	s := subscription.session
	s.mutex.Lock()
	defer s.mutex.Unlock()
	subscription.closed = true
	if s.subscriptions[subscription.id] == subscription {
		delete(s.subscriptions, subscription.id)
		s.send(frames.Message{"kind": "unsubscribe", "channel": channel, "subscriptionId": subscription.id})
	}
}

// subscribe sends it on this connection, from the last index that was heard.
func (s *Session) subscribe(subscription *Subscription) {
	if subscription.closed {
		return
	}
	subscription.id = s.nextSubscription
	s.nextSubscription++
	subscription.resumes = subscription.index > 0
	s.subscriptions[subscription.id] = subscription
	incarnation := uint64(0)
	if subscription.resumes {
		incarnation = s.incarnation
	}
	s.send(frames.Message{"kind": "subscribe", "channel": channel, "subscriptionId": subscription.id,
		"incarnation": incarnation, "minIndex": subscription.index, "machine": subscription.machine,
		"query": subscription.query, "input": subscription.input})
}

func (s *Session) detachSubscriptions() {
	for id, subscription := range s.subscriptions {
		s.waiting = append(s.waiting, subscription)
		delete(s.subscriptions, id)
	}
}

func (s *Session) subscriptionsOver() {
	s.detachSubscriptions()
	for _, subscription := range s.waiting {
		if !subscription.closed {
			subscription.onEnd(s.lost)
		}
	}
	s.waiting = nil
}

func (s *Session) changedTo(message frames.Message) {
	subscription, known := s.subscriptions[message["subscriptionId"].(uint64)]
	if !known {
		return
	}
	// The first one after a reconnect stands for all that was missed; where it is the last one again, the next change does.
	subscription.compacted = subscription.compacted || message["compacted"].(bool) || subscription.resumes
	subscription.resumes = false
	subscription.index = message["index"].(uint64)
	value := message["value"].([]byte)
	if subscription.value != nil && bytes.Equal(value, subscription.value) {
		return
	}
	subscription.value = value
	change := Change{Index: subscription.index, Compacted: subscription.compacted}
	subscription.compacted = false
	_ = msgpack.Unmarshal(value, &change.Value)
	subscription.onChange(change)
}

func (s *Session) subscriptionEnded(message frames.Message) {
	id, code := message["subscriptionId"].(uint64), message["code"].(string)
	subscription, known := s.subscriptions[id]
	if !known {
		return
	}
	delete(s.subscriptions, id)
	if message["reason"] != "refused" || !retried[code] || code == "OVERLOADED" {
		subscription.onEnd(code)
		return
	}
	time.AfterFunc(retry, func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if s.attached {
			s.subscribe(subscription)
		} else {
			s.waiting = append(s.waiting, subscription)
		}
	})
}
