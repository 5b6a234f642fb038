package panel

import (
	"strowger/system/fusionpbx/channels"
)

// listed has the switch's list of channels for pollAge, because pages ask every two seconds about calls that are only in it.
// It belongs to the service's goroutine.
type listed struct {
	list *channels.List // nil: none
	gaps int            // how often events were missed
}

// forget drops the list, also one that is on its way, because events were missed.
func (k *listed) forget() {
	k.list = nil
	k.gaps++
}

// recentList calls then with the switch's list of channels, which may be pollAge old.
func (l *life) recentList(then func(now channels.List, err error)) {
	if l.listed.list != nil {
		then(*l.listed.list, nil)
		return
	}
	gaps := l.listed.gaps
	l.calls.List(func(now channels.List, err error) {
		if err == nil && l.listed.list == nil && l.listed.gaps == gaps {
			l.listed.list = &now
			l.line.Add(pollAge, func() {
				if l.listed.list == &now {
					l.listed.list = nil
				}
			})
		}
		then(now, err)
	})
}
