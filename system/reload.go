package system

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"strowger/config"
)

// Reloaded says what a reload has changed. Without changes all settings are the running ones.
type Reloaded struct {
	// Applied are the settings that have taken effect.
	Applied []config.Change `json:"applied"`
	// Restart are the settings that differ from those of the start and take effect with the next one. Those that
	// an earlier reload has read are among them.
	Restart []config.Change `json:"restart"`
	// Certificate is the TLS certificate that has been read from the files in use; nil if it is the same or there is none.
	Certificate *CertificateChange `json:"certificate,omitempty"`
	// Warnings are what is wrong although the settings can be used. Options.Reload may add to them.
	Warnings []string `json:"warnings,omitempty"`
}

// Changes returns the settings of Applied and of Restart. A nil Reloaded has none.
func (r *Reloaded) Changes() []config.Change {
	if r == nil {
		return nil
	}
	return slices.Concat(r.Applied, r.Restart)
}

// CertificateChange is a TLS certificate that has been replaced under the same name.
type CertificateChange struct {
	File string          `json:"file"`
	Old  CertificateInfo `json:"old"`
	New  CertificateInfo `json:"new"`
}

// CertificateInfo tells one certificate from others. It is about the first one of a chain.
type CertificateInfo struct {
	Subject string    `json:"subject"`
	Expires time.Time `json:"expires"`
	SHA256  string    `json:"sha256"` // of the whole certificate, in hexadecimal digits
}

// String returns the subject and when the certificate expires.
func (c CertificateInfo) String() string {
	return fmt.Sprintf("%s until %s", c.Subject, c.Expires.UTC().Format(time.RFC3339))
}

// Reload applies the settings of cfg that need no restart, reads the TLS certificate again from its files, and
// returns what has changed. An error means that nothing was changed: the settings are wrong, or the certificate
// cannot be used. Once Reload has returned, nothing that a service says is filtered by the policies from before.
// It may be called before Start.
func (s *System) Reload(cfg *config.Config) (*Reloaded, error) {
	if !s.made() {
		return nil, errors.New("reload: " + errUnmade.Error())
	}
	if cfg == nil {
		return nil, errors.New("reload: there is no configuration")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	pair, err := s.readCertificate(cfg)
	if err != nil {
		return nil, aboutCertificate(err)
	}
	checks, err := s.tokens.bearers.prepare(cfg)
	if err != nil {
		return nil, err
	}
	before := s.running.Load()
	tickets := s.tokens.tickets.Bounds()
	if err := s.tokens.tickets.Use(ticketBounds(cfg)); err != nil {
		checks.jwts.Close()
		return nil, err
	}
	if err := s.apply(cfg); err != nil {
		checks.jwts.Close()
		_ = s.tokens.tickets.Use(tickets) // these were in use
		return nil, err
	}
	s.tokens.bearers.use(checks)
	done := &Reloaded{Applied: pick(config.Diff(before, cfg), true), Restart: pick(config.Diff(s.cfg, cfg), false)}
	if pair != nil {
		done.Certificate = s.replaceCertificate(pair)
	}
	s.deps.SettingsChanged()
	s.checkDescriptors()
	s.services.reload()
	if err := s.checkCertificate(); err != nil {
		done.Warnings = append(done.Warnings, refusedCertificate+": "+err.Error())
	}
	return done, nil
}

// aboutCertificate names the settings in each problem of a certificate.
func aboutCertificate(err error) error {
	problems := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // only what Join returns has several
		problems = joined.Unwrap()
	}
	for i, problem := range problems {
		problems[i] = fmt.Errorf("listen.tls_certificate, listen.tls_key: %w", problem)
	}
	return errors.Join(problems...)
}

// pick returns the changes that take effect without a restart, or the others.
func pick(changes []config.Change, reloadable bool) []config.Change {
	picked := []config.Change{}
	for _, change := range changes {
		if change.Reloadable == reloadable {
			picked = append(picked, change)
		}
	}
	return picked
}

// readCertificate reads the pair that cfg names. It returns nil if that is another file than the one in use, or there is
// none: such a pair needs a restart, and is only checked.
func (s *System) readCertificate(cfg *config.Config) (*tls.Certificate, error) {
	if s.certificate == nil || cfg.Listen.TLSCertificate != s.cfg.Listen.TLSCertificate || cfg.Listen.TLSKey != s.cfg.Listen.TLSKey {
		_, err := loadCertificate(cfg)
		return nil, err
	}
	return s.certificate.Read()
}

// replaceCertificate has new connections get a pair. It returns nil if the pair is the one in use.
func (s *System) replaceCertificate(pair *tls.Certificate) *CertificateChange {
	old := s.certificate.Current()
	if slices.EqualFunc(old.Certificate, pair.Certificate, bytes.Equal) {
		return nil
	}
	s.certificate.Use(pair)
	return &CertificateChange{File: s.cfg.Listen.TLSCertificate, Old: describe(old), New: describe(pair)}
}

// describe returns what tells a pair from others.
func describe(pair *tls.Certificate) CertificateInfo {
	sum := sha256.Sum256(pair.Certificate[0])
	return CertificateInfo{Subject: pair.Leaf.Subject.String(), Expires: pair.Leaf.NotAfter, SHA256: hex.EncodeToString(sum[:])}
}
