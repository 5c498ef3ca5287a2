package main

import (
	"context"
	"log"
	"time"

	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	frame = 20 * time.Millisecond
	// Who has met no agent by then, never will.
	longestWelcome = 60 * time.Second
	// Levels, in decibels below the loudest there is (RFC 6464).
	speaking, silent = 20, 127
	// Packets of the agent's silence have 1 to 55 bytes, the first one of the stub voice's tone has 109 to 195.
	loudBytes = 75
)

// caller is somebody in a room, with a microphone that is always open.
type caller struct {
	lksdk.BaseSampleProvider
	room     *lksdk.Room
	question [][]byte
	silence  []byte

	say   chan [][]byte  // words to be said
	said  chan time.Time // when the last of them was out
	words [][]byte       // left to say, of the microphone alone
	heard chan time.Time // each loud packet, while somebody waits for one
}

func newCaller(question [][]byte, silence []byte) *caller {
	return &caller{
		question: question,
		silence:  silence,
		say:      make(chan [][]byte, 1),
		said:     make(chan time.Time, 1),
		heard:    make(chan time.Time),
	}
}

// join enters the room with a microphone and waits for the agent. It returns how long that took.
func (c *caller) join(url, token string) time.Duration {
	begun := time.Now()
	callback := &lksdk.RoomCallback{
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackSubscribed: func(track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
				c.listen(track)
			},
		},
	}
	room, err := lksdk.ConnectToRoomWithToken(url, token, callback)
	if err != nil {
		log.Fatal("a room: ", err)
	}
	c.room = room
	track, err := lksdk.NewLocalTrack(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2})
	if err == nil {
		err = track.StartWrite(c, nil)
	}
	if err == nil {
		_, err = room.LocalParticipant.PublishTrack(track, &lksdk.TrackPublicationOptions{Name: "microphone"})
	}
	if err != nil {
		log.Fatal("a microphone: ", err)
	}
	for !c.hasAgent() {
		if time.Since(begun) > longestWelcome {
			log.Fatal("no agent came to a caller")
		}
		time.Sleep(frame)
	}
	return time.Since(begun)
}

func (c *caller) hasAgent() bool {
	for _, one := range c.room.GetRemoteParticipants() {
		if one.Kind() == lksdk.ParticipantAgent {
			return true
		}
	}
	return false
}

// askAll asks the plan's questions, the first at a moment of its own.
func (c *caller) askAll(plan plan, first time.Time) {
	for number := range plan.Questions {
		time.Sleep(time.Until(first.Add(seconds(plan.Every * float64(number)))))
		if wait, ok := c.ask(seconds(plan.Patience)); ok {
			tell("answered", wait)
		} else {
			tell("lost", 0)
		}
	}
}

// ask returns how long after the last packet of the question the first loud one came.
func (c *caller) ask(patience time.Duration) (time.Duration, bool) {
	patient := time.After(patience)
	c.say <- c.question
	var ended time.Time
	select {
	case ended = <-c.said:
	case <-patient:
		log.Fatal("a microphone has stopped")
	}
	select {
	case heard := <-c.heard:
		return heard.Sub(ended), true
	case <-patient:
		return 0, false
	}
}

// listen tells sound from silence by the packets' sizes: silence is encoded in next to nothing.
func (c *caller) listen(track *webrtc.TrackRemote) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return // the agent has left
		}
		if len(packet.Payload) > loudBytes {
			select {
			case c.heard <- time.Now():
			default: // nobody waits
			}
		}
	}
}

// NextSample is what the microphone hears in the next twenty milliseconds. The SDK asks for it at the speed of speech.
func (c *caller) NextSample(context.Context) (media.Sample, error) {
	if len(c.words) == 0 {
		select {
		case c.words = <-c.say:
		default:
			return media.Sample{Data: c.silence, Duration: frame}, nil
		}
	}
	next := c.words[0]
	c.words = c.words[1:]
	if len(c.words) == 0 {
		c.said <- time.Now()
	}
	return media.Sample{Data: next, Duration: frame}, nil
}

// CurrentAudioLevel is what a microphone tells the room of who speaks.
func (c *caller) CurrentAudioLevel() uint8 {
	if len(c.words) > 0 {
		return speaking
	}
	return silent
}
