//go:build !man

package main

import "github.com/spf13/cobra"

// addManual adds nothing: only a program that is built with the tag man writes the manual.
func addManual(*cobra.Command) {}
