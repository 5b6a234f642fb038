package process

import (
	"fmt"
	"time"

	"strowger/system/internal/supervisor"
)

// watch asks the child every now and then whether it lives, and kills it if it says nothing for too long. The child itself
// looks whether the service hangs. Both count only the time in which they run.
func (c *child) watch() {
	every, timeout := c.v.PingEvery, c.v.PingTimeout
	if every < 0 {
		return
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-c.ended:
			return
		}
		c.queue.put(newFrame(framePing, 0))
		if !c.answers(timer, timeout) {
			return
		}
		timer.Reset(every)
	}
}

// answers waits for the answer to a ping, or until the child has ended, or has said nothing for so long that it is killed. Then
// it returns false. What the child has said before the answer may take long to be passed on.
func (c *child) answers(timer *time.Timer, timeout time.Duration) bool {
	since, frames := c.home.Awake(), c.frames.Load()
	for {
		timer.Reset(max(timeout-c.home.Awake().Sub(since), 0))
		select {
		case <-c.pong:
			return true
		case <-c.ended:
			return false
		case <-timer.C:
		}
		if handled := c.frames.Load(); handled != frames || c.busy.Load() {
			since, frames = c.home.Awake(), handled
			continue
		}
		if c.home.Awake().Sub(since) >= timeout {
			c.kill(fmt.Errorf("the process has not answered for %s (Supervision.PingTimeout) and is killed: %w", timeout, supervisor.ErrHung))
			return false
		}
	}
}
