package panel

import (
	"context"

	"strowger/system/fusionpbx/database"
	"strowger/system/service"
)

// extension is an extension as pages know it: what the database has, and the phones that the switch knows.
type extension struct {
	UUID              string  `json:"extension_uuid"`
	Number            string  `json:"extension"`
	CallerIDName      *string `json:"effective_caller_id_name"`
	CallerIDNumber    *string `json:"effective_caller_id_number"`
	Description       *string `json:"description"`
	CallGroup         *string `json:"call_group"`
	DoNotDisturb      *bool   `json:"do_not_disturb"`
	UserContext       *string `json:"user_context"`
	Enabled           bool    `json:"enabled"`
	VoicemailEnabled  string  `json:"voicemail_enabled"`
	Registered        bool    `json:"registered"`
	RegistrationCount int     `json:"registration_count"`
	UserUUID          *string `json:"user_uuid"`
	UserStatus        string  `json:"user_status"`
	ContactImage      *string `json:"contact_image"`
}

func newExtension(e *database.Extension, phones int) extension {
	return extension{
		e.UUID, e.Number, e.CallerIDName, e.CallerIDNumber, e.Description, e.CallGroup, e.DoNotDisturb, e.UserContext,
		e.Enabled, e.VoicemailEnabled, phones > 0, phones, e.UserUUID, e.UserStatus, e.ContactImage,
	}
}

// extensionsActive answers with the extensions of the asker's domain. While the switch cannot be asked none is
// registered; pages are told of those that are when it can be asked again. All nodes have the same database, so the other
// ones answer with their phones alone.
func (l *life) extensionsActive(r service.Request) error {
	domain := r.Subscriber().DomainName
	if r.Part() {
		l.shownPhones(r, domain, func(phones map[string]int) { r.Reply(addPhones(phones, nil)) })
		return nil
	}
	r.Go(func(ctx context.Context) func() {
		found, err := l.Database.Extensions(ctx, domain)
		if err != nil {
			return func() { r.FailWith(refusal(err)) }
		}
		return func() {
			l.shownPhones(r, domain, func(phones map[string]int) {
				r.Gather(func(answers []service.Answer) {
					for _, a := range answers {
						phones = addPhones(phones, partOf[map[string]int](r, a))
					}
					r.Reply(rowsOf(found, phones))
				})
			})
		}
	})
	return nil
}

// shownPhones calls then with how many phones each extension has, with none if the switch does not say.
func (l *life) shownPhones(r service.Request, domain string, then func(phones map[string]int)) {
	l.registrationsOf(domain, func(phones map[string]int, err error) {
		if err != nil {
			r.Log().Warn("extensions are shown without their registrations", "err", err)
			l.told.phones.hide(domain)
			l.registrationsFailed(err)
		}
		then(phones)
	})
}

func rowsOf(found []database.Extension, phones map[string]int) []extension {
	rows := make([]extension, len(found))
	for i := range found {
		rows[i] = newExtension(&found[i], phones[found[i].Number])
	}
	return rows
}
