package natsbus

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"strowger/config"
	"strowger/config/regular"
	"strowger/system/internal/secretfile"
)

// maxFile is how long a file with a certificate or a secret may be.
const maxFile = 1 << 20

// files are the secrets and certificates that the configuration names.
type files struct {
	cfg *config.Cluster
	log *slog.Logger
	uid int // with whose eyes

	mu   sync.Mutex // Protects pair.
	pair *tls.Certificate
}

// CheckFiles returns what is wrong with one of the files that cfg names, with the eyes of a user.
func CheckFiles(cfg *config.Cluster, uid int) error {
	f := &files{cfg: cfg, log: slog.New(slog.DiscardHandler), uid: uid}
	if err := f.check(); err != nil {
		return err
	}
	if err := expired(f.pair); err != nil {
		return about("cluster.tls_certificate", cfg.TLSCertificate, err)
	}
	return nil
}

// check returns what is wrong with one of the files.
func (f *files) check() error {
	for _, secret := range []struct {
		key, path string
		use       func(data []byte) error
	}{
		{"cluster.secret_file", f.cfg.SecretFile, func(data []byte) error { return config.CheckSharedSecret(config.Secret(firstLine(data))) }},
		{"cluster.password_file", f.cfg.PasswordFile, checkPassword},
		{"cluster.nkey_file", f.cfg.NKeyFile, checkSeed},
		{"cluster.creds_file", f.cfg.CredsFile, checkCredentials},
		{"cluster.tls_key", f.cfg.TLSKey, func([]byte) error { return nil }},
	} {
		if secret.path == "" {
			continue
		}
		data, err := f.readSecret(secret.path)
		if err == nil {
			err = secret.use(data)
		}
		if err != nil {
			return about(secret.key, secret.path, err)
		}
	}
	if _, err := f.tls(); err != nil || f.cfg.TLSCertificate == "" {
		return err
	}
	pair, err := f.certificate()
	if err != nil {
		return about("cluster.tls_certificate", f.cfg.TLSCertificate, err)
	}
	if err := expired(pair); err != nil {
		f.log.Warn("other nodes refuse the certificate of this one", "err", err, "setting", "cluster.tls_certificate")
	}
	return nil
}

// expired says why other nodes refuse a certificate now. There may be none.
func expired(pair *tls.Certificate) error {
	if pair == nil {
		return nil
	}
	if leaf, now := pair.Leaf, time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return fmt.Errorf("it is good from %s to %s", leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// about names the key and the file in an error.
func about(key, path string, err error) error {
	if strings.Contains(err.Error(), path) {
		return fmt.Errorf("%s: %w", key, err)
	}
	return fmt.Errorf("%s: %s: %w", key, path, err)
}

func checkPassword(data []byte) error {
	if firstLine(data) == "" {
		return errors.New("its first line is empty, and should be the password")
	}
	return nil
}

func checkSeed(data []byte) error {
	pair, err := nkeys.ParseDecoratedNKey(data)
	if err != nil {
		return errors.New("it has no seed of an nkey; nk -gen user makes one")
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		return errors.New("its nkey is not that of a user")
	}
	return nil
}

func checkCredentials(data []byte) error {
	if _, err := nkeys.ParseDecoratedJWT(data); err != nil {
		return errors.New("it has no JWT")
	}
	if _, err := nkeys.ParseDecoratedUserNKey(data); err != nil {
		return errors.New("it has no seed of a user beside the JWT")
	}
	return nil
}

// readSecret returns what is in a file that others must not be able to read, but for a group.
func (f *files) readSecret(path string) ([]byte, error) {
	return secretfile.ReadAs(path, maxFile, secretfile.Shared, f.uid) //nolint:wrapcheck // it says what failed
}

// firstLine returns the first line without spaces around it.
func firstLine(data []byte) string {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

// secret returns what nodes that listen share, "" if they go by certificates alone.
func (f *files) secret() (string, error) {
	if f.cfg.SecretFile == "" {
		return string(f.cfg.Secret), nil
	}
	data, err := f.readSecret(f.cfg.SecretFile)
	if err != nil {
		return "", about("cluster.secret_file", f.cfg.SecretFile, err)
	}
	return firstLine(data), nil
}

// identity is the key that says who this node is at an external NATS.
func (f *files) identity() string {
	for _, way := range []struct{ key, value string }{
		{"cluster.user", f.cfg.User}, {"cluster.nkey_file", f.cfg.NKeyFile}, {"cluster.creds_file", f.cfg.CredsFile}, {"cluster.tls_certificate", f.cfg.TLSCertificate},
	} {
		if way.value != "" {
			return way.key
		}
	}
	return "cluster.user"
}

// options returns how to log in at an external NATS, and TLS.
func (f *files) options() ([]nats.Option, error) {
	if len(f.cfg.NATS) == 0 {
		return nil, nil
	}
	var options []nats.Option
	switch {
	case f.cfg.User != "":
		options = append(options, nats.UserInfoHandler(f.login))
	case f.cfg.NKeyFile != "":
		option, err := nats.NkeyOptionFromSeed(f.cfg.NKeyFile)
		if err != nil {
			return nil, about("cluster.nkey_file", f.cfg.NKeyFile, err)
		}
		options = append(options, option)
	case f.cfg.CredsFile != "":
		options = append(options, nats.UserCredentials(f.cfg.CredsFile))
	}
	if f.cfg.TLSCertificate == "" && f.cfg.TLSCA == "" {
		return options, nil
	}
	settings, err := f.tls()
	if err != nil {
		return nil, err
	}
	return append(options, nats.Secure(settings)), nil
}

// login returns user and password as the file has them now.
func (f *files) login() (user, password string) {
	data, err := f.readSecret(f.cfg.PasswordFile)
	if err != nil {
		f.log.Warn("the password for the cluster's bus cannot be read", "err", err, "setting", "cluster.password_file")
	}
	return f.cfg.User, firstLine(data)
}

// tls returns the settings for both sides of a connection. There is a certificate, an authority or both.
func (f *files) tls() (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.cfg.TLSCA != "" {
		pool, err := regular.Authorities(f.cfg.TLSCA)
		if err != nil {
			return nil, about("cluster.tls_ca", f.cfg.TLSCA, err)
		}
		settings.RootCAs, settings.ClientCAs, settings.ClientAuth = pool, pool, tls.RequireAndVerifyClientCert
	}
	if f.cfg.TLSCertificate != "" {
		settings.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current(), nil }
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f.current(), nil }
	}
	return settings, nil
}

// certificate reads the pair.
func (f *files) certificate() (*tls.Certificate, error) {
	certificate, err := regular.ReadFile(f.cfg.TLSCertificate, maxFile)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	key, err := f.readSecret(f.cfg.TLSKey)
	if err != nil {
		return nil, about("cluster.tls_key", f.cfg.TLSKey, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("it and %s are no pair: %w", f.cfg.TLSKey, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pair = &pair
	return &pair, nil
}

// current returns the pair as the files have it now, or the last one that could be read.
func (f *files) current() *tls.Certificate {
	pair, err := f.certificate()
	if err == nil {
		return pair
	}
	f.log.Warn("the certificate of this node cannot be read, the one from before is used", "err", err, "setting", "cluster.tls_certificate")
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pair
}
