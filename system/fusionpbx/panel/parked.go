package panel

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// parked is a call that waits in a slot of the domain's lot.
type parked struct {
	UUID        string `json:"unique_id"`
	EventName   string `json:"event_name"`
	Action      string `json:"action"`
	Slot        string `json:"valet_extension"`
	Name        string `json:"caller_caller_id_name"`
	Number      string `json:"caller_caller_id_number"`
	Destination string `json:"caller_destination_number"`
	By          string `json:"variable_referred_by_user"`
	Created     string `json:"caller_channel_created_time"`
	Node        string `json:"node_name,omitempty"`
}

var errLot = errors.New("the switch did not answer with a parking lot")

// parkedActive answers with the parked calls of the asker's domain.
func (l *life) parkedActive(r service.Request) error {
	l.parked.get(r.Subscriber().DomainName, func(found []parked, err error) {
		if err != nil {
			r.FailWith(refusal(err))
			return
		}
		l.addCreated(r, found)
	})
	return nil
}

// addCreated answers with the calls and when each of them began, which no variable of a channel says.
func (l *life) addCreated(r service.Request, found []parked) {
	rows := append([]parked{}, found...)
	unknown := false
	for i := range rows {
		rows[i].Created = l.calls.Get(rows[i].UUID, "caller_channel_created_time")
		unknown = unknown || rows[i].Created == ""
	}
	if !unknown {
		l.answerParked(r, rows)
		return
	}
	l.calls.List(func(now channels.List, err error) {
		if err != nil {
			r.Log().Debug("parked calls are shown without their age", "err", err)
		}
		created := make(map[string]int64, len(now.Rows))
		for i := range now.Rows {
			created[now.Rows[i].UUID] = now.Rows[i].Created()
		}
		for i := range rows {
			if at, ok := created[rows[i].UUID]; ok && rows[i].Created == "" {
				rows[i].Created = strconv.FormatInt(at, 10)
			}
		}
		l.answerParked(r, rows)
	})
}

// answerParked answers with the calls, and with those that wait at the switches of other nodes.
func (l *life) answerParked(r service.Request, rows []parked) {
	node := string(l.Node.Seen(r.Subscriber()))
	for i := range rows {
		rows[i].Node = node
	}
	r.Gather(func(answers []service.Answer) {
		for _, a := range answers {
			rows = append(rows, partOf[[]parked](r, a)...)
		}
		r.Reply(rows)
	})
}

// askParked asks for the calls in the lot of a domain, and who they are.
func (l *life) askParked(ctx context.Context, domain string) ([]parked, error) {
	lot, err := eventsocket.NewDestination("park", domain)
	if err != nil {
		return nil, nil // a domain that the switch cannot have
	}
	reply, err := l.do(ctx, eventsocket.API("valet_info", lot))
	if err != nil {
		return nil, err
	}
	slots, err := readLot(reply.Body, "park@"+domain)
	if err != nil {
		return nil, err
	}
	var found []parked
	for _, slot := range slots {
		uuid, err := eventsocket.ParseUUID(slot.uuid)
		if err != nil {
			continue
		}
		p := parked{UUID: slot.uuid, EventName: "valet_parking::snapshot", Action: "hold", Slot: slot.number}
		for _, v := range []struct {
			to   *string
			from eventsocket.Arg
		}{
			{&p.Name, eventsocket.Text("caller_id_name")}, {&p.Number, eventsocket.Text("caller_id_number")},
			{&p.By, eventsocket.Text("referred_by_user")}, {&p.By, eventsocket.Text("valet_parking_orbit_exten")},
			{&p.Destination, eventsocket.Text("destination_number")},
		} {
			if *v.to != "" {
				continue
			}
			if *v.to, err = l.variable(ctx, uuid, v.from); err != nil {
				return nil, err
			}
		}
		found = append(found, p)
	}
	return found, nil
}

// variable returns the value of a variable of a channel, "" if it has none.
func (l *life) variable(ctx context.Context, uuid eventsocket.UUID, name eventsocket.Arg) (string, error) {
	reply, err := l.do(ctx, eventsocket.API("uuid_getvar", uuid, name))
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(reply.Body)
	if value == "_undef_" || reply.Failed() {
		return "", nil
	}
	return value, nil
}

// slot is a place of a parking lot.
type slot struct{ uuid, number string }

// readLot reads the slots of one lot in the answer to "valet_info".
func readLot(body, lot string) ([]slot, error) {
	var found []slot
	inside := false
	d := xml.NewDecoder(strings.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errLot, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "lot":
			inside = attribute(start, "name") == lot
		case "extension":
			var number string
			if err := d.DecodeElement(&number, &start); err != nil {
				return nil, fmt.Errorf("%w: %w", errLot, err)
			}
			if uuid := attribute(start, "uuid"); inside && uuid != "" && strings.TrimSpace(number) != "" {
				found = append(found, slot{uuid, strings.TrimSpace(number)})
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
