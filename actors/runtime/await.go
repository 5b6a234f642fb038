package runtime

// Await calls start and returns when done has been called, which any goroutine may do once. It is for goroutines that
// are no actor's.
func Await(start func(done func())) {
	over := make(chan struct{})
	start(func() { close(over) })
	<-over
}
