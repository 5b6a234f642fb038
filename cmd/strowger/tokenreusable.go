package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strowger/system/apikey"
	"strowger/system/jwt"
)

// jwtFlags are what token jwt is told.
type jwtFlags struct {
	alg, key, kid, subject, issuer, user string
	audience, permissions, subscribe     []string
	extensions, claims                   []string
	domainName, domainUUID               string
	limit                                time.Duration
}

func (p *program) tokenJWTCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jwt --key FILE --subject ID",
		Short: "Make a JWT, for tests",
		Long: `Jwt signs a JSON Web Token and prints {"name", "hash", "expires_at"}; the first two are what a
client authenticates with, as often as it likes until then.

The file has a secret as it is, for HS, or else a private key in PEM. Nobody else may be able to
read it. The daemon needs the same secret, or the public key, in jwt.keys.

The claims have the names that the daemon looks for by default. --claim sets any other, and takes the
place of one that another flag has set.`,
		Example: `  strowger token jwt --key /etc/strowger/secret --subject 42 --permission weather_view --limit 5m
  strowger token jwt --alg ES256 --key issuer.pem --kid 2026 --issuer https://a.example --audience pbx --subject 42
  strowger token jwt --key /etc/strowger/secret --subject 42 --claim 'realm_access={"roles":["admin"]}'`,
		Args: noArguments,
	}
	var f jwtFlags
	flags := cmd.Flags()
	flags.StringVar(&f.alg, "alg", "HS256", "`ALGORITHM`: one of "+strings.Join(jwt.Algorithms(), ", "))
	flags.StringVar(&f.key, "key", "", "`FILE` with the secret or the private key")
	flags.StringVar(&f.kid, "kid", "", "`NAME` of the key")
	flags.StringVar(&f.subject, "subject", "", "`ID` of the holder: the claim sub")
	flags.StringVar(&f.issuer, "issuer", "", "`ISSUER`: the claim iss")
	flags.StringArrayVar(&f.audience, "audience", nil, "`AUDIENCE`: the claim aud; may be repeated")
	flags.StringVar(&f.user, "user", "", "`NAME` of the user")
	flags.StringArrayVar(&f.permissions, "permission", nil, "grant `PERMISSION`; may be repeated")
	flags.StringArrayVar(&f.subscribe, "subscribe", nil, "let the holder hear the broadcasts of `SERVICE`; may be repeated")
	flags.StringArrayVar(&f.extensions, "extension", nil, "extension of the user as `USER@CONTEXT`; may be repeated")
	flags.StringVar(&f.domainName, "domain-name", "", "`NAME` of the domain the holder works in")
	flags.StringVar(&f.domainUUID, "domain-uuid", "", "`UUID` of that domain")
	flags.DurationVar(&f.limit, "limit", time.Hour, "how long the JWT is good; below 0 it has expired")
	flags.StringArrayVar(&f.claims, "claim", nil, "another claim as `NAME=JSON`; may be repeated")
	cmd.RunE = verb(func([]string) error {
		if f.key == "" || f.subject == "" {
			return usage("--key and --subject are required")
		}
		if !slices.Contains(jwt.Algorithms(), f.alg) {
			return usage("--alg: %q is not one of %s", f.alg, strings.Join(jwt.Algorithms(), ", "))
		}
		return p.mintJWT(f, time.Now())
	})
	return cmd
}

func (p *program) mintJWT(f jwtFlags, now time.Time) error {
	expires := now.Add(f.limit).Truncate(time.Second)
	claims := map[string]any{"sub": f.subject, "iat": min(now.Unix(), expires.Unix()), "exp": expires.Unix()}
	for name, value := range map[string]string{"iss": f.issuer, "preferred_username": f.user, "domain_name": f.domainName, "domain_uuid": f.domainUUID} {
		if value != "" {
			claims[name] = value
		}
	}
	for name, list := range map[string][]string{"aud": f.audience, "permissions": f.permissions, "services": f.subscribe, "extensions": f.extensions} {
		if len(list) > 0 {
			claims[name] = list
		}
	}
	for _, claim := range f.claims {
		name, text, ok := strings.Cut(claim, "=")
		if !ok || name == "" || !json.Valid([]byte(text)) {
			return usage("--claim: %q is not NAME=JSON; a text has quotes, as in 'role=\"admin\"'", claim)
		}
		claims[name] = json.RawMessage(text)
	}
	text, err := jwt.Mint(f.alg+" "+f.key, f.kid, claims)
	if err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	return printJSON(p.stdout, struct {
		Name      string `json:"name"`
		Hash      string `json:"hash"`
		ExpiresAt string `json:"expires_at"`
	}{"jwt", text, expires.UTC().Format(time.RFC3339)})
}

// apiKeyFlags are what token apikey is told.
type apiKeyFlags struct {
	file, class, comment string
	services             []string
	limit                time.Duration
	most                 int
}

func (p *program) tokenAPIKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apikey --file FILE --service NAME",
		Short: "Make an API key, with which a service may connect any number of times",
		Long: `Apikey makes an API key, adds a hash of it to the file, and prints {"name", "hash", "id", "file",
"expires_at"}; the first two are what the service authenticates with. The key is shown this once.

The daemon has the file in apikeys.file and reads it when it starts and when strowger reload is run.
The file must have mode 0600 and belong to the daemon's user or root; it is made so if it is not there.
To take a key back, delete the line with its id and reload. A connection that was made with it stays.`,
		Example: `  strowger token apikey --file /etc/strowger/apikeys --service weather --class weather_service
  strowger token apikey --file /etc/strowger/apikeys --service weather --service news --limit 8760h --comment host-a`,
		Args: noArguments,
	}
	var f apiKeyFlags
	flags := cmd.Flags()
	flags.StringVar(&f.file, "file", "", "`FILE` with the API keys")
	flags.StringArrayVar(&f.services, "service", nil, "let the holder be the service `NAME`; may be repeated")
	flags.StringVar(&f.class, "class", "", "`CLASS` of the service")
	flags.DurationVar(&f.limit, "limit", 0, "how long the key and its connections are good; 0 is for ever")
	flags.StringVar(&f.comment, "comment", "", "`TEXT` that tells whose key it is")
	flags.IntVar(&f.most, "max-keys", 10_000, "how many keys the file may have, as apikeys.max_keys says")
	cmd.RunE = verb(func([]string) error {
		if f.file == "" || len(f.services) == 0 {
			return usage("--file and --service are required")
		}
		if f.limit < 0 {
			return usage("--limit: a time is below 0")
		}
		if err := notEmpty(flags, "service", "class"); err != nil {
			return err
		}
		return p.makeAPIKey(f, time.Now())
	})
	return cmd
}

func (p *program) makeAPIKey(f apiKeyFlags, now time.Time) error {
	spec := apikey.Spec{Services: f.services, Class: f.class, Comment: f.comment}
	expires := "never"
	if f.limit > 0 {
		spec.Expires = now.Add(f.limit).UTC().Truncate(time.Second)
		expires = spec.Expires.Format(time.RFC3339)
	}
	file, err := filepath.Abs(f.file)
	if err != nil {
		return errors.Join(errors.New("--file"), err)
	}
	key, entry, err := apikey.Add(file, spec, now, f.most)
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	name := "apikey"
	if len(f.services) > 1 {
		name += ":" + f.services[0]
	}
	return printJSON(p.stdout, struct {
		Name      string `json:"name"`
		Hash      string `json:"hash"`
		ID        string `json:"id"`
		File      string `json:"file"`
		ExpiresAt string `json:"expires_at"`
	}{name, key, entry.ID, file, expires})
}
