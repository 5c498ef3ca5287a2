// Callers, as many as there are tokens, all in one process that takes next to nothing of the machine: what they say
// comes encoded, and what they hear is never decoded. bench/voice_sessions/calling.py starts it and reads its lines.
//
// The first line of standard input is the plan, the second means "ask", and its end means "leave". Every line of
// standard output is an event: who has met the agent, that all are ready, each answer's first sound, and that all is
// asked.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

// plan is what the callers do. Times are seconds, and frames are Opus.
type plan struct {
	URL       string   `json:"url"`
	Tokens    []string `json:"tokens"`
	Question  [][]byte `json:"question"`
	Silence   []byte   `json:"silence"`
	Questions int      `json:"questions"`
	Apart     float64  `json:"apart"`    // from one caller's coming to the next one's
	Settle    float64  `json:"settle"`   // from the last one's meeting an agent to "ready"
	Every     float64  `json:"every"`    // from one question of a caller to the next
	Patience  float64  `json:"patience"` // from the beginning of a question; then its answer is lost
	Listen    float64  `json:"listen"`   // to the last answer
}

// event is a line of standard output.
type event struct {
	Name    string  `json:"event"` // "met", "ready", "answered", "lost" or "asked"
	Seconds float64 `json:"seconds,omitempty"`
}

var output sync.Mutex

func tell(name string, took time.Duration) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(event{name, took.Seconds()}); err != nil {
		log.Fatal(err) // nobody reads it any more
	}
}

func seconds(number float64) time.Duration {
	return time.Duration(number * float64(time.Second))
}

func main() {
	runtime.GOMAXPROCS(1) // more threads would spend most of their time looking for work
	lksdk.SetLogger(logger.LogRLogger(logr.Discard()))
	input := bufio.NewReader(os.Stdin)
	var plan plan
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &plan)
	}
	if err != nil {
		log.Fatal("the plan: ", err)
	}

	callers := make([]*caller, len(plan.Tokens))
	var met sync.WaitGroup
	for number, token := range plan.Tokens {
		callers[number] = newCaller(plan.Question, plan.Silence)
		met.Go(func() { tell("met", callers[number].join(plan.URL, token)) })
		time.Sleep(seconds(plan.Apart))
	}
	met.Wait()
	time.Sleep(seconds(plan.Settle))
	tell("ready", 0)

	if _, err := input.ReadBytes('\n'); err == nil {
		var asked sync.WaitGroup
		begun := time.Now()
		for number, one := range callers {
			// No two ask in the same instant: people don't.
			phase := plan.Every * float64(number) / float64(len(callers))
			asked.Go(func() { one.askAll(plan, begun.Add(seconds(phase))) })
		}
		asked.Wait()
		time.Sleep(seconds(plan.Listen))
		tell("asked", 0)
		_, _ = io.Copy(io.Discard, input)
	}
	for _, one := range callers {
		one.room.Disconnect()
	}
}
