package system

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"strowger/actors"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/ticket"
	"strowger/system/token"
)

// tokens is the token store as the connections see it.
type tokens struct {
	store   *token.Store
	bearers *bearers
	tickets *ticket.Store
	work    func(func()) // has a function called beside, in no order; set before the first connection
	strict  bool         // a service of an unknown class is an ordinary client
	classes []string
}

// TokenBounds returns how large a token may be by the configuration, for token.Read and token.Open. A nil
// cfg means the defaults.
func TokenBounds(cfg *config.Config) token.Options {
	if cfg == nil {
		cfg = config.Default()
	}
	t := &cfg.Tokens
	return token.Options{MaxBytes: int64(t.MaxBytes), MaxDepth: t.MaxDepth, MaxPermissions: t.MaxPermissions,
		MaxServices: t.MaxServices, MaxExtensions: t.MaxExtensions}
}

func openTokens(cfg *config.Config, log *slog.Logger) (*tokens, error) {
	owners, err := token.DefaultOwners(cfg.Tokens.Owners)
	if err != nil {
		return nil, fmt.Errorf("tokens.owners: %w", err)
	}
	opts := TokenBounds(cfg)
	opts.Dir, opts.Owners, opts.Log = cfg.Tokens.Directory, owners, log
	store, err := token.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("tokens.directory: %w", err)
	}
	bearers, err := newBearers(cfg, log)
	if err != nil {
		return nil, err
	}
	key, used := ticketFiles(cfg, store.Dir())
	tickets, err := ticket.Open(ticket.Options{KeyFile: key, UsedFile: used, Log: log}, ticketBounds(cfg))
	if err != nil {
		return nil, err
	}
	classes := slices.Clone(cfg.Services.Classes)
	for _, class := range policy.Classes() {
		classes = append(classes, class.Name)
	}
	return &tokens{store: store, bearers: bearers, tickets: tickets, strict: cfg.Services.UnknownClass == "client", classes: classes}, nil
}

// Claim implements actors.Tokens.
func (t *tokens) Claim(name, hash string, admit func(actors.Role) error) (*actors.Credentials, error) {
	if isBearer(name) {
		kind, service, _ := strings.Cut(name, ":")
		return t.bear(kind, service, hash, admit)
	}
	if name == ticketName {
		return t.resume(hash, admit)
	}
	claimed, err := t.store.ClaimIf(name, hash, func(claimed *token.Token) error { return admit(t.role(claimed)) })
	if errors.Is(err, token.ErrNotFound) {
		return nil, &usedError{err}
	}
	if err != nil {
		return nil, err
	}
	c := &actors.Credentials{
		Role: actors.Client, Services: claimed.Services, Permissions: claimed.Permissions,
		DomainName: claimed.DomainName, DomainUUID: claimed.DomainUUID,
		UserUUID: claimed.UserUUID, UserName: claimed.UserName, Extensions: claimed.Extensions,
		ExpiresAt: claimed.ExpiresAt(), ClaimBy: claimed.ClaimBy(),
	}
	if claimed.Kind == token.Service {
		t.serve(c, claimed.ServiceName, claimed.ServiceClass)
	}
	return c, nil
}

// isBearer reports whether a name is that of tokens that are not used up, and not in files.
func isBearer(name string) bool {
	kind, _, _ := strings.Cut(name, ":")
	return name == jwtName || kind == apiKeyName
}

// serve makes credentials those of a service, if its class may be one.
func (t *tokens) serve(c *actors.Credentials, name, class string) {
	if t.serviceRole(class) != actors.Service {
		c.DeniedService, c.DeniedClass = name, class
		return
	}
	c.Role, c.Service, c.Class, c.KnownClass = actors.Service, serviceName(name, class), class, slices.Contains(t.classes, class)
}

// bearer is what a token that is not used up grants.
type bearer struct {
	service, class string // service is empty for a client
	grants         actors.Credentials
}

// bear is Claim for a token that is not used up.
func (t *tokens) bear(kind, service, text string, admit func(actors.Role) error) (*actors.Credentials, error) {
	c, err := t.look(kind, service, text)
	if err != nil {
		return nil, err
	}
	if err := admit(c.Role); err != nil {
		return nil, err
	}
	return c, nil
}

// Renew implements actors.Renewer.
func (t *tokens) Renew(name, text string) (*actors.Credentials, error) { return t.look(name, "", text) }

// look returns the credentials of a token that is not used up.
func (t *tokens) look(kind, service, text string) (*actors.Credentials, error) {
	var b *bearer
	var err error
	if kind == jwtName {
		b, err = t.bearers.jwt(text)
	} else {
		b, err = t.bearers.key(text, service)
	}
	if err != nil {
		return nil, err
	}
	c := &b.grants
	c.Role = actors.Client
	if b.service != "" {
		t.serve(c, b.service, b.class)
	}
	return c, nil
}

// usedError says that there is no such token, as there is none that was claimed.
type usedError struct{ err error }

func (e *usedError) Error() string { return e.err.Error() }

func (e *usedError) Unwrap() error { return e.err }

// Used tells actors that the token may be one that its holder comes back with.
func (e *usedError) Used() bool { return true }

// role returns what a token makes its holder.
func (t *tokens) role(claimed *token.Token) actors.Role {
	if claimed.Kind == token.Service {
		return t.serviceRole(claimed.ServiceClass)
	}
	return actors.Client
}

// serviceRole returns what the token of a service makes its holder.
func (t *tokens) serviceRole(class string) actors.Role {
	if !t.strict || slices.Contains(t.classes, class) {
		return actors.Service
	}
	return actors.Client
}

// serviceName returns the name that a service's token gives its holder. A built-in class whose token has the
// name of another built-in service, as FusionPBX 5.4's dashboard service has, gets the name of its class: it
// speaks under that name, and it must not be asked what the other service is asked.
func serviceName(name, class string) string {
	own := policy.BuiltinService(class)
	if own != "" && policy.BuiltinClass(name) != "" {
		return own
	}
	return name
}
