package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strowger/system/token"
)

func (p *program) tokenCommand() *cobra.Command {
	cmd := group("token", "Make tokens", p.tokenCreateCommand(), p.tokenJWTCommand(), p.tokenAPIKeyCommand())
	cmd.Example = `  strowger token create --user alice --subscribe active.calls`
	return cmd
}

// tokenFlags are what token create is told.
type tokenFlags struct {
	user, service, class   string
	permissions, subscribe []string
	extensions             []string
	domainName, domainUUID string
	limit, claimWithin     time.Duration
	format, dir            string
}

func (p *program) tokenCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create (--user NAME | --service NAME)",
		Short: "Make a token that is good for one connection",
		Long: `Create writes a token file and prints {"name", "hash", "file", "claim_within", "limit"};
the first two are what a client or a service authenticates with, once.

The daemon reads the file and deletes it as it accepts the token. In /dev/shm it can do so
only if it runs as the user who makes the token, or as root: for a daemon of another user
use sudo -u USER. It must also believe the file, see tokens.owners.

"claim_within" and "limit" say how long the token can wait for its connection and how long
both are good: without those flags, for ever.`,
		Example: `  strowger token create --user alice --subscribe active.calls --permission call_active_view
  strowger token create --service weather --format json --claim-within 1m
  strowger token create --user bob --extension 1001@a.example.com --domain-name a.example.com --limit 30m`,
		Args: noArguments,
	}
	var f tokenFlags
	flags := cmd.Flags()
	flags.StringVar(&f.user, "user", "", "make a client's token, for the user `NAME`")
	flags.StringVar(&f.service, "service", "", "make a service's token, for the service `NAME`")
	flags.StringVar(&f.class, "class", "", "PHP `CLASS` of the service")
	flags.StringArrayVar(&f.permissions, "permission", nil, "grant `PERMISSION`; may be repeated")
	flags.StringArrayVar(&f.subscribe, "subscribe", nil, "let the holder hear the broadcasts of `SERVICE`; may be repeated")
	flags.StringArrayVar(&f.extensions, "extension", nil, "extension of the user as `USER@CONTEXT`; may be repeated")
	flags.StringVar(&f.domainName, "domain-name", "", "`NAME` of the domain the holder works in")
	flags.StringVar(&f.domainUUID, "domain-uuid", "", "`UUID` of that domain")
	flags.DurationVar(&f.limit, "limit", 0, "how long the token and its connection are good, such as 30m; 0 is for ever")
	flags.DurationVar(&f.claimWithin, "claim-within", 0, "how long the token can wait for its connection, such as 1m; 0 is as long as --limit; not with --format php")
	flags.StringVar(&f.format, "format", token.JSON.String(), "`FORMAT` of the file: json, or php as FusionPBX writes it")
	flags.StringVar(&f.dir, "token-dir", "", "write to `DIR` (default: where the daemon looks by default)")
	flags.StringVar(&f.dir, "dir", "", "the same as --token-dir, which it was called before")
	_ = flags.MarkHidden("dir") // it is there
	cmd.RunE = verb(func([]string) error {
		if err := oneOf(flags, "user", "service"); err != nil {
			return err
		}
		if err := errors.Join(exclusive(flags, "token-dir", "dir"), exclusive(flags, "user", "class"), exclusive(flags, "service", "extension")); err != nil {
			return usage("%w", err)
		}
		if err := notEmpty(flags, "user", "service", "class", "permission", "subscribe", "extension", "domain-name", "domain-uuid"); err != nil {
			return err
		}
		return p.createToken(f)
	})
	return cmd
}

func (p *program) createToken(f tokenFlags) error {
	format, err := token.ParseFormat(f.format)
	if err != nil {
		return usage("--format: %w", err)
	}
	if f.limit < 0 || f.claimWithin < 0 {
		return usage("--limit and --claim-within: a time is below 0")
	}
	for _, extension := range f.extensions {
		if user, context, _ := strings.Cut(extension, "@"); user == "" || context == "" {
			return usage("--extension: %q is not USER@CONTEXT", extension)
		}
	}
	if format == token.PHP && f.claimWithin != 0 {
		return usage("--claim-within: the php format cannot say it; use --format json")
	}
	t, file, err := token.Create(f.dir, token.Spec{
		Limit:        f.limit,
		ClaimWithin:  f.claimWithin,
		Services:     f.subscribe,
		Permissions:  f.permissions,
		DomainName:   f.domainName,
		DomainUUID:   f.domainUUID,
		UserName:     f.user,
		Extensions:   f.extensions,
		ServiceName:  f.service,
		ServiceClass: f.class,
	}, format)
	if errors.Is(err, fs.ErrNotExist) && f.dir != "" {
		return fmt.Errorf("%w; --token-dir must be where the router looks for tokens, which its log says at the start", err)
	}
	if err != nil {
		return err
	}
	return printJSON(p.stdout, struct {
		Name        string `json:"name"`
		Hash        string `json:"hash"`
		File        string `json:"file"`
		ClaimWithin string `json:"claim_within"`
		Limit       string `json:"limit"`
	}{t.Name, t.Hash, file, span(f.claimable()), span(f.limit)})
}

// claimable returns how long the token can wait for its connection; 0 is for ever.
func (f *tokenFlags) claimable() time.Duration {
	if f.claimWithin == 0 || f.limit > 0 && f.limit < f.claimWithin {
		return f.limit
	}
	return f.claimWithin
}

// span writes how long something is good; 0 is for ever.
func span(d time.Duration) string {
	if d == 0 {
		return "for ever"
	}
	return d.String()
}
