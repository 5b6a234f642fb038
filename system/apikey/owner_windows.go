package apikey

func keepOwner(_, _ string) error { return nil }
