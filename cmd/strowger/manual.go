//go:build man

package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// addManual adds the command that writes the pages of the manual. Only a program that is built with the tag man has it, so that
// the daemon need not contain what turns Markdown into such pages.
func addManual(root *cobra.Command) {
	root.AddCommand(&cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write the pages of the manual",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: verb(func(args []string) error {
			root.DisableAutoGenTag = true
			// The date is that of SOURCE_DATE_EPOCH.
			header := &doc.GenManHeader{Section: "1", Source: "strowger " + readBuild().Version, Manual: "strowger"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write the manual: %w", err)
			}
			return nil
		}),
	})
}
