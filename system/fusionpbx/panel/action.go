package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The permissions that actions need.
const (
	mayView      = "operator_panel_view"
	mayManage    = "operator_panel_manage"
	mayHangup    = "operator_panel_hangup"
	mayConsult   = "operator_panel_transfer_attended"
	mayEavesdrop = "operator_panel_eavesdrop"
	mayWhisper   = "active_call_whisper"
	mayBarge     = "active_call_barge"
	mayRecord    = "operator_panel_record"
	mayOriginate = "operator_panel_originate"
)

// action is something that an operator can do.
type action struct {
	permission string
	run        func(l *life, r service.Request, in fields)
}

func actions() map[string]action {
	return map[string]action{
		"hangup":                     {mayHangup, (*life).hangup},
		"hangup_caller":              {mayHangup, (*life).hangupCaller},
		"kick":                       {mayHangup, (*life).kick},
		"transfer":                   {mayManage, (*life).transfer},
		"intercept":                  {mayManage, (*life).intercept},
		"transfer_attended":          {mayConsult, (*life).consult},
		"transfer_attended_complete": {mayConsult, (*life).consultComplete},
		"transfer_attended_cancel":   {mayConsult, (*life).consultCancel},
		"eavesdrop":                  {mayEavesdrop, (*life).eavesdrop},
		"whisper":                    {mayWhisper, (*life).whisper},
		"barge":                      {mayBarge, (*life).barge},
		"record":                     {mayRecord, (*life).record},
		"recording_state":            {mayRecord, (*life).recordingState},
		"registrations_state":        {mayView, (*life).registrationsState},
		"originate":                  {mayOriginate, (*life).originate},
		"mute":                       {mayManage, memberAction("mute")},
		"unmute":                     {mayManage, memberAction("unmute")},
		"deaf":                       {mayManage, memberAction("deaf")},
		"undeaf":                     {mayManage, memberAction("undeaf")},
		"energy":                     {mayManage, levelAction("energy")},
		"volume_in":                  {mayManage, levelAction("volume_in")},
		"volume_out":                 {mayManage, levelAction("volume_out")},
		"user_status":                {mayView, (*life).userStatus},
		"agent_status":               {mayManage, (*life).agentStatus},
	}
}

// act does what an operator wants to do. Whatever comes of it, the answer is an action_response.
func (l *life) act(r service.Request) error {
	in := readFields(r.Payload())
	name := in.text("action")
	a, ok := l.actions[name]
	switch {
	case !ok:
		refuse(r, "Invalid action: "+short(name))
	case !r.Subscriber().Has(a.permission):
		refuse(r, "Permission denied")
	default:
		a.run(l, r, in)
	}
	return nil
}

// verdict is what the operator is told.
type verdict struct {
	Success  bool   `json:"success"`
	Message  string `json:"message"`
	States   any    `json:"states,omitempty"`
	Response string `json:"fs_response,omitempty"`
	status   int    // 0: 200 or 400
}

func success(message string) verdict { return verdict{Success: true, Message: message} }

func failure(message string) verdict { return verdict{Message: message} }

// failed says what the switch answered in place of doing it.
func failed(reply eventsocket.Reply) verdict {
	if text := strings.TrimSpace(reply.Text + reply.Body); text != "" {
		return failure(short(text))
	}
	return failure("the switch gave no answer")
}

// short returns a text of others for an answer, cut off where it gets long.
func short(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func answerWith(r service.Request, v verdict) {
	status := v.status
	switch {
	case status != 0:
	case v.Success:
		status = 200
	default:
		status = envelope.BadRequest.Code
	}
	r.ReplyWith("action_response", status, v)
}

func refuse(r service.Request, message string) { answerWith(r, failure(message)) }

// broken tells the operator that the switch or the database could not be asked.
func broken(r service.Request, err error) {
	v := failure("the action failed")
	v.status = envelope.Unavailable.Code
	if reason, ok := errors.AsType[*service.Error](refusal(err)); ok {
		v.Message, v.status = reason.Reason, reason.Status
	}
	r.Log().Warn("action failed", "topic", r.Topic(), "err", err)
	answerWith(r, v)
}

// perform runs work, which may wait for the switch, and answers with what came of it.
func perform(r service.Request, work func(ctx context.Context) (verdict, error)) {
	performThen(r, func() {}, work)
}

// performThen is perform, and calls done before it answers.
func performThen(r service.Request, done func(), work func(ctx context.Context) (verdict, error)) {
	r.Go(func(ctx context.Context) func() {
		v, err := work(ctx)
		return func() {
			done()
			answerOr(r, v, err)
		}
	})
}

// answerOr answers with v, unless there is an error.
func answerOr(r service.Request, v verdict, err error) {
	if err != nil {
		broken(r, err)
		return
	}
	answerWith(r, v)
}

// do runs a command of the switch, which may take Timeout.
func (l *life) do(ctx context.Context, command eventsocket.Command) (eventsocket.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	reply, err := l.Commands.Do(ctx, command)
	if err != nil {
		return reply, fmt.Errorf("ask the switch: %w", err)
	}
	return reply, nil
}

// own calls then with the legs of the call if one of them is of the asker's domain. It refuses a call of another domain. If
// the switch has no such channel it calls missing, and the switch gets no command: a call that begins at that moment may be
// of another domain. Before it answers, missing passes the request, unless another channel of this switch decides. The events before the request decide, also those of which pages are told later.
func (l *life) own(r service.Request, uuid eventsocket.UUID, then func(legs []channels.Leg), missing func()) {
	asker := r.Subscriber()
	decide := func(legs []channels.Leg, err error) {
		ours := func(leg channels.Leg) bool { return leg.Of(asker.DomainName) }
		switch {
		case err != nil:
			r.Pass()
			broken(r, err)
		case len(legs) == 0:
			missing()
		case !slices.ContainsFunc(legs, ours):
			l.ctx.Log().Warn("action on a call of another domain refused", "domain", asker.DomainName, "subscriber", asker.ID)
			refuse(r, "The call is not of your domain")
		default:
			then(legs)
		}
	}
	l.inTurn(func() { l.calls.Legs(uuid, decide) })
}

// noChannel refuses an action on a channel that the switch does not have, unless another node has it.
func noChannel(r service.Request) {
	r.Pass()
	refuse(r, "No such channel")
}

// alreadyEnded answers a request to end a channel that the switch does not have, unless another node has it.
func alreadyEnded(r service.Request, message string) {
	r.Pass()
	answerWith(r, success(message))
}

// fields are the keys of an action's payload. What has another type than expected counts as absent.
type fields map[string]json.RawMessage

func readFields(payload json.RawMessage) fields {
	var in fields
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil
	}
	return in
}

// text returns a string. A whole number stands for its digits, since pages make some of them from numbers.
func (in fields) text(key string) string {
	var s string
	if err := json.Unmarshal(in[key], &s); err == nil {
		return s
	}
	raw := string(in[key])
	if strings.Trim(raw, "0123456789") == "" {
		return raw
	}
	return ""
}

// yes reports whether a page says yes: true, or 1 or "true" as a form does.
func (in fields) yes(key string) bool {
	switch strings.Trim(string(in[key]), `"`) {
	case "true", "1":
		return true
	}
	return false
}
