//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/system/service"
)

// Examples are the services of the examples, which are in another package.
var Examples []*service.Service

// TestMain makes the test binary the child for the services of these tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == directArgument {
		os.Exit(parentAlone()) // the child comes to the call of Service
	}
	Main(append(Examples, mortal(), broken(), late(), crashes(), &service.Service{Name: "bench", Setup: echoing})...)
	if len(os.Args) > 1 && os.Args[1] == parentArgument {
		os.Exit(parentAlone())
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the children, whose end is waited for
	goleak.VerifyTestMain(m)
}

func echoing(s service.Setup) error {
	s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
	return nil
}

// blocked is memory that a service keeps.
var blocked [][]byte

// mortal is a service that does whatever ends a process, and all that services do.
func mortal() *service.Service {
	return &service.Service{
		Name: "mortal",
		Supervision: service.Supervision{Intensity: 1000, Backoff: time.Millisecond, BackoffCap: time.Millisecond,
			PingEvery: 200 * time.Millisecond, PingTimeout: 5 * time.Second, StopTimeout: 5 * time.Second},
		Setup: func(s service.Setup) error {
			if err := echoing(s); err != nil {
				return err
			}
			deaths(s)
			living(s)
			return nil
		},
	}
}

// deaths are the ways to end of the table in docs/supervision.md, and more.
func deaths(s service.Setup) {
	for topic, die := range map[string]func(){
		"panic":         func() { panic("told to") },
		"plain panic":   func() { go func() { panic("told to, in a plain goroutine") }(); select {} },
		"map":           concurrentMap,
		"unlock":        func() { new(sync.Mutex).Unlock() },
		"stack":         func() { debug.SetMaxStack(1 << 20); recurse(1) },
		"exit":          func() { os.Exit(7) },
		"exit well":     func() { os.Exit(0) },
		"abort":         func() { _ = syscall.Kill(os.Getpid(), syscall.SIGSEGV); select {} },
		"kill":          func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
		"goexit":        runtime.Goexit,
		"hang":          func() { select {} },
		"spin":          spin,
		"stopped":       func() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) },
		"close":         func() { _ = own.out.Close() },
		"garbage":       func() { _, _ = own.out.Write([]byte("this is no frame at all")) },
		"giant":         func() { _, _ = own.out.Write([]byte{byte(frameSay), 0xff, 0xff, 0xff, 0xff}) },
		"bad status":    func() { _, _ = own.out.Write(badStatus()) },
		"bad JSON":      func() { _, _ = own.out.Write(badJSON()) },
		"half a frame":  func() { _, _ = own.out.Write([]byte{byte(frameSay), 0, 0, 1, 0, 1}); _ = own.out.Close(); os.Exit(9) },
		"memory":        eat,
		"locked thread": func() { runtime.LockOSThread(); runtime.Goexit() },
	} {
		s.Handle(topic, func(service.Request) error { die(); return nil })
	}
}

func badStatus() []byte {
	f := append(newFrame(frameSay, 64), tellMessage)
	for _, raw := range []string{`"topic"`, `"ok"`, `1000`, `1`} {
		f = appendText(f, raw)
	}
	return seal(f)
}

func badJSON() []byte {
	f := append(newFrame(frameSay, 64), tellMessage)
	for _, raw := range []string{`"topic"`, `"ok"`, `200`, `{"a":`} {
		f = appendText(f, raw)
	}
	return seal(f)
}

func concurrentMap() {
	m := map[int]int{}
	for n := range 8 {
		go func() {
			for {
				m[n]++
			}
		}()
	}
	select {}
}

func recurse(n int) int {
	if n < 0 {
		return 0 // never
	}
	var room [1024]byte
	room[n%1024] = byte(n)
	return recurse(n+1) + int(room[0])
}

func spin() {
	for n := 0; ; n++ {
		_ = n
	}
}

func eat() {
	for {
		block := make([]byte, 1<<20)
		for n := 0; n < len(block); n += 4096 {
			block[n] = 1
		}
		blocked = append(blocked, block)
	}
}

