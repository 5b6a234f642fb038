package system

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"strowger/actors"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/token"
)

// tokens is the token store as the connections see it.
type tokens struct {
	store   *token.Store
	strict  bool // a service of an unknown class is an ordinary client
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
	classes := slices.Clone(cfg.Services.Classes)
	for _, class := range policy.Classes() {
		classes = append(classes, class.Name)
	}
	return &tokens{store: store, strict: cfg.Services.UnknownClass == "client", classes: classes}, nil
}

// Claim implements actors.Tokens.
func (t *tokens) Claim(name, hash string, admit func(actors.Role) error) (*actors.Credentials, error) {
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
	switch role := t.role(claimed); {
	case role == actors.Client && claimed.Kind == token.Service:
		c.DeniedService, c.DeniedClass = claimed.ServiceName, claimed.ServiceClass
	case role == actors.Service:
		c.Role, c.Service, c.Class = actors.Service, serviceName(claimed), claimed.ServiceClass
		c.KnownClass = slices.Contains(t.classes, claimed.ServiceClass)
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
	if claimed.Kind == token.Service && (!t.strict || slices.Contains(t.classes, claimed.ServiceClass)) {
		return actors.Service
	}
	return actors.Client
}

// serviceName returns the name that a service's token gives its holder. A built-in class whose token has the
// name of another built-in service, as FusionPBX 5.4's dashboard service has, gets the name of its class: it
// speaks under that name, and it must not be asked what the other service is asked.
func serviceName(t *token.Token) string {
	own := policy.BuiltinService(t.ServiceClass)
	if own != "" && policy.BuiltinClass(t.ServiceName) != "" {
		return own
	}
	return t.ServiceName
}
