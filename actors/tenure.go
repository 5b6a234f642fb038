package actors

// A service in this process that comes and goes while the router runs, because one node of a cluster has it at a time,
// is offered anew each time with another Peer.

// Retire has an instance in this process take no more requests. It still speaks, and answers what it has.
func (d *Deps) Retire(router RouterRef, p *Peer) {
	router.Send(&Offer{Peer: p, leaving: true})
}

// Withdraw ends the offer of an instance in this process. The requests that it has left open go to other instances as
// if they had only just come, so the caller must know that it has not begun them.
func (d *Deps) Withdraw(router RouterRef, p *Peer) {
	p.gone.Store(true)
	router.Send(&withdraw{Peer: p, unseen: true})
}