// living has what a service does while it lives.
func living(s service.Setup) {
	n := 0
	s.Handle("count", func(r service.Request) error { n++; r.Reply(n); return nil })
	s.Handle("pid", func(r service.Request) error { r.Reply(os.Getpid()); return nil })
	s.Handle("parent", func(r service.Request) error { r.Reply(os.Getppid()); return nil })
	s.Handle("fail", func(service.Request) error { return service.Errorf(403, "not yours") })
	s.Handle("error", func(service.Request) error { return errors.New("no database") })
	s.Handle("else", func(r service.Request) error { r.ReplyWith("other", 202, nil); return nil })
	s.Handle("plain", func(r service.Request) error { r.ReplyWith("other", 0, 1); return nil })
	s.Handle("who", func(r service.Request) error {
		who := r.Subscriber()
		r.Reply([]any{who.Permissions, who.DomainName, who.DomainUUID, r.Alone(), r.Part()})
		return nil
	})
	s.Handle("rows", func(r service.Request) error {
		for n := range 500 {
			r.Stream("row", n)
		}
		r.Reply("end")
		return nil
	})
	s.Handle("say", func(r service.Request) error { r.Broadcast("news", r.Payload()); r.Reply("said"); return nil })
	s.Handle("say with", func(r service.Request) error { r.BroadcastWith("news", 299, 1); r.BroadcastHere("here", 2); return nil })
	s.Handle("work", func(r service.Request) error {
		r.Go(func(context.Context) func() { return func() { r.Reply("worked") } })
		return nil
	})
	s.Handle("timer", func(r service.Request) error {
		n := 0
		var every service.Timer
		every = r.Every(time.Millisecond, func(c service.Context) {
			n++
			c.Broadcast("tick", n)
			if n == 3 {
				every.Stop()
				c.After(0, func(service.Context) { r.Reply("done") })
			}
		})
		return nil
	})
	s.Handle("wait", func(r service.Request) error {
		r.Go(func(ctx context.Context) func() {
			r.Broadcast("began", nil)
			<-ctx.Done()
			return func() { s.Broadcast("ended", ctx.Err().Error()) }
		})
		return nil
	})
	s.Handle("log", func(r service.Request) error {
		r.Log().Warn("a line of the service", "topic", r.Topic())
		os.Stdout.WriteString("printed by the service\n")
		os.Stderr.WriteString(strings.Repeat("x", 5000) + "\n")
		r.Reply(nil)
		return nil
	})
	s.Handle("flood", func(r service.Request) error {
		for n := range 10_000 {
			os.Stderr.WriteString("line " + strconv.Itoa(n) + "\n")
			r.Log().Error("record", "count", n)
		}
		r.Reply(nil)
		return nil
	})
	s.Handle("pass", func(r service.Request) error { r.Pass(); r.Fail(404, "not here"); return nil })
	s.Handle("share", func(r service.Request) error { r.Stream("mine", 1); r.Share(); r.End(); return nil })
	s.Handle("gather", func(r service.Request) error {
		r.Gather(func(answers []service.Answer) { r.Reply(answers) })
		return nil
	})
	s.Handle("part", func(r service.Request) error { r.Reply([]bool{r.Part(), r.Alone()}); return nil })
	s.Handle("will", func(r service.Request) error {
		r.Will("key", "last", "words")
		r.Will("key", "", nil)
		r.Will("", "no key", 1)
		r.BroadcastHere("here", 1)
		r.Reply(nil)
		return nil
	})
	s.OnJoin(func(c service.Context) { c.Broadcast("joined", nil) })
	s.Handle("descriptors", func(r service.Request) error {
		var all []string
		for n := range 100 {
			if name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(n)); err == nil {
				all = append(all, strconv.Itoa(n)+" "+name)
			}
		}
		r.Reply(all)
		return nil
	})
	s.Handle("environment", func(r service.Request) error { r.Reply(os.Environ()); return nil })
	s.Handle("finish", func(r service.Request) error { r.Reply("finished"); r.Finish(); return nil })
	s.Handle("long", func(r service.Request) error {
		var size int
		if err := r.Decode(&size); err != nil {
			return err
		}
		r.Broadcast("long", strings.Repeat("b", size))
		r.Reply(strings.Repeat("r", size))
		return nil
	})
	s.Handle("heap", func(r service.Request) error {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r.Reply(m.HeapAlloc >> 20)
		return nil
	})
	s.Handle("pour", func(r service.Request) error {
		go func() {
			for r.Err() == nil {
				r.Broadcast("poured", strings.Repeat("p", 10_000))
			}
		}()
		return nil
	})
	s.Source("endless", func(ctx context.Context, emit service.Emit) error {
		for n := 0; n < 3; n++ {
			if err := emit(n); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}, func(service.Context, any) {})
	s.OnReload(func(c service.Context) { c.Broadcast("reloaded", nil) })
	s.OnStop(func(c service.Context) { c.Broadcast("farewell", nil) })
}

// broken does not start.
func broken() *service.Service {
	return &service.Service{Name: "broken", Supervision: service.Supervision{Intensity: -1}, Setup: func(service.Setup) error {
		return errors.New("nothing to serve")
	}}
}

// late does not start in time.
func late() *service.Service {
	return &service.Service{Name: "late", Supervision: service.Supervision{Intensity: -1}, Setup: func(service.Setup) error {
		select {}
	}}
}

// crashes panics in Setup.
func crashes() *service.Service {
	return &service.Service{Name: "crashes", Setup: func(service.Setup) error { panic("told to in Setup") }}
}
