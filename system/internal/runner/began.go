package runner

// Began is closed when the first start is over, well or not: from then on State says how the service
// is.
func (i *Instance) Began() <-chan struct{} { return i.begun }

// firstStartOver is called whenever a start has ended.
func (i *Instance) firstStartOver() { i.beginning.Do(func() { close(i.begun) }) }
