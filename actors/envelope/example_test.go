package envelope_test

import (
	"fmt"

	"strowger/actors/envelope"
)

// A request as a client sends it, and an answer as a service gives it.
func ExampleDecode() {
	m, err := envelope.Decode([]byte(`{"service":"weather","topic":"now","request_id":"7","payload":{"place":"Oslo"}}`), envelope.MaxDepth)
	if err != nil {
		fmt.Println(err)
		return
	}
	topic, _ := envelope.Text(m.Topic)
	fmt.Println(topic, string(m.Payload))

	answer := envelope.Envelope{
		ServiceName: envelope.QuoteString("weather"),
		Topic:       m.Topic,
		RequestID:   m.RequestID,
		Payload:     envelope.Raw(`{"wind":4}`),
	}
	again, err := envelope.Decode(answer.Append(nil), envelope.MaxDepth)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(again.RequestID), string(again.Payload))
	// Output:
	// now {"place":"Oslo"}
	// "7" {"wind":4}
}
