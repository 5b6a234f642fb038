package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"strowger/system"
)

func (p *program) adminCommand() *cobra.Command {
	cmd := group("admin", "Prepare the console's access", p.passwordCommand())
	cmd.Long = `Admin prepares who may use the console of the admin port (docs/console.md).`
	cmd.Example = `  strowger admin password`
	return cmd
}

func (p *program) passwordCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "password",
		Short: "Print the hash of a password for admin.password_hash",
		Long: `Password asks for a password twice, or reads one line from stdin where that is no
terminal, and prints its hash (argon2id) for the setting admin.password_hash. The
password itself is kept nowhere.`,
		Example: `  strowger admin password
  pwgen -s 24 1 | strowger admin password`,
		Args: noArguments,
	}
	cmd.RunE = verb(func([]string) error {
		password, err := p.readPassword()
		if err != nil {
			return err
		}
		hash, err := system.HashPassword(password)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(p.stdout, hash); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		return nil
	})
	return cmd
}

// readPassword asks on a terminal, and reads a line elsewhere.
func (p *program) readPassword() (string, error) {
	file, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(p.stdin, 64<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read stdin: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var said [2]string
	for i, question := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(p.stderr, question)
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(p.stderr)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		said[i] = string(text)
	}
	if said[0] != said[1] {
		return "", errors.New("the two are not the same")
	}
	return said[0], nil
}
