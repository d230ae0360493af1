// Command checkframes reads and writes recorded frames: checkframes FILE. It exits with 1 at the first that differs.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"holdfast/frames"
)

type record struct {
	Hex      string `json:"hex"`
	Messages []any  `json:"messages"`
}

// inMemory is a recorded value as it is in a Message: bytes are recorded as {"hex": …}.
func inMemory(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if text, ok := value["hex"].(string); ok && len(value) == 1 {
			data, err := hex.DecodeString(text)
			fail(err)
			return data
		}
		message := frames.Message{}
		for name, part := range value {
			message[name] = inMemory(part)
		}
		return message
	case []any:
		texts := []string{}
		for _, part := range value {
			texts = append(texts, part.(string))
		}
		return texts
	case json.Number:
		number, err := value.Int64()
		fail(err)
		return uint64(number)
	}
	return value
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(direction string, records []record, layouts frames.Layouts) {
	seen := map[string]bool{}
	for at, recorded := range records {
		said := []frames.Message{}
		for _, message := range recorded.Messages {
			one := inMemory(message).(frames.Message)
			seen[one["kind"].(string)] = true
			said = append(said, one)
		}
		data, err := hex.DecodeString(recorded.Hex)
		fail(err)
		read, err := layouts.Read(data)
		fail(err)
		if !reflect.DeepEqual(read, said) {
			fail(fmt.Errorf("%s %d is read as %v", direction, at, read))
		}
		if written := layouts.Write(said); !bytes.Equal(written, data) {
			fail(fmt.Errorf("%s %d is written as %x", direction, at, written))
		}
	}
	for _, kind := range layouts.Kinds() {
		if !seen[kind] {
			fail(fmt.Errorf("no frame of %s was recorded", kind))
		}
	}
}

func main() {
	file, err := os.ReadFile(os.Args[1])
	fail(err)
	recorded := struct{ Up, Down []record }{}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	fail(decoder.Decode(&recorded))
	check("up", recorded.Up, frames.Up)
	check("down", recorded.Down, frames.Down)
	fmt.Printf("%d frames up and %d down agree\n", len(recorded.Up), len(recorded.Down))
}
