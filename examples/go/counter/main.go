// Command counter counts on a cluster that listens: counter HOST:PORT[,HOST:PORT…] [NAME [TIMES]]
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"holdfast/session"
)

const within = time.Minute

func main() {
	name, times := "go", 3
	if len(os.Args) > 2 {
		name = os.Args[2]
	}
	if len(os.Args) > 3 {
		times, _ = strconv.Atoi(os.Args[3])
	}
	counter := session.Open(session.Options{
		Endpoints: strings.Split(os.Args[1], ","),
		Principal: "user:go",
		OnRequest: func(kind string, payload any) error {
			fmt.Println("heard", kind, payload.(map[string]any)["value"])
			return nil
		},
	})
	changes, err := counter.Subscribe("counter", "value", name, saw, func(code string) { fmt.Println("ended", code) })
	exit(err)
	for ; times > 0; times-- {
		// A leader may be killed meanwhile: the answer takes longer then, and the command is executed once.
		answer, err := counter.Execute("counter", "increment", map[string]any{"name": name, "by": 1}, within)
		exit(err)
		fmt.Println(answer.Kind, answer.Value)
	}
	answer, err := counter.Execute("counter", "increment", map[string]any{"name": name, "by": 1000}, within)
	exit(err)
	fmt.Println(answer.Kind, answer.Code, answer.Details)
	changes.Close()
	_, err = counter.Execute("counter", "increment", map[string]any{"name": name, "by": 1}, within)
	exit(err)
	answer, err = counter.Query("counter", "value", name, within)
	exit(err)
	fmt.Println("reads", answer.Value)
	counter.Close()
}

func saw(change session.Change) {
	if change.Compacted {
		fmt.Println("saw", change.Value, "compacted")
	} else {
		fmt.Println("saw", change.Value)
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
