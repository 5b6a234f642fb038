package actors

// A service in this process that comes and goes while the router runs, because one node of a cluster has it at a time,
// is offered anew each time with another Peer.

type (
	// forget has the router forget what is measured of a name that nobody offers.
	forget struct {
		unmissed
		name string
	}
	// unmeter tells a service so. Its subscribers may stay.
	unmeter struct{ unmissed }
)

func (*forget) toRouter()   {}
func (*unmeter) toService() {}

func (r *router) forget(m *forget) {
	if n := r.names[m.name]; n != nil {
		n.route.Service.Send(&unmeter{})
		return
	}
	r.deps.Counters.Services.Drop(m.name)
}

func (s *service) unmeter() {
	if len(s.instances) == 0 {
		s.deps.Counters.Services.Drop(s.name)
		s.meter = s.deps.Counters.Services.Other()
	}
}

// Retire has an instance in this process take no more requests. It still speaks, and answers what it has.
func (d *Deps) Retire(router RouterRef, p *Peer) {
	router.Send(&Offer{Peer: p, leaving: true})
}

// Forget drops what is measured of a name, unless somebody offers it. It follows what was sent to the router before, such
// as the last Withdraw.
func (d *Deps) Forget(router RouterRef, name string) {
	router.Send(&forget{name: name})
}

// Withdraw ends the offer of an instance in this process. The requests that it has left open go to other instances as
// if they had only just come, so the caller must know that it has not begun them.
func (d *Deps) Withdraw(router RouterRef, p *Peer) {
	p.gone.Store(true)
	router.Send(&withdraw{Peer: p, unseen: true})
}
