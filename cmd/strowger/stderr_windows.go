package main

import "os"

// shut tells whether the process has no such file, as a service of Windows has none.
func shut(file *os.File) bool {
	_, err := file.Stat()
	return err != nil
}
