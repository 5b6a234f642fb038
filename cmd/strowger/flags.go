package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strowger/config"
)

// flagError says what is wrong with a flag in words of the command line.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var novalue *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &novalue):
		name, _ := pflag.UnquoteUsage(novalue.GetFlag())
		return usage("--%s: %s is missing", novalue.GetFlag().Name, name)
	case errors.As(err, &invalid):
		return usage("--%s: %q is %s", invalid.GetFlag().Name, invalid.GetValue(), wanted(invalid.GetFlag()))
	}
	return err
}

// unknownFlag names the flags that may have been meant.
func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	short := err.GetSpecifiedShortnames()
	if short != "" && cmd.HasSubCommands() {
		return usage("unknown flag -%s", short)
	}
	if short != "" {
		return usage("unknown flag -%s; an argument that begins with - stands after --", short)
	}
	var all, longer []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		all = append(all, f.Name)
		if strings.HasPrefix(f.Name, err.GetSpecifiedName()) {
			longer = append(longer, "--"+f.Name)
		}
	})
	if near := config.Nearest(err.GetSpecifiedName(), all); len(longer) == 0 && near != "" {
		longer = []string{"--" + near}
	}
	if len(longer) == 0 {
		return usage("%w", err)
	}
	return usage("%w, did you mean %s?", err, strings.Join(longer, " or "))
}

// wanted says how a value of the flag is written.
func wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "duration":
		return "no time, write it like 2s or 1m30s"
	case "uint64":
		return "no number from 0 on"
	case "bool":
		return "neither true nor false"
	}
	return "no " + f.Value.Type()
}

// notEmpty refuses flags with an empty value, which a shell makes of a variable that is not set.
func notEmpty(flags *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		f := flags.Lookup(name)
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if f.Changed && slices.Contains(values, "") {
			what, _ := pflag.UnquoteUsage(f)
			return usage("--%s: %s is empty", name, what)
		}
	}
	return nil
}

// exclusive refuses two flags that do not go together.
func exclusive(flags *pflag.FlagSet, one, other string) error {
	if flags.Changed(one) && flags.Changed(other) {
		return usage("--%s and --%s exclude each other", one, other)
	}
	return nil
}

// oneOf refuses a command line without either flag, or with both.
func oneOf(flags *pflag.FlagSet, one, other string) error {
	if flags.Changed(one) || flags.Changed(other) {
		return exclusive(flags, one, other)
	}
	first, _ := pflag.UnquoteUsage(flags.Lookup(one))
	second, _ := pflag.UnquoteUsage(flags.Lookup(other))
	return usage("--%s %s or --%s %s is missing", one, first, other, second)
}
