package main

import "testing"

func TestSocketsOfAnotherProcess(t *testing.T) {
	s, err := inheritedSockets([]string{"LISTEN_PID=1", "LISTEN_FDS=7"})
	if err != nil || s != (sockets{}) {
		t.Errorf("got %+v, %v; want none", s, err)
	}
}
